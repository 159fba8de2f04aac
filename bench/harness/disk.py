# SPDX-License-Identifier: MIT
"""Calls on plain files: by io_uring itself beside threads of a pool, one at a time and 16 at
once. The file is in the directory for temporary files; the page cache has it."""

import re

from . import process
from .table import Table, number


def disk(options):
    table = Table("disk", "A call on a plain file, CPU us and (time us)",
                  ["", "io_uring, 1", "threads, 1", "io_uring, 16", "threads, 16"], raw={})
    why = options.build.reactors().get("io_uring", "no such reactor")
    path = options.build.find("bench/disk")
    if path is None or why is not None:
        table.note(f"not measured: {why or 'bench/disk is not built'}")
        return [table]
    options.say("disk: bench/disk")
    table.raw = process.figures(process.output(
        [path, "--reactor", "io_uring", process.work_dir()], options.build.env, None, 120))
    calls = dict.fromkeys(re.match(r"\w+", name).group() for name in table.raw)
    for call in calls:
        cells = []
        for width in ("1", "16"):
            for how in ("", "-threads"):
                cpu, time = (table.raw[f"{call}-{width}{how}-{what}"]
                             for what in ("cpu", "time"))
                cells.append(f"{number(cpu, 1)} ({number(time, 1)})")
        table.add({"sync": "fsync"}.get(call, call), *cells)
    return [table]
