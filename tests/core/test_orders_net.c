/* SPDX-License-Identifier: MIT */
/* cogen's tests of sockets and timers under each priority, see test_orders.c: lines and
 * blocks that arrive in pieces, a peer that closes, timeouts that end only their own
 * operation. */
#include "config.h"

#include "tests/core/orders.h"

#include <errno.h>
#include <string.h>

#define MS CG_MILLISECOND

enum { BIG = 1 << 20 };

static struct cg_sock *listener;
static char addr[CG_ADDR_SIZE], big[BIG], buf[BIG];

static void open_listener(struct cg_sched *sched, void *arg)
{
    (void)arg;
    OK(cg_sock_listen(sched, "127.0.0.1:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    memset(big, 'x', sizeof big);
}

static void close_listener(void)
{
    cg_sock_close(listener);
}

static struct cg_sock *accepted(void)
{
    struct cg_sock *conn = NULL;

    IS(cg_yield(cg_accept(listener, &conn)), 0);
    return conn;
}

static struct cg_sock *connected(void)
{
    struct cg_sock *conn = NULL;

    IS(cg_yield(cg_connect(addr, &conn)), 0);
    return conn;
}

/* Writes a line of 512 bytes, one of 1024, and three of 64, without counting their
 * ends. */
static ssize_t writes_lines(void *arg)
{
    static const size_t parts[] = {512, 0, 1024, 0};
    struct cg_sock *conn = connected();

    (void)arg;
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t size = parts[i] ? parts[i] : 1;

        IS(cg_yield(cg_writeall(conn, parts[i] ? big : "\n", size)), (ssize_t)size);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_writeall(conn, big, 64)), 64);
        IS(cg_yield(cg_writeall(conn, "\n", 1)), 1);
    }
    cg_sock_close(conn);
    return 0;
}

static ssize_t reads_lines(void *arg)
{
    struct cg_sock *conn = accepted();

    (void)arg;
    IS(cg_yield(cg_readline(conn, buf, 1025)), 513);
    note("1");
    IS(cg_yield(cg_readline(conn, buf, 513)), -EMSGSIZE);
    note("2");
    IS(cg_yield(cg_readall(conn, buf, 512)), 512);
    note("3");
    IS(cg_yield(cg_readline(conn, buf, 1513)), 513);
    note("4");
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_readline(conn, buf, 1024)), 65);
        note("5");
    }
    cg_sock_close(conn);
    return 0;
}

static ssize_t writes_all(void *arg)
{
    struct cg_sock *conn = connected();

    (void)arg;
    IS(cg_yield(cg_writeall(conn, big, BIG)), BIG);
    cg_sock_close(conn);
    return 0;
}

static ssize_t reads_all(void *arg)
{
    struct cg_sock *conn = accepted();
    ssize_t n = OK(cg_yield(cg_read(conn, buf, 4096)));

    (void)arg;
    ck_assert_int_gt(n, 0);
    note("1");
    IS(cg_yield(cg_readall(conn, buf, (size_t)(BIG - n))), BIG - n);
    note("2");
    IS(cg_yield(cg_read(conn, buf, 1)), 0);
    note("3");
    cg_sock_close(conn);
    return 0;
}

static ssize_t written;

static ssize_t writes_some_and_all(void *arg)
{
    struct cg_sock *conn = connected();

    (void)arg;
    written = OK(cg_yield(cg_write(conn, big, BIG)));
    ck_assert_int_gt(written, 0);
    written += OK(cg_yield(cg_writeall(conn, big, BIG)));
    note("1");
    cg_sock_close(conn);
    return 0;
}

static ssize_t reads_slowly(void *arg)
{
    struct cg_sock *conn = accepted();
    ssize_t n, sum;

    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    sum = OK(cg_yield(cg_read(conn, buf, 2048)));
    IS(cg_yield(cg_sleep(MS)), 0);
    while ((n = OK(cg_yield(cg_read(conn, buf, 1 << 16)))) > 0)
        sum += n;
    IS(sum, written);
    note("2");
    cg_sock_close(conn);
    return 0;
}

static ssize_t closes(void *arg)
{
    (void)arg;
    cg_sock_close(accepted());
    return 0;
}

/* If a peer is gone, only its connection ends. */
static ssize_t writes_to_nobody(void *arg)
{
    struct cg_sock *conn = connected(), *other;
    ssize_t rc;
    char c;

    (void)arg;
    note("1");
    IS(cg_yield(cg_read(conn, &c, 1)), 0);
    do
        rc = cg_yield(cg_write(conn, "a", 1));
    while (rc == 1);
    ck_assert(rc == -EPIPE || rc == -ECONNRESET);
    note("2");
    other = connected();
    note("3");
    cg_sock_close(other);
    cg_sock_close(conn);
    return 0;
}

static ssize_t reads_to_the_end(void *arg)
{
    struct cg_sock *conn = connected();
    char c;

    (void)arg;
    IS(cg_yield(cg_read(conn, &c, 1)), 0);
    cg_sock_close(conn);
    return 0;
}

static ssize_t sleeps_long(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(4 * MS)), 0);
    note("5");
    return 0;
}

/* Each operation ends by its own timeout, and not earlier. */
static ssize_t times_out(void *arg)
{
    struct cg_sock *conn, *other;
    struct cg_coro *sleeper;
    int64_t start = now();
    char c;

    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    ck_assert_int_ge(now(), start + MS);
    note("1");
    IS(cg_yield(cg_add(reads_to_the_end, NULL)), 0);
    conn = accepted();
    cg_sock_set_timeout(conn, 2 * MS);
    start = now();
    IS(cg_yield(cg_read(conn, &c, 1)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 2 * MS);
    note("2");
    IS(cg_yield(cg_accept(listener, &other, .timeout = 3 * MS)), -ETIMEDOUT);
    note("3");
    IS(cg_yield(cg_wait_signal("never", NULL, .timeout = MS)), -ETIMEDOUT);
    note("4");
    sleeper = test_start(sleeps_long, NULL);
    IS(test_end(sleeper), 0);
    cg_sock_close(conn);
    return 0;
}

static ssize_t sleeps_beside(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(20 * MS)), 0);
    return 0;
}

static ssize_t accepts_for_a_while(void *arg)
{
    struct cg_sock *conn;

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn, .timeout = MS)), -ETIMEDOUT);
    note("1");
    return 0;
}

#define NET(...) {.open = open_listener, .close = close_listener, __VA_ARGS__}

static const struct order orders[] = {
    NET(.name = "sock.read_lines", .fns = {reads_lines, writes_lines},
        .ours = ALWAYS("1234555")),
    NET(.name = "sock.read_all", .fns = {reads_all, writes_all}, .ours = ALWAYS("123")),
    NET(.name = "sock.write_all", .fns = {writes_some_and_all, reads_slowly},
        .ours = ALWAYS("12")),
    NET(.name = "sock.err_cleanup", .fns = {writes_to_nobody, closes}, .ours = ALWAYS("123")),
    NET(.name = "timer.all", .fns = {times_out}, .ours = ALWAYS("12345")),
    NET(.name = "timer.sleep", .fns = {sleeps_beside, accepts_for_a_while},
        .ours = ALWAYS("1")),
};

static void as_in_the_table(void)
{
    orders_hold(orders, COUNT(orders));
}

static const struct test_case cases[] = {
    PLAIN(as_in_the_table),
};

int main(void)
{
    return test_main("orders_net", cases, COUNT(cases));
}
