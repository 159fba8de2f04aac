# SPDX-License-Identifier: MIT
"""Drives a headless Chromium by WebDriver: the chat in several tabs. See chat_browser.sh."""
import argparse
import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds, for each condition
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
ENTER, SHIFT, RELEASE = '\ue007', '\ue008', '\ue000'


class Failure(Exception):
    pass


def until(what, condition):
    """Waits until condition() is true; returns its value."""
    deadline = time.monotonic() + PATIENCE
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise Failure(f'not within {PATIENCE} s: {what}')
        time.sleep(0.02)


def said_by(process, pattern):
    """The first line of a process's output that matches."""
    line = 'nothing was printed'
    for line in process.stdout:
        found = re.search(pattern, line)
        if found:
            return found.group(1)
    raise Failure(f'{process.args[0]} ended: {process.wait()}: {line.strip()}')


class Server:
    def __init__(self, program, reactor, addr='127.0.0.1:0', workers=1):
        self.process = subprocess.Popen([program, '--reactor', reactor, '--listen', addr,
                                         '--workers', str(workers)],
                                        stdout=subprocess.PIPE, text=True)
        self.addr = said_by(self.process, r'^listening on (.*)')

    def stop(self):
        """Ends it like Ctrl-C; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Browser:
    def __init__(self, work):
        self.log = open(os.path.join(work, 'driver.log'), 'w+')
        port = self.start()
        self.http = http.client.HTTPConnection('127.0.0.1', port, timeout=3 * PATIENCE)
        self.path = ''
        options = {'args': ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage',
                            '--disable-gpu', '--hide-scrollbars', '--lang=en-GB',
                            '--window-size=1100,1000', f'--user-data-dir={work}/profile']}
        session = self.ask('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options}}})
        self.path = '/session/' + session['sessionId']
        self.first = self.ask('GET', '/window')  # stays, so that there is always one

    def start(self, tries=5):
        """Starts the driver and returns its port. The driver takes a port that is free for IPv4 and
        ends if the same one is not free for IPv6: then another one is tried."""
        self.process = subprocess.Popen(['chromedriver', '--port=0'], text=True,
                                        stdout=subprocess.PIPE, stderr=self.log)
        try:
            return int(said_by(self.process, r'started successfully on port (\d+)'))
        except Failure:
            if tries == 1:
                raise
            return self.start(tries - 1)

    def ask(self, method, path, body=None):
        text = json.dumps(body if body is not None else {}) if method == 'POST' else None
        self.http.request(method, self.path + path, text)
        value = json.load(self.http.getresponse())['value']
        if isinstance(value, dict) and 'error' in value:
            raise Failure(f"{method} {path}: {value['error']}: {value['message']}")
        return value

    def end(self):
        try:
            if self.path:
                self.ask('DELETE', '')
        finally:
            self.process.terminate()
            self.process.wait()


class Tab:
    """A tab of the browser; `old`: one that knows no WebSocket, and hears by events."""
    def __init__(self, browser, url, old=False):
        self.browser = browser
        browser.ask('POST', '/window', {'handle': browser.first})
        self.handle = browser.ask('POST', '/window/new', {'type': 'tab'})['handle']
        if old:
            self.cdp('Page.addScriptToEvaluateOnNewDocument', source='delete window.WebSocket')
        self.ask('POST', '/url', {'url': url})

    def ask(self, method, path, body=None):
        self.browser.ask('POST', '/window', {'handle': self.handle})
        return self.browser.ask(method, path, body)

    def js(self, script, *args):
        return self.ask('POST', '/execute/sync', {'script': script, 'args': list(args)})

    def cdp(self, command, **params):
        self.ask('POST', '/goog/cdp/execute', {'cmd': command, 'params': params})

    def element(self, css):
        return self.ask('POST', '/element', {'using': 'css selector', 'value': css})[ELEMENT]

    def keys(self, css, text):
        self.ask('POST', f'/element/{self.element(css)}/value', {'text': text})

    def click(self, css):
        self.ask('POST', f'/element/{self.element(css)}/click')

    def close(self):
        self.ask('DELETE', '/window')

    # The content of the page.

    def join(self, name):
        self.keys('#name', name + ENTER)
        until(f'{name} is in', lambda: name in self.people())
        return self

    def say(self, text):
        self.keys('#text', text + ENTER)

    def text(self, css):
        return self.js('return document.querySelector(arguments[0])?.innerText', css)

    def people(self):
        return self.js('return [...document.querySelectorAll("#people bdi")].map(e => e.textContent)')

    def messages(self):
        """[name, text] of each message."""
        return self.js('return [...document.querySelectorAll(".bubble")].map(e => '
                       '[e.closest(".group").querySelector("bdi").textContent, e.textContent])')

    def notes(self):
        return self.js('return [...document.querySelectorAll(".note")].map(e => e.textContent)')

    def hears(self, *message):
        until(f'{message} is heard', lambda: list(message) in self.messages())

    def at_end(self):
        return self.js('const s = document.getElementById("scroll");'
                       'return s.scrollHeight - s.scrollTop - s.clientHeight < 2')

    def picture(self, path, width, height, dark=False):
        self.cdp('Emulation.setDeviceMetricsOverride', width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)
        self.cdp('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        # Wait for two frames, so that the picture shows the current state.
        self.ask('POST', '/execute/async', {'args': [], 'script': 'const done = arguments[0];'
                 'requestAnimationFrame(() => requestAnimationFrame(done))'})
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.ask('GET', '/screenshot')))


class Checks:
    passed = failed = 0

    def same(self, what, expected, got):
        if expected == got:
            self.passed += 1
        else:
            self.failed += 1
            print(f'FAILED {self.where}: {what}\n    expected: {expected}\n    got: {got}')

    def true(self, what, got):
        self.same(what, True, bool(got))


def conversation(check, ann, bob):
    """Two tabs see each other's messages, as text, in the same order."""
    ann.say('Hello Bob')
    bob.hears('Ann', 'Hello Bob')
    nasty = '<img src=x onerror="window.broken = 1"><b>bold</b> & &amp; <script>1</script>'
    bob.say(nasty)
    ann.hears('Bob', nasty)
    check.same('HTML is text', [0, False], ann.js(
        'return [document.querySelectorAll("#log :is(img, b, script)").length, "broken" in window]'))
    ann.keys('#text', 'one' + SHIFT + ENTER + RELEASE + 'two' + ENTER)
    bob.hears('Ann', 'one\ntwo')
    for i in range(5):
        ann.say(f'ann {i}')
        bob.say(f'bob {i}')
    ann.hears('Bob', 'bob 4')
    bob.hears('Ann', 'ann 4')
    check.same('both see the same, in one order', ann.messages(), bob.messages())
    check.same("nothing twice, and each one's in order",
               [f'{who} {i}' for who in ('ann', 'bob') for i in range(5)],
               sorted((text for _, text in ann.messages()[3:])))
    check.same("one's own are on the right", [True, False], [
        tab.js('const e = document.querySelector(".bubble").getBoundingClientRect(),'
               's = document.getElementById("log").getBoundingClientRect();'
               'return e.left + e.right > s.left + s.right') for tab in (ann, bob)])
    check.same('the box is empty again', '', ann.js('return document.getElementById("text").value'))


