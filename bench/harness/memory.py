# SPDX-License-Identifier: MIT
"""The resident memory of an idle item (a connection, a coroutine): private memory and page
tables of the server with many items, less those with one."""

import ssl
import time

from . import process, servers, targets
from .subjects import Held, descriptors, present
from .table import Table, bytes_of

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
# The preface, SETTINGS, the acknowledgement of the server's, and GET of "/" on stream 1.
GET_H2 = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" b"\0\0\0\4\0\0\0\0\0" b"\0\0\0\4\1\0\0\0\0"
          b"\0\0\x0e\1\5\0\0\0\1" b"\x82\x86\x84\x41\x09localhost")


def resident(pid):
    """Private memory and page tables, in bytes."""
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmPTE:"):
                total += int(line.split()[1])
    return total * 1024


def settled(pid, seconds):
    """Waits until the memory no longer shrinks: pages of stacks are returned to the system only
    some seconds after a burst."""
    time.sleep(seconds)
    return resident(pid)


def of_sleepers(options, command, count):
    sizes = []
    for n in (1, count):
        path = options.build.find(command[0])
        with process.Server([path, *command[1:], str(n)], options.build.env,
                            ready="sleeping ") as server:
            sizes.append(settled(server.pid, 0.2))
    return (sizes[1] - sizes[0]) / (count - 1)


def of_connections(options, row, count, request, tls):
    count = min(count, row.limit or count)
    with row.start(options.build) as server:
        with Held(server.address, 1, request, tls):
            before = settled(server.pid, 0.2)
            with Held(server.address, count, request, tls):
                after = settled(server.pid, 0.5 if options.quick else 6.5)
    return (after - before) / count


def idle_table(options, name, title, rows, count, measure):
    table = Table(f"idle-{name}", title, ["", "bytes each"], raw={"count": count, "rows": {}})
    missing = []
    for row in present(options, rows, missing):
        options.say(f"{title}: {row.name}")
        try:
            size = measure(row)
        except process.Failed as why:
            missing.append(f"not measured: {row.name} ({str(why).splitlines()[0]})")
            continue
        table.raw["rows"][row.name] = size
        table.add(row.name, bytes_of(size))
    table.plot = {"what": "bytes resident each", "line": None,
                  "bars": [(name, size, size, size)
                           for name, size in table.raw["rows"].items()]}
    targets.judge(table, {(row, "bytes"): size for row, size in table.raw["rows"].items()})
    for note in missing:
        table.note(note)
    return table


def sleeping(options):
    count = 20000 if options.quick else 100000
    ours = [servers.Ours(name, ["bench/sleepers", "--hold", "--reactor", name])
            for name in ("epoll", "io_uring")]
    peers = [servers.Row("State Threads", ["bench/peers/st", "sleep"], "libst-dev"),
             servers.Row("Go", ["bench/peers/go", "sleep"], "golang-go")]

    def measure(row):
        n = min(count, 30000) if row.name == "State Threads" else count
        return of_sleepers(options, row.command, n)

    return idle_table(options, "sleeping", f"A sleeping coroutine, {count:,} of them",
                      ours + peers, count, measure)


def after_a_burst(options):
    """Whether the memory of stacks that grew is returned to the system."""
    table = Table("idle-deep", "10,000 coroutines that have used 40 KiB of stack once",
                  ["", "KiB"], raw={})
    path = options.build.find("bench/deep")
    if path is None:
        table.note("not measured: bench/deep is not built")
        return table
    options.say(table.title)
    table.raw.update(process.figures(process.output([path], options.build.env, None, 120)))
    for name, value in table.raw.items():
        if name.startswith("resident_"):
            table.add(name.replace("_", " "), f"{value:,.0f}")
    targets.judge(table, {("all", "resident when quiet, of that before"):
                          table.raw["quiet_over_before"]})
    return table


def idle(options):
    many = min(2000 if options.quick else 10000, descriptors() - 200)
    tls_many = min(300 if options.quick else 2000, many)
    echo = servers.bare("echo") + [servers.ours_echo(name, "--borrow")
                                   for name in ("epoll", "io_uring")] + servers.echo_peers()
    http = [servers.ours_http(name) for name in ("epoll", "io_uring")] + servers.http_peers()
    tables = [
        sleeping(options),
        idle_table(options, "echo", f"An idle echo connection, {many:,} of them", echo, many,
                   lambda row: of_connections(options, row, many, b"x" * 64, None)),
        idle_table(options, "http", f"An idle keep-alive HTTP connection, {many:,} of them",
                   http, many, lambda row: of_connections(options, row, many, GET, None)),
        idle_table(options, "h2", f"An idle HTTP/2 connection, {many // 4:,} of them",
                   [servers.ours_h2c(name) for name in ("epoll", "io_uring")], many // 4,
                   lambda row: of_connections(options, row, many // 4, GET_H2, None)),
        idle_table(options, "websocket", f"An idle WebSocket, {many:,} of them",
                   [servers.ours_websocket(name) for name in ("epoll", "io_uring")], many,
                   lambda row: of_connections(options, row, many, UPGRADE, None)),
        idle_table(options, "events", f"An idle client of server-sent events, {many:,} of them",
                   [servers.ours_events(name) for name in ("epoll", "io_uring")], many,
                   lambda row: of_connections(options, row, many, GET, None))]
    if servers.certificate():
        context = ssl.create_default_context(cafile=servers.certificate()[0])
        tables.append(
            idle_table(options, "https", f"An idle HTTPS connection, {tls_many:,} of them",
                       servers.tls_rows(), tls_many,
                       lambda row: of_connections(options, row, tls_many, GET, context)))
    tables[1].note("State Threads, as Debian has it, waits by select: fewer connections")
    if not options.quick:
        tables.append(after_a_burst(options))
    return tables
