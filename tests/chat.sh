#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The chat without its page: curl plays the tabs, on every reactor. chat_browser.sh tests the page.
#   tests/chat.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need chat http_server
[ -n "$curl" ] || skip "there is no curl"

version=() # arguments of curl: the version of HTTP

# comes NAME COMMAND...: checks that the command succeeds after a while.
comes() {
    local name=$1

    shift
    if until_true "$@"; then
        pass "$name"
    else
        fail "$name" "not in time: $*"
    fi
}

# chat ARGUMENT...: starts the server; its URL is in $url.
chat() {
    tabs=()
    serve chat --listen 127.0.0.1:0 "$@" || return
    comes "the server tells its URL" grep '^open ' "$work/chat.out"
    url=$(sed -n 's,^open \(.*\)/ in.*,\1,p' "$work/chat.out")
    rooms=$url/rooms
}

# stop: ends the server while tabs are open. It must not wait for them until they are cut off:
# then a client would say that its response is incomplete.
stop() {
    local each codes=''

    stopped INT
    for each in "${tabs[@]}"; do
        wait "$each" 2>/dev/null
        codes+="$? "
        forget "$each"
    done
    same "its streams end" "$(printf '0 %.0s' "${tabs[@]}")" "$codes"
}

# tab NAME KEY [ARGUMENT...]: joins the room "tea"; its events go to $work/KEY.
tab() {
    local name=$1 key=$2

    shift 2
    : >"$work/$key"
    curl -sSN -m 60 "${version[@]}" "$@" "$rooms/tea/events?name=$name&key=$key" >"$work/$key" 2>"$work/$key.err" &
    tabs+=($!)
    pids+=($!)
    comes "$name is told who is here" grep '^event: people' "$work/$key"
}

# close_tab: closes the tab that was opened last.
close_tab() {
    end "${tabs[-1]}"
    unset 'tabs[-1]'
}

# post KEY TEXT [ARGUMENT...]: posts a message; prints the status.
post() {
    local key=$1 text=$2

    shift 2
    curl -sS -m 60 "${version[@]}" -o "$work/answer" -w '%{http_code}' -H "Chat-Key: $key" --data-binary "$text" \
        "$@" "$rooms/tea/messages"
}

# told KEY [KIND]: prints the texts of the events that a tab has received.
told() {
    awk -v kind="event: ${2:-said}" '/^event/ { on = $0 == kind; n = 0 }
        on && sub(/^data: ?/, "") && n++ > 1' "$work/$1"
}

# ---- What must hold -------------------------------------------------------------------

hears() {
    [ "$(told "$1" | tail -n 1)" = "$2" ]
}

check_talk() {
    local id text=$'<b>two</b>\nlines, \xc3\xa4 & "quotes"'

    tab Ann a
    tab Bob b
    same "a message" 204 "$(post a one)"
    same "another" 204 "$(post b "$text")"
    comes "Ann hears" hears a 'lines, ä & "quotes"'
    comes "Bob hears" hears b 'lines, ä & "quotes"'
    same "all of it" "one"$'\n'"$text" "$(told a)"
    same "who said it" $'Ann\nBob' "$(awk '/^event/ { on = /said/; n = 0 }
        on && /^data/ && ++n == 2 { print $2 }' "$work/a")"
    tab Ann c
    same "the second Ann" "data: Ann 2" "$(sed -n '/^event: welcome/,/^data/{/^data/p;}' "$work/c")"
    same "history for who comes late" "$(told a)" "$(told c)"
    same "who came before is no news" 1 "$(grep -c '^event: joined' "$work/c")"
    close_tab
    comes "a closed tab is missed" grep -A 3 '^event: left' "$work/a"
    comes "and no longer in the list" sh -c "tail -n 4 '$work/a' | xargs |
        grep 'event: people data: Ann data: Bob'"

    # A tab that has all messages up to an id gets those that follow.
    id=$(sed -n '/^event: said/{n;s/^id: //p;q;}' "$work/a")
    tab Dora d -H "Last-Event-ID: $id"
    same "after Last-Event-ID" "$text" "$(told d)"
    close_tab
    tab Dora e -H "Last-Event-ID: 123-${id##*-}"
    same "an id of another time" "$(told a)" "$(told e)"
    # A tab with the key of a member replaces that member.
    tab Dora e
    comes "the old stream ends" is_gone "${tabs[-2]}"
    same "the new one is heard" 204 "$(post e new)"
    comes "by Bob" hears b new
    same "and has not joined once more" 4 "$(grep -c '^event: joined' "$work/b")"
}

