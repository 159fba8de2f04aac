# SPDX-License-Identifier: MIT
"""Restarts http_server under the load of wrk, and counts requests that fail.

usage: restarts.py SERVER [--restarts N] [--reactors LIST] [--workers N] [--cert FILE]
                   [--connections N] [--pause MS] [--jobs N] [--connects N]

For each reactor, with keep-alive and with Connection: close, plain and (with --cert) over
TLS: N restarts by SIGUSR2; then one each with a successor that exits, is killed or hangs.
None may cost a request, and a TLS session from before the first one is resumed after the
last one. The harness is the service manager: it learns by NOTIFY_SOCKET who
the main process is. One line a run; exits with 1 if anything failed. --jobs of these run
side by side, because most of their time is spent waiting for the successor that hangs. With
--pause each connection waits so long before a request: the server is never idle, but leaves
the processors to others. 0 is as fast as wrk can.

With --connects N instead: at least N connections, one for each request, while workers are
added and removed. The number of a process's workers is fixed, so each change is a restart
by a successor with another number, which inherits the port of each worker.
"""
import argparse, concurrent.futures, itertools, os, re, signal, socket, ssl, subprocess, sys, tempfile, time

PATIENCE = 60  # seconds for a restart

# What a successor that fails does: a script in the place of the program. {server} is the
# program itself.
FAULTS = {
    'exits at once': 'exit 1',
    'exits with its ports': 'exec "{server}" "$@" --root /does/not/exist',
    'is killed at once': 'kill -9 $$',
    'is killed in the middle': '"{server}" "$@" --root /does/not/exist; kill -9 $$',
    'hangs': 'exec sleep 1000',
}


class Service:
    def __init__(self, folder, server, args):
        self.link = os.path.join(folder, 'http_server')
        self.server = server
        self.put_program()
        err = open(os.path.join(folder, 'err'), 'a')
        self.err = open(err.name)
        path = os.path.join(folder, 'notify')
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(path)
        self.notify.settimeout(PATIENCE)
        child = subprocess.Popen([self.link, '--listen', '127.0.0.1:0', *args],
                                 stdout=subprocess.PIPE, stderr=err, text=True,
                                 env=dict(os.environ, NOTIFY_SOCKET=path))
        self.child, self.pid = child, child.pid
        self.addr = child.stdout.readline().split()[-1]
        self.wait_for('READY=1')

    def put_program(self, script=None):
        """Lets the link be the server, or a script that fails."""
        new = self.link + '.new'
        if script is None:
            os.symlink(self.server, new)
        else:
            with open(new, 'w') as file:
                file.write('#!/bin/sh\n' + script.format(server=self.server) + '\n')
            os.chmod(new, 0o755)
        os.rename(new, self.link)

    def wait_for(self, *words):
        """Until each has been told; returns the last number that MAINPID told."""
        missing = set(words)
        while missing:
            for line in self.notify.recv(4096).decode().split('\n'):
                for word in list(missing):
                    if line.startswith(word):
                        missing.discard(word)
                if line.startswith('MAINPID='):
                    self.pid = int(line[8:])

    def put_workers(self, count):
        """Lets the link be the server with so many workers, under the link's name."""
        self.put_program(f"""exec bash -c 'exec -a "$0" "{{server}}" "$@"' """
                         f"""'{self.link}' "$@" --workers {count}""")

    def restart(self):
        os.kill(self.pid, signal.SIGUSR2)
        self.wait_for('READY=1', 'MAINPID=')

    def fail(self, script):
        """A restart that must fail, and be told on standard error."""
        self.err.seek(0, os.SEEK_END)
        self.put_program(script)
        os.kill(self.pid, signal.SIGUSR2)
        end = time.monotonic() + PATIENCE
        while 'restart: ' not in self.err.read():
            if time.monotonic() > end:
                raise TimeoutError('the restart has not failed')
            time.sleep(0.02)
        self.put_program()

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                break
            if self.pid == self.child.pid and self.child.poll() is not None:
                break
            time.sleep(0.02)
        else:
            os.kill(self.pid, signal.SIGKILL)
        self.child.wait(PATIENCE)


def wrk(options, folder, url, *args):
    """The load; it ends by SIGINT, or after the time of -d."""
    command = ['wrk', '-t', '1', '-c', str(options.connections), *args]
    if options.pause:
        script = os.path.join(folder, 'pause.lua')
        with open(script, 'w') as file:
            file.write(f'function delay() return {options.pause} end')
        command += ['-s', script]
    return subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True)