def latecomer(check, url, ann, bob):
    """A late tab gets the history; a tab that leaves disappears from the list at once."""
    cleo = Tab(ann.browser, url).join('Cleo')
    check.same('history', ann.messages(), cleo.messages())
    for tab in (ann, bob):
        until('Cleo is here', lambda: 'Cleo' in tab.people())
    cleo.close()
    for tab in (ann, bob):
        until('Cleo has left', lambda: 'Cleo has left' in tab.notes())
        until('and is in the list no more', lambda: sorted(tab.people()) == ['Ann', 'Bob'])
    check.same('how many', '2 people are here', ann.text('#status'))
    other = Tab(ann.browser, url + '?room=tea').join('Bob')
    check.same('another room', [[], ['Bob']], [other.messages(), other.people()])
    other.close()


def namesakes(check, url, ann):
    """The second Ann gets another name; a tab that is reloaded keeps its name."""
    other = Tab(ann.browser, url)
    other.keys('#name', 'Ann' + ENTER)
    until('a second Ann', lambda: 'Ann 2' in other.people())
    other.say('another Ann')
    ann.hears('Ann 2', 'another Ann')
    other.ask('POST', '/refresh')
    until('the name is remembered', lambda: 'Ann 2' in other.people())
    other.close()
    until('she has left', lambda: 'Ann 2' not in ann.people())


def scrolling(check, ann, bob):
    """A tab that is scrolled up stays there, and shows that there are new messages."""
    for i in range(20):
        ann.say(f'line {i}')
    bob.hears('Ann', 'line 19')
    check.true('the end is in view', bob.at_end())
    bob.js('document.getElementById("scroll").scrollTop = 0')
    ann.say('below')
    bob.hears('Ann', 'below')
    check.same('still at the top', 0, bob.js('return document.getElementById("scroll").scrollTop'))
    check.same('and told', '1 new message ↓', bob.text('#pill'))
    bob.click('#pill')
    check.true('at the end', bob.at_end())
    until('the pill is gone', lambda: bob.js('return document.getElementById("pill").hidden'))


