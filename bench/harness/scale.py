# SPDX-License-Identifier: MIT
"""How servers grow with the workers of a crew: each worker serves its own clients on its own
thread, pinned to a processor. So the ratio of the throughputs is that of the processors that the
machine really gives, and what workers cost one another shows in the CPU time and in the calls of
futex, which strace counts in separate runs."""

import os
import re
import shutil

from . import process, servers, targets
from .measure import COUNTS, median
from .subjects import in_rounds, present
from .table import Table, micro, number, spread, thousands

CLIENTS = 32
FREE = 0.95  # the share of the processors that workers must get for their throughput to be judged


def command(options, row, workers, *more):
    return [options.build.find(row.command[0]), *row.command[1:], "--workers", str(workers),
            "--clients", str(CLIENTS), *more]


def once(options, row, workers):
    seconds = options.seconds * 2
    text = process.output(command(options, row, workers, "--seconds", str(seconds)),
                          options.build.env, None, process.PATIENCE + seconds)
    return process.figures(text)


def futexes(options, row, workers):
    """Calls of futex for a request."""
    counts = []
    for requests in COUNTS:
        path = os.path.join(process.work_dir(), "count")
        process.output(["strace", "-f", "-c", "-e", "trace=futex", "-o", path,
                        *command(options, row, workers, "--requests",
                                 str(requests // CLIENTS))], options.build.env, None, 120)
        with open(path, encoding="utf-8") as file:
            found = re.search(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*\bfutex$", file.read(), re.M)
        counts.append(int(found.group(1)) if found else 0)
    served = (COUNTS[1] // CLIENTS - COUNTS[0] // CLIENTS) * CLIENTS * workers
    return (counts[1] - counts[0]) / served


def scale(options):
    cpus = len(os.sched_getaffinity(0))
    rows = [servers.Ours(reactor, ["bench/scale", "--reactor", reactor, kind], f", {kind}")
            for kind in ("echo", "http") for reactor in ("epoll", "io_uring")]
    missing = []
    here = present(options, rows, missing)
    found, failed = in_rounds(options, "scale", here,
                              lambda row: [once(options, row, n) for n in (1, cpus)])
    table = Table("scale", f"1 worker and {cpus}, each with {CLIENTS} clients of its own",
                  ["", "requests/s, 1", f"requests/s, {cpus}", "ratio", "CPU us, 1",
                   f"CPU us, {cpus}", "ratio", "busy", "futex calls"], raw=found)
    figures = {}
    for row in here:
        if row.name not in found:
            continue
        ones, many = zip(*found[row.name])
        cells, ratios = [], {}
        for name, text in (("rate", thousands), ("cpu", micro)):
            ratios[name] = [n[name] / one[name] for one, n in zip(ones, many)]
            cells += [text(median([run[name] for run in ones])),
                      text(median([run[name] for run in many])), spread(ratios[name])]
        calls = None
        if shutil.which("strace"):
            options.say(f"scale: counting for {row.name}")
            calls = futexes(options, row, cpus)
        busy = median([run["busy"] for run in many])
        figures[row.name, "CPU of one worker"] = median(ratios["cpu"])
        figures[row.name, "futex calls"] = calls
        if cpus == 2 and busy > FREE * cpus:
            figures[row.name, "throughput of one worker"] = median(ratios["rate"])
        table.add(row.name, *cells, f"{busy:.2f} of {cpus}", number(calls, 4))
    targets.judge(table, figures)
    for note in missing + failed:
        table.note(note)
    return [table]
