/* SPDX-License-Identifier: MIT */
/* What must hold of the end of a connection: see end_cases.h. */
#include "config.h"

#include "tests/sockets/end_cases.h"
#include "tests/support/support.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t waits(void *sock)
{
    return cg_yield(cg_wait_gone(sock));
}

static ssize_t reads_a_line(void *sock)
{
    char line[16];

    return cg_yield(cg_readline(sock, line, sizeof line));
}

void end_gone(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *first, *second, *reader;
    struct cg_view view;
    char buf[8];

    IS(cg_yield(cg_wait_gone(a, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    first = test_start(waits, a);
    second = test_start(waits, a);
    reader = test_start(reads_a_line, a);
    test_until_waiting(reader);
    IS(cg_yield(cg_writeall(b, "line\nrest", 9)), 9);
    IS(test_end(reader), 5);
    IS(cg_yield(cg_any((cg_wait_gone(a), cg_readall(a, buf, 1)))), 1);
    IS(cg_yield(cg_any((cg_wait_gone(a), cg_writeall(a, "x", 1)))), 1);
    IS(cg_yield(cg_wait_gone(a, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    OK(cg_yield(cg_cancel(second)));
    IS(test_end(second), -ECANCELED);
    second = test_start(waits, a);
    test_until_waiting(second);
    IS(cg_yield(cg_shutdown(b, SHUT_WR)), 0);
    IS(test_end(first), 0);
    IS(test_end(second), 0);
    IS(cg_yield(cg_wait_gone(a)), 0);
    IS(cg_yield(cg_borrow(a, &view)), 3);
    ck_assert_mem_eq(view.data, "est", 3);
    IS(cg_yield(cg_wait_gone(a)), 0);
    cg_view_release(&view, 3);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 0);
    IS(cg_yield(cg_wait_gone(a)), 0);
    IS(cg_yield(cg_readall(b, buf, 1)), 1); /* half closed */
    cg_sock_close(b);
    cg_sock_close(a);
}

void end_gone_closed(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *first = test_start(waits, a), *second = test_start(waits, a);

    IS(cg_yield(cg_writeall(b, "unread", 6)), 6);
    test_until_waiting(second);
    cg_sock_close(a);
    IS(test_end(first), -EBADF);
    IS(test_end(second), -EBADF);
    IS(cg_yield(cg_wait_gone(b)), 0);
    IS(cg_yield(cg_wait_gone(NULL)), -EBADF);
    cg_sock_close(b);
}

enum { MUCH = 600 * 1024 };

static ssize_t sends_much(void *sock)
{
    static char much[MUCH];

    return cg_yield(cg_writeall(sock, much, sizeof much));
}

static ssize_t closes_gently(void *sock)
{
    return cg_yield(cg_close_gently(sock, .timeout = 60 * CG_SECOND));
}

void end_gently(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *sender = test_start(sends_much, b), *closer;
    char buf[8];

    IS(cg_yield(cg_writeall(a, "answer", 6)), 6);
    closer = test_start(closes_gently, a);
    IS(test_end(sender), MUCH);
    IS(cg_yield(cg_readall(b, buf, 6)), 6);
    ck_assert_mem_eq(buf, "answer", 6);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    cg_sock_close(b);
    IS(test_end(closer), 0);
}

/* The peer notices that the socket was closed. */
static void until_closed(struct cg_sock *peer)
{
    ssize_t n;

    while ((n = cg_yield(cg_write(peer, "x", 1, .timeout = CG_SECOND))) > 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    ck_assert(n == -EPIPE || n == -ECONNRESET);
}

void end_gently_bounded(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_op *close = cg_close_gently(a, .most = MUCH - 1, .timeout = 60 * CG_SECOND);
    struct cg_coro *sender = test_start(sends_much, b);
    ssize_t sent;

    IS(cg_yield(close), -EMSGSIZE);
    IS(cg_yield(close), -EBADF); /* no second close */
    sent = test_end(sender);
    ck_assert(sent == MUCH || sent == -EPIPE || sent == -ECONNRESET);
    until_closed(b);
    cg_sock_close(b);
    IS(cg_yield(cg_close_gently(NULL)), -EBADF);
}

void end_gently_lost(struct cg_sock *a, struct cg_sock *b)
{
    IS(cg_yield(cg_any((cg_sleep(0), cg_close_gently(a)))), 0);
    until_closed(b);
    cg_sock_close(b);
}

static ssize_t sends_in_pieces(void *sock)
{
    static char piece[7000];
    size_t at = 0;

    for (int i = 0; i < 20; i++, at += sizeof piece) {
        test_fill(piece, sizeof piece, at);
        IS(cg_yield(cg_writeall(sock, piece, sizeof piece)), sizeof piece);
        IS(cg_yield(cg_pass()), 0);
    }
    return cg_yield(cg_shutdown(sock, SHUT_WR));
}

void end_least(struct cg_sock *a, struct cg_sock *b)
{
    static const size_t wanted[] = {0, 1, 5000, 17000, 100, CG_INPUT_LIMIT, 30000, 16000};
    struct cg_coro *sender = test_start(sends_in_pieces, b);
    size_t at = 0, all = 20 * 7000;
    struct cg_view view;

    IS(cg_yield(cg_borrow(a, &view, .least = CG_INPUT_LIMIT + 1)), -EMSGSIZE);
    for (size_t i = 0;; i++) {
        size_t least = wanted[i % COUNT(wanted)], lost = 0;
        ssize_t n;

        while ((n = cg_yield(cg_borrow(a, &view, .least = least,
                                       .timeout = lost < 3 ? CG_NOWAIT : CG_NEVER))) ==
               -ETIMEDOUT)
            lost++;
        OK(n);
        ck_assert_uint_eq((size_t)n, view.len);
        ck_assert(view.len >= least || at + view.len == all);
        if (n == 0)
            break;
        test_verify(view.data, view.len, at);
        cg_view_release(&view, view.len / 2 + 1);
        at += view.len / 2 + 1;
    }
    ck_assert_uint_eq(at, all);
    IS(cg_yield(cg_borrow(a, &view, .least = 10)), 0);
    IS(test_end(sender), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t counts_to_20(void *sock)
{
    static const char text[] = "abcdefghijklmnopqrst";

    for (int i = 0; i < 20; i += 5) {
        IS(cg_yield(cg_writeall(sock, text + i, 5)), 5);
        IS(cg_yield(cg_pass()), 0);
    }
    return cg_yield(cg_shutdown(sock, SHUT_WR));
}

void end_to_end(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *there = test_start(counts_to_20, b), *back = test_start(counts_to_20, a);
    char buf[64];
    size_t moved = 0, sum = 0;

    IS(cg_yield(cg_read_to_end(a, buf, 7, .moved = &moved)), -EMSGSIZE);
    ck_assert_uint_eq(moved, 7);
    for (ssize_t n = -ETIMEDOUT; n == -ETIMEDOUT; sum += moved) {
        n = cg_yield(cg_read_to_end(a, buf + 7 + sum, 13 - sum, .moved = &moved,
                                    .timeout = sum < 3 ? CG_NOWAIT : CG_NEVER));
        ck_assert(n == -ETIMEDOUT || (size_t)n == moved);
    }
    ck_assert_uint_eq(sum, 13);
    ck_assert_mem_eq(buf, "abcdefghijklmnopqrst", 20);
    IS(cg_yield(cg_read_to_end(a, buf, sizeof buf)), 0);
    IS(cg_yield(cg_read_to_end(a, buf, 0)), 0);
    IS(cg_yield(cg_read_to_end(b, buf, sizeof buf)), 20);
    ck_assert_mem_eq(buf, "abcdefghijklmnopqrst", 20);
    IS(test_end(there), 0);
    IS(test_end(back), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}
