#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the static libraries and a few examples, with warnings as errors, for other C
# libraries and processors, and runs the examples: directly or under qemu-user. Called in the
# source tree; builds in build-cross/TARGET. Targets whose compiler is missing are named and
# left out.
#   tests/cross.sh [TARGET...]
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
chosen=("$@")
set -- /nowhere # each target has its own examples
. tests/lib.sh

programs=(calls signals echo_server echo_client)
# target, compiler, emulator, Debian's packages for the compiler
targets='
x86_64-linux-musl  musl-gcc               none          musl-tools
i686-linux-gnu     i686-linux-gnu-gcc     qemu-i386     gcc-i686-linux-gnu libc6-dev-i386-cross
riscv64-linux-gnu  riscv64-linux-gnu-gcc  qemu-riscv64  gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
aarch64-linux-gnu  aarch64-linux-gnu-gcc  qemu-aarch64  gcc-aarch64-linux-gnu libc6-dev-arm64-cross
'

for each in "${chosen[@]}"; do
    grep -q "^$each " <<<"$targets" && continue
    echo "cross.sh: no target is called $each" >&2
    exit 2
done

# One target is built as if the system had little, with the other file of each pair of which
# Makefile.am chooses one.
poor=riscv64-linux-gnu
lacks=(ac_cv_func_accept4=no ac_cv_func_epoll_pwait2=no ac_cv_func_eventfd=no
    ac_cv_func_dladdr=no ac_cv_func_mincore=no ac_cv_func_pthread_getcpuclockid=no ac_cv_func__Unwind_Backtrace=no
    ac_cv_func_inotify_init1=no ac_cv_func_pipe2=no ac_cv_func_ppoll=no
    ac_cv_func_posix_spawn_file_actions_addchdir=no
    ac_cv_func_posix_spawn_file_actions_addchdir_np=no
    ac_cv_func_posix_spawn_file_actions_addclosefrom_np=no ac_cv_func_recvmmsg=no
    ac_cv_func_sched_setaffinity=no ac_cv_func_sigtimedwait=no ac_cv_func_timerfd_create=no
    ac_cv_have_decl_O_PATH=no ac_cv_have_decl_SYS_pidfd_open=no ac_cv_have_decl_TIOCGPTN=no
    ac_cv_have_decl_UDP_SEGMENT=no
    ac_cv_header_sys_sendfile_h=no ac_cv_member_struct_tcp_info_tcpi_bytes_acked=no)