def failures(text):
    """How many requests have failed, as wrk tells, and how many were completed."""
    errors = re.search(r'Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)', text)
    wrong = re.search(r'Non-2xx or 3xx responses: (\d+)', text)
    done = re.search(r'(\d+) requests in', text)
    count = sum(map(int, errors.groups())) if errors else 0
    count += int(wrong.group(1)) if wrong else 0
    return count, int(done.group(1)) if done else 0


def visit(addr, context, session=None):
    """One request over TLS. Returns the client's session, and whether the one that it
    offered was resumed."""
    host, port = addr.rsplit(':', 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as plain:
        with context.wrap_socket(plain, session=session) as conn:
            conn.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            while conn.recv(4096):
                pass
            return conn.session, conn.session_reused


def run(options, reactor, close, tls):
    args = ['--reactor', reactor, '--workers', str(options.workers), '--restart-timeout', '5']
    if tls:
        args += ['--tls-cert', options.cert]
    name = f"{reactor}, {'close' if close else 'keep-alive'}, {'TLS' if tls else 'plain'}"
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, options.server, args)
        url = f"http{'s' if tls else ''}://{service.addr}/"
        # On a busy machine a request may well take the two seconds that wrk waits by default.
        load = wrk(options, folder, url, '--timeout', '8s', '-d', '3600',
                   *(['-H', 'Connection: close'] if close else []))
        problem = None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            time.sleep(0.3)
            session = visit(service.addr, context)[0] if tls else None
            for _ in range(options.restarts):
                service.restart()
                time.sleep(0.1)
            for script in FAULTS.values():
                service.fail(script)
            if tls and not visit(service.addr, context, session)[1]:
                problem = 'the session was not resumed'
            time.sleep(0.3)
        except (TimeoutError, OSError) as error:
            problem = error
        load.send_signal(signal.SIGINT)
        told = load.communicate()[0]
        failed, done = failures(told)
        service.stop()
        service.err.seek(0)
        if failed:
            print(told)
        if problem:
            print(service.err.read())
        service.err.close()
    good = problem is None and failed == 0 and done > 0
    print(f"{'ok' if good else 'FAIL'}: {name}: {options.restarts} restarts and "
          f"{len(FAULTS)} failed ones, {failed} of {done} requests failed"
          f"{f'; {problem}' if problem else ''}", flush=True)
    return good


def change_workers(options, reactor):
    args = ['--reactor', reactor, '--restart-timeout', '20']
    failed = done = changes = 0
    problem = None
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, options.server, args)
        counts = itertools.cycle([2, 4, 1, 3])
        while done < options.connects and not problem and failed == 0:
            load = wrk(options, folder, f'http://{service.addr}/', '--timeout', '8s', '-d', '3',
                       '-H', 'Connection: close')
            try:
                while load.poll() is None:
                    service.put_workers(next(counts))
                    service.restart()
                    changes += 1
                    time.sleep(0.1)
            except (TimeoutError, OSError) as error:
                problem = error
            more_failed, more = failures(load.communicate()[0])
            failed, done = failed + more_failed, done + more
            problem = problem or (None if more else 'no request was completed')
        service.stop()
        if problem:
            service.err.seek(0)
            print(service.err.read())
        service.err.close()
    good = problem is None and failed == 0
    print(f"{'ok' if good else 'FAIL'}: {reactor}: {changes} changes of the number of workers, "
          f"{failed} of {done} connects failed{f'; {problem}' if problem else ''}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('server')
    parser.add_argument('--restarts', type=int, default=50)
    parser.add_argument('--reactors', default='epoll,io_uring,poll')
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--connections', type=int, default=32)
    parser.add_argument('--connects', type=int)
    parser.add_argument('--cert')
    parser.add_argument('--pause', type=int, default=0)
    parser.add_argument('--jobs', type=int, default=1)
    options = parser.parse_args()
    reactors = options.reactors.split(',')
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        if options.connects is not None:
            runs = [pool.submit(change_workers, options, reactor) for reactor in reactors]
        else:
            runs = [pool.submit(run, options, reactor, close, tls)
                    for reactor in reactors
                    for tls in ([False, True] if options.cert else [False])
                    for close in (False, True)]
        results = [each.result() for each in runs]
    sys.exit(0 if all(results) else 1)


main()
