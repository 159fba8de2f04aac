#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every program of examples/ and compares what it prints with tests/gallery/NAME.out: a
# table of program, reactor and verdict.
#   tests/gallery.sh [DIRECTORY-OF-THE-EXAMPLES]
# The directory is also taken from $EXAMPLES; by default it is examples/. Programs that were not
# built, because a library is missing, are listed as left out.
set -u

examples=$(cd "${1:-${EXAMPLES:-examples}}" 2>/dev/null && pwd) || examples=''
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "$examples" ] || [ ! -x "$examples/signals" ]; then
    echo "SKIP: no examples in ${1:-${EXAMPLES:-examples}}"
    exit 77
fi
unset COGEN_REACTOR
work=$(mktemp -d)
passed=0 failed=0 out=0 server=''
patience=300 # seconds until a program counts as hanging; some take long on a busy machine

tidy() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# ---- The table ------------------------------------------------------------------------

# row NAME REACTOR VERDICT
row() {
    printf '%-22s %-9s %s\n' "$1" "$2" "$3"
}

# verdict NAME REACTOR GOT-STATUS WANTED-STATUS: $work/out must equal NAME.out, and $work/err must
# be empty.
verdict() {
    local seconds=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))

    diff "$source/tests/gallery/${1%% *}.out" "$work/out" >"$work/diff" 2>&1
    if [ -s "$work/diff" ] || [ -s "$work/err" ] || [ "$3" != "$4" ]; then
        failed=$((failed + 1))
        row "$1" "$2" "FAILED, status $3"
        cat "$work/diff" "$work/err" | head -n 12 | sed 's/^/    /'
    else
        passed=$((passed + 1))
        row "$1" "$2" "ok ($seconds ms)"
    fi
}

# there NAME PROGRAM: whether it was built.
there() {
    begun=${EPOCHREALTIME/[.,]/}
    [ ! -x "$examples/$2" ] || return 0
    out=$((out + 1))
    row "$1" - 'left out: not built here, see the end of configure'
    return 1
}

# plain NAME PROGRAM ARGUMENT...: a program that uses no reactor. The first word of NAME is the
# file: "pyos 4" is compared with pyos.out.
status=0
plain() {
    local name=$1 program=$2

    shift 2
    there "$name" "$program" || return
    timeout -k 1 "$patience" "$examples/$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    verdict "$name" - $? "$status"
}

# on REACTORS NAME PROGRAM ARGUMENT...: a program that uses a reactor, on each of these.
on() {
    local reactors=$1 name=$2 program=$3 reactor

    shift 3
    for reactor in $reactors; do
        there "$name" "$program" || return
        timeout -k 1 "$patience" "$examples/$program" --reactor "$reactor" "$@" \
            >"$work/out" 2>"$work/err" </dev/null
        verdict "$name" "$reactor" $? "$status"
    done
}

# filtered NAME REACTOR SED-SCRIPT PROGRAM ARGUMENT...: a program whose output has numbers that
# differ from run to run; the script replaces all valid ones by the same text.
filtered() {
    local name=$1 reactor=$2 script=$3 program=$4 code

    shift 4
    there "$name" "$program" || return
    [ "$reactor" = - ] || set -- --reactor "$reactor" "$@"
    timeout -k 1 "$patience" "$examples/$program" "$@" >"$work/raw" 2>"$work/err" </dev/null
    code=$?
    sed -E "$script" "$work/raw" >"$work/out"
    verdict "$name" "$reactor" $code "$status"
}

# same_lines FILE FILE: whether both have the same lines, in any order.
same_lines() {
    [ "$(sort "$1")" = "$(sort "$2")" ]
}

# unordered NAME REACTOR PROGRAM ARGUMENT...: a program whose lines may change their order with a
# real clock, if the machine is busy. On sim the order is checked.
unordered() {
    local name=$1 reactor=$2 program=$3 code

    shift 3
    there "$name" "$program" || return
    timeout -k 1 "$patience" "$examples/$program" --reactor "$reactor" "$@" \
        >"$work/out" 2>"$work/err" </dev/null
    code=$?
    if same_lines "$work/out" "$source/tests/gallery/$name.out"; then
        cp "$source/tests/gallery/$name.out" "$work/out"
    fi
    verdict "$name" "$reactor" $code "$status"
}

