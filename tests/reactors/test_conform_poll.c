/* SPDX-License-Identifier: MIT */
/* Polling foreign descriptors and sockets, on every reactor. */
#include "config.h"

#include "tests/support/support.h"

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
    return cg_sched_now(cg_sched_self());
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

/* cg_poll */

/* A pipe becomes readable when bytes are written, and stays readable until they are
 * read. */
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

/* A pipe is writable until it is full. */
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

/* When one end of a pipe is closed, a poll of the other end completes, for the reader and
 * for the writer. */
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

/* Two coroutines may wait for one descriptor, one to read and one to write. */
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

/* A file is always ready, whatever the kernel interface does with files. */
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

/* An invalid descriptor or an invalid set of events is an error. */
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

/* A descriptor is closed between two waits without the library's knowledge, and another one
 * gets its number. The poll waits for the new one, and gets no event of the old one, which
 * a dup keeps open in the kernel. */
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

/* cg_poll reports that the peer has ended its stream before the bytes have been read. */
static ssize_t half_closed(void *arg)
{
    int fds[2];

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    IS(write(fds[1], "x", 1), 1);
    IS(cg_yield(cg_poll(fds[0], CG_IN)), CG_IN);
    IS(shutdown(fds[1], SHUT_WR), 0);
    IS(cg_yield(cg_poll(fds[0], CG_IN)), CG_IN | CG_HUP);
    IS(cg_yield(cg_poll(fds[0], CG_OUT)), CG_OUT);
    close_both(fds);
    return 0;
}

/* cg_poll_sock */

/* Input that is in the socket's buffer but has not been read counts as readable. */
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
    cg_sock_close(a);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_IN))) & (CG_IN | CG_HUP), 0);
    IS(cg_yield(cg_read(b, line, 1)), 0);
    cg_sock_close(b);
}

/* Waits until a poll for input also reports that the peer has ended its stream. */
static void await_hup(struct cg_sock *sock)
{
    while (!(OK(cg_yield(cg_poll_sock(sock, CG_IN))) & CG_HUP))
        IS(cg_yield(cg_sleep(MS)), 0);
}

/* A poll reports that the peer has closed while its input is unread, in the kernel or in
 * the socket's buffer, and when no input is left. Before the close no poll reports it. */
static void peer_gone(struct cg_sock *a, struct cg_sock *b)
{
    char line[16];

    IS(cg_yield(cg_writeall(a, "one\ntwo", 7)), 7);
    IS(cg_yield(cg_poll_sock(b, CG_IN)), CG_IN);
    cg_sock_close(a);
    await_hup(b);
    IS(cg_yield(cg_readline(b, line, sizeof line)), 4);
    await_hup(b);
    IS(cg_yield(cg_readall(b, line, 3)), 3);
    await_hup(b);
    IS(cg_yield(cg_read(b, line, 1)), 0);
    await_hup(b);
    cg_sock_close(b);
}

/* A poll for room to write does not report the end of the peer's stream: the peer may still
 * read. */
static void room_is_not_the_end(struct cg_sock *a, struct cg_sock *b)
{
    OK(cg_yield(cg_shutdown(a, SHUT_WR)));
    await_hup(b);
    IS(cg_yield(cg_poll_sock(b, CG_OUT)), CG_OUT);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Whether the reactor knows that nothing has come, without asking the kernel. */
static bool reactor_knows(void)
{
    const char *name = test_reactor();

    return strcmp(name, "epoll") == 0 || strcmp(name, "io_uring") == 0 || test_on_sim();
}

/* A socket whose input was read is quiet, if the reactor can know that. It is no longer quiet when
 * the reactor has reported bytes or the end of the stream, and not while somebody reads. */
static void quiet(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];
    struct cg_view view;
    struct cg_read_op read = *(struct cg_read_op *)cg_read(b, buf, sizeof buf);
    struct cg_sleep_op moment = *(struct cg_sleep_op *)cg_sleep(MS);

    for (int i = 0; i < 2; i++) {
        IS(cg_yield(cg_writeall(a, "one", 3)), 3);
        IS(cg_yield(cg_poll_sock(b, CG_IN)), CG_IN);
        ck_assert(!cg_sock_is_quiet(b));
        IS(cg_yield(cg_borrow(b, &view)), 3);
        cg_view_release(&view, 1);
        ck_assert(!cg_sock_is_quiet(b)); /* the socket holds the rest */
        IS(cg_yield(cg_read(b, buf, sizeof buf)), 2);
        IS(cg_yield(cg_poll_sock(b, CG_IN, .timeout = MS)), -ETIMEDOUT);
        IS(cg_sock_is_quiet(b), reactor_knows());
    }
    IS(cg_yield(cg_any((&read.op, &moment.op))), 1);
    IS(cg_sock_is_quiet(b), reactor_knows());
    cg_sock_close(a);
    OK(cg_yield(cg_poll_sock(b, CG_IN)));
    ck_assert(!cg_sock_is_quiet(b));
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    CORO(pipe_readable, .where = ON_KERNEL),
    CORO(pipe_writable, .where = ON_KERNEL),
    CORO(pipe_hangs_up, .where = ON_KERNEL),
    CORO(both_directions, .where = ON_KERNEL),
    CORO(regular_file, .where = ON_KERNEL),
    CORO(nonsense, .where = ON_KERNEL),
    CORO(number_comes_back, .where = ON_KERNEL),
    CORO(half_closed, .where = ON_KERNEL),
    LINK(unread_is_readable),
    LINK(peer_gone),
    LINK(room_is_not_the_end),
    LINK(quiet, .over = OVER_TCP | OVER_TCP6),
};

int main(void)
{
    return test_main("poll", cases, COUNT(cases));
}
