# SPDX-License-Identifier: MIT
"""The examples, and how each is used. Left out are course/blaster and course/benchmark, which
measure; course/echothread and course/echocallback, which use no library of ours; course/logsim,
which writes what two others follow; adapters/pq and adapters/redis, whose servers are not ours;
recipes/handover, stuck and seeds, which end by a signal or fail as they should; and explore, whose
worlds have failing calls of their own."""
import contextlib, os, subprocess, tempfile

import process
from clients import (count_up, datagram, echo, fetched, get, get_tls, greeted, lines, name_query,
                     name_server, socks_server, tunnel)
from process import Program, Server, program

PAGE = b'</html>'
NO_REACTOR = ('poll',) # one run is enough for what uses none
HTTP = 'http://127.0.0.1:{http}/'


def client(name, *args, **more):
    return Program(f'http_client {name}'.strip(), 'http_client', *args, **more)


def clients():
    yield client('', HTTP)
    yield client('-o', '-o', '{folder}/page', HTTP, out='page')
    yield client('h2c', '--http2-prior-knowledge', HTTP)
    yield client('-C', '-C', '-o', '{folder}/page', HTTP, out='page', brief=True)
    yield client('-c', '-c', '{folder}/jar', '-b', 'a=1', HTTP, out='jar', brief=True)
    yield client('--cache', '--cache', '1M', '--parallel', '1', HTTP, HTTP, brief=True)
    yield client('socks5', '-x', 'socks5h://127.0.0.1:{socks}', 'http://no.such.host:{http}/',
                 brief=True)
    yield client('--proxy', '-x', 'http://127.0.0.1:{proxy}', HTTP, brief=True)
    yield client('--unix-socket', '--unix-socket', '{unix}', 'http://a.test/', brief=True)
    yield client('--limit-rate', '--limit-rate', '1M', HTTP, brief=True)
    yield client('--retry', '--retry', '2', HTTP, HTTP, brief=True)
    yield client('ws', 'ws://127.0.0.1:{ws}/', text=b'to and fro\n', brief=True)
    yield Program('http_get', 'http_get', HTTP, HTTP, brief=True)
    yield Program('curl', 'adapters/curl', HTTP, HTTP, brief=True)


def servers():
    yield Server('echo_server', 'echo_server', echo)
    yield Server('udp_echo', 'udp_echo', datagram)
    yield Server('dns_forward', 'dns_forward', name_query, '127.0.0.1:{dns}')
    yield Server('http_hello', 'http_hello', get())
    yield Server('http_server', 'http_server', get('/', PAGE))
    yield Server('http_server h2c', 'http_server',
                 fetched(PAGE, None, '--http2-prior-knowledge', 'http://127.0.0.1:{port}/'),
                 '--protocols', 'h1,h2c')
    yield Server('http_server --root', 'http_server', get('/pages/large', b'end of the page'),
                 '--root', '{site}', '--log', brief=True)
    yield Server('http_server list', 'http_server', get('/pages/', b'large'), '--root', '{site}',
                 brief=True)
    yield Server('ws_echo', 'ws_echo',
                 fetched(b'to and fro', b'to and fro\n', 'ws://127.0.0.1:{port}/'))
    yield Server('ws_echo h2c', 'ws_echo',
                 fetched(b'to and fro', b'to and fro\n', '--http2-prior-knowledge',
                         'ws://127.0.0.1:{port}/'), '--protocols', 'h2c', brief=True)
    yield Server('chat', 'chat', get('/', PAGE))
    yield Server('chat ws', 'chat', fetched(b'to and fro', b'to and fro\n',
                 'ws://127.0.0.1:{port}/rooms/tea/socket?name=Ann&key=a'), brief=True)
    yield Server('proxy', 'proxy', get(HTTP, PAGE))
    yield Server('proxy tunnel', 'proxy', tunnel, '--allow-port', '{echo}', brief=True)
    yield Server('gateway', 'gateway', get('/', PAGE), 'http://127.0.0.1:{http}')
    yield Server('gateway h2c', 'gateway', get('/', PAGE), '--h2c', '--access-log', 'json',
                 'http://127.0.0.1:{http}', brief=True)
    yield Server('line_server', 'line_server', lines(b'to and fro\n'), brief=True)
    yield Server('chat_lines', 'chat_lines', greeted(b'Ann\n', b'Ann'), brief=True)
    yield Server('statsd', 'statsd', count_up, ends='fflush', brief=True)


