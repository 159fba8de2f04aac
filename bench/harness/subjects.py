# SPDX-License-Identifier: MIT
"""The subjects under load: echo, HTTP, growth, fairness. Each function returns tables. In a
round every server is started anew and measured once; ratios compare servers within a round."""

import resource
import socket
import time

from . import measure, process, servers, targets
from .measure import median
from .table import Table, micro, number, spread, thousands

BASE = "bare epoll"


class Options:
    """How long and how often to measure, and which servers to leave out."""

    def __init__(self, build, rounds, seconds, quick, say):
        self.build, self.rounds, self.seconds = build, rounds, seconds
        self.quick, self.say = quick, say


def present(options, rows, missing, connections=0):
    """The available ones of `rows` that can have so many connections; the others are named in
    `missing`."""
    here = []
    for row in rows:
        why = row.missing(options.build)
        if row.limit and connections > row.limit:
            why = f"at most {row.limit} connections"
        if why is None:
            here.append(row)
        else:
            missing.append(f"not measured: {row.name} ({why})")
    return here


def in_rounds(options, title, rows, once, rounds=None, base=BASE):
    """{row name: [results of once(row)]} over all rounds, in which the rows alternate. A row
    that fails is reported and left out."""
    found, failed = {row.name: [] for row in rows}, {}
    rounds = rounds or options.rounds
    for turn in range(rounds):
        options.say(f"{title}: round {turn + 1} of {rounds}")
        for row in rows:
            if row.name in failed:
                continue
            try:
                found[row.name].append(once(row))
            except process.Failed as why:
                if row.name == base:
                    raise
                options.say(f"{title}: {row.name}: {why}")
                failed[row.name] = f"not measured: {row.name} ({str(why).splitlines()[0]})"
                del found[row.name]
    return found, list(failed.values())


def counted(options, row, case, count):
    """A count, or None if it is not available."""
    try:
        return count(options.build, row, case)
    except process.Failed as why:
        options.say(f"{row.name}: {why}")
        return None


def loaded(options, name, title, rows, case, counts, base=BASE):
    """The table of one load on several servers. `counts(row)`: whether to count its system
    calls, instructions and allocations, too. `base`: the row that others are compared with."""
    missing = []
    rows = present(options, rows, missing, case.get("connections", 0))
    columns = ["", "requests/s", "CPU us", "of " + base.partition(" ")[0], "p50 us", "p99 us",
               "p99.9 us", "busy"]
    if base not in [row.name for row in rows]:
        table = Table(name, title, columns, raw={})
        for note in missing:
            table.note(note)
        return table
    found, failed = in_rounds(
        options, title, rows,
        lambda row: measure.once(options.build, row, case, options.seconds), base=base)
    if any(counts(row) for row in rows):
        columns += ["syscalls", "instr.", "allocs"]
    table = Table(name, title, columns, raw={"case": case, "rows": found, "counts": {}})
    bars, figures = [], {}
    for row in rows:
        if row.name not in found:
            continue
        runs = found[row.name]

        def of(name, runs=runs):
            return median([run[name] for run in runs])

        ratios = [run["cpu"] / base["cpu"] for run, base in zip(runs, found[base])]
        cells = [row.name, thousands(of("rate")), micro(of("cpu")), spread(ratios),
                 micro(of("p50")), micro(of("p99")), micro(of("p999")),
                 f"{of('busy') * 100:.0f} %"]
        if len(columns) > len(cells):
            cells += counts_of(options, table, row, case) if counts(row) else ["-"] * 3
        table.add(*cells)
        bars.append((row.name, median(ratios), min(ratios), max(ratios)))
        figures[row.name, "CPU of " + base] = median(ratios)
        if row.name.endswith(", timeout") and "libcogen epoll" in found:
            figures[row.name, "CPU of libcogen epoll without"] = median(
                [run["cpu"] / without["cpu"]
                 for run, without in zip(runs, found["libcogen epoll"])])
    table.plot = {"what": f"CPU time a request, as a ratio to that of {base}",
                  "bars": bars, "line": 1.0}
    targets.judge(table, {**figures, **count_figures(table.raw["counts"])})
    for note in missing + failed:
        table.note(note)
    return table


def counts_of(options, table, row, case):
    options.say(f"{table.title}: counting for {row.name}")
    calls = counted(options, row, case, measure.syscalls)
    instructions = counted(options, row, case, measure.instructions)
    allocations = None
    if not callable(row.command) and row.command[0] == "bench/echo":
        allocations = counted(options, row, case, measure.allocations)
    table.raw["counts"][row.name] = {"syscalls": calls, "instructions": instructions,
                                     "allocations": allocations}
    return [number(calls, 3), number(instructions, 0), number(allocations, 3)]


def count_figures(counts):
    figures = {}
    for row, count in counts.items():
        figures[row, "system calls"] = count["syscalls"]
        figures[row, "allocations"] = count["allocations"]
        base = counts.get("bare " + row.rpartition(" ")[2], {}).get("instructions")
        if base is not None and count["instructions"] is not None:
            figures[row, "instructions over the bare loop's"] = count["instructions"] - base
    return figures