def restart(check, program, server, reactor, workers, ann, bob):
    """The server ends and starts again: the tabs reconnect, and no typed text is lost."""
    check.same('the server ends well', 0, server.stop())
    for tab in (ann, bob):
        until('it is missed', lambda: tab.text('#status') == 'Reconnecting …')
    before = len(ann.messages())
    ann.keys('#text', 'typed meanwhile' + ENTER)
    check.same('it is not sent now', 'typed meanwhile',
               ann.js('return document.getElementById("text").value'))
    server = Server(program, reactor, server.addr, workers)
    try:
        for tab in (ann, bob):
            until('both are back', lambda: sorted(tab.people()) == ['Ann', 'Bob']
                  and tab.text('#status') == '2 people are here')
        ann.keys('#text', ENTER)
        bob.hears('Ann', 'typed meanwhile')
        ann.hears('Ann', 'typed meanwhile')
        check.same('what was there still is', before + 1, len(ann.messages()))
        # One of the two tabs closes; the other one notices.
        bob.close()
        until('alone', lambda: ann.text('#status') == 'Only you are here')
        ann.close()
        check.same('the server ends well again', 0, server.stop())
    finally:
        server.kill()


def on_reactor(check, browser, program, reactor, workers):
    check.where = f'{reactor}, {workers} workers'
    server = Server(program, reactor, workers=workers)
    url = f'http://{server.addr}/'
    try:
        ann = Tab(browser, url).join('Ann')
        check.same('alone at first', 'Only you are here', ann.text('#status'))
        check.true('nothing yet', 'Say hello' in ann.text('#empty'))
        bob = Tab(browser, url, old=True).join('Bob')
        check.same('Ann has a WebSocket, Bob has events', [[True, False], [False, True]],
                   [tab.js('return [Boolean(socket), Boolean(stream)]') for tab in (ann, bob)])
        for tab in (ann, bob):
            until('both are here', lambda: sorted(tab.people()) == ['Ann', 'Bob'])
        conversation(check, ann, bob)
        latecomer(check, url, ann, bob)
        namesakes(check, url, ann)
        scrolling(check, ann, bob)
        restart(check, program, server, reactor, workers, ann, bob)
    finally:
        server.kill()


TALK = (
    ('Grace', 'The new build is up. Who has a kernel with io_uring at hand?'),
    ('Ken', 'Me. Same program, another name on the command line:\nchat --reactor io_uring'),
    ('Ada', 'And this very room runs on it.'),
    ('Ada', 'Each tab is a coroutine that waits for the signal with the name of the room.'),
    ('Ken', 'So what happens when I close mine?'),
    ('Ada', 'Yours was racing the signal against the end of your connection. It wakes, '
            'says goodbye, and is gone.'),
    ('Grace', 'Try it!'),
)


def pictures(browser, program, reactor, directory):
    """Takes pictures of the page."""
    os.makedirs(directory, exist_ok=True)
    server = Server(program, reactor)
    url = f'http://{server.addr}/?room=cogen'
    try:
        ada = Tab(browser, url)
        for dark in (False, True):
            ada.picture(f"{directory}/entry{'-dark' if dark else ''}.png", 1000, 860, dark)
        tabs = {'Ada': ada.join('Ada')}
        ada.picture(f'{directory}/empty.png', 1000, 860)
        for name in ('Grace', 'Ken'):
            tabs[name] = Tab(browser, url).join(name)
        for name, text in TALK:
            tabs[name].say(text.replace('\n', SHIFT + ENTER + RELEASE))
            ada.hears(name, text)
        tabs['Ken'].close()
        until('he has left', lambda: 'Ken has left' in ada.notes())
        ada.say('See?')
        ada.hears('Ada', 'See?')
        for dark in (False, True):
            name = '-dark' if dark else ''
            ada.picture(f'{directory}/wide{name}.png', 1000, 860, dark)
            tabs['Grace'].picture(f'{directory}/phone{name}.png', 390, 760, dark)
        grace = tabs['Grace']
        grace.js('document.getElementById("scroll").scrollTop = 0')
        ada.say('One more thing')
        grace.hears('Ada', 'One more thing')
        grace.picture(f'{directory}/pill.png', 390, 760)
        server.stop()
        until('it is missed', lambda: ada.text('#status') == 'Reconnecting …')
        ada.picture(f'{directory}/lost.png', 1000, 860)
        for tab in (ada, grace):
            tab.close()
    finally:
        server.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--screenshots', metavar='DIRECTORY')
    parser.add_argument('program')
    parser.add_argument('reactors', nargs='+')
    args = parser.parse_args()
    check = Checks()
    program = os.path.abspath(args.program)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        browser = None
        try:
            browser = Browser(work)
            for workers, reactor in enumerate(args.reactors, 1):
                on_reactor(check, browser, program, reactor, workers)
            if args.screenshots:
                pictures(browser, program, args.reactors[0], args.screenshots)
        except (Failure, OSError) as failure:
            check.failed += 1
            print(f'FAILED {getattr(check, "where", "browser")}: {failure}')
        finally:
            if browser:
                browser.end()
    total = check.passed + check.failed
    print(f'{100 * check.passed // total}%: Checks: {total}, Failures: {check.failed}, Errors: 0')
    return check.failed > 0


sys.exit(main())
