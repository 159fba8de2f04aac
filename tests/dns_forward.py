# SPDX-License-Identifier: MIT
"""Tests dns_forward: dns_forward.py PROGRAM REACTOR... The name servers run in threads of
this process and count what they are asked."""

import random
import signal
import socket
import struct
import subprocess
import sys
import threading

A, NS, SOA, TXT, OPT = 1, 2, 6, 16, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP = 0, 1, 2, 3, 4
checks = failures = 0


def check(what, condition):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
    print(f"{'ok' if condition else 'FAILED'}  {what}", flush=True)


def encode(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def query(name, kind=A, number=None, edns=None, flags=0x0100):
    number = random.randrange(65536) if number is None else number
    text = struct.pack(">6H", number, flags, 1, 0, 0, 0 if edns is None else 1)
    text += encode(name) + struct.pack(">2H", kind, 1)
    if edns is not None:
        text += b"\0" + struct.pack(">2HIH", OPT, edns, 0, 12) + struct.pack(
            ">2H", 10, 8) + random.randbytes(8)  # a cookie, as dig sends it
    return text


def question_of(text):
    at, labels = 12, []
    while text[at]:
        labels.append(text[at + 1:at + 1 + text[at]].decode())
        at += 1 + text[at]
    return ".".join(labels), struct.unpack(">H", text[at + 1:at + 3])[0], text[12:at + 5]


class Response:
    def __init__(self, text):
        self.text = text
        (self.number, flags, _, self.answers, self.authorities, _) = struct.unpack(
            ">6H", text[:12])
        self.code, self.cut = flags & 15, bool(flags & 0x200)
        self.name, _, question = question_of(text) if len(text) > 12 else ("", 0, b"")
        self.ttl = None
        if self.answers:
            at = 12 + len(question)
            self.ttl = struct.unpack(">I", text[at + 6:at + 10])[0]


class Server(threading.Thread):
    """A name server over UDP and TCP on one port; `behaviour` says how it responds."""

    def __init__(self, behaviour):
        super().__init__(daemon=True)
        self.behaviour, self.asked, self.by_tcp, self.ports = behaviour, 0, 0, set()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.addr = self.tcp.getsockname()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(self.addr)
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        self.start()

    def record(self, kind, ttl, data):
        return b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, ttl, len(data)) + data

    def respond(self, text, tcp):
        name, _, question = question_of(text)
        code, answers, authority = NOERROR, [], []
        flags = 0x8180
        lower = name.lower()
        if self.behaviour == "fails":
            code = SERVFAIL
        elif lower.startswith("none."):
            code = NXDOMAIN
            authority = [self.record(SOA, 300, b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, 60))]
        elif lower.startswith("brief."):
            answers = [self.record(A, 0, b"\x7f\0\0\1")]
        elif lower.startswith("long."):
            answers = [self.record(TXT, 300, b"\xc8" + b"x" * 200) for _ in range(10)]
            if not tcp:
                flags, answers = flags | 0x200, []
        elif lower.startswith("middle."):
            answers = [self.record(TXT, 300, b"\xc8" + b"x" * 200) for _ in range(4)]
        else:
            answers = [self.record(A, 300, b"\x7f\0\0\1")]
        return (text[:2] + struct.pack(">5H", flags | code, 1, len(answers), len(authority), 0) +
                question + b"".join(answers) + b"".join(authority))

    def run(self):
        while True:
            text, sender = self.udp.recvfrom(4096)
            self.asked += 1
            self.ports.add(sender[1])
            if self.behaviour == "mute":
                continue
            good = self.respond(text, False)
            if self.behaviour == "attacked":  # forged ones come first
                self.udp.sendto(struct.pack(">H", (good[0] << 8 | good[1]) ^ 1) + good[2:], sender)
                self.udp.sendto(good.replace(b"\4test", b"\4evil"), sender)
                self.udp.sendto(b"rubbish", sender)
            self.udp.sendto(good, sender)

    def serve_tcp(self):
        while True:
            conn, _ = self.tcp.accept()
            with conn:
                size = conn.recv(2, socket.MSG_WAITALL)
                if len(size) == 2:
                    text = conn.recv(struct.unpack(">H", size)[0], socket.MSG_WAITALL)
                    self.by_tcp += 1
                    good = self.respond(text, True)
                    conn.sendall(struct.pack(">H", len(good)) + good)


