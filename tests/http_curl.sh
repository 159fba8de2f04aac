#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The HTTP server against clients that others wrote: curl, and wrk for a second. Runs in the
# build directory; what is missing is said and left out.
set -u

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
server=examples/http_server
[ -x $server ] || { echo "SKIP: HTTP was not built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP: there is no curl"; exit 77; }
unset COGEN_REACTOR http_proxy HTTP_PROXY all_proxy ALL_PROXY
work=$(mktemp -d)
pid='' passed=0 failed=0
tidy() {
    [ -z "$pid" ] || { kill "$pid"; wait "$pid"; } 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# same NAME EXPECTED GOT
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n    expected: %s\n    got: %s\n' "$1" "$2" "$3"
    fi
}

get() {
    curl -sS -m 20 "$@"
}

mkdir "$work/site"
seq 200000 >"$work/site/large.txt"
cp "$source/examples/site/hello.txt" "$work/site"
gzip -k "$work/site/large.txt" 2>/dev/null

# serve ARGUMENT...: starts the server; its address is in $addr.
serve() {
    local i

    : >"$work/out"
    "$server" --listen 127.0.0.1:0 --root "$work/site" "$@" >"$work/out" 2>"$work/log" &
    pid=$!
    addr=''
    for ((i = 0; i < 200 && ${#addr} == 0; i++)); do
        sleep 0.02
        read -r addr <"$work/out"
        kill -0 "$pid" 2>/dev/null || break
    done
    addr=${addr#listening on }
}

stop() {
    kill -TERM "$pid"
    wait "$pid"
    same "the server ends well" 0 $?
    pid=''
}

serve --log
url=http://$addr
sum=$(md5sum <"$work/site/large.txt")

same "a file" "$sum" "$(get "$url/large.txt" | md5sum)"
same "decompressed" "$sum" "$(get --compressed "$url/large.txt" | md5sum)"
[ ! -e "$work/site/large.txt.gz" ] ||
    same "compressed" gzip "$(get -D - -o "$work/gz" -H 'Accept-Encoding: gzip' \
        "$url/large.txt" | tr -d '\r' | sed -n 's/^Content-Encoding: //p')"
head -c 100000 "$work/site/large.txt" >"$work/part"
get -C - -o "$work/part" "$url/large.txt"
same "a download resumed" "$sum" "$(md5sum <"$work/part")"
get --etag-save "$work/etag" -o "$work/first" "$url/large.txt"
same "not modified" 304 \
    "$(get --etag-compare "$work/etag" -o "$work/second" -w '%{http_code}' "$url/large.txt")"
same "one connection for three" "1 0 0" \
    "$(get -o "$work/a" -o "$work/b" -o "$work/c" -w '%{num_connects} ' "$url/hello.txt" \
        "$url/nothing" "$url/" | sed 's/ $//')"
same "an upload that is too large" 413 \
    "$(get -o "$work/a" -w '%{http_code}' -T "$work/site/large.txt" "$url/put.txt")"
same "in chunks" 405 "$(get -o "$work/a" -w '%{http_code}' -H 'Transfer-Encoding: chunked' \
    -d @"$work/site/hello.txt" "$url/hello.txt")"
same "HTTP/1.0" "200 1.0" \
    "$(get -0 -o "$work/a" -w '%{http_code}' "$url/hello.txt") 1.0"
if command -v wrk >/dev/null; then
    wrk -t 1 -c 32 -d 1 "$url/hello.txt" >"$work/wrk"
    same "wrk has no errors" 0 "$(grep -c 'Socket errors\|Non-2xx' "$work/wrk")"
    same "wrk has answers" 1 "$(grep -c ' requests in ' "$work/wrk")"
else
    echo "SKIP: there is no wrk"
fi
stop
same "the access log" '"GET /large.txt HTTP/1.1" 200 1288895' \
    "$(sed -n '1s/.*\] \("GET[^"]*" [0-9]* [0-9]*\) .*/\1/p' "$work/log")"

# TLS, where both it and the command openssl are.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -keyout "$work/key.pem" -out "$work/cert.pem" -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 2>/dev/null
}
if ! command -v openssl >/dev/null || ! certificate; then
    echo "SKIP: TLS: there is no command openssl"
else
    serve --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
    if grep -q 'without TLS' "$work/log"; then
        echo "SKIP: TLS: it was not built"
        wait "$pid"
        pid=''
    else
        same "a file over TLS" "$sum" \
            "$(get --cacert "$work/cert.pem" "https://$addr/large.txt" | md5sum)"
        same "plain text where TLS is wanted" 52 \
            "$(get -o "$work/a" "http://$addr/" 2>/dev/null; echo $?)"
        stop
    fi
fi
echo "$((100 * passed / (passed + failed)))%: Checks: $((passed + failed))," \
    "Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
