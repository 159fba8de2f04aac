#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the entry for HttpArena as its rules do: each end point's response, wrong input, and what
# happens without a database. PostgreSQL is started here; what is not installed is named.
#   bench/arena/check.sh [DIRECTORY-OF-THE-EXAMPLES]     in the build folder
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/lib.sh"
arena=$examples/../bench/arena/arena
[ -x "$arena" ] || skip "bench/arena/arena was not built, see the end of configure"
[ -n "$curl" ] || skip "there is no curl"
need http_client
have_tls || skip "the server needs a certificate"

get() {
    curl -sS -m 20 --cacert "$work/ca.pem" "$@" 2>&1
}

status() {
    get -o /dev/null -w '%{http_code}' "$@"
}

# field NAME ARGUMENT...: prints the value of a field of the response.
field() {
    get -o /dev/null -D - "${@:2}" | tr -d '\r' | sed -n "s/^$1: //Ip"
}

# read_twice URL: reads again and again, up to 50 times, until a response comes from the cache, which
# keeps it for 200 ms: a busy machine may be slower than that. Prints how the last one was made.
read_twice() {
    local how=MISS i

    for ((i = 0; i < 50; i++)); do
        how=$(field X-Cache "$1")
        [ "$how" = HIT ] && break
    done
    echo "$how"
}

# split PART...: sends a request in packets of their own; prints the end of the response.
split() {
    local each

    exec 3<>"/dev/tcp/127.0.0.1/${h1##*:}"
    for each in "$@"; do
        # shellcheck disable=SC2059 # it is a format
        printf "$each" >&3
        sleep 0.03
    done
    tail -n 1 <&3
    exec 3>&-
}

# ---- What the server serves -----------------------------------------------------------

tags='["fast","new"]'

# item ID [FIELD]: prints an item of the dataset; the field goes behind it.
item() {
    printf '{"id":%d,"name":"Item %d","category":"tools","price":%d,"quantity":%d,' \
        "$1" "$1" "$((100 + $1))" "$((2 * $1))"
    printf '"active":true,"tags":%s,"rating":{"score":%d,"count":7}%s}' "$tags" "$1" "${2-}"
}

# items COUNT [MULTIPLIER]: the same with their totals, after a comma each but the first.
items() {
    local i

    for ((i = 1; i <= $1; i++)); do
        [ "$i" -eq 1 ] || printf ,
        item "$i" ${2:+",\"total\":$(((100 + i) * 2 * i * $2))"}
    done
}

make_data() {
    local dir=$work/data/static

    mkdir -p "$dir" "$work/certs"
    cp "$work/good.pem" "$work/certs/server.crt"
    cp "$work/good.key" "$work/certs/server.key"
    echo "[$(items 50)]" >"$work/data/dataset.json"
    seq 5000 >"$dir/app.js"
    gzip -k "$dir/app.js"
    seq 100 >"$dir/reset.css"
    head -c 8192 /dev/urandom >"$dir/hero.webp"
    head -c 20971520 /dev/zero >"$work/large"
}

# start: starts the server on free ports; sets $h1, $h1tls, $h2c and $h2 (host:port).
start() {
    local role=postgres

    [ "$(id -u)" -eq 0 ] || role=$(id -un)
    DATABASE_URL="postgres:///postgres?host=$work/pg&user=$role" DATABASE_MAX_CONN=4 \
        "$arena" "$work" 127.0.0.1:0 >"$work/arena.out" 2>"$work/arena.err" \
        </dev/null &
    name=arena server=$!
    pids+=("$server")
    until_true grep -q '^h2 ' "$work/arena.out" || {
        fail "arena starts" "$(cat "$work/arena.err")"
        totals
        exit
    }
    h1=$(sed -n 's/^h1 //p' "$work/arena.out")
    h1tls=localhost:$(sed -n 's/^h1-tls .*://p' "$work/arena.out")
    h2c=$(sed -n 's/^h2c //p' "$work/arena.out")
    h2=localhost:$(sed -n 's/^h2 .*://p' "$work/arena.out")
    port=${h1##*:}
}

# ---- The end points -------------------------------------------------------------------

check_baseline() {
    local url="$h1/baseline11?a=13&b=42" head='POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: a\r\n'

    same "a sum" "55 text/plain; charset=utf-8" "$(get -w ' %{content_type}' "$url")"
    same "a sum with a body" 75 "$(get -d 20 "$url")"
    same "a sum with a chunked body" 75 "$(get -H 'Transfer-Encoding: chunked' -d 20 "$url")"
    same "numbers below 0" -10 "$(get -d -7 "$h1/baseline11?a=-5&b=2")"
    same "a request in pieces" 55 \
        "$(split 'GET /baseli' 'ne11?a=13&b=42 HTTP/1.1\r\n' 'Host: a\r\nConnection: close\r\n\r\n')"
    same "a body in pieces" 75 \
        "$(split "${head}Connection: close\r\nContent-Length: 2\r\n\r\n" 2 0)"
    same "no numbers" "400 400 400 400" "$(status "$h1/baseline11?a=1x") $(
        status "$h1/baseline11?b=") $(status -d twenty "$url") $(
        status "$h1/baseline11?a=99999999999999999999")"
    same "another method, another path" "405 404" "$(status -X DELETE "$url") $(status "$h1/a")"
}

