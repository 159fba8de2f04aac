#!/bin/sh
# SPDX-License-Identifier: MIT
# gcc and clang refuse common mistakes, with the headers in a project (-I) and installed
# (-isystem), and accept the right forms without a warning. Needs srcdir.
set -eu

: "${srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# Makes a program of the body of a function, in which these names can be used.
program() {
    cat <<END
#include <cogen.h>
#include <cogen/https.h>
ssize_t f(struct cg_sock *sock, struct cg_queue *queue, struct cg_coro *coro, char *buf,
          struct cg_op **ops, size_t n);
ssize_t f(struct cg_sock *sock, struct cg_queue *queue, struct cg_coro *coro, char *buf,
          struct cg_op **ops, size_t n)
{
    struct cg_op *op = cg_pass();
    int number = 0;
    intptr_t word = 0;
    char *text = buf;

    $1
    return cg_yield(cg_any((op, cg_get(queue, &word), cg_read(sock, buf, n)))) +
           cg_yield(cg_all_of(ops, n)) + cg_yield(cg_join(coro)) + number + word + *text;
}
END
}

# compile FLAGS: compiles the program with every compiler and both kinds of path. The right forms
# are compiled with the warnings that a careful project turns on.
wrong='-Wall -Wextra -Wno-override-init -Wno-initializer-overrides -Werror'
right='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

# refused WHAT MESSAGE BODY: every compiler must print MESSAGE, as a warning or an error.
refused() {
    program "$3" >"$work/refused.c"
    for compiler in $compilers; do
        for path in -I -isystem; do
            checks=$((checks + 1))
            # shellcheck disable=SC2086 # a list of flags
            if "$compiler" $wrong $path "$srcdir/include" -fsyntax-only "$work/refused.c" \
                2>"$work/said"; then
                fail "$1: $compiler $path takes: $3"
            elif ! grep -Eq "$2" "$work/said"; then
                fail "$1: $compiler $path says: $(head -n 1 "$work/said")"
            fi
        done
    done
}

# taken BODY: every compiler must accept it without a message.
taken() {
    program "$1" >"$work/taken.c"
    for compiler in $compilers; do
        for path in -I -isystem; do
            checks=$((checks + 1))
            # shellcheck disable=SC2086 # a list of flags
            "$compiler" $right $path "$srcdir/include" -fsyntax-only "$work/taken.c" ||
                fail "$compiler $path refuses: $1"
        done
    done
}

compilers=''
for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null; then
        compilers="$compilers $compiler"
    else
        echo "SKIP: misuse with $compiler: there is no $compiler here"
    fi
done

unused='not used|ignoring return value'
refused 'a forgotten cg_yield' "$unused" 'cg_writeall(sock, "hello", 5);'
refused 'a forgotten cg_yield' "$unused" 'cg_cancel(coro);'
refused 'a forgotten cg_yield' "$unused" 'cg_pass();'
refused 'a forgotten cg_yield' "$unused" 'cg_any((cg_read(sock, buf, n), cg_sleep(1)));'
refused 'a forgotten cg_yield' "$unused" 'if (n) cg_tls_accept(sock, NULL, &sock);'

refused 'a race without parentheses' 'cg__ops' \
    'cg_yield(cg_any(cg_read(sock, buf, n), cg_sleep(CG_SECOND)));'
refused 'a race without parentheses' 'cg__ops' 'cg_yield(cg_all(op, op));'

keyword="expected .=.|designator"
refused 'a keyword by position' "$keyword" 'cg_yield(cg_sleep(CG_SECOND / 2, CG_SECOND));'
refused 'a keyword by position' "$keyword" 'cg_yield(cg_read(sock, buf, n, CG_SECOND));'
refused 'a keyword by position' "$keyword" \
    'cg_yield(cg_read(sock, buf, n, .timeout = CG_SECOND, 1));'
refused 'a keyword by position' "$keyword" 'cg_yield(cg_pass(CG_PRIO_CORO));'
refused 'a keyword by position' "$keyword" 'cg_yield(cg_any((op, op), CG_SECOND));'
refused 'a keyword by position' "$keyword" 'cg_yield(cg_tls_accept(sock, NULL, &sock, 1));'
refused 'an option by position' "$keyword" 'queue = cg_queue_new(10);'
refused 'an option by position' "$keyword" \
    'number = cg_sock_listen(cg_sched_self(), "*:80", &sock, 16);'
refused 'an option by position' "$keyword" 'struct cg_iterator i = cg_iterator(NULL, buf, 1);'
refused 'an unknown keyword' 'no member|does not refer' \
    'cg_yield(cg_sleep(1, .timeuot = CG_SECOND));'
refused 'too many keywords' 'more_than_32_keywords' "cg_yield(cg_sleep(1$(
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        printf ', .timeout = 1, .deadline = 1'
    done
)));"

refused 'an address of another type' 'incompatible pointer' \
    'int fd = 0; cg_yield(cg_send_to(sock, buf, n, &fd));'

word='the result is one word'
refused 'a small result' "$word" 'cg_yield(cg_get(queue, &number));'
refused 'a small result' "$word" 'cg_yield(cg_wait_signal("name", &number));'
refused 'a small result' "$word" 'number = cg_queue_try_get(queue, &number);'
refused 'a small result' "$word" 'cg_gen_next(cg_gen_self(), &number);'
refused 'a small result' "$word" 'cg_gen_yield(cg_gen_self(), 1, &number);'
refused 'a small result' "$word" 'struct cg_iterator i; cg_yield(cg_get_next(&i, buf));'

taken 'cg_yield(cg_get(queue, &text));'
taken 'cg_yield(cg_get(queue, NULL, .timeout = CG_SECOND));'
taken 'void *place = &word; cg_yield(cg_wait_signal("name", place));'
taken 'const char *line; cg_yield(cg_wait_signal(7, &line)); text = buf + (line != NULL);'
taken 'cg_yield(cg_any((cg_read(sock, buf, n), cg_any((op, cg_sleep(1, .prio = CG_PRIO_OP))),
                        cg_wait_signal("stop", &word)), .timeout = 5 * CG_SECOND, ));'
taken 'cg_yield(cg_any_of(ops, n, .timeout = CG_SECOND));'
taken 'cg_yield(cg_all_of(((struct cg_op *[]){op, cg_pass()}), 2));'
taken 'cg_yield(cg_pass()); cg_yield(cg_pass(.prio = CG_PRIO_CORO));'
taken 'queue = cg_queue_new(); queue = cg_queue_new(.limit = 10, .name = "jobs");'
taken 'const struct cg_addr *to = NULL; cg_yield(cg_send_to(sock, buf, n, to, .timeout = 1));
       cg_yield(cg_send_to(sock, "x", 1, "[::1]:53")); cg_yield(cg_send_to(sock, buf, 0, NULL));'
taken 'for (op = cg_pass(); cg_yield(op) < 0;) n++;'

[ "$checks" -gt 0 ] || exit 77
echo "$(((checks - failures) * 100 / checks))%: Checks: $checks," \
    "Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
