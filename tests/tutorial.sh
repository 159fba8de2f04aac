#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The programs of doc/tutorial.md and doc/recipes.md: the documents show what is in examples/;
# each program compiles alone, as the tutorial says, runs, and responds. Needs CC, CFLAGS,
# LDFLAGS.
#   tests/tutorial.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
find_built || skip "$why"

# ---- The documents --------------------------------------------------------------------

# shows DOCUMENT FOLDER: each block of C is preceded by a comment that names a file, and is part
# of that file, line by line; and the document names every program of the folder.
shows() {
    local block file content text

    rm -f "$work"/block.*
    awk -v block="$work/block." '
        /^```c$/ { n++; on = block n; print file >(on ".of"); printf "" >on; next }
        /^```/ { on = "" }
        on { print >on }
        /^<!-- .* -->$/ { file = $2; next }
        NF { file = "" }' "$source/doc/$1"
    for block in "$work"/block.*.of; do
        read -r file <"$block"
        content=$(cat "${block%.of}")
        text=$(cat "$source/${file:-/nowhere}" 2>/dev/null)
        if [ -n "$content" ] && [[ $'\n'$text$'\n' == *$'\n'"$content"$'\n'* ]]; then
            pass "doc/$1 shows ${file#examples/}: $(head -n 1 "${block%.of}")"
        else
            fail "doc/$1 shows what is in ${file:-no file}" "$content"
        fi
    done
    for file in "$source/examples/$2"/*.c; do
        same "doc/$1 names ${file##*/}" 1 "$(grep -c "^<!-- examples/$2/${file##*/} -->" \
            "$source/doc/$1" | sed 's/^[2-9].*/1/')"
    done
}

# ---- The programs ---------------------------------------------------------------------