check_pipeline() {
    local many

    many=$(printf 'GET /pipeline HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n%.0s' {1..15})
    same "16 requests together" 16 "$(talk "${many}GET /pipeline HTTP/1.1\r\nHost: a\r\n`
        `Connection: close\r\n\r\n" | grep -c '^ok')"
}

check_json() {
    local all='50 items' coding

    same "two items" "{\"items\":[$(items 2 3)],\"count\":2} application/json" \
        "$(get -w ' %{content_type}' "$h1/json/2?m=3")"
    all="{\"items\":[$(items 50 7)],\"count\":50}"
    same "all items" "$all" "$(get "$h1/json/50?m=7")"
    same "no more than there are" "$all" "$(get "$h1/json/60?m=7")"
    for coding in gzip br; do
        same "with $coding" "$coding" \
            "$(field Content-Encoding -H "Accept-Encoding: $coding" "$h1/json/50?m=7")"
        same "the content with $coding" "$all" \
            "$(get --compressed -H "Accept-Encoding: $coding" "$h1/json/50?m=7")"
    done
    same "not compressed unless asked" "" "$(field Content-Encoding "$h1/json/50?m=7")"
    same "no numbers of items" "400 400 400" \
        "$(status "$h1/json/two") $(status "$h1/json/-1") $(status "$h1/json/2?m=x")"
    same "items over TLS" "{\"items\":[$(items 2 3)],\"count\":2} 1.1" \
        "$(get -w ' %{http_version}' "https://$h1tls/json/2?m=3")"
    same "items over HTTP/2" "{\"items\":[$(items 2 3)],\"count\":2} 2" \
        "$(get --http2-prior-knowledge -w ' %{http_version}' "$h2c/json/2?m=3")"
}

check_upload() {
    same "20 MB" 20971520 "$(get --data-binary @"$work/large" "$h1/upload")"
    same "20 MB in chunks" 20971520 "$(get -T - "$h1/upload" -X POST <"$work/large")"
    same "nothing" 0 "$(get -d '' "$h1/upload")"
    same "too much" 413 "$(cat "$work/large" "$work/large" |
        status -H Expect: --data-binary @- "$h1/upload" | tail -c 3)"
}

check_static() {
    local each url

    for each in app.js,text/javascript reset.css,text/css hero.webp,image/webp; do
        for url in "$h1" "https://$h2"; do
            get -o "$work/got" "$url/static/${each%,*}"
            cmp -s "$work/got" "$work/data/static/${each%,*}"
            same "$url ${each%,*}" 0 $?
            like "its type" "${each#*,}*" "$(field Content-Type "$url/static/${each%,*}")"
        done
    done
    same "compressed siblings" "gzip $(stat -c %s "$work/data/static/app.js.gz")" \
        "$(field Content-Encoding -H 'Accept-Encoding: br, gzip' "$h1/static/app.js") $(
            field Content-Length -H 'Accept-Encoding: br, gzip' "$h1/static/app.js")"
    same "no such file" "404 404" "$(status "$h1/static/none.txt") $(status "https://$h2/static/a")"
}

check_h2() {
    same "HTTP/2" "55 2" "$(get -w ' %{http_version}' "https://$h2/baseline2?a=13&b=42")"
    same "HTTP/2 in the clear" "55 2" \
        "$(get --http2-prior-knowledge -w ' %{http_version}' "$h2c/baseline2?a=13&b=42")"
    like "no HTTP/1.1 there" "*000" "$(status --http1.1 "$h2c/baseline2?a=13&b=42")"
}

