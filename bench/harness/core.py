# SPDX-License-Identifier: MIT
"""What the core costs without I/O: bench/core, bench/switch and bench/generator, with the
targets that there are."""

import fnmatch

from . import process
from .table import Table, number

# Pattern of a figure's name: at most so many ns.
TARGETS = (
    ("switch-two-way*", 4), ("switch-round-robin-10000*", 12),
    ("pass_among_10000", 30), ("spawn_and_finish", 60),
    ("signal_and_back", 60), ("signal_and_back_int*", 60),
    ("queue_hand_over*", 40), ("timer_set_and_cancel_among_1000000", 30),
)


def target_of(name):
    for pattern, limit in TARGETS:
        if fnmatch.fnmatch(name, pattern):
            return limit
    return None


def core(options):
    tables = []
    for program, title in (("switch", "The bare context switch"), ("core", "The core"),
                           ("generator", "Generators")):
        options.say(f"core: bench/{program}")
        table = Table("core", title, ["", "median", "unit", "target", ""], raw={})
        path = options.build.find(f"bench/{program}")
        if path is None:
            table.note(f"not measured: bench/{program} is not built")
            tables.append(table)
            continue
        text = process.output([path], options.build.env, process.processors()[0], 180)
        for line in text.splitlines():
            words = line.split()
            if len(words) < 3:
                continue
            value, limit = float(words[1]), target_of(words[0])
            verdict = "" if limit is None else "met" if value <= limit else "missed"
            table.raw[words[0]] = value
            table.add(words[0].replace("_", " "), number(value), " ".join(words[2:]),
                      "" if limit is None else f"at most {limit}", verdict)
        tables.append(table)
    return tables
