# SPDX-License-Identifier: MIT
"""The entry for HttpArena on one processor, beside the servers that can do the same."""

import json
import os
import shutil

from . import h2, process, servers, subjects

LOCATION = """root {root};
            location = /pipeline {{ default_type text/plain; return 200 "ok"; }}
            location /static/ {{ root {root}/data; sendfile on; }}"""


def root():
    """The folder that the servers serve: the dataset, a file of 12 KiB, a certificate."""
    path = os.path.join(process.work_dir(), "arena")
    if os.path.exists(path):
        return path
    pair = servers.certificate()
    for folder in ("data/static", "certs", "site/static"):
        os.makedirs(os.path.join(path, folder))
    items = [{"id": n, "name": f"Item {n}", "category": "tools", "price": 100 + n,
              "quantity": 2 * n, "active": True, "tags": ["fast", "new"],
              "rating": {"score": n, "count": 7}} for n in range(1, 51)]
    with open(os.path.join(path, "data/dataset.json"), "w", encoding="ascii") as file:
        json.dump(items, file)
    for name, text in (("data/static/app.js", "x" * 12288), ("site/static/app.js", "x" * 12288),
                       ("site/pipeline", "ok")):
        with open(os.path.join(path, name), "w", encoding="ascii") as file:
            file.write(text)
    if pair:
        for source, name in zip(pair, ("server.crt", "server.key")):
            shutil.copy(source, os.path.join(path, "certs", name))
    return path


def rows(options, tls):
    def ours(reactor):
        def command(build):
            return ["env", f"COGEN_REACTOR={reactor}", build.find("bench/arena/arena"),
                    root(), "127.0.0.1:0"]

        row = servers.Ours(reactor, command)
        row.ready = "h2 " if tls else "h1 "
        return row

    go = ["bench/peers/arena", root(), *(["tls"] if tls else [])]
    found = [ours("epoll"), ours("io_uring"),
             servers.nginx(tls=tls, h2=tls, location=LOCATION.format(root=root())),
             servers.h2o(tls=tls, root=os.path.join(root(), "site")),
             servers.Row("Go net/http", go, "golang-go", valgrind=False)]
    for row in found:  # Valgrind takes half a minute to load the libraries of some
        row.valgrind = row.valgrind and not options.quick
    return found


def arena(options):
    if servers.certificate() is None:
        raise process.Failed("there is no openssl to make a certificate with")
    clear = rows(options, False)
    both = [row for row in clear if row.name.startswith(("libcogen", "Go"))]
    cases = [("baseline", "a sum, 64 connections", both, "Go net/http",
              {"target": "/baseline11?a=13&b=42"}),
             ("pipelined", "ok, pipelined by 16, 64 connections", clear, "nginx",
              {"target": "/pipeline", "pipeline": 16}),
             ("json", "25 items of JSON, 64 connections", both, "Go net/http",
              {"target": "/json/25?m=4"}),
             ("static", "a file of 12 KiB, 64 connections", clear, "nginx",
              {"target": "/static/app.js"})]
    tables = [subjects.loaded(options, f"arena-{name}", f"HttpArena: {title}", which,
                              {"http": "plain", **case}, lambda row: not options.quick,
                              base=base)
              for name, title, which, base, case in cases]
    for name, title, path in (("h2", "ok", "/pipeline"), ("h2static", "a file of 12 KiB",
                                                          "/static/app.js")):
        tables.append(h2.loaded(options, f"arena-{name}",
                                f"HttpArena: {title} over HTTP/2 and TLS, 16 connections, "
                                "100 streams each", rows(options, True),
                                h2.Case(100, "https", path), "nginx"))
    return tables
