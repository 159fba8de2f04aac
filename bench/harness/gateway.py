# SPDX-License-Identifier: MIT
"""A reverse proxy in front of a bare server, which runs beside the load: the CPU time of the
proxy for a request. All of them tell the server who the client is, and keep connections."""

import os

from . import process, servers, subjects

NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx-gateway.pid;
error_log stderr error;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
    uwsgi_temp_path {dir}; scgi_temp_path {dir};
    upstream behind {{ server {target}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""

HAPROXY = """global
    nbthread 1
defaults
    mode http
    timeout connect 10s
    timeout client 1m
    timeout server 1m
    http-reuse always
    option forwardfor
frontend front
    bind 127.0.0.1:{port}
    default_backend behind
backend behind
    server one {target}
"""


def rows(target):
    def ours(reactor):
        return servers.Ours(reactor, ["examples/gateway", "--reactor", reactor, "--listen",
                                      "127.0.0.1:0", "http://" + target])

    def configured(name, text):
        def path(port):
            path = os.path.join(process.work_dir(), name)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text.format(dir=process.work_dir(), port=port, target=target))
            return path
        return path

    nginx, haproxy = configured("gateway.conf", NGINX), configured("gateway.cfg", HAPROXY)
    return [servers.Row("nginx", ["nginx", lambda port: ["-c", nginx(port), "-p",
                                                         process.work_dir()]], "nginx-light"),
            ours("epoll"), ours("io_uring"),
            servers.Row("HAProxy", ["haproxy", lambda port: ["-f", haproxy(port)]], "haproxy")]


def gateway(options):
    program = options.build.find("bench/bare/http_epoll")
    tables = []
    with process.Server([program], options.build.env, cpu=process.processors()[1]) as behind:
        for name, title, case in (
                ("64", "41-byte GET, 64 connections", {"http": "plain"}),
                ("browser", "a browser's GET, each with other fields, 64 connections",
                 {"http": "browser", "differ": "fields"})):
            case["spin"] = False  # the server behind needs the processor of the load
            if options.quick and name != "64":
                continue
            tables.append(subjects.loaded(options, f"gateway-{name}",
                                          f"A small body through a reverse proxy, {title}",
                                          rows(behind.address), case, lambda row: True,
                                          base="nginx"))
    return tables
