#!/bin/bash
# SPDX-License-Identifier: MIT
# Looks into a server with planted faults (insight/planted.c): by a signal, by cogen-symbols, and
# by gdb, while it runs and when it has left a core file. Needs CC, CFLAGS, LDFLAGS; runs in the
# build directory.
set -u

: "${CC:=cc}" "${CFLAGS:=-g -O2}" "${LDFLAGS:=}"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086 # words
if ! $CC -std=gnu11 $CFLAGS -g -O1 -I"$source/include" -c "$source/tests/insight/planted.c" \
        -o "$work/planted.o" ||
    ! ./libtool --silent --tag=CC --mode=link $CC $CFLAGS $LDFLAGS -pthread -no-install \
        -o "$work/planted" "$work/planted.o" libcogen.la; then
    fail "planted.c is built"
    totals
fi

# begin COUNT: starts the server, whose address is then in $addr.
begin() {
    rm -f "$work/out"
    (cd "$work" && ulimit -c unlimited 2>/dev/null
        exec "$work/planted" "$1" >out 2>err) &
    server=$!
    pids+=("$server")
    until_true test -s "$work/out"
    addr=$(cat "$work/out")
}

answers() {
    local said=''

    exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}" && echo hello >&3 && read -r -t 5 said <&3
    exec 3>&-
    [ "$said" = here ]
}

dumped() {
    grep -q '^end of dump' "$work/err"
}

# has NAME PATTERN FILE: a line of the file matches the extended regular expression.
has() {
    if grep -qE -- "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "no $2 in:" "$(head -c 4000 "$3")"
    fi
}

check_dump() {
    begin 9990
    kill -USR1 "$server"
    until_true dumped
    has "the deadlock is named in one line" \
        '^cycle: #[0-9]+ writer: lock users, since .* -> #[0-9]+ reader: lock rooms, .* -> #' \
        "$work/err"
    has "equal coroutines are collapsed" '^ +[0-9]{2,} x idle: wait_signal "never"' "$work/err"
    has "the branch of a race is there" '^ +call: wait_signal .*, branch, ' "$work/err"
    if answers; then
        pass "the server goes on"
    else
        fail "the server goes on"
    fi
    grep -q '^backtraces: not' "$work/err" && return
    "$source/tools/cogen-symbols" "$work/err" >"$work/named" 2>"$work/complaints"
    if [ -s "$work/complaints" ]; then
        echo "SKIP: names of functions: $(head -n 1 "$work/complaints")"
    else
        has "cogen-symbols names functions and lines" ' idle .*planted\.c:[0-9]+$' "$work/named"
        has "and those that use stacks" '^stack use of .* idle .*planted\.c:[0-9]+, in ' \
            "$work/named"
    fi
    kill "$server"
}

# debug NAME ARGUMENT...: what gdb says about the server is checked in $work/gdb.
debug() {
    timeout 60 gdb -nx -batch -iex 'set debuginfod enabled off' -x "$source/tools/cogen-gdb.py" \
        -ex 'cogen coros' -ex 'cogen bt all' -ex 'cogen ops racer' -ex 'cogen select idle' \
        -ex 'frame function idle' -ex 'info locals' -ex 'cogen select' -ex 'bt 1' "${@:2}" \
        >"$work/gdb" 2>&1 </dev/null
    has "$1: coroutines" '^ +[0-9]+ writer: lock mutex "users"' "$work/gdb"
    has "$1: generators in coroutines" '^ +#[0-9]+ produce at .*planted\.c:' "$work/gdb"
    has "$1: the coroutine behind a generator" '^ +#[0-9]+ walk at .*planted\.c:' "$work/gdb"
    has "$1: branches of races" '^ +[0-9]+ call \(branch\): wait_signal' "$work/gdb"
    has "$1: equal backtraces once" '^[0-9]+ coroutines, the first is:' "$work/gdb"
    has "$1: operations" '^ +sleep = \*\(struct cg_sleep_op \*\) 0x' "$work/gdb"
    has "$1: local variables" '^planted_number = 471[0-9]' "$work/gdb"
}

check_core() {
    local pattern core i

    pattern=$(cat /proc/sys/kernel/core_pattern 2>/dev/null)
    case $pattern in
    core | core.%p) ;;
    *)
        echo "SKIP: gdb on a core file: core_pattern is \"$pattern\""
        return
        ;;
    esac
    kill -ABRT "$server"
    for ((i = 0; i < 250; i++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.02
    done
    wait "$server" 2>/dev/null
    core=$(find "$work" -name 'core*' | head -n 1)
    if [ -z "$core" ]; then
        echo "SKIP: gdb on a core file: there is none (ulimit -c: $(ulimit -H -c))"
        return
    fi
    debug "core" "$work/planted" "$core"
}

check_gdb() {
    if ! command -v gdb >/dev/null; then
        echo "SKIP: gdb: it is not installed"
        return
    fi
    begin 20
    timeout 60 gdb -nx -batch -p "$server" >"$work/gdb" 2>&1 </dev/null
    if grep -qi 'ptrace: \|not permitted' "$work/gdb"; then
        echo "SKIP: gdb on a process: $(grep -i 'ptrace: \|not permitted' "$work/gdb" | head -n 1)"
    else
        debug "live" -p "$server"
        if answers; then
            pass "live: the server goes on"
        else
            fail "live: the server goes on"
        fi
    fi
    check_core
}

check_dump
case $(uname -m) in
x86_64 | aarch64) check_gdb ;;
*) echo "SKIP: gdb: no backtraces on $(uname -m)" ;;
esac
totals
