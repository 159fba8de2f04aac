# SPDX-License-Identifier: MIT
"""New connections with one request each: in the clear, and over TLS with full handshakes and with
resumed sessions; and requests over TLS connections that stay: all by bench/load_tls. The same
certificate, an EC key, for all."""

from . import servers, subjects

LOAD = "bench/load_tls"
# Under Callgrind a handshake takes 20 ms. The difference of these varies by 0.1 %.
COUNTS = (32, 96)
CLEAR_COUNTS = (500, 2500)


def rows():
    """nginx serves the file as the others do."""
    ours = [row for row in servers.tls_rows() if isinstance(row, servers.Ours)]
    return [servers.nginx(tls=True, files=True), *ours, servers.h2o(tls=True)]


def counts(options, row):
    """h2o is left out: it has several threads, and does not resume each session."""
    return not options.quick and row.name != "h2o"


def tls(options):
    if servers.certificate() is None or options.build.find(LOAD) is None:
        options.say("tls: needs OpenSSL, its program and the library")
        return []
    cases = (("full", "full handshakes, TLS 1.3", {}),
             ("resumed", "resumed sessions, TLS 1.3", {"resumed": True}),
             ("full-12", "full handshakes, TLS 1.2", {"tls12": True}),
             ("resumed-12", "resumed sessions, TLS 1.2", {"resumed": True, "tls12": True}))
    clear = subjects.loaded(
        options, "tls-without", "16 new connections at a time with one request each: in the clear",
        servers.files(), {"program": LOAD, "connections": 16, "counts": CLEAR_COUNTS,
                          "clear": True},
        lambda row: counts(options, row), base="nginx")
    tables = [subjects.loaded(options, f"tls-{name}",
                              f"16 new connections at a time with one request each: {title}",
                              rows(), {"program": LOAD, "connections": 16, "counts": COUNTS,
                                       **case},
                              lambda row: counts(options, row), base="nginx")
              for name, title, case in (cases[1::2] if options.quick else cases)]
    return [clear, *tables,
            subjects.loaded(options, "tls-hello", "HTTP/1.1 over TLS, 16 connections", rows(),
                            {"program": LOAD, "connections": 16, "kept": True},
                            lambda row: counts(options, row), base="nginx")]
