/* SPDX-License-Identifier: MIT */
/* Waits that end early, on every reactor: timeouts, cancels, and sockets that are closed
 * while a coroutine waits for them. No byte and no connection is lost. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static char big[1 << 20];

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

/* Writes until the buffers are full: the next write has to wait. */
static size_t fill_up(struct cg_sock *sock)
{
    size_t sum = 0, moved;
    int idle = 0;

    while (idle < 3) { /* TCP may make more room a moment later */
        ssize_t n = cg_yield(cg_writeall(sock, big, sizeof big, .moved = &moved,
                                         .timeout = 3 * MS));

        sum += n < 0 ? moved : (size_t)n;
        idle = n == -ETIMEDOUT && !moved ? idle + 1 : 0;
    }
    return sum;
}

static size_t drain(struct cg_sock *sock)
{
    static char buf[65536];
    size_t sum = 0;
    ssize_t n;

    while ((n = OK(cg_yield(cg_read(sock, buf, sizeof buf)))) > 0)
        sum += (size_t)n;
    return sum;
}

/* Timeouts */

/* Every wait for input ends at its timeout, and not before. Afterwards the socket is as it
 * was, and bytes that come later are read. */
static void reads_time_out(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];
    struct cg_view view;
    struct cg_op *ops[] = {
        cg_read(a, buf, sizeof buf, .timeout = 3 * MS),
        cg_readall(a, buf, sizeof buf, .timeout = 3 * MS),
        cg_readline(a, buf, sizeof buf, .timeout = 3 * MS),
        cg_borrow(a, &view, .timeout = 3 * MS),
        cg_poll_sock(a, CG_IN, .timeout = 3 * MS),
    };

    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT(ops); i++) {
            int64_t start = now();

            IS(cg_yield(ops[i]), -ETIMEDOUT);
            ck_assert_int_ge(now(), start + 3 * MS);
        }
    IS(cg_yield(cg_writeall(b, "abc\n", 4)), 4);
    IS(cg_yield(cg_readline(a, buf, sizeof buf)), 4);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* CG_NOWAIT never waits: the op returns -ETIMEDOUT, or what is available. */
static void nowait(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16] = "";
    struct cg_view view;

    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_readall(a, buf, sizeof buf, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_readline(a, buf, sizeof buf, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_borrow(a, &view, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_poll_sock(a, CG_IN, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, "abc\n", 4)), 4);
    OK(cg_yield(cg_poll_sock(a, CG_IN))); /* until the bytes are there */
    IS(cg_yield(cg_readline(a, buf, sizeof buf, .timeout = CG_NOWAIT)), 4);
    IS(cg_yield(cg_writeall(b, "d", 1)), 1);
    OK(cg_yield(cg_poll_sock(a, CG_IN)));
    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = CG_NOWAIT)), 1);
    IS(cg_yield(cg_write(a, buf, 1, .timeout = CG_NOWAIT)), 1);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* With full buffers writes time out and say how much they moved. All that they moved
 * arrives. */
static void writes_time_out(struct cg_sock *a, struct cg_sock *b)
{
    struct iovec iov[2] = {{big, 1000}, {big, 1000}};
    size_t sum = fill_up(a), moved = 77;
    ssize_t n;

    /* TCP may have made room since, so the bytes that it still accepts are counted. */
    while ((n = cg_yield(cg_write(a, big, 1000, .timeout = CG_NOWAIT))) > 0)
        sum += (size_t)n;
    IS(n, -ETIMEDOUT);
    while ((n = cg_yield(cg_write(a, big, 1000, .timeout = MS, .moved = &moved))) > 0)
        sum += (size_t)n;
    IS(n, -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    do {
        while ((n = cg_yield(cg_writev(a, iov, 2, .timeout = MS, .moved = &moved))) > 0)
            sum += (size_t)n;
        IS(n, -ETIMEDOUT);
        sum += moved;
    } while ((n = cg_yield(cg_poll_sock(a, CG_OUT, .timeout = MS))) >= 0);
    IS(n, -ETIMEDOUT);
    cg_sock_close(a);
    ck_assert_uint_eq(drain(b), sum);
    cg_sock_close(b);
}

static ssize_t has_defaults(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_op *again;
    char byte;
    int64_t start;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        ck_assert(test_connect(i ? OVER_PAIR : OVER_TCP, &a, &b));
        start = now();
        IS(cg_yield(cg_read(a, &byte, 1)), -ETIMEDOUT);
        IS(cg_yield(cg_poll_sock(a, CG_IN)), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + 20 * MS);
        fill_up(a);
        start = now();
        IS(cg_yield(cg_writeall(a, big, sizeof big)), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + 10 * MS);
        cg_sock_set_timeout(a, 50 * MS); /* the socket's timeout replaces the scheduler's */
        start = now();
        again = cg_read(a, &byte, 1);
        IS(cg_yield(again), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + 50 * MS);
        start = now();
        IS(cg_yield(cg_read(a, &byte, 1, .timeout = 20 * MS)), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + 20 * MS);
        if (test_on_sim())
            ck_assert_int_lt(now(), start + 50 * MS);
        cg_sock_set_timeout(a, 0);
        start = now();
        IS(cg_yield(again), -ETIMEDOUT); /* not the socket's earlier timeout */
        if (test_on_sim())
            ck_assert_int_lt(now(), start + 50 * MS);
        cg_sock_close(a);
        cg_sock_close(b);
    }
    return 0;
}

