#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The web server under slowhttptest's four attacks: heads that never end, bodies that never end,
# responses that are read very slowly, absurd ranges. Other clients get their pages during the
# attacks, the server closes each slow connection at its timeout, and its memory does not grow.
# Little depends on how fast the machine is: each step waits for its condition.
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
clients=50   # of each attack
some=10      # of them must be open at a time; how many are, depends on the machine
patience=120 # seconds

# slow NAME OPTION...: starts an attack in the background. It ends when the server has closed
# all of its connections, or after $patience.
slow() {
    local name=$1

    shift
    slowhttptest "$@" -c $clients -r 200 -i 1 -l $patience -p 3 -u "http://$addr/large" \
        >"$work/$name" 2>&1 </dev/null &
    slow_pids+=($!)
    pids+=($!)
}

descriptors() {
    find "/proc/$server/fd" -type l | wc -l
}

# ended_by_server NAME: 1 if the server closed all of its connections, else 0.
ended_by_server() {
    grep -c 'No open connections left' "$work/$1"
}

# attacks_are_over: whether the three attacks that the server can end have ended, and it has no
# other connections. The slow readers do not notice: the kernel still has bytes for them.
attacks_are_over() {
    is_gone "${slow_pids[0]}" && is_gone "${slow_pids[1]}" && is_gone "${slow_pids[2]}" &&
        [ "$most" -ge $((base + some)) ] && [ "$(descriptors)" -le $((base + 1)) ]
}

# Requests a page again and again until the attacks are over. Sets $answers (each status once),
# $pages (how many came while at least $some slow connections were open) and
# $free (whether the server got rid of all connections).
ask_meanwhile() {
    local code held

    answers='' pages=0 free=no
    for ((; SECONDS < patience; )); do
        held=$(descriptors)
        code=$("$curl" -s -m 60 -o /dev/null -w '%{http_code}' "http://$addr/hello.txt")
        [[ $answers == *$code* ]] || answers+=$code
        [ "$held" -le "$most" ] || most=$held
        [ "$held" -lt $((base + some)) ] || pages=$((pages + 1))
        ! attacks_are_over || free=yes
        [ $free = no ] || return
        sleep 0.1
    done
}

check() {
    local before base most=0 slow_pids=() answers pages free name each

    serve http_server --listen 127.0.0.1:0 --root "$work/site" --timeout 2 --log || return
    "$curl" -s -o /dev/null "http://$addr/hello.txt"
    before=$(rss "$server") base=$(descriptors)
    SECONDS=0
    slow heads -H -x 24
    slow bodies -B -s 8192 -x 10 -t POST
    slow ranges -R -a 5 -b 3000 -t HEAD
    slow reads -X -w 10 -y 20 -n 1 -z 5
    ask_meanwhile
    for each in "${slow_pids[@]}"; do
        end "$each"
    done
    same "others get their pages" 200 "$answers"
    [ "$pages" -gt 0 ]
    same "while the slow connections are open ($pages)" 0 $?
    for name in heads bodies ranges; do
        same "slow $name are ended" 1 "$(ended_by_server $name)"
    done
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
    same "slow heads get 408" $clients "$(grep -c '" 408 ' "$work/http_server.err")"
    same "bodies that are not wanted get 405" $clients \
        "$(grep -c '"POST /large HTTP/1.1" 405 ' "$work/http_server.err")"
}

for reactor in $(reactors); do
    where="$reactor: "
    case $reactor in
    epoll | io_uring) check ;;
    esac
done
totals
