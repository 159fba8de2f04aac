# shellcheck shell=bash disable=SC2034 # the scripts use what is set here
# SPDX-License-Identifier: MIT
# Shared by the scripts that run the examples and compare their output: checks, servers, nginx,
# certificates. Sourced by bash, with the script's arguments:
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The directory of the examples is the script's first argument, or $EXAMPLES, or examples/.

examples=$(cd "${1:-${EXAMPLES:-examples}}" 2>/dev/null && pwd) || examples=''
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unset COGEN_REACTOR http_proxy https_proxy no_proxy all_proxy
unset HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY
export COGEN_DEBUG=1 # a program that leaves something says so on stderr
work=$(mktemp -d)
passed=0 failed=0 pids=() where='' reactor=''
# A long run of tests may be under nohup, which has SIGHUP ignored. Servers would ignore it, too, and
# a shell cannot undo that.
obeys_hup=()
case $(trap -p HUP) in
*"''"*) obeys_hup=(env --default-signal=HUP) ;;
esac

# By SIGTERM, because nginx must end its worker. Only our own programs may ignore it; they are
# killed.
tidy() {
    local pid i

    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
    done
    for pid in "${pids[@]}"; do
        for ((i = 0; i < 250; i++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.02
        done
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# skip WHY: ends a script that cannot run here.
skip() {
    echo "SKIP: $*"
    exit 77
}

# need PROGRAM...: skips the script if an example was not built.
need() {
    local each

    for each in "$@"; do
        [ -x "${examples:-/nowhere}/$each" ] || skip "$each was not built"
    done
}

# The reactors that can reach other processes.
reactors() {
    "$examples/http_server" --list-reactors | awk '$2 == "available" { print $1 }'
}

# Prints the last line, and ends the script with its status.
totals() {
    echo "$((passed + failed > 0 ? 100 * passed / (passed + failed) : 0))%: Checks:" \
        "$((passed + failed)), Failures: $failed, Errors: 0"
    [ $failed -eq 0 ]
}

# ---- Checks ---------------------------------------------------------------------------

pass() {
    passed=$((passed + 1))
    echo "ok $where$1"
}

# fail NAME LINE...
fail() {
    failed=$((failed + 1))
    echo "FAILED $where$1"
    shift
    printf '    %s\n' "$@" | head -n 20
}

# same NAME EXPECTED GOT
same() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "expected: $2" "got: $3"
    fi
}

# like NAME PATTERN GOT: a pattern of the shell
like() {
    # shellcheck disable=SC2053 # it is a pattern
    if [[ $3 == $2 ]]; then
        pass "$1"
    else
        fail "$1" "expected: $2" "got: $3"
    fi
}

# below NAME LIMIT GOT: numbers
below() {
    if [ -n "$3" ] && [ "$3" -lt "$2" ]; then
        pass "$1 ($3)"
    else
        fail "$1" "expected less than $2, got: $3"
    fi
}

# run COMMAND...: stores its output, errors and status in $out, $err and $status.
run() {
    timeout 120 "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    out=$(tr -d '\0\r' <"$work/out")
    err=$(cat "$work/err")
}

# until_true COMMAND...: repeats it until it succeeds, for about a minute: a busy machine is slow.
# What has not come by then is printed: it is a fault of the test, or of the program.
until_true() {
    local i

    for ((i = 0; i < 3000; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    echo "not in time: $*" >&2
    return 1
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# ---- Processes ------------------------------------------------------------------------

# forget PID: the process has ended, or will be ended elsewhere.
forget() {
    local i

    for i in "${!pids[@]}"; do
        [ "${pids[i]}" != "$1" ] || unset "pids[$i]"
    done
    pids=("${pids[@]}")
}

# end PID: ends a process by SIGTERM.
end() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    forget "$1"
}

# serve NAME ARGUMENT...: starts a server of the examples on $reactor; sets $server (its pid),
# $addr and $port. False: it did not start.
serve() {
    local i

    name=$1
    shift
    : >"$work/$name.out"
    "${obeys_hup[@]}" "$examples/$name" ${reactor:+--reactor "$reactor"} "$@" \
        >"$work/$name.out" 2>"$work/$name.err" </dev/null &
    server=$!
    pids+=("$server")
    addr=''
    for ((i = 0; i < 3000 && ${#addr} == 0; i++)); do
        sleep 0.02
        read -r addr <"$work/$name.out"
        kill -0 "$server" 2>/dev/null || break
    done
    addr=${addr#listening on }
    port=${addr##*:}
    [ -z "$addr" ] || return 0
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    forget "$server"
    fail "$name starts" "$(cat "$work/$name.err")"
    return 1
}

# stopped SIGNAL [WHAT]: ends $server, called $name; it must print nothing then.
stopped() {
    kill -"$1" "$server"
    ended "on SIG$1${2:+ $2}"
}

# ended WHY: waits for the end of $server, which must end by itself now.
ended() {
    local code

    until_true is_gone "$server" || kill -KILL "$server"
    wait "$server"
    code=$?
    forget "$server"
    same "$name ends cleanly $1" "0 " "$code $(cat "$work/$name.err")"
}

# talk TEXT: sends TEXT (a format of printf) on a new connection; prints everything that comes
# back, up to the end.
talk() {
    # shellcheck disable=SC2016 # $1 and $2 are the inner shell's
    timeout 60 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "$2" >&3 && cat <&3' \
        talk "$port" "$1" 2>&1 | tr -d '\r'
}

# Prints the status of the response to an HTTP request.
ask() {
    talk "$1" | sed -n '1s/^HTTP\/1.1 \([0-9]*\) .*/\1/p'
}

# rss PID [FIELD]: prints its memory in KiB: VmHWM (the peak) or VmRSS (now).
rss() {
    sed -n "s/^${2:-VmHWM}:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$1/status"
}

# ---- The programs of the documents ----------------------------------------------------

# find_built: prepares compile; sets $build, the folder of the built libraries. False: nothing can
# be compiled, and $why says why.
find_built() {
    local each

    build=$(dirname "${examples:-/nowhere/none}")
    : "${CC:=cc}" "${CFLAGS:=}" "${LDFLAGS:=}" "${PKG_CONFIG:=pkg-config}"
    why="libcogen was not built"
    [ -e "$build/libcogen.la" ] || return
    why="there is no $PKG_CONFIG"
    command -v "$PKG_CONFIG" >/dev/null || return
    # pkg-config prints what it will print when the libraries are installed, for the built ones.
    static=--static
    [ ! -e "$build/.libs/libcogen.so" ] || static=''
    for each in cogen cogen-http; do
        [ ! -e "$build/$each.pc" ] || sed -e "s|^libdir=.*|libdir=$build/.libs|" \
            -e "s|^includedir=.*|includedir=$source/include|" "$build/$each.pc" >"$work/$each.pc"
    done
    export PKG_CONFIG_PATH="$work${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    export LD_LIBRARY_PATH="$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# compile FILE PACKAGE: compiles a program of examples/ into $work as a reader of the document
# would, without a warning. False: it failed.
compile() {
    local name=${1##*/}

    # shellcheck disable=SC2046,SC2086 # words
    (cd "$source/examples/${1%/*}" && $CC $CFLAGS -g -Wall -Wextra "$name" -o "$work/${name%.c}" \
        $($PKG_CONFIG $static --cflags --libs "$2") $LDFLAGS) >"$work/said" 2>&1
    same "$1 compiles" "0 " "$? $(cat "$work/said")"
    [ -x "$work/${name%.c}" ]
}

# ---- What others wrote ----------------------------------------------------------------

nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || nginx=''
curl=$(command -v curl) || curl=''
perl=$(command -v perl) || perl=''
openssl=$(command -v openssl) || openssl=''

# start_nginx FUNCTION: starts nginx on ports from $base on; the function prints the content of
# its http block. False: it does not start, and the reason is printed.
start_nginx() {
    local try dir=$work/nginx

    mkdir -p "$dir"
    for ((try = 0; try < 5; try++)); do
        base=$((20000 + RANDOM % 12000))
        rm -f "$dir/pid"
        {
            echo "daemon off; worker_processes 1; pid $dir/pid; error_log $dir/log;"
            [ "$(id -u)" -ne 0 ] || echo "user root root;"
            echo "events { worker_connections 256; }"
            echo "http { default_type text/plain; client_body_temp_path $dir/a;"
            echo "proxy_temp_path $dir/b; fastcgi_temp_path $dir/c;"
            echo "uwsgi_temp_path $dir/d; scgi_temp_path $dir/e;"
            "$1"
            echo "}"
        } >"$dir/conf"
        "$nginx" -p "$dir" -e "$dir/log" -c "$dir/conf" >/dev/null 2>&1 </dev/null &
        nginx_pid=$!
        pids+=("$nginx_pid")
        # shellcheck disable=SC2016 # the inner shell's
        until_true bash -c '[ -s "$1/pid" ] || ! kill -0 "$2"' - "$dir" "$nginx_pid"
        [ ! -s "$dir/pid" ] || is_gone "$nginx_pid" || return 0
        end "$nginx_pid"
    done
    echo "no nginx here: $(tail -n 1 "$dir/log")"
    return 1
}

postgres=$(ls -d /usr/lib/postgresql/*/bin "$(dirname "$(command -v postgres)")" 2>/dev/null |
    while read -r each; do [ ! -x "$each/initdb" ] || echo "$each"; done | tail -n 1)

# start_postgres: starts PostgreSQL with its socket in $work/pg, and sets $user, whom it trusts.
# False: it does not start, and the reason is printed.
start_postgres() {
    local as=()

    user=$(id -un)
    mkdir "$work/pg"
    if [ "$(id -u)" -eq 0 ]; then # PostgreSQL does not run as root
        user=postgres
        as=(setpriv --reuid "$user" --regid "$user" --clear-groups)
        chmod 711 "$work"
        chown "$user" "$work/pg"
    fi
    (cd "$work/pg" && "${as[@]}" "$postgres/initdb" --no-sync -A trust -D "$work/pg/data") \
        >"$work/said" 2>&1 || {
        echo "SKIP: no database here: $(tail -n 1 "$work/said")"
        return 1
    }
    (cd "$work/pg" && exec "${as[@]}" "$postgres/postgres" -D "$work/pg/data" -k "$work/pg" \
        -c listen_addresses= -c fsync=off) >"$work/pg.log" 2>&1 </dev/null &
    pids+=($!)
    until_true grep -q 'ready to accept' "$work/pg.log" || {
        fail "PostgreSQL starts" "$(cat "$work/pg.log")"
        return 1
    }
}

# certificate NAME DAYS ALTERNATIVE-NAME: makes $work/NAME.pem and .key, signed by the CA.
certificate() {
    "$openssl" req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$work/$1.key" -out "$work/$1.csr" &&
        "$openssl" x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
            -CAcreateserial -days "$2" -out "$work/$1.pem" \
            -extfile <(echo "subjectAltName=$3")
}

# have_tls: whether the examples speak TLS and certificates could be made, by our own CA
# (ca.pem): one for localhost (good), an expired one, and one for another host (other). If not,
# prints why.
have_tls() {
    "$examples/http_client" --insecure http:// >/dev/null 2>"$work/err" </dev/null
    if grep -q 'without TLS' "$work/err"; then
        echo "SKIP TLS: http_client was built without it"
    elif [ -z "$openssl" ]; then
        echo "SKIP TLS: there is no openssl to make certificates with"
    elif ! {
        "$openssl" req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj '/CN=a test CA' -keyout "$work/ca.key" -out "$work/ca.pem" &&
            certificate good 2 'DNS:localhost,IP:127.0.0.1' &&
            certificate expired -1 'DNS:localhost,IP:127.0.0.1' &&
            certificate other 2 'DNS:example.org'
    } >"$work/openssl" 2>&1; then
        echo "SKIP TLS: openssl makes no certificates: $(tail -n 1 "$work/openssl")"
    else
        return 0
    fi
    return 1
}
