#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compares echo servers by blaster: coroutines, the course's small operating system, a thread
# for each connection, libevent's callbacks. Prints a table: messages a second, the server's
# CPU time for each message, and the ratio of that to the first server's.
#   examples/course/blast.sh [-c CONNECTIONS] [-s SECONDS] [-n ROUNDS] [-r REACTOR] [DIR]
# DIR is the folder of the built examples (examples). The servers' rounds alternate; the
# medians count. Server and load share the machine, so only the ratios are meaningful.
set -eu

connections=300 seconds=2 rounds=3 reactor=epoll
while getopts c:s:n:r: option; do
    case $option in
    c) connections=$OPTARG ;;
    s) seconds=$OPTARG ;;
    n) rounds=$OPTARG ;;
    r) reactor=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
cd "${1:-examples}"
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$work"' EXIT
ticks=$(getconf CLK_TCK)

# blast NAME COMMAND...: one round against one server; adds a line to $work/NAME.
blast() {
    local name=$1 addr='' i stat rate
    shift

    : >"$work/listening"
    "$@" >"$work/listening" </dev/null &
    server=$!
    for ((i = 0; i < 200 && ${#addr} == 0; i++)); do
        read -r addr <"$work/listening" || sleep 0.01
    done
    course/blaster --reactor "$reactor" --connections "$connections" \
        --seconds "$seconds" "${addr#listening on }" >"$work/blaster" || cat "$work/blaster"
    read -r -a stat <"/proc/$server/stat"
    kill -KILL "$server"
    wait "$server" 2>/dev/null || :
    server=''
    rate=$(sed 's/.*, \([0-9]*\) messages.*/\1/' "$work/blaster")
    echo "$rate $(((stat[13] + stat[14]) * 1000000 / ticks))" >>"$work/$name"
}

# median NAME COLUMN
median() {
    sort -n -k"$2,$2" "$work/$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

servers='coroutines os threads callbacks'
[ -x course/echocallback ] || servers='coroutines os threads'
for ((round = 0; round < rounds; round++)); do
    for each in $servers; do
        case $each in
        coroutines) blast $each ./echo_server --reactor "$reactor" --listen 127.0.0.1:0 ;;
        os) blast $each course/echogood --reactor "$reactor" --port 0 ;;
        threads) blast $each course/echothread ;;
        callbacks) blast $each course/echocallback ;;
        esac
    done
done

echo "$connections connections, $rounds rounds of $seconds s, coroutines on $reactor"
printf '%-12s %14s %8s %20s\n' server messages/s ratio 'CPU us/message'
first=$(median coroutines 1)
for each in $servers; do
    rate=$(median $each 1)
    awk -v s="$each" -v r="$rate" -v f="$first" -v c="$(median $each 2)" -v t="$seconds" \
        'BEGIN { printf "%-12s %14d %8.2f %20.1f\n", s, r, r / f, r ? c / (r * t) : 0 }'
done
[ -x course/echocallback ] || echo 'callbacks: left out, no libevent'