# embedded NAME: a program in another library's main loop, on every reactor. Reactors without a
# descriptor that can be polled are refused with a message.
embedded() {
    local reactor code

    for reactor in $network; do
        there "$1" "$1" || return
        case $reactor in
        epoll | kqueue | io_uring)
            on "$reactor" "$1" "$1"
            ;;
        *)
            timeout -k 1 "$patience" "$examples/$1" --reactor "$reactor" >"$work/raw" \
                2>"$work/out" </dev/null
            code=$?
            : >"$work/err"
            [ ! -s "$work/raw" ] || cp "$work/raw" "$work/err"
            sed -i "s/^$1: //" "$work/out"
            verdict "refused ${1#embed_}" "$reactor" $code 2
            ;;
        esac
    done
}

# ---- Servers --------------------------------------------------------------------------

# serve PROGRAM ARGUMENT...: starts a server; sets $addr. False: it did not start.
serve() {
    local program=$1 i

    shift
    addr=''
    : >"$work/listening"
    "$examples/$program" "$@" >"$work/listening" 2>"$work/server.err" </dev/null &
    server=$!
    for ((i = 0; i < 6000 && ${#addr} == 0; i++)); do
        read -r addr <"$work/listening" || sleep 0.01
    done
    addr=${addr#listening on }
    [ -n "$addr" ]
}

# ended: waits until the server ends by itself, about a minute, and returns its status.
ended() {
    local i code

    for ((i = 0; i < 3000; i++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.02
    done
    kill -KILL "$server" 2>/dev/null
    wait "$server"
    code=$?
    server=''
    cat "$work/server.err" >>"$work/err"
    return $code
}

# echoes REACTORS NAME PROGRAM ARGUMENT...: an echo server that ends after one client.
echoes() {
    local reactors=$1 name=$2 program=$3 reactor

    shift 3
    for reactor in $reactors; do
        there "$name" "$program" || return
        : >"$work/out" >"$work/err"
        if [ "$reactor" = - ]; then serve "$program" "$@"; else
            serve "$program" --reactor "$reactor" "$@"
        fi && printf 'hello\nand goodbye\n' | timeout -k 1 60 "$examples/echo_client" "$addr" \
            >"$work/out" 2>"$work/err"
        ended
        verdict "$name" "$reactor" $? 0
    done
}

# asked REACTORS NAME CLIENT ARGUMENT -- ARGUMENT...: starts the server NAME, runs a client, in
# whose argument ADDR stands for the address, and then ends the server.
asked() {
    local reactors=$1 name=$2 client=$3 question=$4 reactor

    shift 5
    for reactor in $reactors; do
        there "$name" "$name" || return
        : >"$work/out" >"$work/err"
        serve "$name" --reactor "$reactor" --listen 127.0.0.1:0 "$@" &&
            printf 'hello\nand goodbye\n' | timeout -k 1 60 "$examples/$client" \
                --reactor "$reactor" "${question/ADDR/$addr}" >"$work/out" 2>"$work/err"
        kill -TERM "$server"
        ended
        verdict "$name" "$reactor" $? 0
    done
}

# growing REACTORS NAME PROGRAM ARGUMENT...: a program that follows the log that logsim writes.
growing() {
    local reactors=$1 name=$2 program=$3 reactor

    shift 3
    for reactor in $reactors; do
        there "$name" "$program" || return
        : >"$work/log"
        "$examples/course/logsim" --lines 12 --pause 0.005 "$work/log" 2>"$work/server.err" &
        server=$!
        timeout -k 1 "$patience" "$examples/$program" --reactor "$reactor" "$@" "$work/log" \
            >"$work/out" 2>"$work/err" </dev/null
        status=$?
        ended || status=1
        verdict "$name" "$reactor" $status 0
        status=0
    done
}

# comparison: runs blaster shortly with each of these servers; for longer if one of them has not
# answered a single message, which a busy machine can cause.
comparison() {
    local seconds

    begun=${EPOCHREALTIME/[.,]/}
    for seconds in 0.2 2 10; do
        timeout -k 1 "$patience" "$source/examples/course/blast.sh" -c 50 -s $seconds -n 1 -r "$best" \
            "$examples" 2>"$work/err" |
            sed -E '1d;/^callbacks/d;s/ +[1-9][0-9]* +[0-9.]+ +[0-9.]+$/ N/' >"$work/out"
        ! cmp -s "$source/tests/gallery/blaster.out" "$work/out" || break
    done
    verdict blaster "$best" 0 0
}

# chatting REACTORS: two clients in the chat; the second one leaves.
chatting() {
    local reactor i

    for reactor in $1; do
        there chat_lines chat_lines || return
        : >"$work/out" >"$work/err"
        if serve chat_lines --reactor "$reactor" --listen 127.0.0.1:0; then
            exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}"
            printf 'ann\nanybody here?\n' >&3
            for i in 1 2; do read -r -t 60 line <&3 && echo "$line" >>"$work/out"; done
            exec 4<>"/dev/tcp/${addr%:*}/${addr##*:}"
            printf 'bob\nI am\n' >&4
            for i in 1 2; do read -r -t 60 line <&3 && echo "$line" >>"$work/out"; done
            exec 4>&-
            read -r -t 60 line <&3 && echo "$line" >>"$work/out"
            exec 3>&-
            kill -TERM "$server"
        fi
        ended
        verdict chat_lines "$reactor" $? 0
    done
}

# ---- The programs ---------------------------------------------------------------------

network=$("$examples/chat_lines" --list-reactors | sed -n 's/ *available$//p' | xargs)
best=${network%% *}
for each in epoll kqueue poll; do
    case " $network " in *" $each "*) best=$each && break ;; esac
done

row PROGRAM REACTOR VERDICT
on sim signals signals
on "sim $best" calls calls

# Beazley's course, in its order
plain countdown course/countdown
plain grep course/grep
plain grepclose course/grepclose
plain bogus course/bogus
plain pipeline course/pipeline
plain copipe course/copipe
plain cobroadcast course/cobroadcast
plain cobroadcast2 course/cobroadcast2
filtered benchmark - 's/ +[0-9.]+/ N/' course/benchmark 10000
growing "$network" follow course/follow --from-start --grep python --lines 3
growing "$best" cofollow course/cofollow --from-start --lines 12
plain basicsax course/basicsax
plain cosax course/cosax
plain buses course/buses
plain iterbus course/iterbus
plain cothread course/cothread
on "$network" coprocess course/coprocess
plain cocrash course/cocrash
plain pyos1 course/pyos1
plain pyos2 course/pyos2
status=1
plain taskcrash course/pyos2 --crash
status=0
plain pyos3 course/pyos2 --handled
for step in 4 5 6; do
    on "sim $best" "pyos$step" course/pyos $step
done
on "$network" pyos7 course/pyos 7
on sim pyos8 course/pyos 8
plain trampoline course/trampoline
on "$best" echobad course/echobad
echoes "$network" echogood course/echogood --port 0 --clients 1
echoes "$network" echoserver course/echoserver --port 0 --clients 1
echoes "$network" sockwrap course/sockwrap --port 0 --clients 1

echoes - echothread course/echothread 0 1
echoes - echocallback course/echocallback 0 1
comparison

# Effective Python, item 40
plain minimize minimize
on sim life life
filtered life_animate sim 's/.*generation ([0-9]+).*/\1/;/^[^0-9]/d' \
    life --animate --generations 50

# The asyncio text
plain yrange yrange
plain writer writer
plain delegated delegated
on sim factorial factorial
unordered factorial "$best" factorial --fast

on sim tasks tasks
unordered tasks "$best" tasks
# A process may start late on a busy machine, and is asked once more then.
filtered polling "$best" '3,$ { /^still working/d }' polling
on "$network" polling_wait polling --fast --wait

# ActiveState's recipe
on "sim $best" ackermann ackermann --depth 200
filtered ackermann_stopped "$best" 's/[0-9]+/N/g;/^Ack/d' ackermann --watchdog 0.3 --depth 100000 --round 5

# cogen's own
# In virtual time it is certain which worker does which job; on a busy machine any order is right.
on sim jobs jobs
filtered jobs_done "$best" '/^worker/d' jobs
chatting "$network"
asked "$network" echo_server echo_client ADDR --
asked "$network" line_server echo_client ADDR --
printf 'hello from the gallery\n' >"$work/index.html"
asked "$network" http_server http_client http://ADDR/ -- --root "$work"
filtered c100k "$best" 's/[0-9.]+ KiB/N KiB/' c100k --connections 300
embedded embed_libevent
embedded embed_glib
filtered callbacks "$best" 's/ +[0-9.]+/ N/' callbacks

echo
echo "$passed ok, $failed failed, $out left out"
[ "$failed" -eq 0 ]
