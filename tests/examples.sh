#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every example on every available reactor, and compares its output.
#   tests/examples.sh [DIRECTORY-OF-THE-EXAMPLES]
# The directory is also taken from $EXAMPLES; by default it is examples/. Prints a line for each
# check. Checks that need curl, nginx or perl are left out if these are missing.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need signals

# ---- The examples, one by one ---------------------------------------------------------

spam=$'spam\nham\neggs\nNo more stuff!'

check_signals() {
    local fast=--fast

    [ "$reactor" != sim ] || fast=''
    run "$examples/signals" --reactor "$reactor" $fast
    same "signals prints its four lines" "0 $spam " "$status $out $err"
}

check_calls() {
    run "$examples/calls" --reactor "$reactor"
    same "calls prints its three lines" $'0 foo\nbar\nspam, ham and eggs ' \
        "$status $out $err"
}

# udp TEXT: sends it (a format of printf) as one datagram from descriptor 6.
udp() {
    # shellcheck disable=SC2059 # it is a format
    printf "$1" >&6
}

check_datagrams() {
    serve udp_echo --listen 127.0.0.1:0 || return
    exec 6<>"/dev/udp/127.0.0.1/$port"
    udp 'to and fro\n'
    # Not by read, which takes a byte at a time: the rest of the datagram would be lost.
    same "udp_echo sends a datagram back" "to and fro" "$(timeout 60 head -n 1 <&6)"
    # The longest one that IPv4 has: 65,535 bytes without the heads of IP and UDP.
    head -c 65507 /dev/zero | dd bs=65507 iflag=fullblock >&6 2>"$work/dd"
    same "udp_echo sends a long datagram back" 65507 \
        "$(timeout 60 dd bs=65536 count=1 <&6 2>/dev/null | wc -c)"
    exec 6>&-
    stopped INT
    serve statsd --listen 127.0.0.1:0 || return
    exec 6<>"/dev/udp/127.0.0.1/$port"
    udp 'pages:1|c\npages:2|c|@0.5\nquery:320|ms\nquery:100|ms\n'
    udp 'load:17|g\nload:+3|g\nusers:eve|s\nusers:bob|s\nusers:eve|s'
    udp 'nonsense\npages:many|c\npages:1|x\npages:1|c|@2\n\n'
    exec 6>&-
    until_true grep -q wrong "$work/statsd.out"
    same "statsd counts" "load: 20 now|pages: 5|query: 2 in 100 to 320 ms, mean 210 ms|users: 2 \
different|4 wrong lines|" "$(sed 1d "$work/statsd.out" | tr '\n' '|')"
    stopped TERM
}

# Whether nobody listens on the UNIX socket any more.
is_refused() {
    timeout 5 "$examples/echo_client" --count 1 "unix:$work/socket" 2>&1 >/dev/null | grep -q refused
}

