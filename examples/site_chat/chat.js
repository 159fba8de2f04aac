/* SPDX-License-Identifier: MIT */
/* The page's side of the chat: it hears and speaks by a WebSocket. Where none gets through, it
 * hears by server-sent events and speaks by posts. An event's data are lines: the moment, who,
 * and what. All that comes from others is set as text. */
'use strict';

const $ = id => document.getElementById(id);
const GROUP = 5 * 60000; /* ms that messages of one person may be apart in a group */
const ON_PAGE = 1000;    /* lines in the log; older ones are taken away */
const PATIENCE = 15000;  /* ms that a post may take */

/* What the server takes for a name. */
function clean(text) {
    return [...text.replace(/[\0-\x1f\x7f]/g, '')].slice(0, 24).join('').trim();
}

const room = clean(new URLSearchParams(location.search).get('room') || '') || 'lobby';
let stream, socket, key, last, me, retry; /* of the connection */
let sockets = 'WebSocket' in window; /* whether to use them */
let worked;                       /* one of them has been open */
let waiting = [], stale;          /* said by a WebSocket and not heard yet; it was lost */
let unread = 0;                   /* that have come since one was at the end */
let group;                        /* to which the next message may belong */
let day;                          /* of the last line */
let caughtUp;                     /* history is over */
let sending = Promise.resolve();  /* posts, one after the other */

function state(name) {
    if (name)
        document.documentElement.dataset.state = name;
    return document.documentElement.dataset.state;
}

/* ---- Making things ---- */

function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name)
        element.className = name;
    if (text !== undefined)
        element.textContent = text;
    return element;
}

/* A name has its colour everywhere and always. */
function hue(name) {
    let hash = 2166136261;
    for (const c of name)
        hash = Math.imul(hash ^ c.codePointAt(0), 16777619) >>> 0;
    return (hash % 24) * 15;
}

function face(name) {
    const element = make('span', 'face', [...name][0].toLocaleUpperCase());
    element.style.setProperty('--hue', hue(name));
    element.setAttribute('aria-hidden', 'true');
    return element;
}