static ssize_t accepts_without_default(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn, .timeout = 40 * MS)), -ETIMEDOUT);
    cg_sock_set_timeout(listener, MS);
    IS(cg_yield(cg_any((cg_accept(listener, &conn), cg_sleep(20 * MS)))), 1);
    cg_sock_close(listener);
    return 0;
}

/* An op on a socket that has no timeout of its own takes the socket's, or else the
 * scheduler's. accept takes neither. */
static void default_timeouts(void)
{
    struct test test = test_open(.timeout = 10 * MS);

    OK(cg_sched_start(test.sched, has_defaults, NULL));
    OK(cg_sched_start(test.sched, accepts_without_default, NULL));
    test_finish(&test);
    test_close(&test);
}

/* An accept that times out leaves the listener usable. */
static ssize_t accept_times_out(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn = (struct cg_sock *)addr, *peer;
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_accept(listener, &conn, .timeout = 3 * MS)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 3 * MS);
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    cg_sock_close(conn);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

/* Events in the turn of a timeout */

/* Blocks the thread for `length`, so that everything that becomes due is due in the same
 * turn. */
static void compute(int64_t length)
{
    if (!test_on_sim())
        nanosleep(&(struct timespec){0, length}, NULL);
}

struct rival {
    struct cg_sock *sock;
    size_t count;
    int64_t length;
};

static ssize_t writes_bytes(void *arg)
{
    struct rival *r = arg;
    char byte;

    for (size_t i = 0; i < r->count; i++) {
        IS(cg_yield(cg_sleep(r->length)), 0);
        test_fill(&byte, 1, i);
        IS(cg_yield(cg_writeall(r->sock, &byte, 1)), 1);
        compute(r->length / 2);
    }
    cg_sock_close(r->sock);
    return 0;
}

/* Reads that time out just when bytes come: each byte is read once, in order. */
static void byte_against_timeout(struct cg_sock *a, struct cg_sock *b)
{
    enum { ROUNDS = 100 };
    struct cg_coro *writer =
        test_start(writes_bytes, &(struct rival){b, ROUNDS, MS / 2});
    uint64_t seed = 5;
    size_t at = 0;

    for (;;) {
        char buf[8];
        int64_t timeout = MS / 2 + test_random(&seed) % (MS / 10);
        ssize_t n = test_random(&seed) % 2
                        ? cg_yield(cg_read(a, buf, sizeof buf, .timeout = timeout))
                        : cg_yield(cg_readall(a, buf, 1, .timeout = timeout));

        if (n == -ETIMEDOUT)
            continue;
        if (n == 0 || n == CG_EOF)
            break;
        test_verify(buf, (size_t)OK(n), at);
        at += (size_t)n;
    }
    ck_assert_uint_eq(at, ROUNDS);
    IS(test_end(writer), 0);
    cg_sock_close(a);
}

static ssize_t connects(void *arg)
{
    struct rival *r = arg;
    char addr[CG_ADDR_SIZE];

    OK(cg_sock_local_addr(r->sock, addr, sizeof addr));
    for (size_t i = 0; i < r->count; i++) {
        struct cg_sock *conn;
        char number[2] = {(char)i, 0};

        IS(cg_yield(cg_sleep(r->length)), 0);
        IS(cg_yield(cg_connect(addr, &conn)), 0);
        IS(cg_yield(cg_writeall(conn, number, 1)), 1);
        compute(r->length / 2);
        cg_sock_close(conn);
    }
    return 0;
}