check_echo() {
    local each

    serve echo_server --listen 127.0.0.1:0 || return
    run "$examples/echo_client" --reactor "$reactor" --count 3 "$addr"
    same "echo_client sends three messages" $'0 message 1\nmessage 2\nmessage 3 ' \
        "$status $out $err"
    head -c 3000000 /dev/urandom >"$work/random"
    timeout 20 "$examples/echo_client" --reactor "$reactor" "$addr" \
        <"$work/random" >"$work/echoed" 2>"$work/err"
    same "echo_client copies a file" 0 $?
    same "and it comes back unchanged" "" \
        "$(cmp "$work/random" "$work/echoed" 2>&1; cat "$work/err")"
    out=$(seq 20000 | timeout 20 "$examples/echo_client" --reactor "$reactor" "$addr" | md5sum)
    same "echo_client copies a pipe" "$(seq 20000 | md5sum)" "$out"
    run "$examples/echo_server" --reactor "$reactor" --listen "$addr"
    same "a port in use is an error" "1 echo_server: $addr: Address already in use" \
        "$status $err"
    if [ -w /dev/full ]; then
        "$examples/echo_client" --reactor "$reactor" --count 1 "$addr" \
            >/dev/full 2>"$work/err" </dev/null
        same "a full stdout is an error" \
            "1 echo_client: stdout: No space left on device" "$? $(cat "$work/err")"
        for each in echo_server line_server; do
            timeout 20 "$examples/$each" --reactor "$reactor" --listen 127.0.0.1:0 \
                >/dev/full 2>"$work/err" </dev/null
            same "and in $each" "1 $each: stdout: No space left on device" \
                "$? $(cat "$work/err")"
        done
    fi
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    printf 'quiet' >&5
    read -r -N 5 -t 60 out <&5
    same "bytes come back without a newline" quiet "$out"
    stopped TERM "with a connection open"
    exec 5<&-
    run "$examples/echo_client" --reactor "$reactor" --count 1 "$addr"
    same "a refused connection is an error" "1 echo_client: $addr: Connection refused" \
        "$status $err"
    serve echo_server --listen "unix:$work/socket" || return
    same "it listens on a UNIX socket" "unix:$work/socket" "$addr"
    run "$examples/echo_client" --reactor "$reactor" --count 1 "$addr"
    same "echo_client uses it" "0 message 1 " "$status $out $err"
    stopped INT
    same "the socket's file is gone" "no" "$([ -e "$work/socket" ] && echo yes || echo no)"
    serve echo_server --listen "unix:$work/socket" --workers 2 || return
    run "$examples/echo_client" --reactor "$reactor" --count 1 "$addr"
    same "two workers share a UNIX socket" "0 message 1 " "$status $out $err"
    stopped HUP
    same "its file is gone after SIGHUP, too" "no" "$([ -e "$work/socket" ] && echo yes || echo no)"
    for each in echo_server line_server http_hello; do
        serve "$each" --listen "unix:$work/socket" || return
        kill -KILL "$server"
        end "$server" 2>/dev/null
        same "$each that is killed leaves the file" "yes" "$([ -S "$work/socket" ] && echo yes)"
        until_true is_refused # io_uring: the kernel frees the listener a little later
        serve "$each" --listen "unix:$work/socket" || return
        stopped HUP "with the file of one that was killed"
    done
    serve echo_server --listen 127.0.0.1:0 --workers 3 || return
    run "$examples/echo_server" --reactor "$reactor" --listen "$addr" --workers 2
    same "the port of several workers is in use, too" \
        "1 echo_server: $addr: Address already in use" "$status $err"
    for each in 1 2 3 4 5 6; do
        run "$examples/echo_client" --reactor "$reactor" --count 1 "$addr"
        same "three workers share a port, client $each" "0 message 1 " "$status $out $err"
    done
    stopped INT
    if grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
        serve echo_server --listen '[::1]:0' || return
        run "$examples/echo_client" --reactor "$reactor" --count 1 "$addr"
        same "IPv6 as well" "0 message 1 " "$status $out $err"
        stopped INT
    fi
}

check_lines() {
    local hello='welcome to the line server, "exit" ends it' long

    serve line_server --listen 127.0.0.1:0 || return
    same "line_server greets, echoes and ends" "$hello"$'\none\ntwo\ngoodbye' \
        "$(talk 'one\ntwo\nexit\n')"
    same "an exit with CR LF, too" "$hello"$'\nexits\ngoodbye' "$(talk 'exits\r\nexit\r\n')"
    long=$(printf '%03000d' 0)
    same "a line too long is an error, the next one is not" \
        "$hello"$'\nerror: the line is too long\nshort\ngoodbye' \
        "$(talk "$long\nshort\nexit\n")"
    same "echo_client at the end of its input" "$hello"$'\nlast\ngoodbye' \
        "$(printf 'last\nexit\n' | timeout 60 "$examples/echo_client" \
            --reactor "$reactor" "$addr" 2>&1 | tr -d '\r')"
    stopped INT
    # Only here, where nobody speaks: on a busy machine a client may be silent for so long.
    serve line_server --listen 127.0.0.1:0 --idle 0.3 || return
    same "whoever is silent is sent away" \
        "$hello"$'\nerror: you were silent for too long' "$(talk '')"
    mkfifo "$work/open"
    sleep 600 >"$work/open" &
    pids+=($!)
    same "the server closes while echo_client waits for input" \
        "$hello"$'\nerror: you were silent for too long' \
        "$(timeout 60 "$examples/echo_client" --reactor "$reactor" "$addr" <"$work/open" |
            tr -d '\r')"
    end "${pids[-1]}"
    rm "$work/open"
    stopped INT
}

