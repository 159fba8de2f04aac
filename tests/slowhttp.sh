#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The web server while slowhttptest holds on to it in its four ways (heads that never end,
# bodies that never end, answers that are hardly read, absurd ranges): others get their pages
# meanwhile, each of the slow is sent away when its time is over, and memory does not grow.
#   tests/slowhttp.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server
command -v slowhttptest >/dev/null || skip "there is no slowhttptest"
[ -n "$curl" ] || skip "there is no curl"

mkdir "$work/site"
echo hello >"$work/site/hello.txt"
truncate -s 64M "$work/site/large" # more than the kernel buffers
clients=50

# slow NAME OPTION...: in the background, for six seconds at most.
slow() {
    local name=$1

    shift
    slowhttptest "$@" -c $clients -r 200 -i 1 -l 6 -p 3 -u "http://$addr/large" \
        >"$work/$name" 2>&1 </dev/null &
    slow_pids+=($!)
    pids+=($!)
}

# still_there: whether one of them runs.
still_there() {
    local each

    for each in "${slow_pids[@]}"; do
        ! is_gone "$each" || continue
        return
    done
    return 1
}

descriptors() {
    find "/proc/$server/fd" -type l | wc -l
}

# ended_by_server NAME: whether it was the server that ended its connections, all of them.
ended_by_server() {
    grep -c 'No open connections left' "$work/$1"
}

# Asks for a page again and again while they are there. What is answered, the longest time it
# took in ms, and whether the server got rid of all of them before they gave up are in
# $answers, $longest and $free.
ask_meanwhile() {
    local code seconds ms

    answers='' longest=0 free=no
    while still_there; do
        read -r code seconds < <("$curl" -s -m 10 -o /dev/null \
            -w '%{http_code} %{time_total}\n' "http://$addr/hello.txt")
        ms=$(awk -v s="$seconds" 'BEGIN { printf "%d", 1000 * s }')
        [ "$ms" -le "$longest" ] || longest=$ms
        [[ $answers == *$code* ]] || answers+=$code
        held=$(descriptors)
        [ "$held" -le $((most + clients)) ] || most=$held
        [ "$most" -le $((base + clients)) ] || [ "$held" -gt $((base + 1)) ] ||
            [ $SECONDS -ge 5 ] || free=yes
        sleep 0.1
    done
    most=$((most - base))
}

check() {
    local before base most=0 held slow_pids=() answers longest free name

    serve http_server --listen 127.0.0.1:0 --root "$work/site" --timeout 1 --log || return
    "$curl" -s -o /dev/null "http://$addr/hello.txt"
    before=$(rss "$server") base=$(descriptors)
    slow heads -H -x 24
    slow bodies -B -s 8192 -x 10 -t POST
    slow ranges -R -a 5 -b 3000 -t HEAD
    slow reads -X -w 10 -y 20 -n 1 -z 5
    SECONDS=0
    ask_meanwhile
    for each in "${slow_pids[@]}"; do
        wait "$each"
        forget "$each"
    done
    same "others get their pages" 200 "$answers"
    below "soon, in ms" 2000 "$longest"
    for name in heads bodies ranges; do
        same "slow $name are ended" 1 "$(ended_by_server $name)"
    done
    # What the kernel has buffered keeps them alive on the other side.
    same "slow readers are let go" yes "$free"
    case "${CFLAGS-} ${LDFLAGS-}" in
    *-fsanitize*) ;;
    *) below "memory, in KiB more than before" 16384 $(($(rss "$server") - before)) ;;
    esac
    kill -TERM "$server"
    until_true is_gone "$server"
    wait "$server"
    same "the server ends well" 0 $?
    forget "$server"
    same "slow heads are told so" $clients "$(grep -c '" 408 ' "$work/http_server.err")"
    same "bodies that are not wanted as well" $clients \
        "$(grep -c '"POST /large HTTP/1.1" 405 ' "$work/http_server.err")"
}

for reactor in $(reactors); do
    where="$reactor: "
    case $reactor in
    epoll | io_uring) check ;;
    esac
done
totals