function clock(moment) {
    const element = make('time', '', moment.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'}));
    element.dateTime = moment.toISOString();
    element.title = moment.toLocaleString();
    return element;
}

/* ---- The log ---- */

function atEnd() {
    const s = $('scroll');
    return s.scrollHeight - s.scrollTop - s.clientHeight < 60;
}

function toEnd() {
    $('scroll').scrollTop = $('scroll').scrollHeight;
    read();
}

function read() {
    if (document.hidden)
        return;
    unread = 0;
    $('pill').hidden = true;
    entitle();
}

function entitle() {
    document.title = (unread ? `(${unread}) ` : '') + '#' + room;
}

/* Does what puts lines into the log, and stays at its end if it was there. */
function log(mine, news, put) {
    const stay = mine || atEnd();
    put();
    while ($('log').childElementCount > ON_PAGE)
        $('log').firstElementChild.remove();
    if (news && !mine && caughtUp && (!stay || document.hidden))
        unread++;
    if (stay)
        toEnd();
    $('pill').hidden = stay || !unread;
    $('pill').textContent = unread === 1 ? '1 new message ↓' : `${unread} new messages ↓`;
    entitle();
}

function newDay(moment) {
    const name = moment.toDateString();
    if (name === day)
        return;
    const ago = Math.round((new Date(new Date().toDateString()) - new Date(name)) / 86400000);
    $('log').append(make('li', 'day', ago === 0 ? 'Today' : ago === 1 ? 'Yesterday' :
        moment.toLocaleDateString([], {weekday: 'long', day: 'numeric', month: 'long'})));
    day = name;
    group = undefined;
}

function said(moment, name, text) {
    newDay(moment);
    if (!group || group.name !== name || moment - group.moment > GROUP) {
        const element = make('li', name === me ? 'group own' : 'group'), by = make('div', 'by');
        const bubbles = make('div', 'bubbles');
        element.style.setProperty('--hue', hue(name));
        by.append(make('bdi', '', name), clock(moment));
        element.append(face(name), by, bubbles);
        $('log').append(element);
        group = {name, bubbles};
    }
    group.moment = moment;
    $('empty').hidden = true;
    const bubble = make('div', 'bubble', text);
    bubble.title = moment.toLocaleTimeString();
    group.bubbles.append(bubble);
}

function note(moment, text, warning) {
    newDay(moment);
    const element = make('li', warning ? 'note warning' : 'note', text);
    element.title = moment.toLocaleString();
    $('log').append(element);
    group = undefined;
}

/* ---- What is heard ---- */

function parts(event) {
    const [moment, name, ...text] = event.data.split('\n');
    last = event.lastEventId || last;
    return [new Date(Number(moment)), name, text.join('\n')];
}

function showStatus() {
    const count = $('people').childElementCount;
    $('status').textContent = state() === 'open' ?
        (count === 1 ? 'Only you are here' : `${count} people are here`) :
        state() === 'lost' ? 'Reconnecting …' : 'Connecting …';
}

function showPeople(names) {
    names.sort((a, b) => (b === me) - (a === me) || a.localeCompare(b));
    $('people').replaceChildren(...names.map(name => {
        const element = make('li');
        element.append(face(name), make('bdi', '', name));
        if (name === me)
            element.append(make('small', '', '(you)'));
        return element;
    }));
    caughtUp = true;
    showStatus();
}

const heard = {
    welcome(event) {
        me = event.data;
        caughtUp = false;
        state('open');
        $('text').placeholder = `Message as ${me}`;
        showProblem('');
        showStatus();
        mayGo();
    },
    people(event) {
        showPeople(event.data.split('\n'));
        while (stale && waiting.length)
            giveBack('The connection was lost.');
        stale = false;
    },
    problem: event => giveBack(event.data),
    said(event) {
        const [moment, name, text] = parts(event);
        if (name === me && waiting[0] === text)
            waiting.shift();
        log(name === me, true, () => said(moment, name, text));
    },
    joined(event) {
        const [moment, name] = parts(event);
        log(false, false, () => note(moment, name === me ? `You are here as ${name}` : `${name} has joined`));
    },
    left(event) {
        const [moment, name] = parts(event);
        log(false, false, () => note(moment, `${name} has left`));
    },
    missed: event => log(false, false, () => note(new Date(), `${event.data} earlier messages are gone`, true)),
};

/* The browser tries again by itself, and says what it has had last; but not always. */
function lost() {
    state('lost');
    showStatus();
    mayGo();
    stale = true;
    if (socket || stream.readyState === EventSource.CLOSED) {
        clearTimeout(retry);
        retry = setTimeout(connect, socket ? 1000 : 2000);
    }
}

/* A WebSocket that was never open may be kept away by something in between. */
function open(query) {
    const url = new URL(`rooms/${encodeURIComponent(room)}/socket?${query}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const mine = socket = new WebSocket(url);
    mine.onmessage = ({data}) => {
        const [name, id, ...rest] = data.split('\n');
        worked = true;
        heard[name]?.({data: rest.join('\n'), lastEventId: id});
    };
    mine.onclose = () => {
        if (mine !== socket)
            return;
        if (worked)
            return lost();
        sockets = false;
        connect();
    };
}

function disconnect() {
    const old = socket;
    socket = undefined;
    old?.close();
    stream?.close();
}

function connect() {
    const query = new URLSearchParams({name: clean($('name').value), key});
    if (last)
        query.set('last', last);
    disconnect();
    if (sockets)
        return open(query);
    stream = new EventSource(`rooms/${encodeURIComponent(room)}/events?${query}`);
    for (const [name, hear] of Object.entries(heard))
        stream.addEventListener(name, hear);
    stream.addEventListener('error', lost);
}

/* ---- What is said ---- */

function showProblem(why) {
    $('problem').textContent = why;
    $('problem').hidden = !why;
}

/* The text takes the place that it needs. */
function fit() {
    const t = $('text'), stay = atEnd();
    t.style.height = 'auto';
    t.style.height = `${t.scrollHeight}px`;
    const left = t.maxLength - t.value.length;
    $('left').textContent = left < 200 ? `${left} left` : '';
    if (stay)
        toEnd();
    mayGo();
}

function mayGo() {
    $('send').disabled = state() !== 'open' || !$('text').value.trim();
}

/* What was not said goes back into the box. */
function giveBack(why, text = waiting.shift()) {
    if (text !== undefined) {
        $('text').value += ($('text').value ? '\n' : '') + text;
        fit();
    }
    showProblem(`Not sent: ${why.trim()}`);
}

async function post(text) {
    let why = 'The server cannot be reached.';
    try {
        const answer = await fetch(`rooms/${encodeURIComponent(room)}/messages`,
            {method: 'POST', body: text, headers: {'Content-Type': 'text/plain', 'Chat-Key': key},
                signal: AbortSignal.timeout(PATIENCE)});
        if (answer.ok)
            return showProblem('');
        why = await answer.text();
    } catch (error) {
        if (error.name === 'TimeoutError')
            why = 'The server does not answer. (Are there six tabs? A browser has no more connections.)';
    }
    giveBack(why, text);
}

function say(text) {
    waiting.push(text);
    socket.send(text);
}

function send() {
    const text = $('text').value.trim();
    if ($('send').disabled)
        return;
    $('text').value = '';
    fit();
    if (socket)
        say(text);
    else
        sending = sending.then(() => post(text));
}

/* ---- Coming and going ---- */

function enter() {
    key = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');
    $('entry').hidden = true;
    $('chat').hidden = false;
    $('title').textContent = `# ${room}`;
    entitle();
    state('connecting');
    showStatus();
    connect();
    $('text').focus();
}

function leave() {
    clearTimeout(retry);
    disconnect();
    sessionStorage.removeItem('name');
    location.reload();
}

$('join').addEventListener('submit', event => {
    const name = clean($('name').value), wanted = clean($('room').value);
    event.preventDefault();
    $('refusal').textContent = name && wanted ? '' : 'A name and a room, please.';
    if (!name || !wanted)
        return;
    try {
        sessionStorage.setItem('name', name);
    } catch {} /* it is asked again, then */
    if (wanted !== room)
        location.search = new URLSearchParams({room: wanted});
    else
        enter();
});
$('composer').addEventListener('submit', event => {
    event.preventDefault();
    send();
});
$('text').addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
    }
});
$('text').addEventListener('input', fit);
$('leave').addEventListener('click', leave);
$('pill').addEventListener('click', toEnd);
$('scroll').addEventListener('scroll', () => atEnd() && read());
document.addEventListener('visibilitychange', () => atEnd() && read());
addEventListener('resize', () => unread || toEnd());
addEventListener('pagehide', disconnect);
addEventListener('pageshow', event => event.persisted && key && connect());

$('room').value = room;
try {
    $('name').value = sessionStorage.getItem('name') || '';
} catch {}
if (clean($('name').value))
    enter();
else
    $('name').focus();