make_site() {
    site=$work/site
    cp -r "$source/examples/site" "$site"
    chmod -R u+w "$site"
    mkdir -p "$site/sub" "$work/secret"
    echo "index of sub" >"$site/sub/index.html"
    echo "a file" >"$site/sub/a file.txt"
    echo "secret" >"$work/secret/key"
    ln -s sub/index.html "$site/inside"
    ln -s "$work/secret/key" "$site/outside"
    ln -s "$work/secret" "$site/outside-dir"
    mkfifo "$site/fifo"
    : >"$site/empty.txt"
    seq 300000 >"$site/large.txt"
}

check_server_raw() {
    local host='Host: x\r\nConnection: close\r\n' head='HTTP/1.1\r\nHost: x\r\n' many i got

    same "a page" 200 "$(ask "GET / HTTP/1.1\r\n$host\r\n")"
    same "HTTP/1.0 closes" 200 "$(ask 'GET / HTTP/1.0\r\n\r\n')"
    same "a whole URL as the target" 200 "$(ask "GET http://x/ HTTP/1.1\r\n$host\r\n")"
    got=$(talk "GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / $head\r\nGET / HTTP/1.1\r\n$host\r\n")
    same "three requests in one packet" "3 close 2" \
        "$(grep -c '^HTTP/1.1 200 OK$' <<<"$got")$(
            sed -n 's/^Connection: \([a-z]*\).*/ \1/p' <<<"$got" | tr -d '\n') $(
            grep -c '</html>' <<<"$got")"
    same "garbage" 400 "$(ask '\001\002\003\r\n\r\n')"
    same "no version" 400 "$(ask 'GET /\r\n\r\n')"
    same "a bare LF" 400 "$(ask 'GET / HTTP/1.1\n\n')"
    same "no host" 400 "$(ask 'GET / HTTP/1.1\r\n\r\n')"
    same "a space before the colon" 400 "$(ask "GET / ${head}A : b\r\n\r\n")"
    same "a folded line" 400 "$(ask "GET / ${head}A: b\r\n c\r\n\r\n")"
    same "two lengths" 400 \
        "$(ask "GET / ${head}Content-Length: 0\r\nContent-Length: 0\r\n\r\n")"
    same "an escape cut short" 400 "$(ask "GET /%%4 HTTP/1.1\r\n$host\r\n")"
    same "a transfer encoding" 501 "$(ask "GET / ${head}Transfer-Encoding: gzip\r\n\r\n")"
    same "HTTP/2.0" 505 "$(ask 'GET / HTTP/2.0\r\n\r\n')"
    same "another method" 405 "$(ask "DELETE / HTTP/1.1\r\n$host\r\n")"
    same "a body" 405 "$(ask "POST / ${head}Content-Length: 5\r\n\r\nhello")"
    same "a request line too long" 414 "$(ask "GET /$(printf '%09000d' 0) HTTP/1.1\r\n\r\n")"
    same "a field too long" 431 "$(ask "GET / ${head}A: $(printf '%040000d' 0)\r\n\r\n")"
    for ((i = 0, many = 0; i < 120; i++)); do
        many="${many#0}A: b\r\n"
    done
    same "too many fields" 431 "$(ask "GET / $head$many\r\n")"
}

