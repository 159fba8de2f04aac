#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The downloader examples/http_client with nginx (keep-alive, redirects, gzip, ranges, TLS with
# our own CA) and with examples/http_server, on every reactor. Prints a line for each check.
#   tests/http_client.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_client http_server
get=$examples/http_client

# fetch ARGUMENT...: its status, output and errors are in $status, $out and $err.
fetch() {
    run "$get" --reactor "$reactor" "$@"
    err=$(sed 's/^http_client: //' "$work/err")
}

# ---- Pages ----------------------------------------------------------------------------

make_site() {
    mkdir -p "$work/site" "$work/here"
    echo hello >"$work/site/hello.txt"
    seq 100000 >"$work/site/large.txt"
    # Old, so that a cache may keep them for long.
    touch -d '2024-05-06 07:08:09 UTC' "$work"/site/{hello,large}.txt
}

tls_server() {
    echo "server { listen 127.0.0.1:$2 ssl; root $work/site;
        ssl_certificate $work/$1.pem; ssl_certificate_key $work/$1.key; }"
}

# ---- nginx ----------------------------------------------------------------------------

configuration() {
    cat <<CONF
log_format it '\$connection \$status \$request_uri \$sent_http_content_encoding';
access_log $work/nginx/access it;
server {
    listen 127.0.0.1:$base; root $work/site;
    location /moved { return 302 /hello.txt; }
    location /loop { return 302 /loop; }
    location /says { return 200 "\$request_method \$http_x_a \$content_length"; }
    location /odd { add_header X-Odd "a$(printf '\233')m"; return 200 ok; }
    location /cookie { add_header Set-Cookie "a=1; Path=/"; return 200 "[\$http_cookie]"; }
    location /who { return 200 "\$http_authorization"; }
    location /packed/ { alias $work/site/; gzip on; gzip_types text/plain; }
    location /rfc850/ { alias $work/site/; etag off;
        add_header Last-Modified "Monday, 06-May-24 07:08:09 GMT"; }
    location /asctime/ { alias $work/site/; etag off;
        add_header Last-Modified "Mon May  6 07:08:09 2024"; }
    location /slow/ { alias $work/site/; limit_rate 100k; }
}
CONF
    ! $tls || { tls_server good $((base + 1)) && tls_server expired $((base + 2)) &&
        tls_server other $((base + 3)); }
}

# asked NUMBER: prints nginx's log since the last call, when it has NUMBER requests.
asked() {
    until_true test "$(wc -l <"$work/nginx/access")" -ge "$1"
    cat "$work/nginx/access"
    : >"$work/nginx/access"
}

check_cookies() {
    rm -f "$work/jar"
    fetch --parallel 1 -b "$work/jar" -c "$work/jar" "$1/cookie" "$1/cookie"
    same "a cookie is sent back" "0 [][a=1]" "$status $out$err"
    echo nonsense >>"$work/jar"
    fetch -H 'Cookie: c=3' -b b=2 -b "$work/jar" -c - "$1/cookie"
    like "cookies of a file and of the command line" \
        "1 [[]c=3; b=2; a=1[]]# Netscape*"$'\t'"a"$'\t'"1$work/jar: line 5 is not a cookie" \
        "$status $out$err"
}

check_targets() {
    local hello="0 hello "

    fetch --resolve "no.such.host.invalid:$base:127.0.0.1" "http://no.such.host.invalid:$base/hello.txt"
    same "--resolve" "$hello" "$status $out $err"
    fetch --connect-to "::127.0.0.1:$base" http://no.such.host.invalid/hello.txt
    same "--connect-to" "$hello" "$status $out $err"
    fetch --unix-socket "$work/none.sock" http://no.such.host.invalid/
    like "--unix-socket" "1 http://no.such.host.invalid/: unix:$work/none.sock: No such file*" \
        "$status $err"
    fetch --resolve nonsense http://no.such.host.invalid/
    like "an address that is none" "2 --resolve takes HOST:PORT:ADDR*" "$status $err"
    fetch --resolve x:99999:127.0.0.1 http://x/
    like "a port that is none" "2 --resolve takes HOST:PORT:ADDR*" "$status $err"
    fetch --connect-to x:80:y:http http://x/
    like "another" "2 --connect-to takes HOST1:PORT1:HOST2:PORT2*" "$status $err"
}

