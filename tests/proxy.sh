#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The proxy, on every reactor, between clients (curl, our own, raw bytes) and servers (our own,
# nginx, servers with fixed responses). Prints a line for each check.
#   tests/proxy.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need proxy http_server http_client
[ -n "$curl" ] || skip "there is no curl"
[ -n "$perl" ] || skip "there is no perl"

# get ARGUMENT...: runs curl through the proxy.
get() {
    curl -sS -m 60 -x "http://$through" "$@"
}

code() {
    get -o /dev/null -w '%{http_code}' "$@"
}

# origin END RESPONSE...: starts a server that reads a request up to the pattern END, notes it in
# $work/heard ($notes), sends a response when the file $after is not empty (a format of printf; the
# last one also to all later requests), and notes "closed" when the connection has ended. Sets
# $there, its port.
origin() {
    local end=$1 answers=() notes=${notes:-$work/heard}

    shift
    for each in "$@"; do
        # shellcheck disable=SC2059 # a format
        answers+=("$(printf "$each.")")
    done
    : >"$work/origin"
    : >"$notes"
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e '$| = 1; $SIG{PIPE} = "IGNORE"; my ($heard, $end, @answers) = @ARGV;
        socket(S, PF_INET, SOCK_STREAM, 0) and bind(S, sockaddr_in(0, INADDR_LOOPBACK))
            and listen(S, 5) or die;
        print((sockaddr_in(getsockname(S)))[0], "\n");
        while (accept(C, S)) {
            my ($got, $some) = ("", "");
            $got .= $some while $got !~ /$end/s && sysread(C, $some, 4096);
            open(F, ">>", $heard); print F $got; close(F);
            select(undef, undef, undef, 0.02) until !$ENV{after} || -s $ENV{after};
            my $answer = @answers > 1 ? shift @answers : $answers[0];
            chop($answer); syswrite(C, $answer);
            shutdown(C, 1) if $answer =~ /Connection: close/;
            1 while sysread(C, $some, 4096);
            open(F, ">>", $heard); print F "closed\n"; close(F);
            close(C);
        }' "$notes" "$end" "${answers[@]}" >"$work/origin" 2>/dev/null &
    origin=$!
    pids+=("$origin")
    until_true test -s "$work/origin"
    read -r there <"$work/origin"
}

