/* SPDX-License-Identifier: MIT */
/* Readiness of descriptors that are not ours, and descriptors that become sockets and stop
 * being such, on every reactor. */
#include "config.h"

#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static int64_t now(void)
{
    return cg_now(cg_sched_self());
}

static void make_pipe(int fds[2])
{
    IS(pipe(fds), 0);
    IS(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    IS(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void fill_pipe(int fd)
{
    static char block[4096];

    while (write(fd, block, sizeof block) > 0)
        ;
    while (write(fd, block, 1) > 0)
        ;
}

static ssize_t writes_later(void *arg)
{
    IS(cg_yield(cg_sleep(2 * MS)), 0);
    IS(write(*(int *)arg, "x", 1), 1);
    return 0;
}

/* ---- cg_poll ------------------------------------------------------------------------------ */

/* A pipe becomes readable when something is written, and stays so until it is read. */
static ssize_t pipe_readable(void *arg)
{
    int fds[2];
    char byte;
    struct cg_coro *coro;

    (void)arg;
    make_pipe(fds);
    for (int i = 0; i < 5; i++) {
        int64_t start = now();

        IS(cg_yield(cg_poll(fds[0], CG_IN, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        IS(cg_yield(cg_poll(fds[0], CG_IN, .timeout = 2 * MS)), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + 2 * MS);
        coro = test_start(writes_later, &fds[1]);
        IS(cg_yield(cg_poll(fds[0], CG_IN)), CG_IN);
        IS(cg_yield(cg_poll(fds[0], CG_IN)), CG_IN);
        IS(cg_yield(cg_poll(fds[0], CG_IN, .timeout = CG_NOWAIT)), CG_IN);
        IS(test_end(coro), 0);
        IS(read(fds[0], &byte, 1), 1);
    }
    close_both(fds);
    return 0;
}

/* Writable until it is full. */
static ssize_t pipe_writable(void *arg)
{
    int fds[2];
    static char block[65536];

    (void)arg;
    make_pipe(fds);
    IS(cg_yield(cg_poll(fds[1], CG_OUT)), CG_OUT);
    fill_pipe(fds[1]);
    IS(cg_yield(cg_poll(fds[1], CG_OUT, .timeout = 2 * MS)), -ETIMEDOUT);
    while (read(fds[0], block, sizeof block) > 0)
        ;
    IS(cg_yield(cg_poll(fds[1], CG_OUT)), CG_OUT);
    close_both(fds);
    return 0;
}

/* The other end's death is told, to the reader as to the writer; nobody waits for ever. */
static ssize_t pipe_hangs_up(void *arg)
{
    int fds[2];

    (void)arg;
    make_pipe(fds);
    IS(write(fds[1], "x", 1), 1);
    close(fds[1]);
    ck_assert_int_ne(OK(cg_yield(cg_poll(fds[0], CG_IN))) & CG_IN, 0);
    IS(read(fds[0], &(char){0}, 1), 1);
    ck_assert_int_ne(OK(cg_yield(cg_poll(fds[0], CG_IN))) & (CG_IN | CG_HUP), 0);
    close(fds[0]);
    make_pipe(fds);
    fill_pipe(fds[1]);
    close(fds[0]);
    ck_assert_int_ne(OK(cg_yield(cg_poll(fds[1], CG_OUT))) & (CG_OUT | CG_ERR | CG_HUP), 0);
    close(fds[1]);
    return 0;
}

struct poller {
    int fd;
    unsigned events;
};

static ssize_t polls(void *arg)
{
    struct poller *p = arg;

    return cg_yield(cg_poll(p->fd, p->events, .timeout = 5 * CG_SECOND));
}

/* One may wait to read and another to write the same descriptor. */
static ssize_t both_directions(void *arg)
{
    int fds[2];
    static char block[65536];
    struct poller in, out;
    struct cg_coro *reader, *writer;

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    fill_pipe(fds[0]);
    in = (struct poller){fds[0], CG_IN};
    out = (struct poller){fds[0], CG_OUT};
    reader = test_start(polls, &in);
    writer = test_start(polls, &out);
    test_until_waiting(writer);
    IS(write(fds[1], "x", 1), 1);
    IS(test_end(reader), CG_IN);
    ck_assert_int_eq(cg_coro_state(writer), CG_CORO_WAITING);
    while (read(fds[1], block, sizeof block) > 0)
        ;
    IS(test_end(writer), CG_OUT);
    close_both(fds);
    return 0;
}

/* A file is always ready, whatever the kernel interface thinks of files. */
static ssize_t regular_file(void *arg)
{
    int fd = test_file(3), null = open("/dev/null", O_RDWR);

    (void)arg;
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_poll(fd, CG_IN)), CG_IN);
        IS(cg_yield(cg_poll(fd, CG_OUT)), CG_OUT);
        IS(cg_yield(cg_poll(null, CG_IN | CG_OUT)), CG_IN | CG_OUT);
    }
    close(fd);
    close(null);
    return 0;
}

/* What is no descriptor, and no question, is an error. */
static ssize_t nonsense(void *arg)
{
    int fd = dup(STDOUT_FILENO);

    (void)arg;
    close(fd);
    IS(cg_yield(cg_poll(fd, CG_IN)), -EBADF);
    ck_assert_int_lt(cg_yield(cg_poll(-1, CG_IN)), 0);
    IS(cg_yield(cg_poll(STDOUT_FILENO, 0)), -EINVAL);
    return 0;
}

/* A descriptor that was closed behind our back, between two waits, and whose number came
 * back as another: the new one is waited for, the old one's events are nobody's. A dup keeps
 * the old one alive in the kernel. */
static ssize_t number_comes_back(void *arg)
{
    (void)arg;
    for (int keep = 0; keep < 2; keep++) {
        int old[2], fresh[2], copy = -1;
        struct cg_coro *coro;

        make_pipe(old);
        IS(cg_yield(cg_poll(old[0], CG_IN, .timeout = MS)), -ETIMEDOUT);
        if (keep)
            copy = dup(old[0]);
        close(old[0]);
        make_pipe(fresh);
        ck_assert_int_eq(fresh[0], old[0]);
        if (keep)
            IS(write(old[1], "x", 1), 1);
        IS(cg_yield(cg_poll(fresh[0], CG_IN, .timeout = 3 * MS)), -ETIMEDOUT);
        coro = test_start(writes_later, &fresh[1]);
        IS(cg_yield(cg_poll(fresh[0], CG_IN, .timeout = 5 * CG_SECOND)), CG_IN);
        IS(test_end(coro), 0);
        close_both(fresh);
        close(old[1]);
        if (keep)
            close(copy);
    }
    return 0;
}

/* ---- cg_poll_sock -------------------------------------------------------------------------- */

/* Input that has been taken from the kernel but not been read counts as readable. */
static void unread_is_readable(struct cg_sock *a, struct cg_sock *b)
{
    char line[16];

    IS(cg_yield(cg_poll_sock(b, CG_IN, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(a, "one\ntwo", 7)), 7);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_IN))) & CG_IN, 0);
    IS(cg_yield(cg_readline(b, line, sizeof line)), 4);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_IN))) & CG_IN, 0);
    IS(cg_yield(cg_readall(b, line, 3)), 3);
    IS(cg_yield(cg_poll_sock(b, CG_IN, .timeout = MS)), -ETIMEDOUT);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_OUT))) & CG_OUT, 0);
    cg_close(a);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_IN))) & (CG_IN | CG_HUP), 0);
    IS(cg_yield(cg_read(b, line, 1)), 0);
    cg_close(b);
}

