# SPDX-License-Identifier: MIT
"""Items between two threads: cg_channel, a ring with a mutex and two conditions, and a channel
of Go. All hold 1,024 items, and each figure is the median of five rounds of 500,000 items."""

from . import process
from .table import Table, number, thousands

PROGRAMS = (
    (["bench/channel", "--reactor", "epoll"], None),
    (["bench/peers/go", "channel"], "Go (in Debian: golang-go)"),
)
NAMES = {
    "channel-threads": "cg_channel, one by one",
    "channel-threads-many": "cg_channel, cg_receive_many",
    "channel-one-scheduler": "cg_channel, within one scheduler",
    "mutex-and-conditions": "a mutex and two conditions",
    "go-channel-threads": "Go, a channel between two threads",
    "go-channel": "Go, a channel between two goroutines",
}


def channels(options):
    table = Table("channels", "An item from one thread to another",
                  ["", "ns", "items/s"], raw={})
    for command, peer in PROGRAMS:
        path = options.build.find(command[0])
        if path is None:
            table.note(f"not measured: {peer or command[0] + ' (not built here)'}")
            continue
        options.say(f"channels: {command[0]}")
        table.raw.update(process.figures(process.output([path, *command[1:]],
                                                        options.build.env, None, 120)))
    for name, text in NAMES.items():
        if name in table.raw:
            table.add(text, number(table.raw[name], 0), thousands(1e9 / table.raw[name]))
    table.plot = {"what": "ns an item", "line": None,
                  "bars": [(NAMES[name], value, value, value)
                           for name, value in table.raw.items() if name in NAMES]}
    return [table]