def essential(row):
    return row.bare or row.name in ("libcogen epoll", "libcogen io_uring")


def echo(options):
    rows = (servers.bare("echo") + [servers.ours_echo(name) for name in servers.REACTORS] +
            [servers.ours_echo("epoll", "--timeout", "30"),
             servers.ours_echo("epoll", "--borrow"),
             servers.ours_echo("io_uring", "--borrow")] + servers.echo_peers())
    tables = []
    for connections in (64,) if options.quick else (64, 512, 10000):
        def counts(row, connections=connections):
            return connections == 64 and (essential(row) if options.quick else True)

        tables.append(loaded(options, f"echo-{connections}",
                             f"Echo, 64 bytes, {connections} connections", rows,
                             {"connections": connections}, counts))
    return tables


def insight(options):
    """What it costs the echo to look into it."""
    return [loaded(options, f"insight-{reactor}",
                   f"Echo on {reactor} with metrics, a watch for hogs, debug mode, a trace",
                   servers.observed_echo(reactor), {"connections": 64}, lambda row: True,
                   base=f"libcogen {reactor}")
            for reactor in (("epoll",) if options.quick else ("epoll", "io_uring"))]


def udp(options):
    return [loaded(options, f"udp-{senders}", f"UDP echo, 64 bytes, {senders} senders",
                   servers.udp(), {"udp": True, "connections": senders}, essential)
            for senders in (64, 1)]


def websocket(options):
    """Messages of 32 bytes, beside an echo without frames."""
    cases = [("64", "64 connections", {}), ("pipelined", "sent by 16, 64 connections",
                                            {"pipeline": 16})]
    return [loaded(options, f"websocket-{name}", f"WebSocket echo, 32 bytes, {title}",
                   servers.websocket(), {"websocket": True, "size": 32, **case},
                   lambda row: row.valgrind, base="raw echo epoll")
            for name, title, case in (cases[:1] if options.quick else cases)]


def http(options):
    rows = (servers.bare("http") + [servers.ours_http(name) for name in servers.REACTORS] +
            servers.http_peers())
    cases = [("64", "41-byte GET, 64 connections", {"http": "plain"}),
             ("256", "41-byte GET, 256 connections", {"http": "plain", "connections": 256}),
             ("browser", "a browser's 370-byte GET, 64 connections", {"http": "browser"}),
             ("pipelined", "41-byte GET, pipelined by 16, 64 connections",
              {"http": "plain", "pipeline": 16})]
    tables = []
    for name, title, case in cases[:1] if options.quick else cases:
        def counts(row, case=case):
            if "connections" in case:
                return False
            return essential(row) or (not options.quick and case == {"http": "plain"})

        tables.append(loaded(options, f"http-{name}", f"HTTP hello, {title}", rows, case,
                             counts))
    return tables if options.quick else tables + different(options, rows)


def files(options):
    """Files from the page cache, beside nginx and h2o."""
    tables = []
    for name, connections in (("4k", 64), ("100k", 64), ("10m", 4)):
        if options.quick and name == "10m":
            continue
        case = {"http": "plain", "target": f"/{name}.html", "connections": connections}
        tables.append(loaded(options, f"files-{name}",
                             f"A file of {name.upper()}iB, {connections} connections",
                             servers.files(), case,
                             lambda row, case=case: case["connections"] == 64, base="nginx"))
    return tables


def different(options, rows):
    """How much faster requests are served that repeat the last one."""
    rows = [row for row in rows if row.name == BASE or row.name == "nginx" or
            (essential(row) and not row.bare)]
    cases = [("browser", "a browser's GET, 64 connections", {"http": "browser"}),
             ("pipelined", "a GET pipelined by 16, 64 connections",
              {"http": "plain", "pipeline": 16})]
    tables = []
    for name, title, case in cases:
        for differ, what in (("target", "another target"), ("fields", "other fields, too")):
            tables.append(loaded(options, f"http-{name}-{differ}",
                                 f"HTTP hello, {title}: each with {what}", rows,
                                 {**case, "differ": differ}, essential))
    return tables


# -- Beside many idle connections, and beside a greedy one -----------------------------------