# Of a server with a short limit.
check_server_slow() {
    same "a slow request" 408 "$(ask 'GET / HTTP')"
    same "a silent client is left" "" "$(talk '')"
}

check_server_files() {
    local get='HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' path

    for path in /outside /outside-dir/key /fifo; do
        same "$path stays out of reach" 403 "$(ask "GET $path $get")"
    done
    for path in /../secret/key /sub/../../secret/key /%%2e%%2e/secret/key; do
        same "$path leads nowhere above the root" 404 "$(ask "GET $path $get")"
    done
    for path in /sub/.. /./ /sub/../sub/./; do
        same "$path is normalised" 200 "$(ask "GET $path $get")"
    done
    same "an escaped slash is no slash" 404 "$(ask "GET /..%%2fsecret/key $get")"
    same "a link that stays inside" 200 "$(ask "GET /inside $get")"
    same "what is not there" 404 "$(ask "GET /nothing?x $get")"
    same "a directory without a slash" "Location: /sub/?q=1" \
        "$(talk "GET //sub?q=1 $get" | grep '^Location')"
}

check_server_curl() {
    local url=http://$addr

    same "curl: two pages on one connection" \
        $'index of sub\n1\nHello from a coroutine.\n0' \
        "$(curl -sS -m 60 -w '%{num_connects}\n' "$url/sub/" "$url/hello.txt")"
    same "curl: HEAD" "200 text/plain; charset=utf-8 24" \
        "$(curl -sS -m 60 -I "$url/hello.txt" | tr -d '\r' |
            awk '/^HTTP/ { s = $2 } /^Content-Type/ { t = $2 " " $3 }
                /^Content-Length/ { l = $2 } END { print s, t, l }')"
    same "curl: a large file" "$(md5sum <"$site/large.txt")" \
        "$(curl -sS -m 60 "$url/large.txt" | md5sum)"
    same "curl: an escaped name" "a file" "$(curl -sS -m 60 "$url/sub/a%20file.txt")"
    same "curl: an empty file" "200 0" \
        "$(curl -sS -m 60 -w '%{http_code} %{size_download}' "$url/empty.txt")"
    same "curl: 404" 404 "$(curl -sS -m 60 -o /dev/null -w '%{http_code}' "$url/nothing")"
    same "curl: no way out" 404 \
        "$(curl -sS -m 60 --path-as-is -o /dev/null -w '%{http_code}' \
            "$url/../secret/key")"
    same "curl: many at once" "40 200" \
        "$(seq 40 | xargs -P 8 -I{} curl -sS -m 60 -o /dev/null -w '%{http_code}\n' \
            "$url/large.txt" | sort | uniq -c | sed 's/^ *//')"
}

check_client() {
    local url=http://$addr get="$examples/http_client"

    run "$get" --reactor "$reactor" "$url/hello.txt"
    same "http_client prints a page" "0 Hello from a coroutine. " "$status $out $err"
    run "$get" --reactor "$reactor" -o "$work/got" "$url/large.txt" "$url/hello.txt" \
        "$url/sub/"
    same "three pages at once, in order" "0  $(cat "$site/large.txt" "$site/hello.txt" \
        "$site/sub/index.html" | md5sum)" "$status $out$err $(md5sum <"$work/got")"
    run "$get" --reactor "$reactor" "$url/sub/" "$url/nothing" "$url/hello.txt"
    same "a page that is missing" $'3 index of sub\nHello from a coroutine. '"http_client: \
$url/nothing: 404 Not Found" "$status $out $err"
    run "$get" --reactor "$reactor" "$url/sub"
    same "a page that has moved" "0 index of sub " "$status $out $err"
    run "$get" --reactor "$reactor" "https://$addr/"
    like "https where there is none" "1 http_client: https://$addr/: ?*" "$status $err"
    run "$get" --reactor "$reactor" "http://127.0.0.1:1/"
    same "a refused connection" \
        "1 http_client: http://127.0.0.1:1/: 127.0.0.1:1: Connection refused" "$status $err"
    run "$get" --reactor "$reactor" "http://no.such.host.invalid/"
    same "a host that there is not" "1 http_client: http://no.such.host.invalid/: \
no.such.host.invalid:80: unknown host" "$status $err"
    run "$get" --reactor "$reactor" -o "$work/none/got" "$url/hello.txt"
    same "a file that cannot be written" \
        "4 http_client: $work/none/got: No such file or directory" "$status $err"
    if [ -w /dev/full ]; then
        run "$get" --reactor "$reactor" -o /dev/full "$url/large.txt" "$url/large.txt"
        same "a full disk" "4 http_client: /dev/full: No space left on device" \
            "$status $err"
    fi
}

