/* SPDX-License-Identifier: MIT */
/* The end of a connection: cg_wait_gone, cg_close_gently, and CG_HUP alone for cg_poll. */
#include "config.h"

#include "tests/sockets/end_cases.h"
#include "tests/support/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection that is reset has ended, too. */
static ssize_t reset(void *arg)
{
    struct linger none = {.l_onoff = 1};
    struct cg_sock *a, *b;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(b, "unread", 6)), 6);
    IS(cg_yield(cg_wait_gone(a, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    OK(cg_sock_setopt(b, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    cg_sock_close(b);
    IS(cg_yield(cg_wait_gone(a)), 0);
    cg_sock_close(a);
    return 0;
}

/* If a write is told that the connection was reset, what has come before can still be read, and
 * then the error: the stream has no orderly end. */
static ssize_t reset_told_to_writer(void *arg)
{
    struct linger none = {.l_onoff = 1};
    struct cg_sock *a, *b;
    char buf[8];

    (void)arg;
    test_tcp(&a, &b);
    OK(cg_sock_setopt(b, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    cg_sock_close(b);
    IS(cg_yield(cg_wait_gone(a)), 0);
    IS(cg_yield(cg_write(a, "x", 1)), -ECONNRESET);
    IS(cg_yield(cg_write(a, "x", 1)), -EPIPE);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), -ECONNRESET);
    IS(cg_yield(cg_read_to_end(a, buf, sizeof buf)), -ECONNRESET);
    cg_sock_close(a);
    return 0;
}

/* A close never waits: the option that would let it wait is refused, and stays off. */
static ssize_t lingering(void *arg)
{
    struct linger time = {.l_onoff = 1, .l_linger = 2}, off = {.l_linger = 2}, now;
    size_t size = sizeof now;
    struct cg_sock *a, *b;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_sock_setopt(a, SOL_SOCKET, SO_LINGER, &time, sizeof time), -EINVAL);
    OK(cg_sock_getopt(a, SOL_SOCKET, SO_LINGER, &now, &size));
    IS(now.l_onoff, 0);
    OK(cg_sock_setopt(a, SOL_SOCKET, SO_LINGER, &off, sizeof off));
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

static ssize_t listeners(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);

    (void)arg;
    IS(cg_yield(cg_wait_gone(listener)), -EINVAL);
    IS(cg_yield(cg_close_gently(listener)), -EINVAL);
    return 0;
}

static ssize_t waits(void *sock)
{
    return cg_yield(cg_wait_gone(sock));
}

/* A socket on which a cg_wait_gone waits cannot be detached; afterwards it can. */
static ssize_t detached(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *coro;
    size_t len;
    void *rest;
    int fd;

    (void)arg;
    test_tcp(&a, &b);
    coro = test_start(waits, a);
    test_until_waiting(coro);
    IS(cg_sock_detach(a, &rest, &len), -EBUSY);
    OK(cg_yield(cg_cancel(coro)));
    IS(test_end(coro), -ECANCELED);
    fd = (int)OK(cg_sock_detach(a, &rest, &len));
    close(fd);
    IS(cg_yield(cg_wait_gone(b)), 0);
    cg_sock_close(b);
    return 0;
}

/* Waiting while input is unread uses no CPU time, on every reactor. Waits at both ends do
 * not affect operations that move bytes. */
static ssize_t waiting_is_cheap(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *coro;
    char buf[8];

    (void)arg;
    test_tcp(&a, &b);
    coro = test_start(waits, a);
    IS(cg_yield(cg_read(a, buf, 1, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, "unread", 6)), 6);
    test_never_spins(200 * CG_MILLISECOND);
    IS(cg_yield(cg_readall(a, buf, 6)), 6);
    cg_sock_close(b);
    IS(test_end(coro), 0);
    cg_sock_close(a);
    return 0;
}

/* cg_poll can wait for CG_HUP alone, which means that the writers of a pipe have closed
 * it. */
static ssize_t polled(void *arg)
{
    int ends[2];

    (void)arg;
    OK(pipe(ends));
    IS(write(ends[1], "unread", 6), 6);
    IS(cg_yield(cg_poll(ends[0], CG_HUP, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    close(ends[1]);
    ck_assert_int_ne(OK(cg_yield(cg_poll(ends[0], CG_HUP))) & CG_HUP, 0);
    close(ends[0]);
    IS(cg_yield(cg_poll(0, 0)), -EINVAL);
    return 0;
}

static ssize_t sleeps(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_NEVER));
}

/* A handler in a race with cg_wait_gone ends when its client goes, although the request is
 * only half read. */
static ssize_t handler(void *arg)
{
    struct cg_sock *a, *b;
    char line[16];

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(b, "work\nmore", 9)), 9);
    IS(cg_yield(cg_readline(a, line, sizeof line)), 5);
    cg_sock_close(b);
    IS(cg_yield(cg_any((cg_call(sleeps, NULL), cg_wait_gone(a)))), 1);
    cg_sock_close(a);
    return 0;
}

/* Without .timeout a gentle close takes at most CG_LINGER, also when the op is used again.
 * With a weak timeout it continues as long as bytes come. */
static ssize_t trickles(void *sock)
{
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_write(sock, "x", 1)), 1);
        IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    }
    return cg_yield(cg_shutdown(sock, SHUT_WR));
}