class Held:
    """Idle connections of this process: opened, each used once, and then left alone."""

    TOGETHER = 256  # used together, in one turn of the server: one after the other would take
    # minutes with a server that polls all of its descriptors in each turn

    def __init__(self, address, count, request=b"x" * 64, tls=None):
        host, port = address.rsplit(":", 1)
        self.address, self.socks = (host, int(port)), []
        self.request, self.tls = request, tls
        try:
            while len(self.socks) < count:
                self._open(min(self.TOGETHER, count - len(self.socks)))
        except OSError as why:
            opened = len(self.socks)
            self.close()
            raise process.Failed(f"idle connection {opened}: {why}") from None

    def _open(self, count):
        opened = []
        for _ in range(count):
            sock = socket.create_connection(self.address, 30)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_hostname="localhost")
            self.socks.append(sock)
            opened.append(sock)
        for sock in opened:
            sock.sendall(self.request)
        for sock in opened:
            if not sock.recv(4096):
                raise OSError("closed by the server")

    def close(self):
        for sock in self.socks:
            sock.close()
        self.socks = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def growth(options):
    reactors = servers.REACTORS[:3] if options.quick else servers.REACTORS
    rows = servers.bare("echo") + [servers.ours_echo(name) for name in reactors]
    many = min(2000 if options.quick else 15000, descriptors() - 200)

    def idle_of(row):
        return min(many, row.limit or many)

    def once(row):
        case = {"connections": 64}
        seconds = options.seconds
        with row.start(options.build) as server:
            alone = measure.load(options.build, server, case, seconds=seconds, warmup=0.2)
            with Held(server.address, idle_of(row)):
                beside = measure.load(options.build, server, case, seconds=seconds,
                                      warmup=0.2)
        return {"alone": alone, "beside": beside}

    title = f"Growth: 64 busy echo connections beside {many:,} idle ones"
    missing = []
    rows = present(options, rows, missing)
    # Half as many rounds: opening so many connections takes longer than measuring.
    found, failed = in_rounds(options, title, rows, once, (options.rounds + 1) // 2)
    table = Table("growth", title, ["", "idle", "requests/s alone", "beside", "throughput",
                                    "CPU us alone", "beside", "CPU"], raw={"rows": found})
    bars, figures = [], {}
    for row in rows:
        if row.name not in found:
            continue
        runs = found[row.name]
        rate = [run["beside"]["rate"] / run["alone"]["rate"] for run in runs]
        cpu = [run["beside"]["cpu"] / run["alone"]["cpu"] for run in runs]
        table.add(row.name, f"{idle_of(row):,}",
                  thousands(median([run["alone"]["rate"] for run in runs])),
                  thousands(median([run["beside"]["rate"] for run in runs])), spread(rate),
                  micro(median([run["alone"]["cpu"] for run in runs])),
                  micro(median([run["beside"]["cpu"] for run in runs])), spread(cpu))
        bars.append((row.name, median(rate), min(rate), max(rate)))
        figures[row.name, "throughput of that without"] = median(rate)
    table.plot = {"what": "throughput with idle connections, as a ratio to that without",
                  "bars": bars, "line": 0.95}
    targets.judge(table, figures)
    table.note("select cannot have descriptors beyond FD_SETSIZE (1024), so it has fewer")
    for note in missing + failed:
        table.note(note)
    return [table]


def fairness(options):
    rows = servers.bare("echo") + [servers.ours_echo("epoll"), servers.ours_echo("io_uring")]
    seconds = options.seconds * 2  # p99.9 needs many requests

    def once(row):
        with row.start(options.build) as server:
            return {when: measure.load(options.build, server, {"connections": 64, **more},
                                       seconds=seconds, warmup=0.2)
                    for when, more in (("alone", {}), ("beside", {"flood": True}))}

    title = "Fairness: 64 echo connections beside one that is always ready"
    missing = []
    rows = present(options, rows, missing)
    found, failed = in_rounds(options, title, rows, once)
    table = Table("fairness", title, ["", "greedy MB/s", "p50 us alone", "beside",
                                      "p99.9 us alone", "beside", "p99.9"], raw={"rows": found})
    bars, figures = [], {}
    for row in rows:
        if row.name not in found:
            continue
        runs = found[row.name]
        ratios = [run["beside"]["p999"] / run["alone"]["p999"] for run in runs]
        table.add(row.name, number(median([run["beside"]["flood"] for run in runs]), 0),
                  *[micro(median([run[when][what] for run in runs]))
                    for what in ("p50", "p999") for when in ("alone", "beside")],
                  spread(ratios))
        bars.append((row.name, median(ratios), min(ratios), max(ratios)))
        figures[row.name, "p99.9 of that without"] = median(ratios)
    table.plot = {"what": "p99.9 beside a greedy connection, as a ratio to that without",
                  "bars": bars, "line": 1.5}
    targets.judge(table, figures)
    table.note("the greedy one sends and reads up to 64 KiB in each turn of the load, which "
               "costs the load itself time: the bare loops' rows say how much")
    for note in missing + failed:
        table.note(note)
    return [table]


def many(options):
    program = options.build.find("examples/c100k")
    table = Table("many", "100,000 connections over several processes",
                  ["", "reached", "seconds"])
    if program is None:
        table.note("not measured: examples/c100k is not built")
        return [table]
    for reactor in ("epoll", "io_uring"):
        options.say(f"many: {reactor}")
        start = time.monotonic()
        try:
            text = process.output([program, "--reactor", reactor], options.build.env, None, 120)
            table.add(f"libcogen {reactor}", text.strip(), f"{time.monotonic() - start:.1f}")
        except process.Failed as why:
            table.note(f"not reached on {reactor}: {why}")
    return [table]
