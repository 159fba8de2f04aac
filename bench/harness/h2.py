# SPDX-License-Identifier: MIT
"""HTTP/2: a small body by h2load, on 16 connections with 1, 10 and 100 streams each, in the
clear with prior knowledge. The CPU time and the instructions of the server for a request."""

import re
import shutil

from . import measure, process, servers, targets
from .measure import median
from .subjects import counted, in_rounds, present
from .table import Table, micro, number, spread, thousands

CONNECTIONS = 16
STREAMS = (1, 10, 100)
REQUESTS = (16000, 64000)  # of a measurement, with one stream and with many
COUNTS = (1600, 6400)  # of the short and of the long run that count instructions


def nghttpd(port):
    return ["--no-tls", "--address=127.0.0.1", "--htdocs=" + servers.site(), str(port)]


def clear_rows():
    def ours(reactor):
        return servers.Ours(reactor, ["examples/http_hello", "--reactor", reactor, "--listen",
                                      "127.0.0.1:0", "--protocols", "h1,h2c"])

    return [servers.h2o(), ours("epoll"), ours("io_uring"), servers.nginx(h2c=True),
            servers.Row("nghttpd", ["nghttpd", nghttpd], "nghttp2-server")]


class Case:
    """What is asked for: a number of streams on each connection, and the beginning and the end
    of the URL, around the server's address."""

    def __init__(self, streams, scheme="http", path="/"):
        self.streams, self.scheme, self.path = streams, scheme, path


def ask(options, server, case, requests):
    """Runs h2load; returns how many requests a second it got. Each must succeed."""
    command = ["h2load", "-n", str(requests), "-c", str(CONNECTIONS), "-m", str(case.streams),
               "-p", "h2c", f"{case.scheme}://{server.address}{case.path}"]
    text = process.output(command, options.build.env, process.processors()[1], 120)
    if f" {requests} succeeded," not in text or f" {requests} 2xx" not in text:
        raise process.Failed(f"{server.name}: not all requests succeeded")
    return float(re.search(r"([\d.]+) req/s", text).group(1))


def once(options, row, case):
    requests = REQUESTS[case.streams > 1] // (2 if options.quick else 1)
    with row.start(options.build) as server:
        ask(options, server, case, requests // 4)
        before = process.cpu(server.pid)
        rate = ask(options, server, case, requests)
        return {"rate": rate, "cpu": (process.cpu(server.pid) - before) / requests}


def instructions(options, row, case):
    """Instructions in user space for a request, without those of the connections."""
    def count(command, read):
        options.say(f"counting for {row.name}")
        return measure.difference(options.build, row, command, read,
                                  lambda server, requests: ask(options, server, case, requests),
                                  COUNTS)

    if options.quick and row.name.startswith("ng"):
        return None
    return measure.instructions_of(count, row)


def loaded(options, name, title, rows, case, base):
    """The table of a load by h2load; `base`: the row that the others are compared with."""
    missing = []
    here = present(options, rows, missing)
    table = Table(name, title, ["", "requests/s", "CPU us", "of " + base, "instr."], raw={})
    if shutil.which("h2load") is None:
        table.note("not measured: there is no h2load (in Debian: nghttp2-client)")
        return table
    found, failed = in_rounds(options, title, here, lambda row: once(options, row, case))
    table.raw["rows"], figures = found, {}
    for row in here:
        if row.name not in found or base not in found:
            continue
        runs = found[row.name]
        ratios = [run["cpu"] / other["cpu"] for run, other in zip(runs, found[base])]
        figures[row.name, "CPU of " + base] = median(ratios)
        counts = counted(options, row, case,
                         lambda _build, row, case: instructions(options, row, case))
        table.add(row.name, thousands(median([run["rate"] for run in runs])),
                  micro(median([run["cpu"] for run in runs])), spread(ratios),
                  number(counts, 0))
    targets.judge(table, figures)
    for note in missing + failed:
        table.note(note)
    return table


def h2(options):
    return [loaded(options, f"h2-{streams}", f"HTTP/2, {CONNECTIONS} connections, "
                   f"{streams} stream{'s' * (streams > 1)} each", clear_rows(),
                   Case(streams), "h2o")
            for streams in (STREAMS[1:2] if options.quick else STREAMS)]