check_refusals() {
    local get="curl -sS -m 60 ${version[*]} -o /dev/null -w %{http_code}" long

    long=$(printf '%06000d' 0)
    same "the longest message" 204 "$(post a "$long")"
    same "one that is longer" 413 "$(post a "${long}0")"
    same "an empty one" 400 "$(post a '')"
    same "a blank one" 400 "$(post a $' \n')"
    same "a NUL" 400 "$(printf 'a\0b' >"$work/nul"; post a "@$work/nul")"
    same "who has not joined" 403 "$(post nobody hello)"
    same "who says no key" 403 "$($get --data hello "$rooms/tea/messages")"
    same "from another site" 403 "$(post a hello -H 'Origin: http://evil.example')"
    same "from a page without an origin" 403 "$(post a hello -H 'Origin: null')"
    same "from another site, by the newer field" 403 "$(post a hello -H 'Sec-Fetch-Site: cross-site')"
    same "from our page" 204 "$(post a hello -H "Origin: $url")"
    same "from our page, newer" 204 "$(post a hello -H 'Sec-Fetch-Site: same-origin')"
    same "joining from another site" 403 \
        "$($get -H 'Origin: http://evil.example' "$rooms/tea/events?name=Eve&key=e")"
    same "no name" 400 "$($get "$rooms/tea/events?key=x")"
    same "no key" 400 "$($get "$rooms/tea/events?name=x")"
    same "a line break in a name" 400 "$($get "$rooms/tea/events?name=x%0Adata:y&key=x")"
    same "a long name" 400 "$($get "$rooms/tea/events?name=${long::97}&key=x")"
    same "a long room" 400 "$($get "$rooms/${long::97}/events?name=x&key=x")"
    same "HEAD of a stream" 200 "$($get -I "$rooms/tea/events?name=x&key=x")"
    same "its fields" "cache-control: no-cache content-type: text/event-stream " \
        "$(curl -sSI "${version[@]}" "$rooms/tea/events?name=x&key=x" | tr -d '\r' |
            grep -i '^c' | tr A-Z a-z | sort | tr '\n' ' ')"
    same "a wrong method" 405 "$($get "$rooms/tea/messages")"
    same "another" 405 "$($get -d x "$rooms/tea/events")"
    same "an unknown path" 404 "$($get "$url/other")"
    same "the page" "200 200 200 200 " \
        "$(for each in '' chat.css chat.js icon.svg; do $get "$url/$each"; echo -n ' '; done)"
}

# How many members named "n" and a number are in the last list that Bob has received.
in_list() {
    awk -v wanted="$1" '/^event/ { on = /people/; if (on) n = 0 } on && /^data: n/ { n++ }
        END { exit n != wanted }' "$work/b"
}

# Fifty streams, some of which begin while messages are posted; each gets all messages in order.
check_many() {
    local i wanted key

    for ((i = 0; i < 50; i++)); do
        printf 'url = "%s/tea/events?name=n%d&key=m%d"\noutput = "%s/m%d"\n' \
            "$rooms" $i $i "$work" $i
    done >"$work/streams"
    for ((i = 1; i <= 100; i++)); do
        printf 'url = "%s/tea/messages"\nheader = "Chat-Key: a"\ndata = "m %d"\nsilent\n' \
            "$rooms" $i
        [ $i -eq 100 ] || echo next
    done >"$work/posts"
    curl -sSN -m 60 -Z --parallel-max 60 --parallel-immediate -K "$work/streams" 2>"$work/many.err" &
    tabs+=($!)
    pids+=($!)
    comes "half of them are in" sh -c \
        "[ \$(grep -c '^event: joined' '$work/b') -gt 25 ]"
    curl -sS -m 60 -K "$work/posts"
    same "the posts" 0 $?
    wanted=$(for ((i = 1; i <= 100; i++)); do echo "m $i"; done)
    for ((i = 0; i < 50; i++)); do
        key=m$i
        comes "n$i hears the last" grep -q '^data: m 100$' "$work/$key"
        same "n$i hears all" "$wanted" "$(told "$key" | grep '^m ')"
    done
    comes "all of them are in the list" in_list 50
}

# ws_tab NAME KEY: joins the room "tea" by a WebSocket, whose frames go to $work/KEY; the
# descriptor to write to is in ws[KEY].
declare -A ws
ws_tab() {
    local name=$1 key=$2 fd

    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    ws[$key]=$fd
    printf 'GET /rooms/tea/socket?name=%s&key=%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r
Connection: Upgrade\r\nSec-WebSocket-Version: 13\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' "$name" "$key" >&"$fd"
    cat <&"$fd" >"$work/$key" &
    tabs+=($!)
    pids+=($!)
    comes "$name is told who is here" grep -a people "$work/$key"
}

# ws_say KEY TEXT: sends a short message by a WebSocket, masked with zeros.
ws_say() {
    # shellcheck disable=SC2059 # the format has the length
    printf "\\x81\\x$(printf %02x $((128 + ${#2})))\\0\\0\\0\\0%s" "$2" >&"${ws[$1]}"
}

# Prints the ids of the messages that a tab has received, of a stream or of a WebSocket.
ids() {
    LC_ALL=C sed -n '/said$/{n;s/^id: //;p;}' "$work/$1"
}

