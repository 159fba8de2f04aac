# SPDX-License-Identifier: MIT
"""The targets of libcogen, and whether it meets them."""

import fnmatch

EPOLL, URING = "libcogen epoll", "libcogen io_uring"

# By name of the table: row, figure, the highest value allowed (negative: the lowest).
LOADS = {
    "echo-64": ((EPOLL, "CPU of bare epoll", 1.03), (URING, "CPU of bare epoll", 0.88),
                (EPOLL, "system calls", 2.1), (URING, "system calls", 0.1),
                (EPOLL, "allocations", 0.01), (URING, "allocations", 0.01),
                (EPOLL + ", timeout", "CPU of libcogen epoll without", 1.02)),
    "echo-512": ((EPOLL, "CPU of bare epoll", 1.05),),
    "echo-10000": ((EPOLL, "CPU of bare epoll", 1.05),),
    "udp-64": ((EPOLL, "CPU of bare epoll", 1.10), (URING, "CPU of bare epoll", 1.15)),
    "udp-1": ((EPOLL, "CPU of bare epoll", 1.10), (URING, "CPU of bare epoll", 1.40)),
    "http-64": ((EPOLL, "CPU of bare epoll", 1.05), (URING, "CPU of bare epoll", 0.95)),
    "http-256": ((EPOLL, "CPU of bare epoll", 1.05), (URING, "CPU of bare epoll", 0.95)),
    "http-pipelined": ((EPOLL, "CPU of bare epoll", 1.45), (URING, "CPU of bare epoll", 1.45)),
    "http-pipelined-target": ((EPOLL, "CPU of bare epoll", 1.45),
                              (URING, "CPU of bare epoll", 1.45)),
    "http-pipelined-fields": ((EPOLL, "CPU of bare epoll", 1.45),
                              (URING, "CPU of bare epoll", 1.45)),
    "files-4k": ((EPOLL, "CPU of nginx", 0.55), (URING, "CPU of nginx", 0.55)),
    "files-100k": ((EPOLL, "CPU of nginx", 0.85), (URING, "CPU of nginx", 0.85)),
    "files-10m": ((EPOLL, "CPU of nginx", 0.79), (URING, "CPU of nginx", 0.79)),
    "gateway-64": ((EPOLL, "CPU of nginx", 0.90), (URING, "CPU of nginx", 0.90)),
    "gateway-browser": ((EPOLL, "CPU of nginx", 0.90), (URING, "CPU of nginx", 0.90)),
    "websocket-64": ((EPOLL, "CPU of raw echo epoll", 1.15),
                     (URING, "CPU of raw echo epoll", 1.15)),
    "h2-1": ((EPOLL, "CPU of h2o", 1.0), (URING, "CPU of h2o", 1.0)),
    "h2-10": ((EPOLL, "CPU of h2o", 1.0), (URING, "CPU of h2o", 1.0)),
    "h2-100": ((EPOLL, "CPU of h2o", 1.0), (URING, "CPU of h2o", 1.0)),
    "tls-full": ((EPOLL, "CPU of nginx", 1.0), (URING, "CPU of nginx", 1.0)),
    "tls-resumed": ((EPOLL, "CPU of nginx", 1.0), (URING, "CPU of nginx", 1.0)),
    "tls-full-12": ((EPOLL, "CPU of nginx", 1.0), (URING, "CPU of nginx", 1.0)),
    "tls-resumed-12": ((EPOLL, "CPU of nginx", 1.0), (URING, "CPU of nginx", 1.0)),
    "tls-hello": ((EPOLL, "CPU of nginx", 0.53), (URING, "CPU of nginx", 0.53)),
    "growth": ((EPOLL, "throughput of that without", -0.95),
               (URING, "throughput of that without", -0.95)),
    "scale": tuple((f"{reactor}, {kind}", *target)
                   for target in (("CPU of one worker", 1.05), ("futex calls", 0.001),
                                  ("throughput of one worker", -1.8))
                   for kind in ("echo", "http") for reactor in (EPOLL, URING)),
    "fairness": ((EPOLL, "p99.9 of that without", 1.5), (URING, "p99.9 of that without", 1.5)),
    "idle-sleeping": ((EPOLL, "bytes", 4506), (URING, "bytes", 4506)),
    "idle-echo": ((EPOLL + ", borrow", "bytes", 5120), (URING + ", borrow", "bytes", 5120)),
    "idle-deep": (("all", "resident when quiet, of that before", 1.2),),
    "idle-http": ((EPOLL, "bytes", 700), (URING, "bytes", 700)),
    "idle-h2": ((EPOLL, "bytes", 18432), (URING, "bytes", 18432)),
    "idle-websocket": ((EPOLL, "bytes", 1331), (URING, "bytes", 1331)),
    "idle-events": ((EPOLL, "bytes", 1331), (URING, "bytes", 1331)),
    "idle-https": ((EPOLL, "bytes", 16384), (URING, "bytes", 16384)),
}

# A pattern for the names of figures, and the highest value allowed in ns.
CORE = (
    ("switch-two-way*", 4), ("switch-round-robin-10000*", 12),
    ("pass_among_10000", 30), ("spawn_and_finish", 60), ("signal_and_back", 60),
    ("queue_hand_over*", 40), ("timer_set_and_cancel_among_1000000", 30),
)


def of_core(name):
    for pattern, limit in CORE:
        if fnmatch.fnmatch(name, pattern):
            return limit
    return None


def judge(table, figures):
    """Adds a note for each target of a table: met or missed. `figures`: {(row, figure): value}."""
    for row, figure, limit in LOADS.get(table.name, ()):
        value = figures.get((row, figure))
        if value is None:
            continue
        met = value >= -limit if limit < 0 else value <= limit
        table.note(f"target {'met' if met else '**missed**'}: {row}, {figure}: {value:.4g}, "
                   f"wanted {'at least' if limit < 0 else 'at most'} {abs(limit):g}")
