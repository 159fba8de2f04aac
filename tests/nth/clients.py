# SPDX-License-Identifier: MIT
"""Clients of the examples that serve: each returns what is wrong, or None. And servers that other
examples need."""
import socket, ssl, struct, subprocess, threading

import process


def received(sock):
    text = b''
    while piece := sock.recv(65536):
        text += piece
    return text


def connected(port):
    return socket.create_connection(('127.0.0.1', port), process.PATIENCE)


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
            return request(sock, target.format(**process.places), expected)
    return talk


def get_tls(port):
    context = ssl.create_default_context(cafile=process.options.ca)
    with connected(port) as plain, context.wrap_socket(plain, server_hostname='localhost') as sock:
        return request(sock, '/', b'</html>')


def fetched(expected, text, *args):
    """By http_client, without faults; {port} in its arguments is the server's."""
    def talk(port):
        done = subprocess.run([process.program('http_client'), *(each.format(port=port) for each in args)],
                              input=text, capture_output=True, timeout=process.PATIENCE)
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


def lines(text, expected=None):
    """Sends lines, and expects them back, or something else."""
    def talk(port):
        with connected(port) as sock:
            sock.sendall(text)
            sock.shutdown(socket.SHUT_WR)
            return unlike(expected or text, received(sock))
    return talk


def greeted(text, expected):
    """Says something, and waits for what is expected before it leaves."""
    def talk(port):
        with connected(port) as sock:
            sock.sendall(text)
            came = b''
            while expected not in came and (piece := sock.recv(65536)):
                came += piece
            return unlike(expected, came)
    return talk


def count_up(port):
    """Tells statsd something; it says nothing itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(('127.0.0.1', port))
        sock.send(b'pages:1|c')


def tunnel(port):
    """An echo through the proxy."""
    with connected(port) as sock:
        sock.sendall('CONNECT 127.0.0.1:{echo} HTTP/1.1\r\nHost: x\r\n\r\n'.format(
            **process.places).encode())
        head = b''
        while b'\r\n\r\n' not in head and (piece := sock.recv(65536)):
            head += piece
        if wrong := unlike(b' 200 ', head):
            return wrong
        sock.sendall(b'to and fro\n')
        sock.shutdown(socket.SHUT_WR)
        return unlike(b'to and fro\n', received(sock))


def pass_on(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def socks_client(sock):
    """SOCKS5 without a password; every name is 127.0.0.1."""
    with sock:
        sock.recv(2 + sock.recv(2, socket.MSG_PEEK)[1])
        sock.sendall(b'\5\0')
        kind = sock.recv(4)[3]
        sock.recv(4 if kind == 1 else 16 if kind == 4 else sock.recv(1)[0])
        port, = struct.unpack('>H', sock.recv(2))
        with connected(port) as target:
            sock.sendall(b'\5\0\0\1\x7f\0\0\1\0\0')
            back = threading.Thread(target=pass_on, args=(target, sock), daemon=True)
            back.start()
            pass_on(sock, target)
            back.join()


def socks_server():
    listener = socket.create_server(('127.0.0.1', 0))

    def one(sock):
        try:
            socks_client(sock)
        except (OSError, IndexError, struct.error):
            pass # the client failed, as it was told

    def serve():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]
