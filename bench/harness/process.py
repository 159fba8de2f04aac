# SPDX-License-Identifier: MIT
"""Servers and other programs as processes: pinned to a processor, found by the address that
they print or the port that they were given, and always ended by their pid."""

import atexit
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 30  # seconds for a server to start, and for a load to end after its duration


class Failed(Exception):
    """Something could not be measured; the text tells what and why."""


def processors():
    """The processors of the server and of the load: the same, if the machine has only one."""
    all_of_them = sorted(os.sched_getaffinity(0))
    return all_of_them[-1], all_of_them[0]


_running = []
_work = None


def work_dir():
    """A directory for the outputs of this run, removed at its end."""
    global _work
    if _work is None:
        _work = tempfile.TemporaryDirectory(prefix="cogen-bench-")
    return _work.name


def tidy():
    for process in _running[:]:
        process.stop()


def set_up():
    """Makes sure that all processes that are started end with this program, and gives them as
    many descriptors as are allowed."""

    def leave(number, _frame):
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    atexit.register(tidy)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A running server. `wrapper` is put before its command (strace, valgrind). `port` is its
    port, for a server that does not print "listening on ADDRESS"; `cpu`: its processor, if not
    that of servers."""

    def __init__(self, command, env, port=None, wrapper=(), ready="listening on ", cpu=None):
        self.name = os.path.basename(command[0])
        self.out, self.err = (
            tempfile.NamedTemporaryFile("w+", dir=work_dir(), prefix=prefix, delete=False)
            for prefix in ("out-", "err-"))
        self.process = subprocess.Popen(
            [*wrapper, *command], env=env, stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=self.err, preexec_fn=pinned(processors()[0] if cpu is None else cpu))
        _running.append(self)
        self.address = self._await(port, ready)
        self.pid = self._find(wrapper)

    def said(self):
        with open(self.out.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def complaints(self):
        with open(self.err.name, encoding="utf-8", errors="replace") as file:
            return file.read().strip()[-500:]

    def _await(self, port, ready):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.stop()
                raise Failed(f"{self.name} did not start: {self.complaints() or 'no reason'}")
            if port is None:
                lines = self.said().splitlines(keepends=True)
                for line in lines:
                    if line.startswith(ready) and line.endswith("\n"):
                        return line[len(ready):].strip()
            else:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    return f"127.0.0.1:{port}"
                except OSError:
                    pass
            time.sleep(0.01)
        self.stop()
        raise Failed(f"{self.name} did not listen within {PATIENCE} s: {self.complaints()}")

    def _find(self, wrapper):
        """The server's pid: under strace it is a child, under valgrind the process itself."""
        pid = self.process.pid
        if wrapper and "strace" in wrapper[0]:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                return int(file.read().split()[0])
        return pid

    def stop(self):
        """Ends the server, gracefully if possible. May be called again."""
        if self in _running:
            _running.remove(self)
        if self.process.poll() is None:
            try:
                os.kill(getattr(self, "pid", self.process.pid), signal.SIGTERM)
                self._await_end()
            except (ProcessLookupError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()

    def _await_end(self):
        """Connects to the server: Valgrind may deliver a signal only when the server is
        active."""
        for _ in range(10):
            try:
                self.process.wait(1)
                return
            except subprocess.TimeoutExpired:
                if ":" in getattr(self, "address", ""):
                    host, port = self.address.rsplit(":", 1)
                    try:
                        socket.create_connection((host, int(port)), 1).close()
                    except OSError:
                        pass
        self.process.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def cpu(pid):
    """CPU time of all threads of a process, ns."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def output(command, env=None, cpu=None, limit=PATIENCE):
    """The output of a program; raises Failed if it fails or takes too long."""
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, timeout=limit,
                              capture_output=True, text=True, check=False,
                              preexec_fn=None if cpu is None else pinned(cpu))
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Failed(f"{os.path.basename(command[0])}: {why}") from None
    if done.returncode != 0:
        raise Failed(f"{os.path.basename(command[0])} failed: "
                     f"{(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def figures(text):
    """The lines "name value unit" of a program's output."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        try:
            found[words[0]] = float(words[1])
        except (IndexError, ValueError):
            continue
    return found