/* Accepts that time out just when connections come: no connection is lost. */
static ssize_t connection_against_timeout(void *arg)
{
    enum { ROUNDS = 60 };
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;
    struct cg_coro *other = test_start(connects, &(struct rival){listener, ROUNDS, MS / 2});
    uint64_t seed = 6;

    (void)arg;
    for (int i = 0; i < ROUNDS;) {
        char byte;
        ssize_t n = cg_yield(cg_accept(
            listener, &conn, .timeout = MS / 2 + test_random(&seed) % (MS / 10)));

        if (n == -ETIMEDOUT)
            continue;
        IS(n, 0);
        IS(cg_yield(cg_read(conn, &byte, 1)), 1);
        ck_assert_int_eq(byte, i++);
        cg_sock_close(conn);
    }
    IS(test_end(other), 0);
    cg_sock_close(listener);
    return 0;
}

/* Connects that time out at once, or nearly so, leak no descriptor, and the listener still
 * works. */
static ssize_t connect_given_up(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    for (int i = 0; i < 50; i++) {
        ssize_t n = cg_yield(
            cg_connect(addr, &conn, .timeout = i % 2 ? CG_NOWAIT : i * CG_MICROSECOND + 1));

        if (n == 0)
            cg_sock_close(conn);
        else
            IS(n, -ETIMEDOUT);
    }
    while (cg_yield(cg_accept(listener, &conn, .timeout = 10 * MS)) == 0)
        cg_sock_close(conn);
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    cg_sock_close(conn);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

/* Cancels */

static ssize_t yields_it(void *arg)
{
    return cg_yield(arg);
}

/* Starts a coroutine that yields op and returns its result. Returns once the coroutine
 * waits. */
static struct cg_coro *waiting(struct cg_op *op)
{
    struct cg_coro *coro = test_start(yields_it, op);

    test_until_waiting(coro);
    return coro;
}

/* After a cancelled read the next read gets the byte: one that comes after the cancel, one
 * that was there but had not been reported, or one that was written in the turn of the
 * cancel. */
static void cancelled_read(struct cg_sock *a, struct cg_sock *b)
{
    for (size_t i = 0; i < 60; i++) {
        char one, two;
        struct cg_coro *reader = waiting(cg_read(a, &one, 1)), *writer;
        ssize_t n;

        test_fill(&two, 1, i);
        if (i % 3 == 0)
            IS(cg_coro_cancel(reader), 0);
        writer = test_start(yields_it, cg_writeall(b, &two, 1));
        if (i % 3 == 1)
            IS(cg_yield(cg_join(writer)), 1);
        else
            IS(cg_yield(cg_pass()), 0);
        cg_coro_cancel(reader); /* may have read the byte and ended */
        IS(test_end(writer), 1);
        n = test_end(reader);
        if (n == 1) {
            test_verify(&one, 1, i);
            continue;
        }
        IS(n, -ECANCELED);
        IS(cg_yield(cg_readall(a, &one, 1)), 1);
        test_verify(&one, 1, i);
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

/* A second reader or a second writer of a socket is refused. One of each is allowed. */
static void second_is_busy(struct cg_sock *a, struct cg_sock *b)
{
    char one[4], two[4];
    struct cg_view view;
    struct cg_coro *reader = waiting(cg_read(a, one, sizeof one)), *writer;

    IS(cg_yield(cg_read(a, two, sizeof two)), -EBUSY);
    IS(cg_yield(cg_readline(a, two, sizeof two)), -EBUSY);
    IS(cg_yield(cg_readall(a, two, sizeof two)), -EBUSY);
    IS(cg_yield(cg_borrow(a, &view)), -EBUSY);
    fill_up(a);
    writer = waiting(cg_writeall(a, big, sizeof big));
    IS(cg_yield(cg_write(a, two, 1)), -EBUSY);
    IS(cg_yield(cg_writeall(a, two, 1)), -EBUSY);
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(test_end(reader), 1);
    cg_sock_close(a);
    IS(test_end(writer), -EBADF);
    cg_sock_close(b);
}

static ssize_t second_acceptor_is_busy(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;
    struct cg_coro *acceptor = waiting(cg_accept(listener, &conn));

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn)), -EBUSY);
    cg_sock_close(listener);
    IS(test_end(acceptor), -EBADF);
    return 0;
}

/* Closing with waiters */

/* The reader and the writer complete with -EBADF at once. */
static void close_under_waiters(struct cg_sock *a, struct cg_sock *b)
{
    char buf[4];
    struct cg_coro *reader, *writer;

    fill_up(a);
    reader = waiting(cg_read(a, buf, sizeof buf));
    writer = waiting(cg_writeall(a, big, sizeof big));
    cg_sock_close(a);
    IS(test_end(reader), -EBADF);
    IS(test_end(writer), -EBADF);
    drain(b);
    cg_sock_close(b);
}

