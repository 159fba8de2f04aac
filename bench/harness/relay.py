# SPDX-License-Identifier: MIT
"""One connection that is relayed: the CPU time of the relay for a MiB. This process is its
source and its sink."""

import os
import socket
import threading

from . import process, servers
from .measure import median
from .subjects import in_rounds, present
from .table import Table, number, spread

BASE = "libcogen epoll, copy"
PIECE = 256 * 1024
STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"

NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx-stream.pid;
error_log stderr error;
load_module {module};
events {{ }}
stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {target}; }} }}
"""

HAPROXY = """global
    nbthread 1
defaults
    mode tcp
    timeout connect 10s
    timeout client 1m
    timeout server 1m
    {option}
listen relay
    bind 127.0.0.1:{port}
    server sink {target}
"""
SPLICE = "option splice-request\n    option splice-response"


def rows(target):
    def ours(reactor, *options):
        return servers.Ours(reactor, ["bench/relay", "--reactor", reactor, *options, target],
                            "".join(", " + each.lstrip("-") for each in options))

    def file(name, text, **values):
        path = os.path.join(process.work_dir(), name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.format(dir=process.work_dir(), target=target, **values))
        return path

    def nginx(_build):
        if not os.path.exists(STREAM):
            return None

        def arguments(port):
            return ["-c", file("nginx-stream.conf", NGINX, port=port, module=STREAM), "-p",
                    process.work_dir()]

        return ["nginx", arguments]

    def haproxy(option):
        return lambda port: ["-f", file(f"haproxy-{port}.cfg", HAPROXY, port=port,
                                        option=option)]

    return [ours("epoll", "--copy"), ours("epoll"), ours("io_uring", "--copy"),
            ours("io_uring"), ours("poll"),
            servers.Row("nginx stream", nginx, "nginx libnginx-mod-stream"),
            servers.Row("HAProxy", ["haproxy", haproxy("")], "haproxy"),
            servers.Row("HAProxy, splice", ["haproxy", haproxy(SPLICE)], "haproxy")]


def pour(sock, count):
    piece = bytes(PIECE)
    try:
        for _ in range(count):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the sink notices


def sink(listener, count):
    """Reads a relayed stream to its end."""
    buffer, got = bytearray(PIECE), 0
    while got == 0:  # a connection that only tried whether the relay listens brings nothing
        conn, _ = listener.accept()
        with conn:
            conn.settimeout(30)
            while n := conn.recv_into(buffer):
                got += n
    if got != count * PIECE:
        raise process.Failed(f"{got} bytes of {count * PIECE} came through")


def once(options, row, listener, count):
    with row.start(options.build) as server:
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as conn:
            before = process.cpu(server.pid)
            source = threading.Thread(target=pour, args=(conn, count))
            source.start()
            try:
                sink(listener, count)
                return (process.cpu(server.pid) - before) / (count * PIECE / 1024 / 1024)
            finally:
                conn.close()
                source.join()


def relay(options):
    count = (128 if options.quick else 512) * 1024 * 1024 // PIECE
    missing = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        here = present(options, rows("127.0.0.1:%d" % listener.getsockname()[1]), missing)
        found, failed = in_rounds(options, "relay", here,
                                  lambda row: once(options, row, listener, count))
    table = Table("relay", f"A relayed stream of {count * PIECE >> 20} MiB",
                  ["", "CPU us a MiB", "of a copy"], raw=found)
    for row in here:
        if row.name in found and BASE in found:
            ratios = [mine / base for mine, base in zip(found[row.name], found[BASE])]
            table.add(row.name, number(median(found[row.name]) / 1000, 0), spread(ratios))
    for note in missing + failed:
        table.note(note)
    return [table]
