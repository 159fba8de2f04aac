#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program on a terminal of ROWS times COLUMNS until its progress has the line LAST.
Prints how many lines that picture has, its widest line, and its last.
    http_client_screen.py ROWS COLUMNS LAST PROGRAM ARGUMENT..."""
import fcntl, os, pty, re, signal, struct, sys, termios

rows, columns, last = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execv(sys.argv[4], sys.argv[4:])
seen = ''
try:
    while last not in seen:
        seen += os.read(master, 65536).decode()
except OSError:  # the program has ended
    pass
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
picture = re.sub('\x1b\\[[KJ]', '', re.split('\x1b\\[[0-9]*A', seen)[-1])
lines = [line for line in picture.split('\r\n') if line]
print(len(lines), max(map(len, lines), default=0), lines[-1] if lines else '')