/* ---- Attach and detach ----------------------------------------------------------------------- */

/* A socket pair of the caller's is as good as one of ours. */
static ssize_t attach_socketpair(void *arg)
{
    int fds[2];
    struct cg_sock *a, *b;
    char buf[8];

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    OK(cg_attach(cg_sched_self(), fds[0], &a));
    OK(cg_attach(cg_sched_self(), fds[1], &b));
    ck_assert_int_ne(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, "line\n", 5)), 5);
    IS(cg_yield(cg_readline(a, buf, sizeof buf)), 5);
    cg_close(a);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    cg_close(b);
    return 0;
}

static ssize_t pours(void *arg)
{
    static char block[300000];
    ssize_t n;

    test_fill(block, sizeof block, 0);
    n = cg_yield(cg_writeall(arg, block, sizeof block));
    cg_close(arg);
    return n;
}

/* The two ends of a pipe too, one for each direction; a broken one is an error, no SIGPIPE,
 * for each kind of write. */
static ssize_t attach_pipe(void *arg)
{
    int fds[2], file = test_file(3);
    struct cg_sock *in, *out;
    struct cg_coro *writer;
    static char buf[300000];
    struct iovec iov[2];

    (void)arg;
    IS(pipe(fds), 0);
    OK(cg_attach(cg_sched_self(), fds[0], &in));
    OK(cg_attach(cg_sched_self(), fds[1], &out));
    writer = test_start(pours, out);
    IS(cg_yield(cg_readall(in, buf, sizeof buf)), sizeof buf);
    test_verify(buf, sizeof buf, 0);
    IS(cg_yield(cg_read(in, buf, 1)), 0);
    IS(test_end(writer), sizeof buf);
    cg_close(in);

    IS(pipe(fds), 0);
    close(fds[0]);
    OK(cg_attach(cg_sched_self(), fds[1], &out));
    IS(cg_yield(cg_write(out, "x", 1)), -EPIPE);
    IS(cg_yield(cg_writeall(out, "x", 1)), -EPIPE);
    iov[0] = (struct iovec){buf, 1};
    iov[1] = (struct iovec){buf, 1};
    IS(cg_yield(cg_writev(out, iov, 2)), -EPIPE);
    IS(cg_yield(cg_sendfile(out, file, 0, 3)), -EPIPE);
    cg_close(out);
    close(file);
    return 0;
}

