#!/bin/sh
# SPDX-License-Identifier: MIT
# make installcheck: a first program, built with what pkg-config says about the installed
# library, runs. Wants CC, CFLAGS, PKG_CONFIG, PKG_CONFIG_PATH and libdir.
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
    cg_start(sched, hello, "a coroutine");
    ssize_t left = cg_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return left != 0;
}
END
# shellcheck disable=SC2046,SC2086 # words
$CC $CFLAGS -o "$work/first" "$work/first.c" $($PKG_CONFIG --cflags --libs cogen)
LD_LIBRARY_PATH="$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$work/first"