# half_close URL [PATTERN]: requests it through the proxy, shuts down that direction, and prints
# the lines of the response that match; by default the last line. What has come so far is in the
# file $after, if that is set.
half_close() {
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e 'my ($port, $url) = @ARGV;
        socket(C, PF_INET, SOCK_STREAM, 0) and
            connect(C, sockaddr_in($port, INADDR_LOOPBACK)) or die;
        syswrite(C, "GET $url HTTP/1.1\r\nHost: x\r\n\r\n");
        shutdown(C, 1);
        open(F, ">", $ENV{after} || "/dev/null");
        while (sysread(C, $some, 4096)) { print $some; syswrite(F, $some); }' \
        "${through##*:}" "$1" | tr -d '\r' |
        if [ $# -gt 1 ]; then grep "$2"; else tail -n 1; fi
}

heard() {
    tr -d '\r' <"$work/heard"
}

# ---- Pages ----------------------------------------------------------------------------

mkdir -p "$work/site" "$work/dav"
echo hello >"$work/site/hello.txt"
seq 300000 >"$work/site/large.txt"
sum=$(md5sum <"$work/site/large.txt")

configuration() {
    cat <<CONF
log_format it '\$connection \$status \$request_uri \$body_bytes_sent';
access_log $work/nginx/access it;
server {
    listen 127.0.0.1:$base; root $work/site; client_max_body_size 0;
    location /nothing { return 204; }
    location /up/ { alias $work/dav/; dav_methods PUT; }
    location /slow/ { alias $work/site/; limit_rate 100k; }
}
$(! $tls || echo "server { listen 127.0.0.1:$((base + 1)) ssl; root $work/site;
    ssl_certificate $work/good.pem; ssl_certificate_key $work/good.key; }")
CONF
}

# logged PATTERN: whether nginx has logged the end of such a request.
logged() {
    grep -q "$1" "$work/nginx/access"
}

# ---- Requests -------------------------------------------------------------------------

check_pages() {
    local url=http://$own

    same "a page" hello "$(get "$url/hello.txt")"
    same "a large one" "$sum" "$(get "$url/large.txt" | md5sum)"
    same "two on one connection" "1 0" \
        "$(get -o /dev/null -o /dev/null -w '%{num_connects} ' "$url/hello.txt" \
            "$url/hello.txt" | sed 's/ $//')"
    port=${through##*:}
    same "two in one packet" 2 "$(talk "GET $url/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n\
GET $url/hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" | grep -c '^hello$')"
    same "HEAD" "200 $(wc -c <"$work/site/large.txt")" \
        "$(get -I "$url/large.txt" | tr -d '\r' |
            awk '/^HTTP/ { s = $2 } /^Content-Length/ { l = $2 } END { print s, l }')"
    same "a part" "206 3" \
        "$(get -r 0-2 -o /dev/null -w '%{http_code} %{size_download}' "$url/hello.txt")"
    same "not modified" 304 "$(code -z "$work/site/hello.txt" "$url/hello.txt")"
    same "HTTP/1.0" "$sum" "$(get -0 "$url/large.txt" | md5sum)"
    same "what is not there" 404 "$(code "$url/none")"
    same "an upload that is refused" 405 \
        "$(code -T "$work/site/large.txt" -H 'Transfer-Encoding: chunked' "$url/put")"
    same "twenty at once" "20 $sum" \
        "$(seq 20 | xargs -P 20 -I{} curl -sS -m 30 -x "http://$through" \
            -o "$work/got{}" "$url/large.txt" && cat "$work"/got* | wc -c |
            awk -v one="$(wc -c <"$work/site/large.txt")" '{ print $1 / one }') $(
            md5sum <"$work/got7")"
    rm -f "$work"/got*
}

check_refusals() {
    local host='Host: x\r\nConnection: close\r\n'

    port=${through##*:}
    like "no whole URL" '*400 Bad Request*this is a proxy*' \
        "$(talk "GET / HTTP/1.1\r\n$host\r\n")"
    same "https is not forwarded" 400 "$(ask "GET https://x/ HTTP/1.1\r\n$host\r\n")"
    same "a password in a URL" 400 "$(ask "GET http://a:b@x/ HTTP/1.1\r\n$host\r\n")"
    same "no URL" 400 "$(ask "GET http://[x/ HTTP/1.1\r\n$host\r\n")"
    same "both lengths" 400 "$(ask "POST http://$own/ HTTP/1.1\r\n${host}Content-Length: 5\
\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")"
    same "a tunnel to a port that is not allowed" 403 "$(ask "CONNECT 127.0.0.1:22 \
HTTP/1.1\r\n$host\r\n")"
    same "to no port" 400 "$(ask "CONNECT x:https HTTP/1.1\r\n$host\r\n")"
    same "to a socket's path" 400 "$(ask "CONNECT unix:443 HTTP/1.1\r\n$host\r\n")"
    like "a tunnel to where nobody listens" '*502 Bad Gateway*127.0.0.1:1: Connection refused' \
        "$(talk "CONNECT 127.0.0.1:1 HTTP/1.1\r\n$host\r\n")"
    like "a request to where nobody listens" '*502 Bad Gateway*127.0.0.1:1: Connection refused' \
        "$(talk "GET http://127.0.0.1:1/ HTTP/1.1\r\n$host\r\n")"
    same "to an unknown host" 502 "$(code http://no.such.host.invalid/)"
    via=$(get -D - -o /dev/null "http://$own/hello.txt" | tr -d '\r' | sed -n 's/^Via: //p')
    like "it names itself" '1.1 cogen-????????' "$via"
    same "and does not go in circles" 508 "$(code -H "Via: 1.0 x, $via" "http://$own/")"
}

check_nginx() {
    local url=http://127.0.0.1:$base

    : >"$work/nginx/access"
    same "nginx: a page" "$sum" "$(get "$url/large.txt" | md5sum)"
    same "nothing" 204 "$(code "$url/nothing")"
    same "not modified by nginx" 304 "$(code -z "$work/site/hello.txt" "$url/hello.txt")"
    until_true logged hello
    same "on one connection" 1 \
        "$(cut -d ' ' -f 1 "$work/nginx/access" | sort -u | wc -l)"
    same "an upload" "201 $sum" \
        "$(code -T "$work/site/large.txt" "$url/up/$reactor") $(md5sum <"$work/dav/$reactor")"
    same "in chunks, asked first" "204 $sum" "$(code -H 'Transfer-Encoding: chunked' \
        -H 'Expect: 100-continue' -T - "$url/up/$reactor" <"$work/site/large.txt") $(
        md5sum <"$work/dav/$reactor")"
    : >"$work/nginx/access"
    rm -f "$work/slow"
    "$curl" -s -x "http://$through" -o "$work/slow" "$url/slow/large.txt" &
    until_true test -s "$work/slow"
    kill $!
    wait $! 2>/dev/null
    same "a client that leaves" 0 "$(until_true logged /slow/; echo $?)"
    below "is not waited for" 1988895 "$(sed -n 's,.*/slow/large.txt ,,p' \
        "$work/nginx/access")"
}

