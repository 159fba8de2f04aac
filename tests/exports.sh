#!/bin/sh
# SPDX-License-Identifier: MIT
# The library exports what lib/exports lists: nothing by accident, nothing lost.
#   tests/exports.sh           compares
#   tests/exports.sh --print   prints the list (make update-exports keeps it)
# Wants NM, srcdir; runs in the build directory.
set -eu
export LC_ALL=C

: "${NM:=nm}" "${srcdir:=.}"
library=
for library in .libs/libcogen.so .libs/libcogen.dylib; do
    [ -e "$library" ] && break
    library=
done
if [ -z "$library" ]; then
    echo "SKIP: exported symbols: there is no shared library (--disable-shared?)"
    exit 77
fi

# The columns are value, type, name; undefined symbols have no value.
exported() {
    $NM -D "$library" | sed -n 's/^[0-9a-f]* [A-TV-Z] //p' | sed 's/@.*//' | sort -u
}

if [ "${1-}" = --print ]; then
    exported
    exit 0
fi

list=$(mktemp)
trap 'rm -f "$list"' EXIT
exported >"$list"
if diff -u "$srcdir/lib/exports" "$list"; then
    echo "100%: Checks: 1, Failures: 0, Errors: 0"
else
    echo "exported symbols differ from lib/exports (-: listed only, +: exported only);"
    echo "if this is meant: make update-exports"
    echo "0%: Checks: 1, Failures: 1, Errors: 0"
    exit 1
fi
