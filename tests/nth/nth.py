# SPDX-License-Identifier: MIT
"""Lets each call of the examples fail, one in each run, and looks at what becomes of them.

usage: nth.py EXAMPLES LIBRARY REACTOR... [--cert FILE --ca FILE] [--only LIST] [--most N]
              [--jobs N] [--fault NAME:N:ERRNO]

LIBRARY is nth.c, built. Each example runs without a fault first, which tells what it calls and
how often; then once for each call and each error that the call may give. Of a function that is
called more than --most times so many calls are taken, half of them from the beginning.

What is expected of a program that ends by itself: what it prints without a fault, or a line that
says what failed and a status between 1 and 125. Of a server: the same before it has served
anybody; or it serves, at most one client notices, the last one is served, SIGTERM ends it, and
as much memory and as many descriptors are left as without the fault. Prints a line for each
example and reactor, and one for each failure. --fault repeats one, and shows what the program
printed and which function made the call that failed.
"""
import argparse, errno, os, re, select, signal, socket, ssl, struct, subprocess, sys, tempfile
import concurrent.futures, threading

PATIENCE = 20  # seconds for whatever should come at once
ROUNDS = 3     # clients of a server

ERRORS = {
    'accept': 'EMFILE', 'accept4': 'EMFILE ECONNABORTED', 'bind': 'EADDRINUSE',
    'connect': 'ECONNREFUSED', 'dup2': 'EBADF', 'epoll_create1': 'EMFILE',
    'epoll_ctl': 'ENOMEM', 'epoll_pwait2': 'EINTR', 'epoll_wait': 'EINTR', 'eventfd': 'EMFILE',
    'fcntl': 'EMFILE', 'fstat': 'EIO', 'fsync': 'EIO', 'getsockname': 'ENOBUFS',
    'getsockopt': 'ENOBUFS', 'inotify_add_watch': 'ENOSPC', 'inotify_init1': 'EMFILE',
    'io_uring_submit': 'EINTR EAGAIN', 'io_uring_submit_and_wait': 'EINTR EAGAIN',
    'io_uring_submit_and_wait_timeout': 'EINTR EAGAIN', 'listen': 'EADDRINUSE',
    'open': 'EMFILE', 'openat': 'EMFILE', 'pipe2': 'EMFILE', 'poll': 'EINTR', 'ppoll': 'EINTR',
    'pread': 'EIO', 'pselect': 'EINTR', 'pthread_create': 'EAGAIN', 'pwrite': 'ENOSPC',
    'read': 'EIO EINTR', 'readv': 'ECONNRESET EINTR', 'recv': 'ECONNRESET EINTR',
    'recvfrom': 'ENOMEM EINTR', 'recvmmsg': 'ENOMEM EINTR', 'recvmsg': 'ECONNRESET EINTR',
    'send': 'EPIPE EINTR', 'sendfile': 'EIO EINTR', 'sendmmsg': 'ENOBUFS EINTR',
    'sendmsg': 'EPIPE EINTR', 'sendto': 'ENOBUFS EINTR', 'setsockopt': 'ENOMEM',
    'shutdown': 'ENOTCONN', 'socket': 'EMFILE', 'splice': 'EIO', 'syscall': 'ENOSYS EMFILE',
    'timerfd_create': 'EMFILE', 'timerfd_settime': 'EINVAL', 'write': 'ENOSPC EINTR',
    'writev': 'EPIPE EINTR',
}


class Wrong(Exception):
    pass