# Clients that leave in the middle of a file, some of them with a reset.
check_leavers() {
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e 'for (1 .. 100) {
            socket(S, PF_INET, SOCK_STREAM, 0) or die;
            connect(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die "$_: $!";
            syswrite(S, "GET /large.txt HTTP/1.0\r\n\r\n");
            sysread(S, my $some, 1 + 3000 * $_);
            setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $_ % 2;
            close(S);
        }' "$port" >"$work/leavers" 2>&1
    same "clients that leave in the middle of a file" "0 200" \
        "$? $(cat "$work/leavers")$(ask 'GET / HTTP/1.0\r\n\r\n')"
}

# canned RESPONSE: starts a server that sends the same response to every request.
canned() {
    local answer

    answer=$(printf '%b.' "$1")
    : >"$work/canned"
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e '$| = 1; $SIG{PIPE} = "IGNORE";
        socket(S, PF_INET, SOCK_STREAM, 0) and bind(S, sockaddr_in(0, INADDR_LOOPBACK))
            and listen(S, 5) or die;
        print((sockaddr_in(getsockname(S)))[0], "\n");
        while (accept(C, S)) { sysread(C, $_, 4096); syswrite(C, $ARGV[0]); close(C) }' \
        "${answer%.}" >"$work/canned" 2>/dev/null &
    canned=$!
    pids+=("$canned")
    port=''
    while [ -z "$port" ] && ! is_gone "$canned"; do
        sleep 0.02
        read -r port <"$work/canned"
    done
    run "$examples/http_client" --reactor "$reactor" "http://127.0.0.1:$port/"
    end "$canned"
    said="$status $out ${err#http_client: http://127.0.0.1:"$port"/: }"
}

check_client_canned() {
    canned 'HTTP/1.0 200 OK\r\n\r\nuntil the end'
    same "a body without a length" "0 until the end " "$said"
    canned 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour more'
    same "no more than the length" "0 four " "$said"
    canned 'HTTP/1.1 204 No Content\r\n\r\nwhat'
    same "a status without a body" "0  " "$said"
    canned 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'
    same "a short body" "1 short the connection ended after 5 of 100 bytes of the body" \
        "$said"
    canned 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n'
    same "a chunked body" "0 four " "$said"
    canned 'SSH-2.0-x\r\n'
    like "no HTTP" "1  the response is not valid HTTP: ?*" "$said"
    canned "HTTP/1.1 200 OK\r\n$(printf 'A: %d\\r\\n' {1..1001})\r\n"
    same "too many fields" "1  the response is too large: too many header fields" \
        "$said"
    canned 'HTTP/1.1 200 OK\r\nA: b\r\n'
    same "a head cut short" "1  the connection ended within the head of the response" "$said"
    canned 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'
    same "a server's error" "3  500 Internal Server Error" "$said"
}

