#!/bin/bash
# SPDX-License-Identifier: MIT
# Plants faults in a copy of the chat (insight/planted_chat.h), and looks whether each is named in
# one line: by the debug mode, by the watch for hogs, by a dump. Needs CC, CFLAGS, LDFLAGS; runs
# in the build directory.
set -u

: "${CC:=cc}" "${CFLAGS:=-g -O2}" "${LDFLAGS:=}"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need chat

# The copy: chat_say does what is said, and there is a gap between look and wait.
sed -e 's/^#include <time.h>/&\n#include "planted_chat.h"/' \
    -e '/^int chat_say(/,/^}/s/^    pthread_mutex_lock/    planted(text);\n&/' \
    -e '/^ssize_t chat_wait(/,/^}/s/^    return/    planted_miss();\n&/' \
    "$source/examples/chat_room.c" >"$work/chat_room.c"
tls=examples/http_server_no_tls.o
[ ! -e examples/http_server_tls.o ] || tls="examples/http_server_tls.o libcogen-tls.la"
# shellcheck disable=SC2086 # words
if ! $CC -std=gnu11 $CFLAGS -g -O1 -I"$source/include" -I"$source/examples" -I"$source/tests/insight" \
        -c "$work/chat_room.c" -o "$work/chat_room.o" ||
    ! ./libtool --silent --tag=CC --mode=link $CC $CFLAGS $LDFLAGS -pthread -no-install \
        -o "$work/chat" examples/chat.o examples/chat_page.o "$work/chat_room.o" \
        examples/http_protocols.o examples/service.o $tls examples/libexamples.a libcogen-http.la libcogen.la; then
    fail "the copy of the chat is built"
    totals
    exit
fi
examples=$work

# join NAME: opens a WebSocket, as descriptor 8. say TEXT: in a connection of its own.
join() {
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /rooms/lobby/socket?name=%s&key=%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r
Connection: Upgrade\r\nSec-WebSocket-Version: 13\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' "$1" "$1" >&8
    hears '^ann'
}

# hears PATTERN: the WebSocket has such a line.
hears() {
    timeout 10 grep -a -m 1 -q "$1" <&8
}

say() {
    talk "POST /rooms/lobby/messages HTTP/1.1\\r\\nHost: x\\r\\nChat-Key: ann\\r\\nContent-Length:\
 ${#1}\\r\\nConnection: close\\r\\n\\r\\n$1"
}

# dumps PATTERN: a dump of the server has such a line.
dumps() {
    kill -USR1 "$server"
    sleep 0.1
    grep -qE -- "$1" "$work/chat.err"
}

# loses: says something in the gap of 300 ms between look and wait, then waits for a dump that
# names the loss. A busy machine may miss the gap.
loses() {
    local i

    say gap >/dev/null
    say "lost in the gap" >/dev/null
    say "lost in the gap, too" >/dev/null
    for ((i = 0; i < 10; i++)); do
        dumps '^lost wake-up' && return
    done
    return 1
}

# says TEXT PATTERN: says it once more; what the server said has such a line. On a busy machine a
# loop of 63 ms may be missed.
says() {
    say "$1" >/dev/null
    grep -qE -- "$2" "$work/chat.err"
}

# names WHAT PATTERN: one line of what the server said matches.
names() {
    if [ "$(grep -cE -- "$2" "$work/chat.err")" -ge 1 ]; then
        pass "$1"
    else
        fail "$1" "no $2 in:" "$(head -c 4000 "$work/chat.err")"
    fi
}

# Where the library knows no backtraces there are no places.
place='[^ ]*/chat\+0x[0-9a-f]+'
case $(uname -m) in
x86_64 | aarch64) ;;
*) place='an unknown place' ;;
esac

start() {
    serve chat --listen 127.0.0.1:0 --heartbeat 3600 && join ann
}

end() {
    exec 8>&-
    kill -"${1-INT}" "$server"
    until_true is_gone "$server" || kill -KILL "$server"
    wait "$server" 2>/dev/null
    forget "$server"
}

if start; then
    say deadlock >/dev/null &
    pids+=($!)
    say "other deadlock" >/dev/null &
    pids+=($!)
    until_true dumps '^cycle: '
    names "a deadlock is named with its cycle" \
        '^cycle: #[0-9]+ http: lock (rooms|users), since .* -> #[0-9]+ http: lock (rooms|users), .* -> #'
    end KILL
fi
if start; then
    until_true loses
    names "a lost wake-up is named with what it waits for, and who came too early" \
        '^lost wake-up\? #[0-9]+ http: .*"lobby".*, since [0-9.]+ s, but the signal came [0-9]+ ms before by #[0-9]+ http at '"$place"
    end KILL
fi
# Both say for how long at least; a busy machine makes it more.
export COGEN_HOG=50
if start; then
    until_true says loop ' (ran|has run for) '
    names "a loop of 63 ms is named" \
        "^cogen: coroutine http (ran|has run for) [0-9]+ ms without yielding, at .*$place"
    until_true says fsync 'blocked for '
    names "an fsync of 200 ms is named" \
        "^cogen: coroutine http (blocked|has blocked) for [0-9]+ ms without yielding, at .*$place"
    end KILL
fi
unset COGEN_HOG
if start; then
    say leak >/dev/null
    say hold >/dev/null
    end
    names "a socket that is left is named" \
        "^cogen: a socket was not closed \(fd [0-9]+\), opened by #[0-9]+ http at $place"
    names "a mutex that is left locked is named" \
        "^cogen: coroutine http ended without unlocking the mutex held, locked by #[0-9]+ http at $place"
    "$source/tools/cogen-symbols" "$work/chat.err" >"$work/named" 2>/dev/null &&
        mv "$work/named" "$work/chat.err"
    grep -q '??' "$work/chat.err" ||
        names "with names and lines" 'planted_leak .*planted_chat\.h:[0-9]+'
fi
totals