is_chosen() {
    [ ${#chosen[@]} -eq 0 ] || [[ " ${chosen[*]} " == *" $1 "* ]]
}

# links CC: whether the compiler works, with the headers and libraries of its target.
links() {
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' |
        "$1" -x c -o "$work/probe" - >/dev/null 2>&1
}

# build TARGET CC: without pkg-config, which would find the libraries of this machine.
build() {
    local also=()

    [ "$1" != $poor ] || also=("${lacks[@]}")
    mkdir -p "build-cross/$1" && cd "build-cross/$1" || return
    [ -e Makefile ] || PKG_CONFIG_LIBDIR=/nonexistent ../../configure -q --enable-werror \
        --disable-shared --host="$1" CC="$2" "${also[@]}" || return
    # shellcheck disable=SC2016 # the variable is of make: libcogen-http too, if llhttp is there
    echo 'libraries: $(lib_LTLIBRARIES)' |
        make -s -f Makefile -f - libraries "${programs[@]/#/examples/}"
}

# load_shared TARGET CC: for a C library whose dlopen has no room for thread-locals of the model
# initial-exec. Builds the shared library, loads it with dlopen, and runs coroutines.
load_shared() {
    mkdir -p "build-cross/$1-shared" && cd "build-cross/$1-shared" || return
    [ -e Makefile ] || PKG_CONFIG_LIBDIR=/nonexistent ../../configure -q --enable-werror \
        --disable-static --host="$1" CC="$2" || return
    make -s libcogen.la || return
    cat >load.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <sys/types.h>

static void *lib;

/* A coroutine, which asks the library who it is. */
static ssize_t fn(void *arg)
{
    void *(*self)(void) = (void *(*)(void))dlsym(lib, "cg_coro_self");

    return self() != NULL && arg == &lib ? 7 : -1;
}

int main(int argc, char **argv)
{
    ssize_t (*run)(const char *, ssize_t (*)(void *), void *);

    lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (lib == NULL)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    run = (ssize_t (*)(const char *, ssize_t (*)(void *), void *))dlsym(lib, "cg_main");
    return run == NULL || run("poll", fn, &lib) != 7;
}
END
    "$2" -o load load.c && ./load "$PWD/.libs/libcogen.so"
}

# wrap TARGET EMULATOR: makes $examples a directory of scripts that run the target's examples.
# False: the emulator is missing.
wrap() {
    local emulator='' each

    if [ "$2" != none ]; then
        emulator=$(command -v "$2-static" || command -v "$2") || return
        emulator="$emulator -L /usr/$1"
    fi
    examples=$work/$1
    mkdir "$examples"
    for each in "${programs[@]}"; do
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$emulator" \
            "$PWD/build-cross/$1/examples/$each" >"$examples/$each"
        chmod +x "$examples/$each"
    done
}

# The status and output of the last run, in one line.
said() {
    echo "$status: $out $err" | xargs
}

# Runs the examples on the reactors that every such build has.
run_examples() {
    local reactor

    for reactor in sim select poll epoll; do
        run "$examples/calls" --reactor $reactor
        same "calls on $reactor" "0: foo bar spam, ham and eggs" "$(said)"
        run "$examples/signals" --fast --reactor $reactor
        same "signals on $reactor" "0: spam ham eggs No more stuff!" "$(said)"
    done
    for reactor in select poll epoll; do
        echo_through
    done
}

# Echoes more bytes than the sockets' buffers hold, over loopback.
echo_through() {
    serve echo_server --listen 127.0.0.1:0 || return
    timeout 20 "$examples/echo_client" --reactor "$reactor" "$addr" \
        <"$work/sent" >"$work/back" 2>"$work/err"
    status=$?
    end "$server"
    if [ $status -eq 0 ] && cmp -s "$work/sent" "$work/back"; then
        pass "echo_server and echo_client on $reactor"
    else
        fail "echo_server and echo_client on $reactor" "status $status, $(wc -c <"$work/back")" \
            "$(cat "$work/err" "$work/echo_server.err")"
    fi
}

# Done before the builds, which would otherwise all do it at the same time.
if [ ! configure -nt configure.ac ] || [ ! Makefile.in -nt Makefile.am ]; then
    autoreconf -i >/dev/null 2>&1 || exit
fi
awk 'BEGIN { for (i = 0; i < 50000; i++) print "line", i }' >"$work/sent"

declare -A builds=()
while read -r target cc _ packages; do
    if [ -z "$target" ] || ! is_chosen "$target"; then
        continue
    fi
    if links "$cc"; then
        (build "$target" "$cc") >"$work/$target.log" 2>&1 </dev/null &
        builds[$target]=$!
    else
        echo "SKIP: $target: $cc is missing or links nothing (in Debian: $packages)"
    fi
done <<<"$targets"

while read -r target cc emulator _; do
    [ -n "${builds[${target:-none}]-}" ] || continue
    where="$target: "
    if ! wait "${builds[$target]}"; then
        fail "build by $cc" "$(grep -E 'error|undefined' "$work/$target.log" ||
            tail "$work/$target.log")"
        continue
    fi
    pass "build by $cc of $(cd "build-cross/$target" && echo .libs/libcogen*.a), ${programs[*]}"
    if [ "$emulator" = none ]; then
        if (load_shared "$target" "$cc") >"$work/$target.log" 2>&1 </dev/null; then
            pass "dlopen of the shared library"
        else
            fail "dlopen of the shared library" "$(tail "$work/$target.log")"
        fi
    fi
    if wrap "$target" "$emulator"; then
        run_examples
    else
        echo "SKIP: $target: nothing was run, $emulator is missing" \
            "(in Debian: qemu-user-static)"
    fi
done <<<"$targets"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
