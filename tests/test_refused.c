/* SPDX-License-Identifier: MIT */
/* System calls that the kernel, a firewall or a filter of system calls refuses now and then,
 * or always. The linker's --wrap puts the functions below in their places. */
#include "config.h"

#include "tests/support.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Which call fails, with what, and how often. */
static struct refusal {
    int error;
    int times;
    int seen; /* calls that have failed */
} accepting;

static bool refused(struct refusal *refusal)
{
    if (refusal->times == 0)
        return false;
    refusal->times--;
    refusal->seen++;
    errno = refusal->error;
    return true;
}

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);
int __real_accept(int fd, struct sockaddr *addr, socklen_t *size);
int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *size);

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
    return refused(&accepting) ? -1 : __real_accept4(fd, addr, size, flags);
}

int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *size)
{
    return refused(&accepting) ? -1 : __real_accept(fd, addr, size);
}

/* io_uring makes its calls in the kernel. */
static bool out_of_reach(void)
{
    return strcmp(test_reactor(), "io_uring") == 0;
}

/* ---- accept -------------------------------------------------------------------------- */

/* What accept(2) says of the network, of a firewall and of shortages; and what it does not
 * say at all. */
static const int passing[] = {
    ECONNABORTED, EPROTO,     ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
    ENONET,       EOPNOTSUPP, ETIMEDOUT,   EPERM,    EIO,         EMFILE,    ENFILE,
    ENOBUFS,      ENOMEM,     ENOSR,       EXDEV,
};

static int troubles, last_trouble;

static void trouble(void *arg, int code)
{
    ck_assert_ptr_eq(arg, &troubles);
    troubles++;
    last_trouble = code;
}

/* No error but those of the listener ends an accept: the next connection is taken. */
static ssize_t accept_goes_on(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    for (size_t i = 0; i < COUNT(passing) && !out_of_reach(); i++) {
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        accepting = (struct refusal){.error = passing[i], .times = 2};
        troubles = 0;
        IS(cg_yield(cg_accept(listener, &conn, .trouble = trouble, .trouble_arg = &troubles)),
           0);
        ck_assert_int_eq(accepting.seen, 2);
        /* EPERM may also be that of a filter which does not know accept4. */
        ck_assert_int_eq(troubles, passing[i] == EPERM ? 1 : 2);
        ck_assert_int_eq(last_trouble, -passing[i]);
        cg_close(conn);
        cg_close(peer);
    }
    cg_close(listener);
    return 0;
}

/* An accept that nobody reports to goes on as well, and a cancelled one leaves no trace of
 * the pause. */
static ssize_t accept_is_cancelled_in_its_pause(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    accepting = (struct refusal){.error = EMFILE, .times = out_of_reach() ? 0 : 1};
    if (!out_of_reach())
        IS(cg_yield(cg_accept(listener, &conn, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    cg_close(conn);
    cg_close(peer);
    cg_close(listener);
    return 0;
}

/* Whoever waits in a pause learns that the listener is closed. */
static ssize_t closes(void *arg)
{
    IS(cg_yield(cg_pass()), 0);
    cg_close(arg);
    return 0;
}

static ssize_t listener_is_closed_in_a_pause(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;
    struct cg_coro *closer;

    (void)arg;
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    accepting = (struct refusal){.error = ENFILE, .times = 100};
    closer = test_start(closes, listener);
    if (!out_of_reach())
        IS(cg_yield(cg_accept(listener, &conn)), -EBADF);
    accepting.times = 0;
    test_end(closer);
    cg_close(peer);
    return 0;
}

/* What is wrong with the listener itself ends it. */
static ssize_t accept_ends(void *arg)
{
    static const int final[] = {EBADF, EINVAL, ENOTSOCK};
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;

    (void)arg;
    for (size_t i = 0; i < COUNT(final) && !out_of_reach(); i++) {
        listener = test_listen(addr);
        accepting = (struct refusal){.error = final[i], .times = 1};
        IS(cg_yield(cg_accept(listener, &conn)), -final[i]);
        cg_close(listener);
    }
    return 0;
}

/* Where a filter refuses accept4 the older accept does, and its connections are as good. */
static ssize_t accept4_is_refused(void *arg)
{
    static const int missing[] = {ENOSYS, EPERM, EACCES};
    char addr[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    for (size_t i = 0; i < COUNT(missing); i++) {
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        accepting = (struct refusal){.error = missing[i], .times = 1};
        troubles = 0;
        IS(cg_yield(cg_accept(listener, &conn, .trouble = trouble, .trouble_arg = &troubles)),
           0);
        ck_assert_int_eq(troubles, 0);
        IS(cg_yield(cg_read(conn, &byte, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        IS(cg_yield(cg_write(conn, "x", 1)), 1);
        IS(cg_yield(cg_read(peer, &byte, 1)), 1);
        cg_close(conn);
        cg_close(peer);
    }
    cg_close(listener);
    return 0;
}

static ssize_t greet(struct cg_sock *conn, void *arg)
{
    (void)arg;
    cg_yield(cg_write(conn, "x", 1));
    cg_close(conn);
    return 0;
}

static ssize_t server_ends(void *listener)
{
    return cg_yield(cg_serve(listener, greet, .grace = CG_NEVER));
}

/* A server serves on through all of them, and ends when its listener is broken. */
static ssize_t server_goes_on(void *arg)
{
    char addr[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = test_listen(addr), *peer;
    struct cg_coro *server = test_start(server_ends, listener);

    (void)arg;
    for (size_t i = 0; i < COUNT(passing); i++) {
        accepting = (struct refusal){.error = passing[i], .times = out_of_reach() ? 0 : 1};
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        IS(cg_yield(cg_read(peer, &byte, 1)), 1);
        cg_close(peer);
    }
    if (out_of_reach()) {
        cg_close(listener);
        IS(test_end(server), -EBADF);
        return 0;
    }
    accepting = (struct refusal){.error = EINVAL, .times = 1};
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    IS(test_end(server), -EINVAL);
    cg_close(peer);
    cg_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(accept_goes_on, .where = ON_KERNEL),
    CORO(accept_is_cancelled_in_its_pause, .where = ON_KERNEL),
    CORO(listener_is_closed_in_a_pause, .where = ON_KERNEL),
    CORO(accept_ends, .where = ON_KERNEL),
    CORO(accept4_is_refused, .where = ON_KERNEL),
    CORO(server_goes_on, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("refused", cases, COUNT(cases));
}