check_http() {
    if [ ! -x "$examples/http_server" ]; then
        echo "SKIP: HTTP was not built"
        return
    fi
    serve http_server --listen 127.0.0.1:0 --grace 0.3 || return
    same "http_server serves its page" 1 \
        "$(talk 'GET / HTTP/1.0\r\n\r\n' | grep -c '<h1>It works</h1>')"
    same "and no other" 404 "$(ask 'GET /other HTTP/1.0\r\n\r\n')"
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    exec 6<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET / HT' >&6
    stopped TERM "with connections open"
    exec 5<&- 6<&-
    serve http_server --listen 127.0.0.1:0 --timeout 0.4 || return
    check_server_slow
    stopped INT
    serve http_server --listen 127.0.0.1:0 --root "$site" || return
    check_server_raw
    check_server_files
    [ -z "$curl" ] || check_server_curl
    check_client
    [ -z "$perl" ] || check_leavers
    stopped TERM
}

# ---- nginx ----------------------------------------------------------------------------

configuration() {
    echo "access_log off; server { listen 127.0.0.1:$base; root $site; }"
}

check_nginx() {
    local url=http://127.0.0.1:$base

    run "$examples/http_client" --reactor "$reactor" -o "$work/got" "$url/large.txt" \
        "$url/index.html" "http://localhost:$base/hello.txt"
    same "http_client and nginx" "0  $(cat "$site/large.txt" "$site/index.html" \
        "$site/hello.txt" | md5sum)" "$status $out$err $(md5sum <"$work/got")"
    run "$examples/http_client" --reactor "$reactor" "$url/nothing"
    same "nginx's 404" "3  http_client: $url/nothing: 404 Not Found" "$status $out $err"
}

# ---- What does not depend on the reactor ----------------------------------------------

check_options() {
    local example known='select poll epoll kqueue libevent io_uring sim' each words

    for example in signals calls http_server http_client chat; do
        [ -x "$examples/$example" ] || continue
        run "$examples/$example" --reactor none
        like "$example names the known reactors" \
            "2  $example: no reactor is called \"none\"; there are *sim*" \
            "$status $out $err"
        for each in $known; do
            [[ " $err " == *" $each "* ]] || fail "$example knows $each" "$err"
        done
        run "$examples/$example" --help
        like "$example --help" "0 usage: $example \[OPTION\]...*--list-reactors*" \
            "$status $out$err"
        run "$examples/$example" --wrong
        same "$example refuses a wrong option" 2 "$status"
    done
    # The next examples do not use common.c.
    for example in echo_server http_hello "echo_client 127.0.0.1:1" line_server; do
        read -r -a words <<<"$example"
        run "$examples/${words[0]}" --reactor none "${words[@]:1}"
        like "${words[0]} names the known reactors" \
            "2  cogen: no reactor is called \"none\"; there are *sim*" "$status $out $err"
        run "$examples/${words[0]}" --help
        like "${words[0]} --help" "0 usage: ${words[0]} *--reactor NAME*" "$status $out$err"
        run "$examples/${words[0]}" --wrong
        like "${words[0]} refuses a wrong option" "2 *usage: ${words[0]} *" "$status $err"
        run "$examples/${words[0]}" "${words[@]:1}" surplus
        like "${words[0]} refuses a surplus argument" "2 usage: ${words[0]} *" "$status $err"
    done
    while read -r name why; do
        [ "$why" != available ] || continue
        run "$examples/http_server" --reactor "$name"
        same "$name is not available, and why" \
            "2 http_server: reactor $name is not available: $why" "$status $err"
    done < <("$examples/http_server" --list-reactors)
    COGEN_REACTOR=none run "$examples/calls"
    like "\$COGEN_REACTOR is looked at" '2*no reactor is called "none"*' "$status $err"
    run "$examples/http_server" --root "$work/none"
    same "a root that there is not" "1 http_server: $work/none: No such file or directory" \
        "$status $err"
    run "$examples/http_client"
    same "no URL" "2 http_client: which URL? (see --help)" "$status $err"
    run "$examples/http_client" ws://127.0.0.1:1/ http://127.0.0.1:1/
    same "a WebSocket beside a download" \
        "2 http_client: a ws:// URL must be the only URL (see --help)" "$status $err"
    run "$examples/http_client" -O ws://127.0.0.1:1/
    like "a WebSocket as a file" "2 http_client: a ws:// URL takes none of -o, -O, *" "$status $err"
    run "$examples/http_server" --protocols h2
    like "HTTP/2 over TLS without TLS" "2 http_server: --protocols h2 needs TLS*" \
        "$status $err"
    run "$examples/echo_server" --listen nonsense
    like "no address" "1 echo_server: nonsense: not a valid address, or its port is missing" \
        "$status $err"
    run "$examples/echo_client" no.such.host.invalid:1
    same "no host" "1 echo_client: no.such.host.invalid:1: unknown host" "$status $err"
}