class Process:
    """An example with the library in front of it."""

    def __init__(self, case, reactor, fault=None):
        self.folder = tempfile.TemporaryDirectory()
        self.report_file = os.path.join(self.folder.name, 'report')
        env = dict(os.environ, NTH_REPORT=self.report_file, LD_PRELOAD=options.library)
        if fault:
            env['NTH_FAILS'] = fault
        if options.fault:
            env['NTH_TRACE'] = '1'
        self.name = case.program
        self.child = subprocess.Popen(
            [program(case.program), *case.args(self.folder.name), '--reactor', reactor],
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
        try:
            with open(self.report_file) as file:
                return {name: int(count) for name, count in map(str.split, file)}
        except OSError:
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
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            pipe.close()
        self.folder.cleanup()


def last_line(text):
    return (text.strip().splitlines() or ['nothing was printed'])[-1]


class Program:
    """An example that ends by itself. `out`: a file that it writes, beside its output."""

    def __init__(self, name, program, *args, text=b'', out=None):
        self.name, self.program, self.text, self.out = name, program, text, out
        self.arguments, self.expected = args, None

    def args(self, folder):
        return [each.format(folder=folder, **places) for each in self.arguments]

    def result(self, process):
        status, out, err = process.end(self.text)
        if self.out:
            try:
                with open(os.path.join(process.folder.name, self.out), 'rb') as file:
                    out += file.read()
            except OSError:
                pass
        return status, out, err

    def run(self, reactor, fault=None):
        process = Process(self, reactor, fault)
        try:
            status, out, err = self.result(process)
            if not fault:
                self.expected = out
            if status != 0:
                process.refuses(status, err)
            elif out != self.expected:
                raise Wrong(f'status 0, but it printed {out[-60:]!r}')
            return status, process.report()
        finally:
            process.close()


class Server:
    """An example that serves; talk(port) is one client, which raises what it cannot have."""

    def __init__(self, name, program, talk, *args):
        self.name, self.program, self.talk, self.arguments = name, program, talk, args

    def args(self, folder):
        return ['--listen', '127.0.0.1:0',
                *(each.format(folder=folder, **places) for each in self.arguments)]

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
            if process.has_ended(when=all(troubles)):
                status, _, err = process.end()
                if not all(troubles):
                    raise Wrong(f'ended by itself, status {status}: {last_line(err)}')
                process.refuses(status, err) # it never began
                return status, process.report()
            if sum(map(bool, troubles)) > (1 if fault else 0) or troubles[-1]:
                raise Wrong(f'clients were not served: {troubles}')
            process.child.send_signal(signal.SIGTERM)
            status, _, err = process.end()
            if status != 0:
                process.refuses(status, err)
            return status, process.report()
        finally:
            process.close()

    def trouble(self, port):
        try:
            return self.talk(port)
        except (OSError, ssl.SSLError, subprocess.SubprocessError) as error:
            return repr(error)


# ---- Clients: each returns what is wrong, or None

def received(sock):
    text = b''
    while piece := sock.recv(65536):
        text += piece
    return text


def connected(port):
    return socket.create_connection(('127.0.0.1', port), PATIENCE)


def unlike(expected, text):
    return None if expected in text else f'{text[-60:]!r}'


def echo(port):
    with connected(port) as sock:
        sock.sendall(b'to and fro\n')
        sock.shutdown(socket.SHUT_WR)
        return unlike(b'to and fro\n', received(sock))


def datagram(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(('127.0.0.1', port))
        sock.send(b'to and fro')
        return unlike(b'to and fro', sock.recv(100))


def request(sock, target, expected):
    sock.sendall(f'GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
    text = received(sock)
    return unlike(b'HTTP/1.1 200 ', text) or unlike(expected, text)


def get(target='/', expected=b'\r\n\r\n'):
    def talk(port):
        with connected(port) as sock:
            return request(sock, target.format(**places), expected)
    return talk


def get_tls(port):
    context = ssl.create_default_context(cafile=options.ca)
    with connected(port) as plain, context.wrap_socket(plain, server_hostname='localhost') as sock:
        return request(sock, '/', b'</html>')


def fetched(expected, text, *args):
    """By http_client, without faults; {port} in its arguments is the server's."""
    def talk(port):
        done = subprocess.run([program('http_client'), *(each.format(port=port) for each in args)],
                              input=text, capture_output=True, timeout=PATIENCE)
        return unlike(expected, done.stdout) or (done.stderr.decode() or None)
    return talk


def name_query(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(('127.0.0.1', port))
        sock.send(struct.pack('>6H', 1, 0x100, 1, 0, 0, 0) + b'\1x\0\0\1\0\1')
        return unlike(b'\x7f\0\0\1', sock.recv(512))


def name_server():
    """Answers every query by 127.0.0.1; returns its port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('127.0.0.1', 0))

    def serve():
        while True:
            text, addr = sock.recvfrom(512)
            sock.sendto(text[:2] + struct.pack('>5H', 0x8180, 1, 1, 0, 0) + text[12:] +
                        b'\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1', addr)
    threading.Thread(target=serve, daemon=True).start()
    return sock.getsockname()[1]


# ---- The examples

def cases():
    page = b'</html>'
    yield Program('signals', 'signals')
    yield Program('calls', 'calls')
    yield Program('echo_client', 'echo_client', '--count', '3', '127.0.0.1:{echo}')
    yield Program('http_client', 'http_client', 'http://127.0.0.1:{http}/')
    yield Program('http_client -o', 'http_client', '-o', '{folder}/page',
                  'http://127.0.0.1:{http}/', out='page')
    yield Program('http_client h2c', 'http_client', '--http2-prior-knowledge',
                  'http://127.0.0.1:{http}/')
    yield Server('echo_server', 'echo_server', echo)
    yield Server('udp_echo', 'udp_echo', datagram)
    yield Server('dns_forward', 'dns_forward', name_query, '127.0.0.1:{dns}')
    yield Server('http_hello', 'http_hello', get())
    yield Server('http_server', 'http_server', get('/', page))
    yield Server('http_server h2c', 'http_server',
                 fetched(page, None, '--http2-prior-knowledge', 'http://127.0.0.1:{port}/'),
                 '--protocols', 'h1,h2c')
    yield Server('ws_echo', 'ws_echo',
                 fetched(b'to and fro', b'to and fro\n', 'ws://127.0.0.1:{port}/'))
    yield Server('chat', 'chat', get('/', page))
    yield Server('proxy', 'proxy', get('http://127.0.0.1:{http}/', page))
    yield Server('gateway', 'gateway', get('/', page), 'http://127.0.0.1:{http}')
    if options.cert:
        yield Server('http_server https', 'http_server', get_tls, '--tls-cert', options.cert,
                     '--tls-key', options.cert.replace('.pem', '.key'))
        yield Program('http_client https', 'http_client', '--cacert', options.ca,
                      'https://localhost:{https}/')


def taken(count):
    first = min(count, (options.most + 1) // 2)
    rest = min(count - first, options.most - first)
    yield from range(1, first + 1)
    yield from (first + (i + 1) * (count - first) // rest for i in range(rest))


def faults(counts):
    for name, count in counts.items():
        for n in taken(count):
            for word in ERRORS.get(name, 'ENOMEM').split():
                yield f'{name}:{n}:{getattr(errno, word)}'


def judged(case, reactor, fault, plain):
    """Runs the case with a fault; returns what is wrong, or None."""
    try:
        status, report = case.run(reactor, fault)
        if status == 0 and not report['foreign']: # OpenSSL loses memory when it has none
            for what in ('blocks', 'descriptors'):
                if report[what] > plain[what]:
                    return f'{what} left: {report[what]}, without the fault {plain[what]}'
    except Wrong as error:
        return str(error)


def check(case, reactor, pool):
    """Returns the number of runs and of failures."""
    try:
        reports = [case.run(reactor)[1] for _ in range(2)] # they differ a little
    except Wrong as error:
        print(f'FAILED {case.name} on {reactor} without a fault: {error}')
        return 1, 1
    plain = {name: max(report[name] for report in reports) for name in reports[0]}
    left = ('foreign', 'blocks', 'descriptors')
    todo = [options.fault] if options.fault else list(
        faults({name: count for name, count in plain.items() if name not in left}))
    failures = 0
    for fault, wrong in zip(todo, pool.map(lambda each: judged(case, reactor, each, plain), todo)):
        if wrong:
            failures += 1
            print(f'FAILED {case.name} on {reactor} with {fault}: {wrong}', flush=True)
    print(f'{case.name} on {reactor}: {len(todo)} faults, {failures} failures', flush=True)
    return len(todo), failures


def program(name):
    built = os.path.join(options.examples, '.libs', name)
    return built if os.path.exists(built) else os.path.join(options.examples, name)


def main():
    global options, places
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('examples')
    parser.add_argument('library')
    parser.add_argument('reactors', nargs='+')
    parser.add_argument('--cert')
    parser.add_argument('--ca')
    parser.add_argument('--only', type=lambda text: text.split(','))
    parser.add_argument('--most', type=int, default=100)
    parser.add_argument('--jobs', type=int, default=4)
    parser.add_argument('--fault')
    options = parser.parse_args()
    built = os.path.join(options.examples, '..', '.libs')
    os.environ['LD_LIBRARY_PATH'] = f"{built}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    places = {'dns': name_server()}
    helpers = []
    try:
        for place, name, *args in [('echo', 'echo_server'),
                                   ('http', 'http_server', '--protocols', 'h1,h2c')] + (
                [('https', 'http_server', '--tls-cert', options.cert, '--tls-key',
                  options.cert.replace('.pem', '.key'))] if options.cert else []):
            child = subprocess.Popen([program(name), '--listen', '127.0.0.1:0', *args],
                                     stdout=subprocess.PIPE)
            helpers.append(child)
            places[place] = int(child.stdout.readline().decode().rsplit(':', 1)[1])
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            sums = [check(case, reactor, pool) for case in cases() for reactor in options.reactors
                    if not options.only or case.name in options.only]
    finally:
        for child in helpers:
            child.terminate()
            child.wait()
    runs, failures = map(sum, zip(*sums))
    print(f'{100 * (runs - failures) // runs}%: Checks: {runs}, Failures: {failures}, Errors: 0')
    sys.exit(failures > 0)


if __name__ == '__main__':
    main()
