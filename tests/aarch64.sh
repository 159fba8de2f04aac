#!/bin/sh
# SPDX-License-Identifier: MIT
# The aarch64 context switch, cross-compiled and run under qemu-user. Needs srcdir. On an
# aarch64 machine the other tests cover it.
set -eu

: "${srcdir:=.}"
cc=aarch64-linux-gnu-gcc
qemu=
for each in qemu-aarch64-static qemu-aarch64; do
    if command -v $each >/dev/null; then
        qemu=$each
        break
    fi
done
if ! command -v $cc >/dev/null || [ -z "$qemu" ]; then
    echo "SKIP: the aarch64 context switch: wants $cc and qemu-aarch64" \
        "(in Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)"
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for optimise in -O0 -O2; do
    # Uses the config.h of tests/cross; that of this build describes another machine.
    $cc -std=gnu11 $optimise -g -static -pthread -Wall -Wextra -Werror \
        -I"$srcdir/tests/cross" -I"$srcdir/include" -I"$srcdir" -o "$work/smoke" \
        "$srcdir/tests/stacks/context_smoke.c" "$srcdir/lib/stacks/context.c" \
        "$srcdir/lib/stacks/context_aarch64.S" "$srcdir/lib/stacks/guard.c" "$srcdir/lib/stacks/overflow.c" \
        "$srcdir/lib/stacks/stack.c"
    "$qemu" "$work/smoke"
done
echo "100%: Checks: 2, Failures: 0, Errors: 0"