/* Every kind of read completes with -EBADF when its socket is closed. */
static ssize_t close_under_each_reader(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 10; i++) {
        struct cg_sock *a, *b;
        struct cg_view view;
        char buf[4];
        struct cg_coro *reader;

        ck_assert(test_connect(i < 5 ? OVER_TCP : OVER_PAIR, &a, &b));
        struct cg_op *const ops[] = {
            cg_read(a, buf, sizeof buf),
            cg_readall(a, buf, sizeof buf),
            cg_readline(a, buf, sizeof buf),
            cg_borrow(a, &view),
            cg_poll_sock(a, CG_IN),
        };
        reader = waiting(ops[i % COUNT(ops)]);
        cg_sock_close(a);
        IS(test_end(reader), -EBADF);
        cg_sock_close(b);
    }
    return 0;
}

/* An accept completes with -EBADF when its listener is closed. The address can be used
 * again as soon as the kernel has released the listener. */
static ssize_t close_under_acceptor(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;

    (void)arg;
    for (int i = 0; i < 5; i++) {
        struct cg_coro *acceptor = waiting(cg_accept(listener, &conn));
        int n;

        cg_sock_close(listener);
        IS(test_end(acceptor), -EBADF);
        while ((n = cg_sock_listen(cg_sched_self(), addr, &listener)) == -EADDRINUSE)
            IS(cg_yield(cg_sleep(MS)), 0);
        OK(n);
    }
    cg_sock_close(listener);
    return 0;
}

/* When a new socket gets the descriptor number of a closed one, it gets nothing that was
 * meant for the old one. */
static ssize_t numbers_used_again(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 100; i++) {
        struct cg_sock *a, *b;
        char buf[4];
        struct cg_coro *reader;
        ssize_t n;

        test_tcp(&a, &b);
        reader = waiting(cg_read(a, buf, sizeof buf));
        if (i % 3 == 0)
            IS(cg_yield(cg_writeall(b, "old", 3)), 3);
        cg_sock_close(a);
        cg_sock_close(b);
        n = test_end(reader);
        if (i % 3 || n != 3) /* the read may have completed before the close */
            IS(n, -EBADF);
    }
    return 0;
}

static ssize_t ends_shielded(void *arg)
{
    struct cg_sock *sock = arg;
    char buf[4];

    IS(cg_yield(cg_read(sock, buf, sizeof buf)), -ECANCELED);
    IS(cg_yield(cg_writeall(sock, "x", 1)), -ECANCELED);
    IS(cg_yield(cg_writeall(sock, "bye", 3, .shield = true)), 3);
    cg_sock_close(sock);
    return 0;
}

/* A cancelled coroutine can still write with a shielded op. */
static void shielded_goodbye(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro = test_start(ends_shielded, a);
    char buf[4];

    test_until_waiting(coro);
    IS(cg_coro_cancel(coro), 0);
    IS(cg_yield(cg_readall(b, buf, 3)), 3);
    IS(cg_yield(cg_read(b, buf, 1)), 0);
    IS(test_end(coro), 0);
    cg_sock_close(b);
}

static ssize_t reads_twice(void *arg)
{
    char buf[4];

    IS(cg_yield(cg_read(arg, buf, sizeof buf)), -ECANCELED);
    IS(cg_yield(cg_read(arg, buf, sizeof buf)), -ECANCELED);
    return 0;
}

/* At the timeout of a call everything inside it ends. The socket stays usable. */
static void call_with_timeout(struct cg_sock *a, struct cg_sock *b)
{
    char buf[4];

    IS(cg_yield(cg_call(reads_twice, a, .timeout = 3 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    LINK(reads_time_out),
    LINK(nowait),
    LINK(writes_time_out),
    PLAIN(default_timeouts),
    CORO(accept_times_out),
    LINK(byte_against_timeout),
    CORO(connection_against_timeout),
    CORO(connect_given_up),
    LINK(cancelled_read),
    LINK(second_is_busy),
    CORO(second_acceptor_is_busy),
    LINK(close_under_waiters),
    CORO(close_under_each_reader),
    CORO(close_under_acceptor),
    CORO(numbers_used_again),
    LINK(shielded_goodbye),
    LINK(call_with_timeout),
};

int main(void)
{
    return test_main("cancel", cases, COUNT(cases));
}