has_ids() {
    [ "$(ids "$1" | wc -l)" -eq "$2" ]
}

# Tabs of both kinds, on both workers, talk at once; all see everything in one order.
check_order() {
    local i key fd

    for ((i = 0; i < 6; i++)); do
        tab "E$i" "e$i"
        ws_tab "W$i" "w$i"
    done
    for ((i = 0; i < 60; i++)); do
        printf 'url = "%s/tea/messages"\nheader = "Chat-Key: e%d"\ndata = "e %d"\nsilent\n' \
            "$rooms" $((i % 6)) $i
        [ $i -eq 59 ] || echo next
    done >"$work/posts"
    curl -sS -m 60 -Z --parallel-max 6 -K "$work/posts" 2>"$work/order.err" &
    for ((i = 0; i < 60; i++)); do
        ws_say "w$((i % 6))" "w $i"
    done
    wait $!
    same "the posts" 0 $?
    for key in {e,w}{0..5}; do
        comes "$key hears all" has_ids "$key" 120
        same "$key hears them in the same order" "$(ids e0)" "$(ids "$key")"
    done
    same "each one's in its order" "$(for ((i = 0; i < 60; i += 6)); do echo "w $i"; done)" \
        "$(told e5 | grep -E '^w ([0-9]*[02468])$' | awk '$2 % 6 == 0')"
    same "who is here" 12 "$(tac "$work/e5" | awk '/^data/ { n++ } /^event: people/ { print n; exit }
        /^event/ { n = 0 }')"
    for fd in "${ws[@]}"; do
        exec {fd}>&-
    done
    ws=()
}

check_heartbeat() {
    tab Ann h
    comes "a comment comes" sh -c "[ \$(grep -c '^:' '$work/h') -ge 2 ]"
    same "and the tab is there" 204 "$(post h hello)"
    comes "and hears" hears h hello
}

# Prints how many messages a tab has received, or was told that it has missed.
told_or_missed() {
    echo $(($(told "$1" | wc -l) + $(sed -n '/^event: missed/{n;s/^data: //p;}' "$work/$1" |
        paste -sd+) + 0))
}

# A tab that does not read does not delay the others, and is told what it has missed. On a busy
# machine the other one may miss some as well: the posts are faster than its curl.
check_slow() {
    local text

    text=$(printf '%06000d' 0)
    tab Slow slow
    kill -STOP "${tabs[-1]}"
    tab Ann f
    curl -sS -m 60 -H 'Chat-Key: f' --data-binary "$text" "$rooms/tea/messages?[1-1500]"
    same "the posts" 0 $?
    same "one last" 204 "$(post f last)"
    comes "the other one hears the last" hears f last
    same "and knows all" 1501 "$(told_or_missed f)"
    kill -CONT "${tabs[-2]}"
    comes "the slow one goes on" hears slow last
    same "and knows what it has missed" 1501 "$(told_or_missed slow)"
}

# More tabs than a browser has connections of HTTP/1.1, and their posts, on one of HTTP/2.
check_one_connection() {
    local i urls=()

    for ((i = 0; i < 8; i++)); do
        urls+=("$rooms/tea/events?name=p$i&key=p$i")
    done
    nghttp -v "${urls[@]}" >"$work/eight" 2>&1 &
    tabs+=($!)
    pids+=($!)
    comes "all of them are in" sh -c "[ \$(grep -ac '^event: people' '$work/eight') -ge 8 ]"
    same "a post" 204 "$(post p3 eight)"
    comes "all of them hear" sh -c "[ \$(grep -ac '^data: eight' '$work/eight') -eq 8 ]"
    tab Ann q
    end "${tabs[-2]}"
    unset 'tabs[-2]'
    comes "a closed connection is missed" sh -c "[ \$(grep -c '^event: left' '$work/q') -eq 8 ]"
}

for reactor in $(reactors); do
    where="$reactor: "
    chat || continue
    check_talk
    check_refusals
    check_many
    stop
    chat --heartbeat 0.1 || continue
    check_heartbeat
    stop
done
reactor='' where='2 workers: '
chat --workers 2 --heartbeat 0.1
check_talk
check_many
check_heartbeat
stop
chat --workers 2
check_order
stop
where=''
chat
check_slow
stop
if curl --version | grep -q HTTP2; then
    where='HTTP/2: ' version=(--http2-prior-knowledge)
    chat --protocols h2c
    check_talk
    check_refusals
    [ -z "$(command -v nghttp)" ] || check_one_connection
    stop
    version=()
fi
if have_tls; then
    where='TLS: '
    export CURL_CA_BUNDLE=$work/ca.pem
    chat --tls-cert "$work/good.pem" --tls-key "$work/good.key" --heartbeat 0.1
    same "the URL" https "${url%%:*}"
    check_heartbeat
    tab Bob i
    close_tab
    comes "a closed tab is missed" grep '^event: left' "$work/h"
    stop
fi
totals