check_nginx() {
    local url=http://127.0.0.1:$base coding

    : >"$work/nginx/access"
    fetch --parallel 1 "$url/hello.txt" "$url/moved" "$url/hello.txt" "$url/large.txt"
    same "pages, one of them moved" "0  $(cat "$work"/site/{hello,hello,hello,large}.txt |
        md5sum)" "$status $err $(md5sum <"$work/out")"
    same "on one connection" "1" "$(asked 5 | cut -d ' ' -f 1 | sort -u | wc -l)"
    fetch "$url/loop"
    same "no end of redirects" "1 $url/loop: more than 10 redirects" "$status $err"
    check_cookies "$url"
    check_targets
    : >"$work/nginx/access"
    fetch "$url/packed/large.txt"
    coding=$(asked 1 | cut -d ' ' -f 4)
    if [ "$coding" = gzip ]; then
        same "gzip is decoded" "0 $(md5sum <"$work/site/large.txt")" \
            "$status $(md5sum <"$work/out")"
    else
        echo "SKIP $reactor: gzip is decoded: built without zlib?"
    fi
    fetch --limit-rate 1M "$url/large.txt"
    same "a limited rate" "0 $(md5sum <"$work/site/large.txt")" \
        "$status $(md5sum <"$work/out")"
    fetch -v --parallel 1 --cache 1M "$url/hello.txt" "$url/hello.txt"
    same "the second time from the cache" "0 1 $(printf 'hello\nhello')" \
        "$status $(grep -c 'from the cache$' <<<"$err") $out"
    fetch --cache 1x "$url/hello.txt"
    same "a size that is none: $err" "2 " "$status $out"
    fetch --limit-rate 1x "$url/large.txt"
    same "an invalid rate" 2 "$status"
    fetch -X PUT -H 'X-A: b' -d hello "$url/says"
    same "a method, a field and data" "0 PUT b 5" "$status $out"
    fetch -T "$work/site/hello.txt" "$url/says"
    same "a file" "0 PUT  6" "$status $out"
    fetch -T "$work/none" "$url/says"
    same "a file that is not there: $err" "1 " "$status $out"
    fetch -v "$url/odd"
    same "what a server says does not reach the terminal" '< X-Odd: a\x9bm' \
        "$(grep -a X-Odd "$work/err")"
    fetch "http://me:secret@127.0.0.1:$base/who"
    same "a user of the URL" "0 Basic $(printf me:secret | base64)" "$status $out"
    check_parts "$url/large.txt" 'no more than what is missing'
    check_parts "$url/rfc850/large.txt" 'parts with a date as RFC 850 has it'
    check_parts "$url/asctime/large.txt" 'parts with a date as asctime has it'
}

# Downloads a file in parts: $1 URL, $2 the name of the check.
check_parts() {
    local file=$work/here/large.txt

    cd "$work/here" || exit 1
    rm -f "$file"
    fetch -O "$1"
    same "a file of its own name, with the date of the page" \
        "0  $(md5sum <"$work/site/large.txt") $(stat -c %Y "$work/site/large.txt")" \
        "$status $err $(md5sum <"$file") $(stat -c %Y "$file")"
    truncate -s 100000 "$file"
    touch -r "$work/site/large.txt" "$file"
    fetch -v -C -O "$1"
    same "$2" "0 < Content-Range: bytes 100000-588894/588895 $(md5sum <"$file")" \
        "$status $(grep -i '^< content-range' "$work/err" | tr -d '\r') $(
            md5sum <"$work/site/large.txt")"
    fetch -C -O "$1"
    same "nothing is missing" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    echo 'another page' >"$file"
    fetch -C -O "$1"
    same "another page by now: all of it" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    echo 'an older page' >"$file"
    touch -d '2020-01-01 UTC' "$file"
    fetch -C -O "$1"
    same "a newer page by now: all of it" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    cd "$OLDPWD" || exit 1
}

# Interrupts a download with Ctrl-C, and continues it.
check_interrupt() {
    local file=$work/here/part

    rm -f "$file"
    "$get" --reactor "$reactor" -o "$file" "http://127.0.0.1:$base/slow/large.txt" \
        >"$work/out" 2>"$work/err" </dev/null &
    pids+=($!)
    until_true test -s "$file"
    kill -INT $!
    wait $!
    same "SIGINT ends it in silence" "1 " "$? $(cat "$work/err")"
    forget $!
    [ "$(wc -c <"$file")" -lt 588895 ]
    same "with a part of the page" 0 $?
    like "and its entity tag" '"*"' "$(cat "$file.etag")"
    fetch -C -o "$file" "http://127.0.0.1:$base/large.txt"
    same "which another run completes" "0  $(md5sum <"$work/site/large.txt")" \
        "$status $err $(md5sum <"$file")"
    [ ! -e "$file.etag" ]
    same "and the tag is gone" 0 $?
    check_tag "http://127.0.0.1:$base/large.txt" "$file"
}

# Continues a file whose entity tag is of another page, whatever its date: $1 URL, $2 the file.
check_tag() {
    truncate -s 100000 "$2"
    touch -r "$work/site/large.txt" "$2"
    echo 'another page' | dd of="$2" conv=notrunc status=none
    touch -r "$work/site/large.txt" "$2"
    printf '"another"' >"$2.etag"
    fetch -v -C -o "$2" "$1"
    same "another tag: all of the page" "0 200 $(md5sum <"$work/site/large.txt")" \
        "$status $(sed -n 's/^< HTTP.1.1 \([0-9]*\) .*/\1/p' "$work/err") $(md5sum <"$2")"
    [ ! -e "$2.etag" ]
    same "whose tag is gone as well" 0 $?
}