# A program whose output cannot be written reports that and exits with 1. Servers, and programs
# that need a peer or a library that may be missing, are called with --help. explore's status 1
# means that a world failed, so it exits with 2.
check_output() {
    local line words wanted

    while read -r line; do
        read -r -a words <<<"$line"
        [ -x "$examples/${words[0]}" ] || continue
        wanted=1
        [ "${words[0]}" != explore ] || wanted=2
        if [ -w /dev/full ]; then
            timeout 20 "$examples/${words[0]}" "${words[@]:1}" >/dev/full \
                2>"$work/err" </dev/null
            like "$line on a full disk" "$wanted *stdout: No space left on device" \
                "$? $(cat "$work/err")"
        fi
        timeout 20 "$examples/${words[0]}" "${words[@]:1}" >&- 2>"$work/err" </dev/null
        like "$line with stdout closed" "$wanted *stdout: Bad file descriptor" \
            "$? $(cat "$work/err")"
    done <<'END'
echo_server --listen 127.0.0.1:0
http_hello --listen 127.0.0.1:0
line_server --listen 127.0.0.1:0
signals --fast
signals --help
signals --list-reactors
calls
explore --help
explore --seeds 100 --quiet
echo_server --help
http_hello --help
echo_client --help
line_server --help
chat
chat_lines
http_client --help
http_server
proxy
ackermann
c100k --connections 20
callbacks --help
delegated
embed_glib --help
embed_libevent --help
factorial --fast
jobs --reactor sim
life --reactor sim
minimize
polling --help
tasks --reactor sim
writer
yrange
course/basicsax
course/benchmark 10000
course/blaster --help
course/bogus
course/buses
course/cobroadcast
course/cobroadcast2
course/cocrash
course/cofollow --help
course/copipe
course/coprocess
course/cosax
course/cothread
course/countdown
course/echobad --help
course/echocallback
course/echogood --help
course/echoserver --help
course/echothread 0 1
course/follow --help
course/logsim --help
course/grep
course/grepclose
course/iterbus
course/pipeline
course/pyos 4
course/pyos1
course/pyos2
course/sockwrap --help
course/trampoline
END
}

# ---- All of it ------------------------------------------------------------------------

make_site
[ -z "$nginx" ] || start_nginx configuration || nginx=''
# At full length it takes three seconds, in which the others run. Its status goes to a file,
# because a shell forgets how a child ended if very many others have ended since.
{
    code=0
    "$examples/signals" >"$work/signals" 2>&1 </dev/null || code=$?
    echo "$code" >"$work/signals.code"
} &
signals=$!
check_options
check_output
for reactor in $("$examples/signals" --list-reactors | awk '$2 == "available" { print $1 }'); do
    where="$reactor: "
    check_signals
    check_calls
    [ "$reactor" = sim ] && continue # its network has no other processes
    check_echo
    check_datagrams
    check_lines
    check_http
    [ -z "$perl" ] || check_client_canned
    [ -z "$nginx" ] || check_nginx
done
where=''
wait $signals || :
same "signals in full length" "0 $spam" "$(cat "$work/signals.code") $(cat "$work/signals")"
totals
