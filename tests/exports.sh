#!/bin/sh
# SPDX-License-Identifier: MIT
# Each library exports what its list in exports/ says: nothing by accident, nothing lost. The
# symbols file of the Debian package has the same names.
#   tests/exports.sh                   compares
#   tests/exports.sh --print LIBRARY   prints the list (make update-exports keeps it)
# Needs NM, srcdir; runs in the build directory.
set -eu
export LC_ALL=C

: "${NM:=nm}" "${srcdir:=.}"

# The file of a shared library, if it was built.
shared() {
    for each in ".libs/$1.so" ".libs/$1.dylib"; do
        [ ! -e "$each" ] || echo "$each"
    done
}

# The columns are value, type, name; undefined symbols have no value.
exported() {
    $NM -D "$(shared "$1")" | sed -n 's/^[0-9a-f]* [A-TV-Z] //p' | sed 's/@.*//' | sort -u
}

if [ "${1-}" = --print ]; then
    exported "${2:-libcogen}"
    exit 0
fi
if [ -z "$(shared libcogen)" ]; then
    echo "SKIP: exported symbols: there is no shared library (--disable-shared?)"
    exit 77
fi

list=$(mktemp)
trap 'rm -f "$list"' EXIT
checks=0 failures=0
for exports in "$srcdir"/exports/*; do
    library=$(basename "$exports")
    if [ -z "$(shared "$library")" ]; then
        echo "SKIP $library: it was not built"
        continue
    fi
    checks=$((checks + 1))
    exported "$library" >"$list"
    if ! diff -u "$exports" "$list"; then
        echo "$library: exported symbols differ from exports/$library (-: listed only, +:"
        echo "exported only); if this is meant: make update-exports"
        failures=$((failures + 1))
    fi
    checks=$((checks + 1))
    awk -v file="$library.so.0" '/^lib/ { on = $1 == file } on && sub(/@.*/, "") { print $1 }' \
        "$srcdir/debian/libcogen0.symbols" | sort >"$list"
    if ! diff -u "$exports" "$list"; then
        echo "$library: debian/libcogen0.symbols differs from exports/$library (-: exported only,"
        echo "+: in debian/ only): add the lines with the version that has them first"
        failures=$((failures + 1))
    fi
done
echo "$(((checks - failures) * 100 / checks))%: Checks: $checks, Failures: $failures," \
    "Errors: 0"
[ "$failures" -eq 0 ]