answered() {
    (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

connects() {
    is_gone "$server" || answered
}

# start PROGRAM ARGUMENT...: starts a server; an argument ADDR is replaced by a free address. Sets
# $server (its pid) and $port.
start() {
    local try

    name=$1
    shift
    for ((try = 0; try < 5; try++)); do
        port=$((20000 + RANDOM % 12000))
        ! answered || continue
        "$work/$name" "${@/ADDR/127.0.0.1:$port}" >"$work/$name.out" 2>"$work/$name.err" \
            </dev/null &
        server=$!
        pids+=("$server")
        until_true connects
        sleep 0.05
        is_gone "$server" || return 0
        end "$server"
    done
    fail "$name starts" "$(cat "$work/$name.err")"
    return 1
}

# stops SIGNAL: ends $server by it, whatever its status.
stops() {
    kill -"$1" "$server"
    wait "$server" 2>/dev/null
    forget "$server"
}

# line FD: prints the next line from FD; waits at most 20 seconds.
line() {
    local text='(nothing)'

    IFS= read -r -t 20 -u "$1" text || text="(the end)"
    echo "${text%$'\r'}"
}

# ---- The tutorial ---------------------------------------------------------------------

check_tutorial() {
    local each

    shows tutorial.md tutorial
    for each in 1 2 3 4 5; do
        compile "tutorial/step$each.c" cogen || return
    done
    run "$work/step1"
    same "step 1 counts" "0 3 ... 2 ... 1 ... hello, world " "$status $(tr "\n" " " <<<"$out")"
    run "$work/step5"
    same "step 5 passes" "0 100 worlds, all well" "$status $out$err"
    for each in 2 3; do
        start "step$each" ADDR || return
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        echo "one" >&3
        same "step $each echoes" "one" "$(line 3)"
        exec 4<>"/dev/tcp/127.0.0.1/$port" # step 3 gives it two seconds
        echo "two" >&4
        same "step $each serves another" "two" "$(line 4)"
        [ "$each" = 2 ] || {
            printf 'x%.0s' {1..100} >&4
            same "step 3 refuses long lines" "That line is too long." "$(line 4)"
            same "step 3 takes its time" "Are you still there? Good bye." "$(line 3)"
            same "step 3 ends" "(the end)" "$(line 3)"
        }
        exec 3>&- 4>&-
        stops TERM
    done
    start step4 ADDR || return
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    echo Ann >&3
    same "step 4: one comes" "Ann has come" "$(line 3)"
    exec 4<>"/dev/tcp/127.0.0.1/$port"
    echo Bob >&4
    same "step 4: another comes" "Bob has come" "$(line 3)"
    echo "Hi, Bob!" >&3
    same "step 4: they talk" "Bob has come Ann: Hi, Bob!" "$(line 4) $(line 4)"
    exec 4>&-
    same "step 4: one leaves" "Ann: Hi, Bob! Bob has gone" "$(line 3) $(line 3)"
    kill -INT "$server"
    same "step 4: good bye" "Good bye. (the end)" "$(line 3) $(line 3)"
    exec 3>&-
    ended "on SIGINT"
}

# ---- The recipes ----------------------------------------------------------------------

check_proxy() {
    local behind ahead

    start step2 ADDR || return
    behind=$server
    run "$work/pool" "127.0.0.1:$port"
    same "a pool" "0 20 questions, 3 connections: success" "$status $out$err"
    start proxy ADDR "127.0.0.1:$port" || return
    ahead=$server
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    echo "through" >&3
    same "a proxy" "through" "$(line 3)"
    end "$behind"
    same "a proxy whose backend has gone" "(the end)" "$(line 3)"
    exec 3>&-
    end "$ahead"
    run "$work/pool" "127.0.0.1:1"
    like "a pool without a backend" "1 *: Connection refused" "$status $out$err"
}

check_stop() {
    start stop ADDR || return
    exec 3<>"/dev/tcp/127.0.0.1/$port" 4<>"/dev/tcp/127.0.0.1/$port"
    echo "Ann" >&3
    # A client that says too much loses its connection at once. The one before has been accepted
    # by then.
    printf '%0100d\n' 0 >&4
    timeout 20 cat <&4 >/dev/null 2>&1
    exec 4>&-
    kill -TERM "$server"
    same "a client that is being served is served to the end" "hello Ann (the end)" \
        "$(line 3) $(line 3)"
    exec 3>&-
    wait "$server"
    same "a graceful stop" "0 server: stopped" "$? $(cat "$work/stop.err")"
    forget "$server"
}

# Prints the process that responds on a new connection.
answers() {
    exec 4<>"/dev/tcp/127.0.0.1/$port" || return
    echo "who?" >&4
    line 4 | sed 's/: who?$//'
    exec 4>&-
}

is_answered_by_another() {
    successor=$(answers)
    [[ $successor =~ ^[0-9]+$ ]] && [ "$successor" != "$server" ]
}

check_handover() {
    start handover ADDR || return
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    echo "before" >&3
    same "before the handover" "$server: before" "$(line 3)"
    kill -HUP "$server"
    until_true is_answered_by_another
    like "after it the new program answers new connections" '[1-9]*' "$successor"
    [[ ! $successor =~ ^[0-9]+$ ]] || pids+=("$successor")
    echo "after" >&3
    same "and the old one those that it has" "$server: after" "$(line 3)"
    exec 3>&-
    ended "when they have ended, or so"
    same "and the new one stays" "$successor" "$(answers)"
}

dumps() {
    kill -USR1 "$server" && sleep 0.05 && grep -q 'lock red' "$work/stuck.err"
}

check_stuck() {
    run "$work/stuck"
    like "a deadlock is listed" \
        "1 *deadlock*one: lock blue, since *other: lock red, since *program: Resource deadlock*" \
        "$status $err"
    # The signal is ignored, from the fork on, while the program has no handler yet.
    trap '' USR1
    "$work/stuck" signal >"$work/stuck.out" 2>"$work/stuck.err" </dev/null &
    server=$!
    trap - USR1
    pids+=("$server")
    until_true dumps
    like "and at any time" "*one: lock blue, since *other: lock red, since *" \
        "$(cat "$work/stuck.err")"
    end "$server"
    run "$work/seeds"
    like "a world in which it fails" "1 seed [0-9]* fails; *" "$status $out"
    # shellcheck disable=SC2086 # the number
    run "$work/seeds" ${out##* }
    like "the same world again" "1 *recv = [1-7]
*" "$status $err"
}

check_upgrade() {
    if [ ! -e "$work/cogen-http.pc" ] || [ ! -e "$build/libcogen-http.la" ]; then
        echo "SKIP upgrade: HTTP was not built"
        return
    fi
    compile recipes/upgrade.c cogen-http || return
    start upgrade ADDR || return
    same "without Upgrade" 426 "$(ask 'GET /lines HTTP/1.0\r\n\r\n')"
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /lines HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: lines\r\n\r\none\n' >&3
    same "an upgrade" "HTTP/1.1 101 Switching Protocols" "$(line 3)"
    while text=$(line 3) && [ -n "$text" ] && [ "$text" != "(the end)" ]; do :; done
    same "and then lines" "one" "$(line 3)"
    exec 3>&-
    stops TERM
}

check_site() {
    local url="http://127.0.0.1"

    if [ ! -e "$work/cogen-http.pc" ] || [ ! -e "$build/libcogen-http.la" ] || [ -z "$curl" ]; then
        echo "SKIP site: HTTP was not built, or there is no curl"
        return
    fi
    compile recipes/site.c cogen-http || return
    mkdir -p "$work/pictures"
    start site ADDR "$work/pictures" || return
    url=$url:$port
    echo "a cat" >"$work/cat.png"
    same "a form with a picture" 303 "$("$curl" -s -o /dev/null -w '%{http_code}' \
        -F title=cat -F "picture=@$work/cat.png" "$url/pictures")"
    same "which is kept" "a cat" "$(cat "$work"/pictures/picture-*)"
    same "a form without one" 422 "$("$curl" -s -o /dev/null -w '%{http_code}' -F title=cat \
        "$url/pictures")"
    like "a cookie counts visits" "*Visit number 8" \
        "$("$curl" -s -b visits=7 "$url/pictures")"
    same "the counts need a password" 401 "$(ask 'GET /admin/metrics HTTP/1.0\r\n\r\n')"
    like "and are there" '*http_requests_total{code="303"} 1*' \
        "$("$curl" -s -u ann:secret "$url/admin/metrics")"
    stops TERM
}

check_api() {
    if [ ! -e "$work/cogen-http.pc" ] || [ ! -e "$build/libcogen-http.la" ] || [ -z "$curl" ]; then
        echo "SKIP api: HTTP was not built, or there is no curl"
        return
    fi
    compile recipes/api.c cogen-http || return
    start api ADDR || return
    same "an API counts" '{"count": 1}{"count": 2}' \
        "$("$curl" -s -X POST "http://127.0.0.1:$port/count" "http://127.0.0.1:$port/count")"
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /watch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n' >&3
    same "somebody watches" "HTTP/1.1 101 Switching Protocols" "$(line 3)"
    while text=$(line 3) && [ -n "$text" ] && [ "$text" != "(the end)" ]; do :; done
    kill -INT "$server"
    like "gets the count, and is told of the end" '*{"count": 2}*' "$(timeout 20 cat <&3 | tr -d '\0')"
    exec 3>&-
    ended "on SIGINT"
}

check_recipes() {
    local each

    shows recipes.md recipes
    for each in descriptors handover log pool proxy seeds stop stuck terminal; do
        compile "recipes/$each.c" cogen || return
    done
    run "$work/descriptors"
    same "descriptors" "0 a line: one
a line: two" "$status $out$err"
    run "$work/log"
    same "a log" "0 150" "$status $((${err##* } + $(grep -c '^line ' <<<"$out")))"
    run "$work/terminal" "echo \$((6 * 7)); test -t 0 && : >/dev/tty && exit 3"
    like "a shell in a terminal" "3 *42*" "$status $out"
    check_proxy
    check_stop
    check_handover
    check_stuck
    check_upgrade
    check_site
    check_api
}

check_tutorial
check_recipes
totals
