#!/bin/sh
# SPDX-License-Identifier: MIT
# make installcheck: small programs are built against the installed libraries by pkg-config, and
# again by cmake, and run: one with libcogen alone, one with cogen-http, and one with cogen-tls,
# too, if these were built. Needs CC, CFLAGS, PKG_CONFIG, PKG_CONFIG_PATH and libdir.
set -eu

: "${CC:=cc}" "${CFLAGS:=}" "${PKG_CONFIG:=pkg-config}" "${libdir:=}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/first.c" <<'END'
#include <cogen.h>
#include <stdio.h>

static ssize_t hello(void *arg)
{
    cg_yield(cg_sleep(CG_MILLISECOND));
    return printf("hello from %s on %s\n", (char *)arg, cg_reactor_name(
                  cg_sched_reactor(cg_sched_self()))) < 0;
}

int main(void)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    if (cg_reactor_open(NULL, &reactor) < 0)
        return 1;
    sched = cg_sched_new(reactor);
    cg_sched_start(sched, hello, "a coroutine");
    ssize_t left = cg_sched_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return left != 0;
}
END

# A server and a client that fetches its page, both in one program.
cat >"$work/http.c" <<'END'
#include <cogen.h>
#include <cogen/http_client.h>
#include <cogen/http_server.h>
#include <stdio.h>

static ssize_t hello(struct cg_http_request *req, void *arg)
{
    return cg_yield(cg_http_send_text(req, 200, arg));
}

static ssize_t ask(void *addr)
{
    struct cg_http_client *client = cg_http_client_new(.no_environment = true);
    struct cg_http_reply *reply;
    char url[CG_ADDR_SIZE + 16];
    ssize_t n;

    snprintf(url, sizeof url, "http://%s/", (char *)addr);
    n = cg_yield(cg_http_get(client, url, &reply, .timeout = 10 * CG_SECOND));
    if (n > 0)
        fputs(cg_http_reply_body(reply, NULL), stdout);
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    return n == 200 ? 0 : -1;
}

static ssize_t program(void *arg)
{
    struct cg_http_server *server = cg_http_server_new();
    struct cg_op *asking;
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];
    ssize_t n;

    cg_http_server_mount(server, "GET /", hello, arg);
    if (cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener) < 0)
        return -1;
    cg_sock_local_addr(listener, addr, sizeof addr);
    asking = cg_call(ask, addr);
    n = cg_yield(cg_any((cg_http_serve(server, listener), asking)));
    cg_http_server_free(server);
    cg_sock_close(listener);
    return n == 1 ? cg_op_result(asking) : -1;
}

int main(void)
{
    return cg_main(NULL, program, "hello over HTTP\n") != 0;
}
END

# A peer that does not speak TLS is no https server: at the other end of a pair of sockets is
# plain text.
cat >"$work/tls.c" <<'END'
#include <cogen.h>
#include <cogen/https.h>
#include <stdio.h>

static ssize_t program(void *arg)
{
    struct cg_sock *inner, *peer, *sock;
    struct cg_http_client *client;
    struct cg_tls *tls;
    char why[CG_TLS_WHY_SIZE];
    ssize_t n;

    if (cg_tls_new(&tls) < 0 || cg_sock_pair(cg_sched_self(), &inner, &peer) < 0)
        return -1;
    client = cg_http_client_new(.tls = cg_tls_http(tls));
    cg_yield(cg_writeall(peer, arg, 20));
    n = cg_yield(cg_tls_connect(inner, tls, "localhost", &sock, .why = why));
    printf("no hello over TLS: %s\n", why);
    cg_http_client_free(client);
    cg_sock_close(inner);
    cg_sock_close(peer);
    cg_tls_free(tls);
    return n == CG_ETLS ? 0 : -1;
}

int main(void)
{
    return cg_main(NULL, program, "this is not TLS, no.") != 0;
}
END

# The first program of the README, with another address, and a client for it.
awk '/^```c$/ { on = 1; next } /^```$/ && on { exit } on' "$(dirname "$0")/../README.md" |
    sed "s|\"127.0.0.1:7000\"|\"unix:$work/sock\"|" >"$work/readme.c"
cat >"$work/talk.c" <<'END'
#include <cogen.h>
#include <stdio.h>

static ssize_t talk(void *addr)
{
    struct cg_sock *conn;
    char line[64];
    ssize_t n;

    while ((n = cg_yield(cg_connect(addr, &conn))) < 0) /* until it listens */
        cg_yield(cg_sleep(10 * CG_MILLISECOND));
    cg_yield(cg_writeall(conn, "hello from the README\n", 22));
    n = cg_yield(cg_readline(conn, line, sizeof line));
    if (n > 0)
        fputs(line, stdout);
    cg_sock_close(conn);
    return n == 22 ? 0 : -1;
}