# ---- What is handed on ----------------------------------------------------------------

check_fields() {
    local end='\r\n\r\n$' said

    origin "$end" 'HTTP/1.1 200 OK\r\nDate: then\r\nServer: x\r\nX-Hop: 1\r\nX-End: 2\r\nConnection: X-Hop, close\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nok'
    said=$(get -i -H 'Connection: X-Secret' -H 'X-Secret: 1' -H 'X-Kept: 2' -H 'TE: trailers' \
        -H 'Proxy-Connection: x' -H 'User-Agent:' -H 'Accept:' "http://127.0.0.1:$there/a?b" |
        tr -d '\r')
    same "a request without what is the connection's" "GET /a?b HTTP/1.1
Host: 127.0.0.1:$there
X-Kept: 2
TE: trailers
Connection: TE
Via: ${via}" "$(heard | sed '/^$/,$d')"
    same "an answer without what is the connection's" "HTTP/1.1 200 OK
Content-Length: 2
Date: then
Server: x
X-End: 2
Via: $via

ok" "$said"
    end "$origin"
    origin '0\r\nX-Sum: 7\r\n\r\n$' 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 8\r\n\r\n'
    port=${through##*:}
    said=$(talk "POST http://127.0.0.1:$there/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
Accept-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
    like "chunks and trailers there" $'*chunked\n\n3\nabc\n0\nX-Sum: 7*' "$(heard)"
    like "and back" $'*chunked*\n\n2\nok\n0\nX-Sum: 8' "$said"
    end "$origin"
    origin "$end" 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort'
    same "a short answer that is incomplete" 502 "$(code "http://127.0.0.1:$there/")"
    end "$origin"
    # Longer than a piece: the proxy never sees the end of it before it has passed the head on.
    origin "$end" 'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nConnection: close\r\n\r\n%040000d'
    get -o /dev/null "http://127.0.0.1:$there/" 2>/dev/null
    same "a long answer that is incomplete" 18 $?
    end "$origin"
    origin "$end" 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\nX-Hop: 1\r\nConnection: X-Hop\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
    same "hints before an answer" "HTTP/1.1 103 Early Hints
Link: </a>

HTTP/1.1 200 OK
Content-Length: 2
Via: $via

ok" "$(get -i "http://127.0.0.1:$there/" | tr -d '\r' | grep -v '^\(Date\|Server\)')"
    like "which HTTP/1.0 does not know" 'HTTP/1.1 200 OK*ok' \
        "$(talk "GET http://127.0.0.1:$there/ HTTP/1.0\r\n\r\n")"
    end "$origin"
    same "a client that says nothing more" hello "$(half_close "http://$own/hello.txt")"
    rm -f "$work/asked"
    after=$work/asked origin "$end" 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    same "is asked after a while, and answered" "HTTP/1.1 100 Continue HTTP/1.1 200 OK ok" \
        "$(after=$work/asked half_close "http://127.0.0.1:$there/" '^HTTP\|^ok' | paste -sd ' ')"
    end "$origin"
    origin "$end" 'SSH-2.0-x\r\n'
    same "what is no HTTP" 502 "$(code "http://127.0.0.1:$there/")"
    end "$origin"
}

# leaves FILE: begins a request to the server, and leaves when the file is not empty.
leaves() {
    "$curl" -sN -x "http://$through" -o "$work/got" "http://127.0.0.1:$there/" 2>/dev/null &
    until_true test -s "$1"
    kill $!
    wait $! 2>/dev/null
}

# The client closes while the server is silent, before or within its response.
begin_leaving() {
    rm -f "$work/got"
    notes=$work/within origin '\r\n\r\n$' 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'
    within=$origin
    leaves "$work/got"
    notes=$work/before origin '\r\n\r\n$' ''
    before=$origin
    leaves "$work/before"
}

# The proxy notices a little later, and does not wait for that server.
check_leaving() {
    same "a client that leaves a silent server" 0 \
        "$(until_true grep -q closed "$work/before"; echo $?)"
    end "$before"
    same "or one within its answer" 0 "$(until_true grep -q closed "$work/within"; echo $?)"
    end "$within"
}

check_clocks() {
    serve proxy --listen 127.0.0.1:0 --timeout 1 --allow-port "${own##*:}" --grace 0.2 || return
    origin '\r\n\r\n$' ''
    same "a server that does not answer" 504 \
        "$(through=$addr; code "http://127.0.0.1:$there/")"
    end "$origin"
    same "an idle tunnel ends" "HTTP/1.1 200 OK" \
        "$(talk "CONNECT $own HTTP/1.1\r\nHost: x\r\n\r\n" | head -n 1)"
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    printf 'CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n' "$own" >&5
    read -r out <&5
    stopped INT "with a tunnel open"
    exec 5<&-
}

check_user() {
    serve proxy --listen 127.0.0.1:0 --user me:secret --allow-port "${own##*:}" || return
    local through=$addr

    same "without a name" 407 "$(code "http://$own/hello.txt")"
    same "with a wrong one" 407 "$(code -U me:secrex "http://$own/hello.txt")"
    same "with the right one" 200 "$(code -U me:secret "http://$own/hello.txt")"
    same "a tunnel without" "56 407" \
        "$(get -p -o /dev/null -w '%{http_connect}' "http://$own/" >"$work/out" 2>/dev/null
            echo "$? $(cat "$work/out")")"
    same "and with it" hello "$(get -p -U me:secret "http://$own/hello.txt")"
    http_proxy=http://me:secret@$addr run "$examples/http_client" "http://$own/hello.txt"
    same "http_client says it as well" "0 hello " "$status $out $err"
    stopped TERM
}

# ---- Tunnels --------------------------------------------------------------------------

# Starts a server that reads up to the end of the stream, and then sends the number of bytes;
# sets $counts_port.
start_counts() {
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e '$| = 1; socket(S, PF_INET, SOCK_STREAM, 0)
            and bind(S, sockaddr_in(0, INADDR_LOOPBACK)) and listen(S, 5) or die;
        print((sockaddr_in(getsockname(S)))[0], "\n");
        while (accept(C, S)) {
            my ($n, $some) = (0, "");
            $n += length $some while sysread(C, $some, 65536);
            syswrite(C, "$n\n"); close(C);
        }' >"$work/counts" &
    pids+=($!)
    until_true test -s "$work/counts"
    read -r counts_port <"$work/counts"
}

check_tunnels() {
    same "a page through a tunnel" "$sum" "$(get -p "http://$own/large.txt" | md5sum)"
    # shellcheck disable=SC2016 # perl's variables
    same "the end of one direction leaves the other" "1000000" \
        "$(perl -MSocket -e 'my ($port, $to) = @ARGV;
            socket(C, PF_INET, SOCK_STREAM, 0) and
                connect(C, sockaddr_in($port, INADDR_LOOPBACK)) or die;
            syswrite(C, "CONNECT 127.0.0.1:$to HTTP/1.1\r\nHost: x\r\n\r\n");
            my ($got, $some) = ("", "");
            $got .= $some while $got !~ /\r\n\r\n/ && sysread(C, $some, 4096);
            for (1 .. 100) { my $x = "x" x 10000;
                $x = substr($x, syswrite(C, $x)) while length $x; }
            shutdown(C, 1);
            print $some while sysread(C, $some, 4096);' "${through##*:}" "$counts_port")"
}

check_own_client() {
    http_proxy=http://$through run "$examples/http_client" --reactor "$reactor" \
        "http://$own/hello.txt" "http://$own/large.txt"
    same "http_client by the environment" "0  $(cat "$work"/site/{hello,large}.txt | md5sum)" \
        "$status $err $(md5sum <"$work/out")"
    ! $tls && return
    https_proxy=http://$through run "$examples/http_client" --reactor "$reactor" \
        --cacert "$work/ca.pem" "https://localhost:$((base + 1))/large.txt"
    same "and https" "0  $sum" "$status $err $(md5sum <"$work/out")"
    same "curl and https" "$sum" \
        "$(get --cacert "$work/ca.pem" "https://localhost:$((base + 1))/large.txt" | md5sum)"
}

# ---- The end --------------------------------------------------------------------------

# After Ctrl-C running requests finish; no new one is accepted.
check_end() {
    if [ -n "$nginx" ]; then
        head -c 60000 "$work/site/large.txt" >"$work/site/some.txt"
        rm -f "$work/last"
        get -o "$work/last" "http://127.0.0.1:$base/slow/some.txt" &
        until_true test -s "$work/last"
    else
        true &
    fi
    kill -INT "$server"
    wait $!
    same "what runs at the end finishes" 0 $?
    ended "after that"
    same "nobody listens any more" 7 "$(get -o /dev/null "http://$own/" 2>/dev/null; echo $?)"
}

tls=false base=0
start_counts
! have_tls || tls=true
if [ -z "$nginx" ] || ! start_nginx configuration; then
    echo "SKIP nginx: there is none that starts (in Debian: nginx-light)"
    nginx='' tls=false
fi
reactor=none run "$examples/proxy" --allow-port 0
same "a port that is none" "2 proxy: a port must be a number from 1 to 65535 (see --help)" \
    "$status $err"
run "$examples/proxy" --user me
same "no password" "2 proxy: USER must be NAME:PASSWORD, and not long (see --help)" \
    "$status $err"
for reactor in $(reactors); do
    where="$reactor: "
    serve http_server --listen 127.0.0.1:0 --root "$work/site" || continue
    own=$addr own_server=$server
    check_user
    check_clocks
    serve proxy --listen 127.0.0.1:0 --allow-port "${own##*:}" --allow-port $((base + 1)) \
        --allow-port 1 --allow-port "$counts_port" || continue
    through=$addr through_server=$server
    begin_leaving
    check_pages
    check_tunnels
    check_refusals
    check_fields
    [ -z "$nginx" ] || check_nginx
    check_own_client
    check_leaving
    server=$through_server name=proxy
    check_end
    server=$own_server name=http_server
    stopped TERM
done
totals
