# SPDX-License-Identifier: MIT
"""The servers that are measured: how each is started, and the Debian package that it needs."""

import os
import shutil
import subprocess

from . import process

SELECT_LIMIT = 900  # FD_SETSIZE is 1024
FILES = {"4k": 4096, "100k": 100 * 1024, "10m": 10 * 1024 * 1024}  # of site(), by name
HELLO = 'return 200 "Hello, world!\\n";'
PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")
REACTORS = ("epoll", "io_uring", "poll", "select", "libevent")

NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr error;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    default_type "text/plain; charset=utf-8";
    client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
    uwsgi_temp_path {dir}; scgi_temp_path {dir};
    server {{
        listen 127.0.0.1:{port} backlog=4096 {ssl};
        {pair}
        location / {{ {location} }}
    }}
}}
"""

H2O = """num-threads: 1
max-connections: 19000
http1-request-timeout: 3600
error-log: /dev/null
pid-file: {dir}/h2o.pid
{user}
listen:
  host: 127.0.0.1
  port: {port}
{pair}
hosts:
  default:
    paths:
      /:
        file.dir: {site}
"""


class Row:
    """A server: its name in the tables, and its command: a list, or a function of the build that
    returns a list. The second word may be a function of a port that returns the arguments."""

    def __init__(self, name, command, package=None, bare=False, valgrind=True, limit=None):
        self.name, self.command, self.package = name, command, package
        self.bare, self.valgrind = bare, valgrind
        self.limit = limit  # the most connections that it can have
        self.case = {}  # what is other than in the case of the table
        self.env = {}  # variables of its environment
        self.ready = "listening on "  # the beginning of the line that tells its address

    def missing(self, build):
        """The reason why it cannot be measured; None: it can."""
        command = self.command(build) if callable(self.command) else self.command
        if command is None or build.find(command[0]) is None:
            return f"in Debian: {self.package}" if self.package else "not built here"
        return None

    def start(self, build, wrapper=()):
        command = self.command(build) if callable(self.command) else self.command
        port = None
        if len(command) > 1 and callable(command[1]):
            port = process.free_port()
            command = [command[0], *command[1](port)]
        return process.Server([build.find(command[0]), *command[1:]],
                              {**build.env, **self.env}, port, wrapper, self.ready)


class Build:
    """The directory in which everything was built."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        libs = os.path.join(self.path, ".libs")
        self.env = dict(os.environ)
        self.env.pop("COGEN_REACTOR", None)
        self.env["LD_LIBRARY_PATH"] = ":".join(
            part for part in (libs, self.env.get("LD_LIBRARY_PATH")) if part)
        self._reactors = None

    def find(self, program):
        """The program itself, not libtool's script around it."""
        if "/" not in program:
            return shutil.which(program, path=self.env.get("PATH", "") + ":/usr/sbin:/sbin")
        directory, name = os.path.split(os.path.join(self.path, program))
        for path in (os.path.join(directory, ".libs", name), os.path.join(directory, name)):
            if os.access(path, os.X_OK):
                return path
        return None

    def reactors(self):
        """The reactors by name: None if available on this machine, or the reason why not."""
        if self._reactors is None:
            text = process.output([self.find("bench/echo"), "--list-reactors"], self.env)
            self._reactors = {}
            for line in text.splitlines():
                name, _, why = line.partition(" ")
                self._reactors[name] = None if why.strip() == "available" else why.strip()
        return self._reactors

    def setting(self, name):
        """A variable of the Makefile."""
        try:
            with open(os.path.join(self.path, "Makefile"), encoding="utf-8") as file:
                for line in file:
                    if line.startswith(name + " = "):
                        return line.split(" = ", 1)[1].strip()
        except OSError:
            pass
        return "?"


class Ours(Row):
    def __init__(self, reactor, command, suffix=""):
        super().__init__(f"libcogen {reactor}{suffix}", command,
                         limit=SELECT_LIMIT if reactor == "select" else None)
        self.reactor = reactor

    def missing(self, build):
        why = super().missing(build)
        if why is None:
            why = build.reactors().get(self.reactor, "no such reactor")
        return why


def bare(kind):
    return [Row("bare epoll", [f"bench/bare/{kind}_epoll"], bare=True),
            Row("bare io_uring", [f"bench/bare/{kind}_uring"], "liburing-dev", bare=True)]


def ours_echo(reactor, *options):
    suffix = "".join(", " + each.lstrip("-") for each in options if each.startswith("--"))
    return Ours(reactor, ["bench/echo", "--reactor", reactor, *options], suffix)


def observed_echo(reactor):
    """The echo with what looks into a program: off, and each of it on. The trace is kept and, for
    want of its directory, not written: that would count for the last requests."""
    rows = [ours_echo(reactor), ours_echo(reactor, "--metrics")]
    for what, env in (("hog 50 ms", {"COGEN_HOG": "50"}), ("debug", {"COGEN_DEBUG": "1"}),
                      ("trace", {"COGEN_TRACE": os.path.join(process.work_dir(), "none", "trace")})):
        row = Ours(reactor, ["bench/echo", "--reactor", reactor], ", " + what)
        row.env = env
        rows.append(row)
    return rows


def ours_http(reactor):
    return Ours(reactor, ["examples/http_hello", "--reactor", reactor,
                          "--listen", "127.0.0.1:0"])