# Many transfers on a small terminal.
check_progress() {
    local many

    if ! type python3 >/dev/null; then
        echo "SKIP $reactor: progress on a small terminal: there is no python3"
        return
    fi
    mapfile -t many < <(yes "http://127.0.0.1:$base/slow/large.txt" | head -n 40)
    same "progress of 40 transfers has room in 24 lines of 60 columns" "23 59 and 18 more" "$(
        python3 "$(dirname "${BASH_SOURCE[0]}")/http_client_screen.py" 24 60 \
            "and 18 more" "$get" --reactor "$reactor" -o "$work/here/many" \
            --parallel 40 "${many[@]}")"
}

check_tls() {
    local page=hello.txt pin

    fetch --cacert "$work/ca.pem" "https://localhost:$((base + 1))/$page" \
        "https://127.0.0.1:$((base + 1))/$page"
    same "https" $'0 hello\nhello ' "$status $out $err"
    fetch "https://localhost:$((base + 1))/$page"
    same "an unknown CA is refused" "1 " "$status $out"
    [ -n "$err" ]
    same "and it is said why: $err" 0 $?
    fetch -k "https://localhost:$((base + 1))/$page"
    same "unless everybody is trusted" "0 hello" "$status $out"
    pin=sha256//$("$openssl" x509 -in "$work/good.pem" -noout -pubkey |
        "$openssl" pkey -pubin -outform der | "$openssl" dgst -sha256 -binary | "$openssl" base64)
    fetch --cacert "$work/ca.pem" --pinnedpubkey "$pin" "https://localhost:$((base + 1))/$page"
    same "a pinned key" "0 hello" "$status $out"
    fetch -k --pinnedpubkey "sha256//${pin:9:1}${pin:8:1}${pin:10}" "https://localhost:$((base + 1))/$page"
    same "another pinned key: $err" "1 " "$status $out"
    fetch --cacert "$work/ca.pem" "https://localhost:$((base + 2))/$page"
    same "an expired certificate is refused: $err" "1 " "$status $out"
    fetch --cacert "$work/ca.pem" "https://localhost:$((base + 3))/$page"
    same "that of another host is refused: $err" "1 " "$status $out"
    fetch --cacert "$work/ca.pem" "https://127.0.0.1:$base/$page"
    same "no TLS there: $err" "1 " "$status $out"
}

# s_server ARGUMENT...: starts openssl s_server with the input $work/says; sets $port.
s_server() {
    : >"$work/s_server"
    (cd "$work/site" && exec "$openssl" s_server -accept 127.0.0.1:0 \
        -cert "$work/good.pem" -key "$work/good.key" "$@") \
        <"$work/says" >"$work/s_server" 2>&1 &
    server=$!
    pids+=("$server")
    exec 5>"$work/says"
    until_true grep -q '^ACCEPT.*:' "$work/s_server"
    port=$(sed -n 's/^ACCEPT.*://p' "$work/s_server")
}

# Bodies without a length end with the TLS stream. If it ends with close_notify, the page is
# complete; if the server is killed, the client must report an error.
check_truncation() {
    local file=$work/truncated client

    rm -f "$file" "$work/says"
    mkfifo "$work/says"
    s_server -WWW
    fetch --cacert "$work/ca.pem" "https://127.0.0.1:$port/hello.txt"
    same "a body up to the end of TLS" "0 hello " "$status $out $err"
    exec 5>&-
    end "$server"
    s_server
    "$get" -v --reactor "$reactor" --cacert "$work/ca.pem" -o "$file" \
        "https://127.0.0.1:$port/" >"$work/out" 2>"$work/err" </dev/null &
    client=$!
    pids+=("$client")
    printf 'HTTP/1.0 200 OK\r\n\r\nhello\n' >&5
    until_true grep -q '^< HTTP.* 200' "$work/err" # the head comes together with the body
    # Killed with unread input it would reset the connection.
    until_true grep -q '^GET ' "$work/s_server"
    kill -KILL "$server"
    end "$server" 2>/dev/null # hides the shell's message
    wait "$client"
    same "one that is cut off" "1 hello http_client: https://127.0.0.1:$port/: \
receiving the body failed: TLS stream ended without close_notify" \
        "$? $(cat "$work/out" "$file") $(tail -n 1 "$work/err")"
    exec 5>&-
    forget "$client"
}

check_own() {
    serve http_server --listen 127.0.0.1:0 --root "$work/site" || return
    fetch --parallel 3 "http://$addr/large.txt" "http://$addr/hello.txt" "http://$addr/large.txt"
    same "our server, several at once" \
        "0  $(cat "$work"/site/{large,hello,large}.txt | md5sum)" \
        "$status $err $(md5sum <"$work/out")"
    check_parts "http://$addr/large.txt" 'parts from our server'
    stopped TERM
}

tls=false
make_site
! have_tls || tls=true
if [ -z "$nginx" ] || ! start_nginx configuration; then
    echo "SKIP nginx: there is none that starts (in Debian: nginx-light)"
    nginx=''
fi
for reactor in $(reactors); do
    where="$reactor: "
    check_own
    ! $tls || check_truncation
    [ -n "$nginx" ] || continue
    check_nginx
    check_interrupt
    check_progress
    ! $tls || check_tls
done
totals
