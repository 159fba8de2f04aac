#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, without a warning, as C11 with gcc and clang and as C++; so
# does a program that uses every constructor. Only cogen/system.h includes system headers. Needs
# srcdir.
set -eu

: "${srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

# try WHAT COMPILER...: compiles, and counts the result.
try() {
    what=$1
    shift
    checks=$((checks + 1))
    if ! "$@" -I"$srcdir/include" -Wall -Wextra -Wpedantic -Werror -fsyntax-only; then
        echo "FAIL: $what: $*"
        failures=$((failures + 1))
    fi
}

# one LANGUAGE COMPILER...: compiles every header alone, with the compiler of a language.
one() {
    language=$1
    shift
    if ! command -v "$1" >/dev/null; then
        echo "SKIP: public headers as $language with $1: there is no $1 here"
        return
    fi
    for header in "$srcdir"/include/cogen.h "$srcdir"/include/cogen/*.h; do
        name=${header#"$srcdir"/include/}
        # Included twice, to test the include guards.
        printf '#include <%s>\n#include <%s>\n' "$name" "$name" >"$work/alone.$language"
        try "$name" "$@" "$work/alone.$language"
    done
    try "headers_use.$language" "$@" "$srcdir/tests/headers_use.$language"
}

one c gcc -std=c11 -Woverride-init
one c clang -std=c11
one cc g++ -std=c++11
one cc clang++ -std=c++11

# The macros that CONTRIBUTING.md shows must be those of the headers: the compiler complains if a
# macro is defined again in a different way.
{
    echo '#include <cogen.h>'
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$srcdir/CONTRIBUTING.md"
    echo 'ssize_t shown(struct cg_sock *sock, char *buf);'
    echo 'ssize_t shown(struct cg_sock *sock, char *buf)'
    echo '{ return cg_yield(cg_read(sock, buf, 1, .timeout = CG_SECOND)); }'
} >"$work/contributing.c"
if command -v gcc >/dev/null; then
    try CONTRIBUTING.md gcc -std=c11 "$work/contributing.c"
fi
for name in $(grep -ow '[cC][gG]_[A-Za-z_]*' "$srcdir/CONTRIBUTING.md" | grep -v NAME | sort -u); do
    checks=$((checks + 1))
    if ! grep -qrw "$name" "$srcdir/include" "$srcdir/lib" "$srcdir/sockets" "$srcdir/reactors" \
        "$srcdir/m4"; then
        echo "FAIL: CONTRIBUTING.md: there is no $name"
        failures=$((failures + 1))
    fi
done

# The line marker in construct.h must have the number of the line that follows it.
checks=$((checks + 1))
if ! awk '/^# [0-9]+ "/ { found++; wrong += $2 != NR + 1 } END { exit found != 1 || wrong }' \
    "$srcdir/include/cogen/construct.h"; then
    echo "FAIL: construct.h: the number in its line marker"
    failures=$((failures + 1))
fi

# The system's types come from cogen/system.h; elsewhere only these headers of C.
for header in "$srcdir"/include/cogen.h "$srcdir"/include/cogen/*.h; do
    [ "${header##*/}" != system.h ] || continue
    checks=$((checks + 1))
    if grep -n '^[ 	]*#[ 	]*include' "$header" |
        grep -Ev '<(cogen/[a-z_]*|std(bool|def|int|io)|string)\.h>'; then
        echo "FAIL: $header: includes a system header; only cogen/system.h may"
        failures=$((failures + 1))
    fi
done

[ "$checks" -gt 0 ] || exit 77
echo "$(((checks - failures) * 100 / checks))%: Checks: $checks," \
    "Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