def secure():
    """Over TLS."""
    cert = ('--tls-cert', process.options.cert, '--tls-key',
            process.options.cert.replace('.pem', '.key'))
    ca = ('--cacert', process.options.ca)
    yield Server('http_server https', 'http_server', get_tls, *cert)
    yield Server('http_server h2', 'http_server',
                 fetched(PAGE, None, *ca, '--http2', 'https://localhost:{port}/'), *cert, brief=True)
    yield client('https', *ca, 'https://localhost:{https}/')
    yield Server('gateway https', 'gateway', get_tls, *cert, *ca, 'https://localhost:{https}',
                 brief=True)
    yield client('wss', *ca, 'wss://localhost:{wss}/', text=b'to and fro\n', brief=True)


def gallery():
    def one(name, *args, folder='', **more):
        return Program(name, folder + name, *args, brief=True, **more)

    def lesson(name, *args, **more):
        return one(name, *args, folder='course/', **more)

    yield one('signals')
    yield one('calls')
    for name in ('jobs', 'tasks', 'factorial', 'life'):
        yield one(name, reactors=('sim',))
    yield one('polling', '--fast')
    yield one('ackermann', '--depth', '50')
    yield one('c100k', '--connections', '20', varies=rb'[\d.]+ KiB')
    yield one('callbacks', varies=rb' +[\d.]+')
    for name in ('embed_libevent', 'embed_glib'):
        yield one(name)
    for name in ('delegated', 'minimize', 'writer', 'yrange'):
        yield one(name, reactors=NO_REACTOR)
    yield Program('echo_client', 'echo_client', '--count', '3', '127.0.0.1:{echo}')
    yield lesson('coprocess')
    yield lesson('pyos', '7')
    yield lesson('echobad', reactors=('poll',))
    for name in ('countdown', 'grep', 'grepclose', 'bogus', 'pipeline', 'copipe', 'cobroadcast',
                 'cobroadcast2', 'basicsax', 'cosax', 'buses', 'iterbus', 'cothread', 'cocrash',
                 'pyos1', 'pyos2', 'trampoline'):
        yield lesson(name, reactors=NO_REACTOR)
    for name in ('follow', 'cofollow'):
        yield lesson(name, '--from-start', '--lines', '3', '{log}')
    for name in ('echogood', 'echoserver', 'sockwrap'):
        yield Server(name, f'course/{name}', echo, listen=('--port', '0'), brief=True)


def books():
    """The programs of the tutorial and of the recipes."""
    def one(name, *args, **more):
        return Program(name, os.path.join(process.options.built, name), *args, brief=True, **more)

    yield one('step1')
    yield one('step5', reactors=('sim',))
    yield one('descriptors')
    yield one('log', varies=rb'.*\n')
    yield one('pool', '127.0.0.1:{echo}')
    yield one('terminal', 'echo $((6 * 7))', 'exit', varies=rb'(?s).*') # echoes as it likes


def cases():
    yield from gallery()
    yield from clients()
    yield from servers()
    if process.options.cert:
        yield from secure()
    if process.options.built:
        yield from books()


def needed():
    """Servers that other examples ask: place, program, arguments."""
    cert = process.options.cert
    keys = cert and ['--tls-cert', cert, '--tls-key', cert.replace('.pem', '.key')]
    yield 'echo', 'echo_server'
    yield 'http', 'http_server', '--protocols', 'h1,h2c'
    yield 'proxy', 'proxy', '--timeout', '5'
    yield 'ws', 'ws_echo'
    if cert:
        yield 'https', 'http_server', *keys
        yield 'wss', 'ws_echo', *keys


@contextlib.contextmanager
def helpers():
    children = []

    def start(name, listen, *args):
        children.append(subprocess.Popen([program(name), '--listen', listen, *args],
                                         stdout=subprocess.PIPE))
        return children[-1].stdout.readline().decode()

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f'{folder}/pages')
        with open(f'{folder}/pages/large', 'w') as page:
            page.write('a line\n' * 40000 + 'end of the page\n')
        with open(f'{folder}/log', 'w') as log:
            log.write('a line of python\n' * 3)
        process.places.update(dns=name_server(), socks=socks_server(), site=folder,
                              log=f'{folder}/log', unix=f'{folder}/socket')
        try:
            for place, name, *args in needed():
                process.places[place] = int(start(name, '127.0.0.1:0', *args).rsplit(':', 1)[1])
            start('http_server', f'unix:{folder}/socket')
            yield
        finally:
            for child in children:
                child.terminate()
                child.wait()
