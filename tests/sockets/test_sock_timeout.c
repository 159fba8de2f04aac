/* SPDX-License-Identifier: MIT */
/* The default timeout of a socket: for operations that set none, and taken anew each
 * time. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static int64_t since(int64_t start)
{
    return cg_sched_now(cg_sched_self()) - start;
}

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

/* An operation's own timeout replaces the socket's, whether it is shorter or longer. */
static void its_own_goes_first(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_view view;
    char line[8];
    int64_t start;

    cg_sock_set_timeout(a, 10 * MS);
    for (int64_t own = MS; own <= 100 * MS; own *= 100) {
        start = now();
        IS(cg_yield(cg_borrow(a, &view, .timeout = own)), -ETIMEDOUT);
        ck_assert_int_eq(since(start), own);
        start = now();
        IS(cg_yield(cg_read(a, line, sizeof line, .timeout = own)), -ETIMEDOUT);
        ck_assert_int_eq(since(start), own);
    }
    start = now();
    IS(cg_yield(cg_borrow(a, &view)), -ETIMEDOUT);
    ck_assert_int_eq(since(start), 10 * MS);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* An operation that is yielded again takes the timeout that the socket has then. */
static void yielded_again(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_view view;
    struct cg_op *borrow = cg_borrow(a, &view);

    for (int64_t length = 5 * MS; length > MS; length -= MS) {
        int64_t start = now();

        cg_sock_set_timeout(a, length);
        IS(cg_yield(borrow), -ETIMEDOUT);
        ck_assert_int_eq(since(start), length);
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Behind the request of a read that has timed out, which the kernel may still be cancelling, an
 * operation that does not wait has its look all the same. */
static ssize_t one_look(void *arg)
{
    struct cg_sock *sock;
    int fds[2];
    char byte;

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    OK(cg_sock_attach(cg_sched_self(), fds[0], &sock));
    for (int i = 0; i < 20; i++) {
        IS(cg_yield(cg_read(sock, &byte, 1, .timeout = MS)), -ETIMEDOUT);
        IS(write(fds[1], "x", 1), 1);
        if (i % 2)
            IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_NOWAIT)), CG_IN);
        IS(cg_yield(cg_read(sock, &byte, 1, .timeout = CG_NOWAIT)), 1);
    }
    IS(cg_yield(cg_read(sock, &byte, 1, .timeout = MS)), -ETIMEDOUT);
    close(fds[1]);
    IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_NOWAIT)), CG_IN | CG_HUP);
    cg_sock_close(sock);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        LINK(its_own_goes_first, .where = ON_SIM),
        LINK(yielded_again, .where = ON_SIM),
        CORO(one_look, .where = ON_KERNEL),
    };

    return test_main("sock_timeout", cases, COUNT(cases));
}
