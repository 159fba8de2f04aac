#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The adapters to foreign libraries, each with a real server, on every reactor: libcurl and our
# HTTP server, libpq and PostgreSQL, hiredis and Redis. Prints a line for each check, and which
# adapters are left out because something is not installed.
#   tests/adapters.sh [DIRECTORY-OF-THE-EXAMPLES]
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need signals
begun=$SECONDS

# adapter NAME WHAT PRESENT: whether it was built, and its server is installed.
adapter() {
    if [ ! -x "$examples/adapters/$1" ]; then
        echo "SKIP $1: not built here, see the end of configure"
        return 1
    elif [ -z "$3" ]; then
        echo "SKIP $1: there is no $2"
        return 1
    fi
}

# program NAME ARGUMENT...: runs an adapter on $reactor, which may take $patience seconds.
patience=60
program() {
    PATIENCE=$patience COGEN_REACTOR=$reactor run "$examples/adapters/$1" "${@:2}"
}

# sorted: the output of the program, with its lines sorted.
sorted() {
    LC_ALL=C sort <<<"$out"
}

# on_each FUNCTION: calls it for each reactor that can reach other processes.
on_each() {
    while read -r reactor what; do
        case $reactor,$what in
        sim,*) continue ;;
        *,available) ;;
        *) continue ;;
        esac
        where="$reactor: "
        "$1"
    done < <("$examples/signals" --list-reactors)
    where='' reactor=''
}

# ---- libcurl --------------------------------------------------------------------------

check_curl() {
    local url=http://127.0.0.1:$origin urls=() i

    for ((i = 0; i < 40; i++)); do
        urls+=("$url/large.txt")
    done
    program curl "$url/small.txt" "$url/none" "${urls[@]}" http://127.0.0.1:1/
    same "curl fetches" "1 40 $url/large.txt: 200, 588895 bytes
$url/none: 404, 14 bytes
$url/small.txt: 200, 6 bytes
curl: http://127.0.0.1:1/: Couldn't connect to server" "$status $(sorted | uniq -c | sed 's/^ *1 //; s/^ *//')
$err"
    [ ! -e /dev/full ] ||
        like "curl and a full disk" "stdout: No space*1" \
            "$(COGEN_REACTOR=$reactor "$examples/adapters/curl" "$url/none" 2>&1 >/dev/full || echo $?)"
    [ -z "$silent" ] || {
        patience=1 program curl "http://127.0.0.1:$silent/"
        same "curl takes a transfer back" "1 curl: http://127.0.0.1:$silent/: timed out" \
            "$status $out$err"
    }
}

start_curl() {
    mkdir "$work/site"
    echo small >"$work/site/small.txt"
    seq 100000 >"$work/site/large.txt"
    serve http_server --listen 127.0.0.1:0 --root "$work/site" || return
    origin=$port silent=''
    [ -n "$perl" ] || return 0
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e '$| = 1; socket(S, PF_INET, SOCK_STREAM, 0)
        and bind(S, sockaddr_in(0, INADDR_LOOPBACK)) and listen(S, 50) or die;
        print((sockaddr_in(getsockname(S)))[0], "\n"); sleep 600' >"$work/silent" &
    pids+=($!)
    until_true grep -q . "$work/silent"
    read -r silent <"$work/silent"
}

# ---- libpq ----------------------------------------------------------------------------

check_pq() {
    # Each one waits until three are there: one after the other they would never end.
    local met=met_$reactor meet

    meet="do \$\$ begin perform nextval('$met');
        while (select last_value from $met) < 3 loop perform pg_sleep(0.01); end loop; end \$\$"
    program pq "host=$work/pg dbname=postgres user=$user" "create sequence $met"
    program pq "host=$work/pg dbname=postgres user=$user" "select 41 + 1" "select 1; select 2" \
        "$meet" "$meet" "$meet" \
        "create temporary table t (n int)" "select length(repeat('x', 5000000))" \
        "select length('$(printf 'y%.0s' {1..100000})')"
    same "libpq asks, all at once" "0 DO
DO
DO
create temporary table t (n int): CREATE TABLE
select 1; select 2: 2
select 41 + 1: 42
select length(y: 100000
select length(repeat('x', 5000000)): 5000000" "$status $(sorted | sed "s/('yy*')/(y/; /^do /d; s/.*: DO$/DO/")$err"
    program pq "host=$work/pg dbname=postgres user=$user" "select nothing" "select 5"
    like "libpq tells of errors" '0 *ERROR: *"nothing"*' "$status $out$err"
    program pq "host=$work dbname=postgres" "select 1"
    like "no PostgreSQL" "1 pq: select 1: Connection refused (*" "$status $out$err"
}

# ---- hiredis --------------------------------------------------------------------------

check_redis() {
    program redis 127.0.0.1 "$base" "SET a hello" "GET a" "GET none" "STRLEN a" "BLPOP none 1" \
        "NONSENSE x"
    like "hiredis asks" "0 SET a: OK
GET a: hello
GET none: (nil)
STRLEN a: 5
NONSENSE x: ERR *
BLPOP none: (nil)" "$status $(grep -v BLPOP <<<"$out")
$(grep BLPOP <<<"$out")$err"
    case $reactor in
    epoll | io_uring | kqueue)
        patience=3 program redis 127.0.0.1 "$base" "PING" "BLPOP none 0"
        like "hiredis and a reply that nobody waits for any more" \
            "1 *PONG*redis: BLPOP: Operation canceled*" "$status $out$err"
        ;;
    esac
    program redis 127.0.0.1 1 "GET a"
    like "no Redis" "1 redis: GET: *" "$status $out$err"
    program redis 127.0.0.1 "$base" "ECHO 2 3 4 5 6 7 8 9"
    same "a long command" "1 redis: ECHO: Argument list too long" "$status $out$err"
    patience=1s program redis 127.0.0.1 1 "GET a"
    like "no length of patience" "2 usage: *" "$status $out$err"
    program redis 127.0.0.1 "${base}x" "GET a"
    like "no port" "2 usage: *" "$status $out$err"
    program redis 999.1.1.1 "$base" "GET a"
    same "no address" "1 redis: 999.1.1.1: unknown host" "$status $out$err"
}

start_redis() {
    local try

    for ((try = 0; try < 5; try++)); do
        base=$((20000 + RANDOM % 12000))
        "$redis" --port "$base" --bind 127.0.0.1 --save "" --dir "$work" >"$work/redis.log" 2>&1 \
            </dev/null &
        server=$!
        pids+=("$server")
        until_true grep -Eq 'eady to accept|in use' "$work/redis.log"
        ! grep -q 'eady to accept' "$work/redis.log" || return 0
        end "$server"
    done
    fail "Redis starts" "$(cat "$work/redis.log")"
    return 1
}

# ---- All of it ------------------------------------------------------------------------

http=''
[ ! -x "$examples/http_server" ] || http=http_server
redis=$(command -v redis-server) || redis=''
! adapter curl "HTTP server of ours" "$http" || { start_curl && on_each check_curl; }
! adapter pq PostgreSQL "$postgres" || { start_postgres && on_each check_pq; }
! adapter redis Redis "$redis" || { start_redis && on_each check_redis; }
[ $((passed + failed)) -gt 0 ] || skip "none of the adapters can be tested here"
echo "$((SECONDS - begun)) seconds"
totals
