# SPDX-License-Identifier: MIT
"""One measurement of a server under load: its times, or the number of its system calls or
instructions, which are counted in separate runs. A count is the difference between a long and
a short run, so that it does not include the start of the server."""

import os
import re
import shutil
import statistics

from . import process

COUNTS = (2000, 6000)  # requests of the short and of the long run, if the case has no `counts`


def options_of(case):
    words = []
    for name, value in case.items():
        if value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


def load(build, server, case, **more):
    """Runs bench/load, or the program that the case names, on a server; returns its output as a
    dict."""
    case = dict(case)
    case.pop("counts", None)
    program = case.pop("program", "bench/load")
    its, own = process.processors()
    case = {"spin": its != own, **case, **more}
    command = [build.find(program), "--pid", str(server.pid), *options_of(case), server.address]
    limit = process.PATIENCE + 2 * float(more.get("seconds", 1))
    try:
        text = process.output(command, build.env, own, limit)
    except process.Failed as why:
        complaint = server.complaints()
        raise process.Failed(f"{server.name}: {why}" + (f" ({complaint})" if complaint else ""))
    return process.figures(text)


def once(build, row, case, seconds):
    """Measures when the server has got memory for all connections, which takes its time, and
    so long that each connection has made several requests."""
    connections = case.get("connections", 0)
    seconds, warmup = max(seconds, connections / 10000), max(seconds * 0.4, connections / 20000)
    with row.start(build) as server:
        return load(build, server, {**case, **row.case}, seconds=seconds, warmup=warmup)


def difference(build, row, wrapper, read, ask, counts):
    """What one request adds to a number that `read(path, server)` returns when a server has
    ended. `wrapper`: how it is run, with "{}" for the path; `ask(server, requests)`: the load."""
    totals = []
    for requests in counts:
        path = os.path.join(process.work_dir(), "count")
        with row.start(build, [word.format(path) for word in wrapper]) as server:
            ask(server, requests)
        totals.append(read(path, server))
    return (totals[1] - totals[0]) / (counts[1] - counts[0])


def _difference(build, row, case, wrapper, read):
    return difference(
        build, row, wrapper, read,
        lambda server, requests: load(build, server, {**case, **row.case}, requests=requests),
        case.get("counts", COUNTS))


def _strace_total(path, _server):
    total = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) > 4 and words[-1] != "total" and re.fullmatch(r"[\d.]+", words[0]):
                total += int(words[3])
    return total


def _callgrind_total(path, _server):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1])
    raise process.Failed("callgrind counted nothing")


def syscalls(build, row, case):
    """System calls per request."""
    if shutil.which("strace") is None:
        return None
    return _difference(build, row, case, ["strace", "-f", "-c", "-o", "{}"], _strace_total)


def instructions_of(count, row):
    """Instructions in user space per request: `count(wrapper, read)` calls difference()."""
    if shutil.which("valgrind") is None or not row.valgrind:
        return None
    command = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file={}"]
    try:
        return count(command, _callgrind_total)
    except process.Failed:  # on io_uring Valgrind may miss the signal to end
        return count(command, _callgrind_total)


def instructions(build, row, case):
    return instructions_of(lambda command, read: _difference(build, row, case, command, read),
                           row)


def allocations(build, row, case):
    """Allocations per request, for servers that print their number at the end."""
    def read(_path, server):
        said = process.figures(server.said())
        if "allocations" not in said:
            raise process.Failed("no count of allocations")
        return said["allocations"]

    return _difference(build, row, case, [], read)


def median(values):
    return statistics.median(values)
