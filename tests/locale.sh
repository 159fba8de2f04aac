#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The libraries read and write the same in every locale: they use no function whose result
# depends on it; lib/base/ascii.h and http/message/date.c replace these.
#   tests/locale.sh    (in the build directory; NM, srcdir)
set -u
: "${NM:=nm}" "${srcdir:=.}"
passed=0 failed=0

# Messages for people (strerror) may depend on the locale. getaddrinfo and inet_pton do not.
functions='atof atoi atol atoll strto[a-jl-z][a-z]* str[n]*casecmp strcasestr strcoll strxfrm alphasort
versionsort strftime strptime asctime ctime is[a-z]*alpha is(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)
to(lower|upper) __ctype_[a-z_]* [a-z_]*scanf setlocale nl_langinfo localeconv wc[a-z]* mb[a-z]* tow[a-z]*'
# shellcheck disable=SC2086 # words
pattern="($(printf '%s|' $functions)nothing)(_l|_r)?"

check() # NAME FOUND
{
    if [ -z "$2" ]; then
        passed=$((passed + 1))
        echo "ok $1"
    else
        failed=$((failed + 1))
        printf 'FAILED %s:\n%s\n' "$1" "$2"
    fi
}

for library in libcogen libcogen-http libcogen-tls; do
    file=.libs/$library.so
    [ -e "$file" ] || continue
    used=$($NM -D --undefined-only "$file" |
        awk '{ sub(/@.*/, "", $NF); sub(/^__isoc(99|23)_/, "", $NF); print $NF }')
    check "$library uses no function that depends on the locale" \
        "$(grep -xE "$pattern" <<<"${used:-nothing}")"
done

# printf writes floating point with the locale's decimal point, and groups digits like the locale
# after an apostrophe.
cd "$srcdir" || exit 1
check 'no floating point is printed' \
    "$(grep -nE "\"[^\"]*%[-+ #0-9.*]*L?([aefgAEFG]|'[0-9]*[diu])[^\"]*\"" \
        $(find lib sockets system reactors tls http -name '*.[ch]') | grep -vE "%2F|http/llhttp_|: *(/\*|\*)|'%'")"

echo "$((passed + failed > 0 ? 100 * passed / (passed + failed) : 0))%: Checks:" \
    "$((passed + failed)), Failures: $failed, Errors: 0"
[ $failed -eq 0 ]
