#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The HTTP servers with foreign clients: curl, and shortly wrk and ab. Missing clients are named
# and left out.
#   tests/http_curl.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need http_server http_hello http_get
[ -n "$curl" ] || skip "there is no curl"

get() {
    curl -sS -m 60 "$@"
}

# load URL: runs wrk and ab shortly; every request must get its page.
load() {
    if command -v wrk >/dev/null; then
        wrk -t 1 -c 32 -d 1 "$1" >"$work/wrk"
        same "wrk has no errors" 0 "$(grep -c 'Socket errors\|Non-2xx' "$work/wrk")"
        same "wrk has answers" 1 "$(grep -c ' requests in ' "$work/wrk")"
    else
        echo "SKIP: there is no wrk"
    fi
    if command -v ab >/dev/null; then
        ab -q -k -n 2000 -c 32 "$1" >"$work/ab" 2>&1
        same "ab has its answers, on kept connections" "2000 0 2000" \
            "$(awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 }
                /^Non-2xx/ { f += $3 } /^Keep-Alive requests/ { k = $3 }
                END { print c, f, k }' "$work/ab")"
    else
        echo "SKIP: there is no ab (in Debian: apache2-utils)"
    fi
}

mkdir "$work/site"
seq 200000 >"$work/site/large.txt"
cp "$source/examples/site/hello.txt" "$work/site"
gzip -k "$work/site/large.txt" 2>/dev/null

serve http_server --listen 127.0.0.1:0 --root "$work/site" --log || exit 1
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
load "http://$addr/hello.txt"
kill -TERM "$server"
wait "$server"
same "the server ends well" 0 $?
forget "$server"
same "the access log" '"GET /large.txt HTTP/1.1" 200 1288895' \
    "$(sed -n '1s/.*\] \("GET[^"]*" [0-9]* [0-9]*\) .*/\1/p' "$work/http_server.err")"

# The server of the bench, on every reactor; and the smallest client.
for reactor in $(reactors); do
    where="$reactor: "
    serve http_hello --listen 127.0.0.1:0 || continue
    run "$examples/http_get" "http://$addr/" "http://$addr/" http://127.0.0.1:1/
    same "http_get prints pages, and what it cannot get" \
        "1 Hello, world! Hello, world! http_get: http://127.0.0.1:1/: 127.0.0.1:1: Connection refused" \
        "$(echo $status $out $err)"
    load "http://$addr/"
    stopped TERM "after that"
done
where='' reactor=''

if have_tls; then
    serve http_server --listen 127.0.0.1:0 --root "$work/site" \
        --tls-cert "$work/good.pem" --tls-key "$work/good.key" || exit 1
    same "a file over TLS" "$sum" \
        "$(get --cacert "$work/ca.pem" "https://$addr/large.txt" | md5sum)"
    for method in GET DELETE OPTIONS; do
        same "HTTP where TLS is wanted: $method" "400 35" \
            "$(get -X $method -o /dev/null -w '%{http_code} %{size_download}' "http://$addr/")"
    done
    same "a large body where TLS is wanted" 400 \
        "$(head -c 3000000 /dev/zero | get -T - -o /dev/null -w '%{http_code}' "http://$addr/")"
    load "https://$addr/hello.txt"
    stopped TERM
fi
totals
