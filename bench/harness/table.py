# SPDX-License-Identifier: MIT
"""Tables, printed as Markdown whose source is easy to read, too."""

import statistics


class Table:
    """`rows` are lists of texts, of which the first is a name. `plot`, if set, is what plot.py
    draws. `raw` is everything that was measured, for --json. `name` is the name of the plot; it
    begins with the name of the subject."""

    def __init__(self, name, title, columns, raw=None):
        self.name, self.subject = name, name.split("-")[0]
        self.title, self.columns = title, columns
        self.rows, self.notes, self.raw, self.plot = [], [], raw, None

    def add(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def markdown(self):
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]

        def line(cells):
            padded = [cells[0].ljust(widths[0])]
            padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
            return "| " + " | ".join(padded) + " |"

        rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
        text = [f"**{self.title}**", "", line(self.columns), line(rule)]
        text += [line(row) for row in self.rows]
        if self.notes:
            text += ["", *[f"- {note}" for note in self.notes]]
        return "\n".join(text) + "\n"


def number(value, digits=2):
    if value is None:
        return "-"
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no "-0.000"


def thousands(value):
    return "-" if value is None else f"{value / 1000:.1f} k"


def bytes_of(value):
    return "-" if value is None else f"{value:,.0f}"


def micro(ns):
    """A time in us, with about three digits."""
    us = ns / 1000
    return f"{us:.2f}" if us < 10 else f"{us:.0f}"


def spread(values, digits=2):
    """The median, with the lowest and the highest value in brackets."""
    if not values:
        return "-"
    if len(values) == 1:
        return number(values[0], digits)
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}..{max(values):.{digits}f})")
