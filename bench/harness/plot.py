# SPDX-License-Identifier: MIT
"""A plot of a table, as SVG by gnuplot."""

import os
import subprocess

SCRIPT = """set terminal svg size 760,{height} font 'sans-serif,12' background '#ffffff'
set output '{path}'
set title '{title}' noenhanced
set xlabel '{what}' noenhanced
set yrange [{rows}-0.4:-0.6]
set xrange [0:{most}]
set ytics ({tics}) noenhanced
set grid xtics lc rgb '#dddddd'
set style fill solid 0.9
set border 3
set tics nomirror
unset key
{line}
$bars << END
{data}
END
plot $bars using ($2/2):1:($2/2):(0.32):5 with boxxyerror lc rgb variable, \\
     $bars using 2:1:3:4 with xerrorbars pt 0 lc rgb '#222222', \\
     $bars using 4:1:6 with labels offset 1,0 left noenhanced
"""


def quoted(text):
    return text.replace("'", "''")


def colour(name):
    if name.startswith("libcogen"):
        return 0x2D6CA2
    return 0x888888 if name.startswith("bare") else 0xD0A050


def draw(table, directory):
    """Writes DIRECTORY/NAME.svg and returns its name; None: nothing to draw."""
    spec = table.plot
    if not spec or not spec["bars"]:
        return None
    os.makedirs(directory, exist_ok=True)
    name = table.name + ".svg"
    bars = spec["bars"]
    line = ""
    if spec["line"] is not None:
        line = (f"set arrow from {spec['line']}, graph 0 to {spec['line']}, graph 1 nohead "
                "dt 2 lc rgb '#aa3333'")
    data = "\n".join(f"{i} {mid:g} {low:g} {high:g} {colour(row)} "
                     f"\"{mid:,.0f}\"" if high >= 100 else
                     f"{i} {mid:g} {low:g} {high:g} {colour(row)} \"{mid:.2f}\""
                     for i, (row, mid, low, high) in enumerate(bars))
    script = SCRIPT.format(
        height=90 + 26 * len(bars), path=quoted(os.path.join(directory, name)),
        title=quoted(table.title), what=quoted(spec["what"]), rows=len(bars),
        most=1.18 * max([bar[3] for bar in bars] + [spec["line"] or 0]),
        tics=", ".join(f"'{quoted(bar[0])}' {i}" for i, bar in enumerate(bars)), line=line,
        data=data)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return name
