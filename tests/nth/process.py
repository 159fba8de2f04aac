# SPDX-License-Identifier: MIT
"""Examples that run with the library in front of them."""
import os, re, select, signal, ssl, subprocess, sys, tempfile

from faults import faults

PATIENCE = 20 # seconds for whatever should come at once
ROUNDS = 3    # clients of a server
THOROUGH = 10 # from this --most on no case is brief
SOME = 8      # faults of a brief case, at most

options = None # of nth.py
places = {}    # what {name} in an argument stands for


def program(name):
    built = os.path.join(options.examples, os.path.dirname(name), '.libs', os.path.basename(name))
    return built if os.path.exists(built) else os.path.join(options.examples, name)


class Wrong(Exception):
    pass


class Process:
    """An example with the library in front of it."""

    def __init__(self, case, reactor, fault=None):
        self.folder = tempfile.TemporaryDirectory()
        self.report_file = os.path.join(self.folder.name, 'report')
        env = dict(os.environ, NTH_REPORT=self.report_file, LD_PRELOAD=options.library,
                   COGEN_REACTOR=reactor)
        if fault:
            env['NTH_FAILS'] = fault
        if options.fault:
            env['NTH_TRACE'] = '1'
        self.name = case.program
        self.child = subprocess.Popen(
            [program(case.program), *case.args(self.folder.name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)

    def port(self):
        """The port that its first line tells, or None if it ended without one."""
        if not select.select([self.child.stdout], [], [], PATIENCE)[0]:
            raise Wrong('does not start')
        told = re.search(r':(\d+)$', self.child.stdout.readline().decode().strip())
        return int(told.group(1)) if told else None

    def end(self, text=b''):
        """Waits for the end; returns the status and what was printed."""
        try:
            out, err = self.child.communicate(text, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong('does not end') from None
        if options.fault:
            sys.stderr.buffer.write(err)
        return self.child.returncode, out, err.decode(errors='replace')

    def has_ended(self, when):
        """Whether it ended by itself; if it should, waits for that."""
        try:
            self.child.wait(PATIENCE if when else 0.001)
        except subprocess.TimeoutExpired:
            return False
        return True

    def report(self):
        """None after an end with an error: _exit() calls no destructor."""
        try:
            with open(self.report_file) as file:
                return {name: int(count) for name, count in map(str.split, file)}
        except OSError:
            if self.child.returncode == 0:
                raise Wrong('ended without its report') from None

    def refuses(self, status, err):
        """An end with an error must be told."""
        if not 0 < status < 126:
            raise Wrong(f'status {status}: {last_line(err)}')
        if not re.search(r'^\S+: .', err, re.M):
            raise Wrong(f'status {status} without a word')

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
            if options.fault:
                sys.stderr.buffer.write(self.child.stderr.read())
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            pipe.close()
        self.folder.cleanup()


def last_line(text):
    return (text.strip().splitlines() or ['nothing was printed'])[-1]


class Case:
    """`brief`: only some faults, on one reactor, where --most is small; `reactors`: other ones
    than nth.py is told."""

    def __init__(self, name, program, *args, brief=False, reactors=None):
        self.name, self.program, self.arguments = name, program, args
        self.brief, self.reactors = brief and options.most < THOROUGH, reactors

    def is_there(self):
        return os.path.exists(program(self.program))

    def on(self, number):
        """The reactors; `number` is that of the case, so that brief ones take turns."""
        some = self.reactors or options.reactors
        return [some[number % len(some)]] if self.brief else some

    def faults(self, counts):
        if not self.brief:
            return list(faults(counts, options.most))
        some = list(faults(counts, 1))
        return some[::1 + (len(some) - 1) // SOME]

    def args(self, folder):
        return [each.format(folder=folder, **places) for each in self.arguments]


class Program(Case):
    """An example that ends by itself. `out`: a file that it writes, beside its output; `varies`:
    a pattern of what may differ from run to run."""

    def __init__(self, name, program, *args, text=b'', out=None, varies=None, status=0, **more):
        super().__init__(name, program, *args, **more)
        self.text, self.out, self.varies, self.status = text, out, varies, status
        self.expected = None

    def result(self, process):
        status, out, err = process.end(self.text)
        if self.out:
            try:
                with open(os.path.join(process.folder.name, self.out), 'rb') as file:
                    out += file.read()
            except OSError:
                pass
        return status, re.sub(self.varies, b'', out) if self.varies else out, err

    def run(self, reactor, fault=None):
        process = Process(self, reactor, fault)
        try:
            status, out, err = self.result(process)
            if not fault:
                self.expected = out
                if status != self.status:
                    raise Wrong(f'status {status}: {last_line(err)}')
            if status != self.status:
                process.refuses(status, err)
            elif out != self.expected:
                raise Wrong(f'status {status}, but it printed {out[-60:]!r}')
            return status, process.report()
        finally:
            process.close()


class Server(Case):
    """An example that serves; talk(port) is one client, which returns what is wrong, or raises
    what it cannot have. `told`: what the server must have printed in the end; `ends`:
    a function whose failure may end it."""

    def __init__(self, name, program, talk, *args, listen=('--listen', '127.0.0.1:0'), told=b'',
                 ends=None, **more):
        super().__init__(name, program, *listen, *args, **more)
        self.talk, self.told, self.ends = talk, told, ends

    def run(self, reactor, fault=None):
        process = Process(self, reactor, fault)
        try:
            port = process.port()
            if port is None:
                status, _, err = process.end()
                process.refuses(status, err)
                return status, process.report()
            troubles = [self.trouble(port) for _ in range(ROUNDS)]
            if fault: # which may come late
                troubles.append(self.trouble(port))
            if troubles[-1]:
                troubles.append(self.trouble(port))
            # If the first line cannot be flushed, it comes only when the server ends. By then
            # another server may have its port, and respond.
            unbegun = fault and fault.startswith('fflush:1:')
            may_end = unbegun or (fault and fault.split(':')[0] == self.ends)
            if process.has_ended(when=all(troubles) or may_end):
                status, _, err = process.end()
                if not all(troubles) and not may_end:
                    raise Wrong(f'ended by itself, status {status}: {last_line(err)}')
                process.refuses(status, err) # it never began
                return status, process.report()
            if sum(map(bool, troubles)) > (1 if fault else 0) or troubles[-1]:
                raise Wrong(f'clients were not served: {troubles}')
            process.child.send_signal(signal.SIGTERM)
            status, out, err = process.end()
            if status != 0:
                process.refuses(status, err)
            elif self.told not in out:
                raise Wrong(f'it printed {out[-60:]!r}')
            return status, process.report()
        finally:
            process.close()

    def trouble(self, port):
        try:
            return self.talk(port)
        except (OSError, ssl.SSLError, subprocess.SubprocessError) as error:
            return repr(error)