int main(int argc, char **argv)
{
    return argc < 2 || cg_main(NULL, talk, argv[1]) != 0;
}
END

export LD_LIBRARY_PATH="$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# run PROGRAM: that of the README is a server, which gets a request and is then killed.
run() {
    [ "$1" = readme ] || {
        "$work/$1"
        return
    }
    "$work/readme" &
    server=$!
    timeout 60 "$work/talk" "unix:$work/sock" || {
        kill $server
        return 1
    }
    kill $server
    wait $server 2>/dev/null || :
    rm -f "$work/sock"
}

# try PROGRAM PACKAGE...: builds and runs it, unless pkg-config does not know a package.
try() {
    name=$1
    shift
    for package in "$@"; do
        if [ "$package" != cogen ] && ! $PKG_CONFIG --exists "$package"; then
            echo "SKIP $name: $package was not built"
            return
        fi
    done
    # shellcheck disable=SC2046,SC2086 # words
    $CC -std=c11 $CFLAGS -o "$work/$name" "$work/$name.c" $($PKG_CONFIG --cflags --libs "$@")
    run "$name"
}

# try_static PROGRAM PACKAGE...: the same, linked statically by pkg-config --static.
try_static() {
    name=$1
    shift
    case $CFLAGS in *-fsanitize*) echo "SKIP static $name: with sanitizers" && return ;; esac
    for package in "$@"; do
        if [ ! -e "$libdir/lib$package.a" ] || ! $PKG_CONFIG --exists "$package"; then
            echo "SKIP static $name: there is no static lib$package"
            return
        fi
    done
    # The C library warns of functions that still need shared libraries, such as name services.
    # shellcheck disable=SC2046,SC2086 # words
    $CC -std=c11 $CFLAGS -static -o "$work/$name" "$work/$name.c" \
        $($PKG_CONFIG --static --cflags --libs "$@") 2>"$work/said" || {
        cat "$work/said"
        return 1
    }
    run "$name"
}

# shellcheck disable=SC2046,SC2086 # words
$CC -std=c11 $CFLAGS -o "$work/talk" "$work/talk.c" $($PKG_CONFIG --cflags --libs cogen)
try first cogen
try readme cogen
try http cogen-http
try tls cogen-http cogen-tls
try_static first cogen
try_static readme cogen
try_static http cogen-http
try_static tls cogen-http cogen-tls

# try_cmake PROGRAM COMPONENT...: the same, with cmake's find_package().
try_cmake() {
    name=$1
    shift
    for component in "$@"; do
        if [ "$component" != cogen ] && ! $PKG_CONFIG --exists "cogen-$component"; then
            echo "SKIP cmake $name: cogen-$component was not built"
            return
        fi
    done
    mkdir "$work/cmake-$name"
    cat >"$work/cmake-$name/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project($name C)
find_package(cogen $($PKG_CONFIG --modversion cogen) REQUIRED COMPONENTS $*)
add_executable($name $work/$name.c)
target_link_libraries($name$(printf ' cogen::%s' "$@"))
END
    rm -f "${work:?}/$name"
    # CC may include arguments, as in "gcc -m32".
    (
        export CC CFLAGS="-std=c11 $CFLAGS"
        cmake -S "$work/cmake-$name" -B "$work/cmake-$name/build" -Dcogen_DIR="$libdir/cmake/cogen" &&
            cmake --build "$work/cmake-$name/build"
    ) >"$work/said" 2>&1 || {
        cat "$work/said"
        return 1
    }
    cp "$work/cmake-$name/build/$name" "$work/$name"
    run "$name"
}

if [ ! -e "$libdir/libcogen.so" ]; then
    echo "SKIP cmake: there is no shared libcogen"
elif command -v cmake >/dev/null; then
    try_cmake first cogen
    try_cmake http http
    try_cmake tls http tls
    # A later minor version may have another interface.
    mkdir "$work/cmake-later"
    printf 'cmake_minimum_required(VERSION 3.13)\nproject(later C)\n%s\n' \
        'find_package(cogen 99.0 REQUIRED)' >"$work/cmake-later/CMakeLists.txt"
    if cmake -S "$work/cmake-later" -B "$work/cmake-later/build" \
        -Dcogen_DIR="$libdir/cmake/cogen" >"$work/said" 2>&1; then
        echo "cmake takes this libcogen for version 99.0"
        exit 1
    fi
else
    echo "SKIP cmake: there is no cmake"
fi

# A program may contain its own llhttp beside ours.
if [ -e "$libdir/libcogen-http.a" ]; then
    names=$(${NM:-nm} -g --defined-only "$libdir/libcogen-http.a" 2>/dev/null |
        awk 'NF == 3 && $3 !~ /^cg_/ { print $3 }')
    [ -z "$names" ] || {
        echo "libcogen-http.a exports" $names
        exit 1
    }
fi
