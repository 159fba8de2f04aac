# SPDX-License-Identifier: MIT
"""The cost of the core without I/O: bench/core, bench/switch and bench/generator, with their
targets."""

from . import process, targets
from .table import Table, number


def core(options):
    tables = []
    for program, title in (("switch", "The bare context switch"), ("core", "The core"),
                           ("generator", "Generators")):
        options.say(f"core: bench/{program}")
        table = Table(f"core-{program}", title, ["", "median", "unit", "target", ""], raw={})
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
            value, limit = float(words[1]), targets.of_core(words[0])
            verdict = "" if limit is None else "met" if value <= limit else "missed"
            table.raw[words[0]] = value
            table.add(words[0].replace("_", " "), number(value), " ".join(words[2:]),
                      "" if limit is None else f"at most {limit}", verdict)
        table.plot = {"what": "ns", "line": None,
                      "bars": [(row[0], value, value, value)
                               for row, value in zip(table.rows, table.raw.values())]}
        tables.append(table)
    return tables