def ours_h2c(reactor):
    return Ours(reactor, ["examples/http_hello", "--reactor", reactor, "--protocols", "h2c",
                          "--listen", "127.0.0.1:0"])


def ours_websocket(reactor):
    return Ours(reactor, ["examples/ws_echo", "--reactor", reactor,
                          "--listen", "127.0.0.1:0"])


def ours_events(reactor):
    return Ours(reactor, ["bench/events", "--reactor", reactor, "--listen", "127.0.0.1:0"])


def websocket():
    """An echo without frames, to compare with, and servers of WebSocket."""
    def raw(reactor):
        row = ours_echo(reactor)
        row.name, row.case = f"raw echo {reactor}", {"websocket": False}
        return row

    return [raw("epoll"), raw("io_uring"), ours_websocket("epoll"), ours_websocket("io_uring"),
            uwebsockets(),
            Row("node ws", ["node", os.path.join(PEERS, "ws.js")], "nodejs node-ws",
                valgrind=False)]


class _Uwebsockets(Row):
    """No package has it, so nobody but the user can build it."""

    def missing(self, build):
        return super().missing(build) and "UWS_SERVER names no program, see bench/peers/uws.cpp"


def uwebsockets():
    return _Uwebsockets("uWebSockets", [os.environ.get("UWS_SERVER", "uws")])


def echo_peers():
    return [Row("libev", ["bench/peers/echo_libev"], "libev-dev"),
            Row("libuv", ["bench/peers/echo_libuv"], "libuv1-dev"),
            Row("libevent bufferevent", ["bench/peers/echo_bufferevent"], "libevent-dev"),
            Row("State Threads", ["bench/peers/st"], "libst-dev", valgrind=False,
                limit=SELECT_LIMIT),
            Row("Go", ["bench/peers/go", "echo"], "golang-go", valgrind=False)]


def udp():
    return ([Row("bare epoll", ["bench/bare/udp_epoll"], bare=True)] +
            [Ours(name, ["examples/udp_echo", "--reactor", name, "--listen", "127.0.0.1:0"])
             for name in REACTORS] +
            [Row("libuv", ["bench/peers/udp_libuv"], "libuv1-dev")])


def certificate():
    """A self-signed certificate for localhost, made once per run; None without openssl."""
    key, cert = (os.path.join(process.work_dir(), name) for name in ("key.pem", "cert.pem"))
    if not os.path.exists(cert):
        if shutil.which("openssl") is None:
            return None
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
    return cert, key


def _write(name, text):
    path = os.path.join(process.work_dir(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def site():
    """A directory with a hello page, for servers that serve files."""
    path = os.path.join(process.work_dir(), "site")
    os.makedirs(path, exist_ok=True)
    _write("site/index.html", "Hello, world!\n")
    for name, size in FILES.items():
        _write(f"site/{name}.html", "x" * size)
    return path


def nginx(tls=False, files=False, h2c=False, h2=False, location=None):
    location = location or (f"root {site()}; sendfile on;" if files else HELLO)

    def arguments(port):
        cert, key = certificate() if tls else ("", "")
        pair = (f"ssl_certificate {cert}; ssl_certificate_key {key}; "
                "ssl_protocols TLSv1.2 TLSv1.3;" if tls else "")
        text = NGINX.format(dir=process.work_dir(), port=port, pair=pair,
                            ssl=" ".join(["ssl"] * tls + ["http2"] * (h2c or h2)),
                            location=location)
        return ["-c", _write("nginx.conf", text), "-p", process.work_dir()]

    return Row("nginx", ["nginx", arguments], "nginx-light")


def h2o(tls=False, root=None):
    def arguments(port):
        cert, key = certificate() if tls else ("", "")
        pair = (f"  ssl:\n    certificate-file: {cert}\n    key-file: {key}" if tls else "")
        user = "user: root" if os.geteuid() == 0 else ""
        text = H2O.format(dir=process.work_dir(), port=port, pair=pair,
                          site=root or site(), user=user)
        return ["-c", _write("h2o.conf", text)]

    return Row("h2o", ["h2o", arguments], "h2o")


def http_peers():
    return [nginx(), h2o(),
            Row("libevent evhttp", ["bench/peers/http_evhttp"], "libevent-dev"),
            Row("Go net/http", ["bench/peers/go", "http"], "golang-go", valgrind=False),
            uwebsockets()]


def files():
    def cogen(reactor):
        return Ours(reactor, ["examples/http_server", "--reactor", reactor, "--listen",
                              "127.0.0.1:0", "--root", site()])

    return [nginx(files=True), cogen("epoll"), cogen("io_uring"), h2o()]


def tls_rows():
    def cogen(reactor):
        def command(_build):
            pair = certificate()
            return pair and ["examples/http_server", "--reactor", reactor, "--listen",
                             "127.0.0.1:0", "--root", site(), "--tls-cert", pair[0],
                             "--tls-key", pair[1]]
        return Ours(reactor, command)

    def go(_build):
        pair = certificate()
        return pair and ["bench/peers/go", "http", *pair]

    return [cogen("epoll"), cogen("io_uring"), nginx(tls=True), h2o(tls=True),
            Row("Go net/http", go, "golang-go")]