static void lingers(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_op *op = cg_close_gently(a);
    int64_t begin = cg_sched_now(cg_sched_self());
    struct cg_coro *coro;

    IS(cg_yield(op), -ETIMEDOUT);
    IS(cg_sched_now(cg_sched_self()) - begin, CG_LINGER);
    IS(op->timeout, 0);
    cg_sock_close(b);
    OK(test_connect(OVER_PAIR, &a, &b));
    coro = test_start(trickles, b);
    IS(cg_yield(cg_close_gently(a, .timeout = 2 * CG_SECOND, .weak_timeout = true)), 0);
    IS(test_end(coro), 0);
    cg_sock_close(b);
}

/* All lines of a stream, as it is: empty ones, NULs, a last one without a newline. */
static void lines(struct cg_sock *a, struct cg_sock *b)
{
    static const char text[] = "one\n\ntw\0o\nlast";
    static const size_t lens[] = {4, 1, 5, 4};
    struct cg_line found[4];
    char buf[32];
    size_t at = 0, moved;

    IS(cg_yield(cg_writeall(a, text, sizeof text - 1)), sizeof text - 1);
    IS(cg_yield(cg_readlines(b, buf, sizeof buf, found, 4, .timeout = CG_MILLISECOND,
                             .moved = &moved)),
       -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, buf, moved)), (ssize_t)moved);
    IS(cg_yield(cg_shutdown(b, SHUT_WR)), 0);
    IS(cg_yield(cg_readlines(a, buf, sizeof buf, found, 4)), 4);
    for (size_t i = 0; i < COUNT(lens); at += lens[i++]) {
        IS((ssize_t)found[i].len, (ssize_t)lens[i]);
        ck_assert_mem_eq(found[i].text, text + at, lens[i]);
    }
    IS(cg_yield(cg_readlines(a, buf, sizeof buf, found, 4)), 0);
    IS(cg_yield(cg_writeall(a, text, sizeof text - 1)), sizeof text - 1);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_readlines(b, buf, 5, found, 4, .moved = &moved)), -EMSGSIZE);
    IS((ssize_t)moved, 5);
    IS(cg_yield(cg_readlines(b, buf, sizeof buf, found, 1, .moved = &moved)), -EMSGSIZE);
    IS((ssize_t)moved, (ssize_t)sizeof text - 6);
    IS((ssize_t)found[0].len, 5);
    cg_sock_close(a);
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    LINK(lines),
    LINK(end_gone),
    LINK(end_gone_closed),
    LINK(end_gently),
    LINK(end_gently_bounded),
    LINK(end_gently_lost),
    LINK(end_least),
    LINK(end_to_end),
    LINK(lingers, .where = ON_SIM),
    CORO(reset),
    CORO(reset_told_to_writer),
    CORO(lingering),
    CORO(listeners),
    CORO(detached, .where = ON_KERNEL),
    CORO(waiting_is_cheap, .where = ON_KERNEL),
    CORO(polled, .where = ON_KERNEL),
    CORO(handler),
};

int main(void)
{
    return test_main("end", cases, COUNT(cases));
}