/* What is no stream descriptor is refused and stays the caller's. */
static ssize_t attach_nonsense(void *arg)
{
    int fd = dup(STDOUT_FILENO);
    struct cg_sock *sock;

    (void)arg;
    close(fd);
    IS(cg_attach(cg_sched_self(), fd, &sock), -EBADF);
    return 0;
}

/* Detach hands over the descriptor and what had been taken from it but not been read; what
 * is still in the kernel stays there. */
static ssize_t detach(void *arg)
{
    struct cg_sock *a, *b;
    char line[16], rest_of[32];
    void *rest = NULL;
    size_t size = 99;
    int fd;
    ssize_t n;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(a, "hello\nremaining", 15)), 15);
    IS(cg_yield(cg_readline(b, line, sizeof line)), 6);
    cg_close(a);
    fd = OK(cg_detach(b, &rest, &size));
    ck_assert_uint_le(size, 9);
    memcpy(rest_of, rest ? rest : "", size);
    free(rest);
    IS(fcntl(fd, F_SETFL, 0), 0); /* it may block now */
    while ((n = OK(read(fd, rest_of + size, sizeof rest_of - size))) > 0)
        size += (size_t)n;
    ck_assert_uint_eq(size, 9);
    ck_assert_mem_eq(rest_of, "remaining", 9);
    close(fd);
    return 0;
}

static ssize_t reads(void *arg)
{
    return cg_yield(cg_read(arg, &(char){0}, 1));
}

/* Not while somebody waits, and not where there is no descriptor; a socket that was merely
 * asked goes on. */
static ssize_t detach_refused(void *arg)
{
    struct cg_sock *a, *b;
    void *rest;
    size_t size;
    struct cg_coro *reader;

    (void)arg;
    test_tcp(&a, &b);
    reader = test_start(reads, a);
    test_until_waiting(reader);
    IS(cg_detach(a, &rest, &size), -EBUSY);
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(test_end(reader), 1);
    cg_close(a);
    cg_close(b);
    OK(cg_pair(cg_sched_self(), &a, &b));
    IS(cg_detach(a, &rest, &size), -EOPNOTSUPP);
    IS(cg_sock_fd(a), -EOPNOTSUPP);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* Idle and busy sockets go back and forth between us and the caller, losing nothing. */
static ssize_t attach_again(void *arg)
{
    struct cg_sock *a, *b;
    size_t at = 0;

    (void)arg;
    test_tcp(&a, &b);
    for (int i = 0; i < 20; i++) {
        char out[10], in[10];
        void *rest;
        size_t size;
        int fd;

        test_fill(out, sizeof out, at);
        IS(cg_yield(cg_writeall(a, out, sizeof out)), sizeof out);
        IS(cg_yield(cg_readall(b, in, sizeof in)), sizeof in);
        test_verify(in, sizeof in, at);
        at += sizeof in;
        IS(cg_yield(cg_read(b, in, 1, .timeout = MS)), -ETIMEDOUT);
        fd = cg_detach(b, &rest, &size);
        if (fd == -EBUSY) { /* the kernel has yet to let go of the lost read */
            IS(cg_yield(cg_sleep(MS)), 0);
            fd = cg_detach(b, &rest, &size);
        }
        OK(fd);
        ck_assert_uint_eq(size, 0);
        ck_assert_ptr_null(rest);
        OK(cg_attach(cg_sched_self(), fd, &b));
    }
    cg_close(a);
    cg_close(b);
    return 0;
}

static const struct test_case cases[] = {
    CORO(pipe_readable, .where = ON_KERNEL),
    CORO(pipe_writable, .where = ON_KERNEL),
    CORO(pipe_hangs_up, .where = ON_KERNEL),
    CORO(both_directions, .where = ON_KERNEL),
    CORO(regular_file, .where = ON_KERNEL),
    CORO(nonsense, .where = ON_KERNEL),
    CORO(number_comes_back, .where = ON_KERNEL),
    LINK(unread_is_readable),
    CORO(attach_socketpair, .where = ON_KERNEL),
    CORO(attach_pipe, .where = ON_KERNEL),
    CORO(attach_nonsense, .where = ON_KERNEL),
    CORO(detach, .where = ON_KERNEL),
    CORO(detach_refused, .where = ON_KERNEL),
    CORO(attach_again, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("poll", cases, COUNT(cases));
}