check_websocket() {
    local text

    text=$(printf 'x%.0s' {1..3000})
    same "an echo" "hello
$text" "$(printf 'hello\n%s\n' "$text" | timeout 10 "$examples/http_client" "ws://$h1/ws" 2>&1)"
    same "not a WebSocket" 426 "$(status "$h1/ws")"
}

# ---- The database ---------------------------------------------------------------------

check_no_database() {
    same "no database: no items" '{"items":[],"count":0}' "$(get "$h1/async-db")"
    same "no database: unavailable" "503 503" \
        "$(status "$h1/crud/items/1") $(status "$h1/crud/items")"
}

fill() {
    "$psql" -q -h "$work/pg" -U "$user" postgres <<'END'
create table items (id integer primary key, name text not null, category text not null,
    price integer not null, quantity integer not null, active boolean not null,
    tags jsonb not null, rating_score integer not null, rating_count integer not null);
insert into items select n, 'Item ' || n, 'tools', 100 + n, 2 * n, true, '["fast", "new"]', n, 7
    from generate_series(1, 200) n;
END
}

check_database() {
    local url=$h1/crud/items body='"name":"Lamp","category":"lights","price":25,"quantity":4' lamp

    same "a range" "{\"items\":[$(item 1),$(item 2)],\"count\":2} application/json" \
        "$(get -w ' %{content_type}' "$h1/async-db?min=101&max=102")"
    same "a range with a limit" "{\"items\":[$(items 2)],\"count\":2}" \
        "$(get "$h1/async-db?min=101&max=300&limit=2")"
    like "never more than 50" '*"count":50}' "$(get "$h1/async-db?min=101&max=300&limit=1000")"
    same "an empty range" '{"items":[],"count":0}' "$(get "$h1/async-db?min=9&max=9")"
    same "no range" 400 "$(status "$h1/async-db?min=1%27")"
    same "a page" "{\"items\":[$(item 3),$(item 4)],\"total\":2,\"page\":2,\"limit\":2}" \
        "$(get "$url?category=tools&page=2&limit=2")"
    same "a page of nothing" '{"items":[],"total":0,"page":1,"limit":10}' "$(get "$url")"
    same "read" MISS "$(field X-Cache "$url/5")"
    same "read twice within the life of what is kept" HIT "$(read_twice "$url/5")"
    same "what was read" "$(item 5)" "$(get "$url/5")"
    same "no such item" "404 404" "$(status "$url/999") $(status "$url/x")"

    lamp="{\"id\":300,$body,\"active\":true,\"tags\":[],\"rating\":{\"score\":0,\"count\":0}}"
    same "create" "$lamp 201" "$(get -w ' %{http_code}' -d "{\"id\":300,$body}" "$url")"
    same "read what was created" "$lamp" "$(get "$url/300")"
    same "update" "${lamp/25/30} 200 MISS" "$(get -w ' %{http_code}' -X PUT \
        -d '{"name":"Lamp","price":30,"quantity":4}' "$url/300") $(field X-Cache "$url/300")"
    same "update nothing" 404 "$(status -X PUT -d "{$body}" "$url/999")"
    same "invalid items" "400 400 400 400" "$(status -d "{$body}" "$url") $(status -d x "$url") $(
        status -X PUT -d '{"name":5}' "$url/5") $(status -d "{\"id\":1e99,$body}" "$url")"

    "$psql" -q -o /dev/null -h "$work/pg" -U "$user" postgres \
        -c "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()
            and backend_type = 'client backend'"
    until_true get -f "$url/7"
    same "connects again" "$(item 7)" "$(get "$url/7")"
}

make_data
start
check_baseline
check_pipeline
check_json
check_upload
check_static
check_h2
check_websocket
check_no_database
same "nothing else was complained of" "" "$(grep -v '^database: ' "$work/arena.err")"
psql=$(command -v psql) || psql=$postgres/psql
if [ -z "$postgres" ] || [ ! -x "$psql" ]; then
    echo "SKIP: the database's end points: there is no PostgreSQL (in Debian: postgresql)"
elif start_postgres && fill; then
    check_database
fi
: >"$work/arena.err"
stopped TERM
totals
