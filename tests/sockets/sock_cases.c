/* SPDX-License-Identifier: MIT */
/* What must hold of any two connected sockets: see sock_cases.h. */
#include "config.h"

#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"

#include <errno.h>
#include <sys/socket.h>

enum { SIZE = 300 * 1024 };

ssize_t pours(void *arg)
{
    struct piece *p = arg;

    p->result = cg_yield(cg_writeall(p->sock, p->data, p->size, .timeout = p->timeout,
                                     .moved = &p->moved));
    return p->result;
}

ssize_t drinks(void *arg)
{
    struct piece *p = arg;

    p->result = cg_yield(cg_readall(p->sock, p->data, p->size));
    return p->result;
}

void sock_everything(struct cg_sock *a, struct cg_sock *b)
{
    struct iovec iov[] = {{"one ", 4}, {"", 0}, {"two\n", 4}, {"three", 5}};
    struct iovec begin = {"an", 2}, late = {"late", 4};
    struct cg_view view;
    char buf[64] = "";
    size_t moved = 99;

    IS(cg_yield(cg_writev(a, iov, 4, .moved = &moved)), 13);
    ck_assert_uint_eq(moved, 13);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), 8);
    ck_assert_str_eq(buf, "one two\n");
    IS(cg_yield(cg_readall(b, buf, 5, .moved = &moved)), 5);
    ck_assert_mem_eq(buf, "three", 5);
    IS(cg_yield(cg_writev(b, &begin, 1, .more = true)), 2);
    IS(cg_yield(cg_writeall(b, "swer", 4)), 4);
    IS(cg_yield(cg_borrow(a, &view, .least = 6)), 6); /* over a pair they come one by one */
    cg_view_release(&view, 0);
    IS(cg_yield(cg_wait_input(a)), 0);
    IS(cg_yield(cg_poll_sock(a, CG_IN)), CG_IN);
    IS(cg_yield(cg_poll_sock(a, CG_OUT)), CG_OUT);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(a, CG_IN | CG_OUT))) & CG_IN, 0);
    IS(cg_yield(cg_poll_sock(b, CG_IN | CG_OUT)), CG_OUT);
    IS(cg_yield(cg_borrow(a, &view)), 6);
    ck_assert_mem_eq(view.data, "answer", 6);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), -EBUSY);
    IS(cg_yield(cg_wait_input(a)), -EBUSY);
    cg_view_release(&view, 2);
    IS(cg_yield(cg_wait_input(a)), 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 4);
    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_readall(a, buf, 8, .timeout = CG_MILLISECOND, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_poll_sock(a, CG_IN, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_wait_input(a, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_shutdown(a, 77)), -EINVAL);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_write(a, "x", 1)), -EPIPE);
    IS(cg_yield(cg_wait_input(b)), 0);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    IS(cg_yield(cg_wait_input(b)), 0);
    IS(cg_yield(cg_readall(b, buf, 1)), CG_EOF);
    IS(cg_yield(cg_writev(b, &late, 1, .more = true)), 4); /* half closed */
    cg_sock_close(b); /* and no more follows */
    IS(cg_yield(cg_readall(a, buf, 4)), 4);
    cg_sock_close(a);
}

void sock_both_ways(struct cg_sock *a, struct cg_sock *b)
{
    static char there[SIZE], back[SIZE], other[SIZE], back_other[SIZE];
    struct piece pieces[] = {
        {.sock = a, .data = there, .size = SIZE},
        {.sock = b, .data = other, .size = SIZE},
        {.sock = b, .data = back, .size = SIZE},
        {.sock = a, .data = back_other, .size = SIZE},
    };
    struct cg_coro *coros[4];

    test_fill(there, SIZE, 0);
    test_fill(other, SIZE, 7);
    for (size_t i = 0; i < 4; i++)
        coros[i] = test_start(i < 2 ? pours : drinks, &pieces[i]);
    for (size_t i = 0; i < 4; i++)
        IS(test_end(coros[i]), SIZE);
    test_verify(back, SIZE, 0);
    test_verify(back_other, SIZE, 7);
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t writes_slowly(void *arg)
{
    for (int i = 0; i < 100; i++) {
        char byte = (char)i;

        IS(cg_yield(cg_writeall(arg, &byte, 1)), 1);
        for (int pass = 0; pass < i % 5; pass++)
            IS(cg_yield(cg_pass()), 0);
    }
    return cg_yield(cg_shutdown(arg, SHUT_WR));
}

void sock_raced(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *writer;
    int next = 0, lost = 0;
    ssize_t n;

    writer = test_start(writes_slowly, a);
    do {
        char buf[4];
        struct cg_op *read = cg_read(b, buf, sizeof buf);
        ssize_t winner = OK(cg_yield(cg_any((read, cg_sleep(lost % 3)))));

        n = cg_op_result(read);
        lost += winner != 0;
        if (winner == 0)
            OK(n);
        else if (n != -ECANCELED)
            ck_abort_msg("a loser answered %zd", n);
        for (ssize_t i = 0; i < n; i++)
            ck_assert_int_eq(buf[i], (char)next++);
    } while (n != 0);
    ck_assert_int_eq(next, 100);
    IS(test_end(writer), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

void sock_closed(struct cg_sock *a, struct cg_sock *b)
{
    static char much[64 * 1024 * 1024]; /* more than any kernel buffers */
    struct cg_coro *reader, *writer;
    char buf[8];
    struct piece r = {.sock = a, .data = buf, .size = sizeof buf};
    struct piece w = {.sock = a, .data = much, .size = sizeof much};

    reader = test_start(drinks, &r);
    writer = test_start(pours, &w);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), -EBUSY);
    cg_sock_close(a);
    IS(test_end(reader), -EBADF);
    IS(test_end(writer), -EBADF);
    cg_sock_close(b);
}

static ssize_t trickles(void *arg)
{
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_writeall(arg, "x", 1)), 1);
        IS(cg_yield(cg_sleep(2 * CG_SECOND)), 0);
    }
    return 0;
}

void sock_weak(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro;
    struct cg_op *read;
    size_t moved = 0;
    char buf[10];

    coro = test_start(trickles, a);
    IS(cg_yield(cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .weak_timeout = true)), 10);
    test_end(coro);
    coro = test_start(trickles, a);
    read = cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .weak_timeout = true);
    IS(cg_yield(cg_any((read, cg_sleep(CG_HOUR)))), 0);
    IS(cg_op_result(read), 10);
    test_end(coro);
    coro = test_start(trickles, a);
    IS(cg_yield(cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_eq(moved, 2);
    test_end(coro);
    cg_sock_close(a);
    cg_sock_close(b);
}