class Forwarder:
    def __init__(self, program, reactor, servers, *more):
        names = ["%s:%d" % server.addr for server in servers]
        self.process = subprocess.Popen(
            [program, "--reactor", reactor, "--listen", "127.0.0.1:0", *more, *names],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        host, port = line.split()[-1].rsplit(":", 1)
        self.addr = (host, int(port))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(20)
        self.udp.connect(self.addr)

    def raw(self, text):
        self.udp.send(text)
        return Response(self.udp.recv(65536))

    def ask(self, name, **more):
        return self.raw(query(name, **more))

    def ask_by_tcp(self, *texts):
        with socket.create_connection(self.addr, 20) as conn:
            found = []
            for text in texts:
                conn.sendall(struct.pack(">H", len(text)) + text)
                size = struct.unpack(">H", conn.recv(2, socket.MSG_WAITALL))[0]
                found.append(Response(conn.recv(size, socket.MSG_WAITALL)))
            return found

    def end(self):
        self.process.send_signal(signal.SIGINT)
        said = self.process.stdout.read()
        return self.process.wait(20), said


def forwarding(program, reactor):
    server = Server("attacked")
    forwarder = Forwarder(program, reactor, [server])
    first = forwarder.ask("a.test", number=7)
    check("a query is forwarded, forged responses are not believed",
          (first.number, first.code, first.answers, first.name) == (7, NOERROR, 1, "a.test"))
    again = forwarder.ask("A.Test", number=8)
    check("it is remembered, and the client's spelling comes back",
          (again.number, again.name, again.answers, server.asked) == (8, "A.Test", 1, 1))
    check("times to live go down", again.ttl <= 300 and first.ttl == 300)
    for _ in range(2):
        gone = forwarder.ask("none.test")
    check("that a name does not exist is remembered, too",
          gone.code == NXDOMAIN and gone.authorities == 1 and server.asked == 2)
    for _ in range(2):
        forwarder.ask("brief.test")
    check("what must not be remembered is not", server.asked == 4)
    check("queries leave from different ports", len(server.ports) > 1)
    for _ in range(2):
        cookie = forwarder.ask("edns.test", edns=4096)
    check("options of EDNS do not spoil the memory", cookie.answers == 1 and server.asked == 5)
    middle = forwarder.ask("middle.test", kind=TXT)
    check("a client without EDNS is told to use TCP", middle.cut and middle.answers == 0)
    middle = forwarder.ask("middle.test", kind=TXT, edns=4096)
    check("a client with EDNS is not", not middle.cut and middle.answers == 4)
    whole, small = forwarder.ask_by_tcp(query("long.test", kind=TXT), query("a.test"))
    check("what is too long for a datagram is fetched by TCP",
          (whole.answers, small.answers, server.by_tcp) == (10, 1, 1))
    wrong = forwarder.raw(struct.pack(">6H", 9, 0x0100, 1, 0, 0, 0) + b"\x3fshort")
    check("a malformed query is told so", (wrong.number, wrong.code) == (9, FORMERR))
    update = forwarder.raw(struct.pack(">6H", 9, 5 << 11, 0, 0, 0, 0))
    check("what is no query is not implemented", update.code == NOTIMP)
    forwarder.udp.send(b"tiny")
    forwarder.udp.send(first.text)
    check("rubbish and responses are ignored", forwarder.ask("a.test", number=10).number == 10)
    status, said = forwarder.end()
    check("ends on SIGINT, with its counts", status == 0 and "15 queries, 5 of them" in said)


def failing(program, reactor):
    mute, fails, good = Server("mute"), Server("fails"), Server("good")
    forwarder = Forwarder(program, reactor, [mute, fails, good], "--timeout", "0.2")
    check("the next server is asked after the timeout, or a failure",
          forwarder.ask("a.test").answers == 1 and (mute.asked, fails.asked) == (1, 1))
    check("the server that responded is asked first the next time",
          forwarder.ask("b.test").answers == 1 and (mute.asked, good.asked) == (1, 2))
    forwarder.end()
    forwarder = Forwarder(program, reactor, [mute], "--timeout", "0.1")
    check("no server responds: a failure", forwarder.ask("a.test").code == SERVFAIL)
    forwarder.end()
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    good.addr, address = dead.getsockname(), good.addr
    dead.close()
    forwarder = Forwarder(program, reactor, [good], "--timeout", "20")
    check("a server that is not there is noticed at once",
          forwarder.ask("a.test").code == SERVFAIL)
    forwarder.end()
    good.addr = address


def many(program, reactor):
    server = Server("good")
    forwarder = Forwarder(program, reactor, [server])
    count = 200
    for number in range(count):
        forwarder.udp.send(query(f"n{number}.test", number=number))
    numbers = {Response(forwarder.udp.recv(65536)).number for _ in range(count)}
    check("many queries at a time all get their responses", numbers == set(range(count)))
    forwarder.end()


def main():
    program, reactors = sys.argv[1], sys.argv[2:]
    for reactor in reactors:
        print(f"-- {reactor}")
        forwarding(program, reactor)
        failing(program, reactor)
        many(program, reactor)
    wrong = subprocess.run([program, "no address"], capture_output=True, text=True, check=False)
    check("a server that is no address is refused", wrong.returncode == 2 and wrong.stderr)
    wrong = subprocess.run([program], capture_output=True, text=True, check=False)
    check("a missing server is told", wrong.returncode == 2 and "SERVER" in wrong.stderr)
    print(f"{100 * (checks - failures) // checks}%: Checks: {checks}, Failures: {failures}, "
          "Errors: 0")
    return failures != 0


sys.exit(main())
