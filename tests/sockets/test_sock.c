/* SPDX-License-Identifier: MIT */
/* Sockets from the inside: requests that complete late, in-memory sockets, and what is
 * refused. What users see of sockets is tested in test_conform_*.c. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/support/support.h"
#include "tests/sockets/sock_cases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static char big[300 * 1024];

/* Requests that complete late */

/* A transport that holds its requests until the test completes them. Cases with a timeout
 * run in virtual time, where nothing happens before its time. */
static struct cg_io *kept[2];

static enum cg_verdict keeper_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    if (io->code >= CG_IO_SOCKET) { /* a call that never waits */
        io->result = -EOPNOTSUPP;
        return CG_DONE;
    }
    kept[io->code != CG_IO_RECV] = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

static enum cg_verdict keeper_cancel(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    io->state = CG_IO_CANCELLING;
    return CG_PENDING;
}

static const struct cg_transport_type keeper = {
    .name = "keeper",
    .submit = keeper_submit,
    .cancel = keeper_cancel,
};

static void release(int direction, ssize_t result)
{
    struct cg_io *io = kept[direction];

    kept[direction] = NULL;
    io->state = CG_IO_IDLE;
    io->complete(io, result);
}

static struct cg_sock *keep(void)
{
    return cg_sock_open(cg_sched_self(), &keeper, NULL, -1);
}

struct waits {
    struct cg_op *op;
    ssize_t result;
    bool back;
};

static ssize_t waits(void *arg)
{
    struct waits *w = arg;

    w->result = cg_yield(w->op);
    w->back = true;
    return 0;
}

/* Bytes that the kernel has put into the buffer of a cancelled read go to the next reader.
 * The cancelled read does not return before the kernel has released the buffer. */
static ssize_t late_read(void *arg)
{
    struct cg_sock *sock = keep();
    char buf[16] = "", again[16] = "";
    struct waits w = {.op = cg_read(sock, buf, sizeof buf, .timeout = CG_MILLISECOND)};
    struct cg_coro *coro = test_start(waits, &w);

    (void)arg;
    IS(cg_yield(cg_sleep(5 * CG_MILLISECOND)), 0);
    ck_assert(!w.back);
    memcpy(kept[0]->buf, "late", 4);
    release(0, 4);
    test_end(coro);
    IS(w.result, -ETIMEDOUT);
    IS(cg_yield(cg_read(sock, again, sizeof again)), 4);
    ck_assert_str_eq(again, "late");
    cg_sock_close(sock);
    return 0;
}

/* Bytes that the kernel has put into the buffer of a cancelled readall stay there, and
 * .moved counts them. */
static ssize_t late_readall(void *arg)
{
    struct cg_sock *sock = keep();
    char buf[16] = "";
    size_t moved = 99;
    struct waits w = {.op = cg_readall(sock, buf, sizeof buf, .timeout = CG_MILLISECOND,
                                       .moved = &moved)};
    struct cg_coro *coro = test_start(waits, &w);

    (void)arg;
    IS(cg_yield(cg_pass()), 0);
    memcpy(kept[0]->buf, "one", 3);
    release(0, 3);
    IS(cg_yield(cg_sleep(5 * CG_MILLISECOND)), 0);
    ck_assert(!w.back);
    memcpy(kept[0]->buf, "two", 3);
    release(0, 3);
    test_end(coro);
    IS(w.result, -ETIMEDOUT);
    ck_assert_uint_eq(moved, 6);
    ck_assert_str_eq(buf, "onetwo");
    ck_assert_ptr_null(sock->input.first);
    cg_sock_close(sock);
    return 0;
}

/* A write that is cancelled too late still counts the bytes that were sent. */
static ssize_t late_write(void *arg)
{
    struct cg_sock *sock = keep();
    size_t moved = 99;
    struct waits w = {.op = cg_writeall(sock, "0123456789", 10, .timeout = CG_MILLISECOND,
                                        .moved = &moved)};
    struct cg_coro *coro = test_start(waits, &w);

    (void)arg;
    IS(cg_yield(cg_pass()), 0);
    release(1, 4);
    ck_assert_uint_eq(kept[1]->len, 6);
    IS(cg_yield(cg_sleep(5 * CG_MILLISECOND)), 0);
    ck_assert(!w.back);
    IS(cg_yield(cg_write(sock, "x", 1)), -EBUSY);
    release(1, 6);
    test_end(coro);
    IS(w.result, -ETIMEDOUT);
    ck_assert_uint_eq(moved, 10);
    cg_sock_close(sock);
    return 0;
}

/* When a socket is closed, waiting operations complete with -EBADF. If the kernel holds
 * an op's memory, the op completes when the kernel has released it. Then the socket is
 * freed. */
static ssize_t late_close(void *arg)
{
    struct cg_sock *sock = keep();
    char line[16];
    struct waits reads = {.op = cg_readline(sock, line, sizeof line)};
    struct waits writes = {.op = cg_write(sock, "x", 1)};
    struct cg_coro *reader = test_start(waits, &reads);
    struct cg_coro *writer = test_start(waits, &writes);

    (void)arg;
    test_until_waiting(reader);
    test_until_waiting(writer);
    cg_sock_close(sock);
    IS(test_end(reader), 0);
    IS(reads.result, -EBADF);
    ck_assert(!writes.back);
    release(0, 0);
    release(1, -ECANCELED);
    IS(test_end(writer), 0);
    IS(writes.result, -EBADF);
    return 0;
}

/* A reader that finds a cancelled request still in flight waits for it, and then submits
 * its own. */
static ssize_t late_and_next(void *arg)
{
    struct cg_sock *sock = keep();
    char line[16];
    struct waits w = {.op = cg_readline(sock, line, sizeof line)};
    struct cg_coro *coro;

    (void)arg;
    IS(cg_yield(cg_readline(sock, line, sizeof line, .timeout = 1)), -ETIMEDOUT);
    ck_assert_int_eq(kept[0]->state, CG_IO_CANCELLING);
    coro = test_start(waits, &w);
    test_until_waiting(coro);
    release(0, -ECANCELED);
    ck_assert_ptr_nonnull(kept[0]);
    kept[0]->chunk = cg_chunk_get(sock->reactor);
    memcpy(kept[0]->chunk->data, "a\nb\n", kept[0]->chunk->end = 4);
    release(0, 4);
    test_end(coro);
    IS(w.result, 2);
    IS(cg_yield(cg_readline(sock, line, sizeof line)), 2);
    cg_sock_close(sock);
    return 0;
}

/* Bytes that came before an error are read first. Then every read returns the error. */
static ssize_t error_after_input(void *arg)
{
    struct cg_sock *sock = keep();
    char buf[16];
    struct waits w = {.op = cg_readline(sock, buf, sizeof buf)};
    struct cg_coro *coro = test_start(waits, &w);

    (void)arg;
    test_until_waiting(coro);
    kept[0]->chunk = cg_chunk_get(sock->reactor);
    memcpy(kept[0]->chunk->data, "half", kept[0]->chunk->end = 4);
    release(0, 4);
    release(0, -ECONNRESET);
    test_end(coro);
    IS(w.result, -ECONNRESET); /* not a line, and not lost */
    IS(cg_yield(cg_read(sock, buf, sizeof buf)), 4);
    for (int i = 0; i < 2; i++)
        IS(cg_yield(cg_read(sock, buf, sizeof buf)), -ECONNRESET);
    IS(cg_yield(cg_readall(sock, buf, 1)), -ECONNRESET);
    IS(cg_yield(cg_poll_sock(sock, CG_IN)), CG_IN | CG_HUP);
    cg_sock_close(sock);
    return 0;
}

/* In-memory pairs */

/* A writer waits until the other end is read, and the reader gets all bytes. */
static ssize_t pair_holds_back(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *writer;
    struct piece all = {.data = big, .size = sizeof big};
    size_t moved = 0;
    static char back[sizeof big];

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    test_fill(big, sizeof big, 0);
    IS(cg_yield(cg_writeall(a, big, sizeof big, .timeout = CG_MILLISECOND,
                            .moved = &moved)), -ETIMEDOUT);
    ck_assert_uint_eq(moved, 64 * 1024);
    IS(cg_yield(cg_poll_sock(a, CG_OUT, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_readall(b, back, moved)), (ssize_t)moved);
    IS(cg_yield(cg_poll_sock(a, CG_OUT | CG_IN)), CG_OUT);
    all.sock = a;
    writer = test_start(pours, &all);
    IS(cg_yield(cg_readall(b, back, sizeof back)), sizeof back);
    test_verify(back, sizeof back, 0);
    IS(test_end(writer), sizeof big);
    cg_sock_close(a);
    IS(cg_yield(cg_read(b, back, 1)), 0);
    IS(cg_yield(cg_write(b, back, 1)), -EPIPE);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_OUT))) & CG_ERR, 0);
    IS(cg_yield(cg_shutdown(b, 77)), -EINVAL);
    cg_sock_close(b);
    return 0;
}

/* Each end waits for the other, even after one direction has ended. */
static ssize_t echoes(void *arg)
{
    char line[32];
    ssize_t n;

    while ((n = cg_yield(cg_readline(arg, line, sizeof line))) > 0)
        IS(cg_yield(cg_writeall(arg, line, (size_t)n)), n);
    cg_sock_close(arg);
    return n;
}

static ssize_t pair_echo(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *echo;
    struct cg_view view;
    char buf[32];

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    echo = test_start(echoes, b);
    for (int i = 0; i < 10; i++) {
        int n = sprintf(buf, "line %d\n", i);
        struct iovec iov[] = {{buf, 2}, {buf + 2, (size_t)n - 2}};

        IS(cg_yield(cg_read(a, buf + 16, 1, .timeout = 1)), -ETIMEDOUT);
        IS(cg_yield(cg_writev(a, iov, 2)), n);
        IS(cg_yield(cg_borrow(a, &view)), n);
        ck_assert_mem_eq(view.data, buf, (size_t)n);
        cg_view_release(&view, (size_t)n);
    }
    IS(cg_yield(cg_writeall(a, "rest", 4)), 4);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_write(a, "x", 1)), -EPIPE);
    IS(cg_yield(cg_readall(a, buf, 8)), CG_EOF);
    ck_assert_mem_eq(buf, "rest", 4);
    IS(test_end(echo), 0);
    cg_sock_close(a);
    return 0;
}

/* A read is a deadlock if no coroutine will ever write to the other end. */
static ssize_t reads_forever(void *arg)
{
    char byte;

    return cg_yield(cg_read(arg, &byte, 1));
}

static void pair_deadlock(void)
{
    struct test test = test_open();
    struct cg_sock *a, *b;

    OK(cg_sock_pair(test.sched, &a, &b));
    OK(cg_sched_start(test.sched, reads_forever, a));
    IS(cg_sched_run(test.sched), 1);
    cg_sock_close(a);
    IS(cg_sched_run(test.sched), 0);
    cg_sock_close(b);
    test_close(&test);
}

/* Other cases */

/* Invalid arguments are refused, and nothing is left waiting. */
static ssize_t bad_arguments(void *arg)
{
    struct cg_sock *a, *b, *made;
    struct iovec part = {"x", 1};
    size_t moved = 99;
    char buf[4];

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_read(NULL, buf, 1)), -EBADF);
    IS(cg_yield(cg_accept(NULL, &made)), -EBADF);
    IS(cg_yield(cg_shutdown(NULL, SHUT_WR)), -EBADF);
    IS(cg_yield(cg_poll_sock(NULL, CG_IN)), -EBADF);
    IS(cg_yield(cg_poll_sock(a, 0)), -EINVAL);
    IS(cg_yield(cg_accept(a, &made)), -EINVAL);
    IS(cg_yield(cg_read(a, buf, 0)), 0);
    IS(cg_yield(cg_readall(a, buf, 0)), 0);
    IS(cg_yield(cg_readline(a, buf, 0)), -EINVAL);
    IS(cg_yield(cg_write(a, buf, 0)), 0);
    IS(cg_yield(cg_writeall(a, buf, 0, .moved = &moved)), 0);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_writev(a, NULL, 0)), 0);
    IS(cg_yield(cg_writev(a, &part, -1)), -EINVAL);
    IS(cg_yield(cg_writev(a, &part, CG_IOV_LIMIT + 1)), -EINVAL);
    IS(cg_yield(cg_connect("nowhere", &made)), CG_EADDR);
    IS(cg_yield(cg_connect(NULL, &made)), CG_EADDR);
    IS(cg_sock_listen(cg_sched_self(), "nowhere", &made), CG_EADDR);
    IS(cg_sock_attach(cg_sched_self(), -1, &made), -EBADF);
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(NULL);
    return 0;
}

/* An op can be yielded again. The socket's default timeout applies to ops that set none. */
static ssize_t again(void *arg)
{
    struct cg_sock *a, *b;
    char buf[4];
    size_t moved;
    struct cg_op *read, *write;

    (void)arg;
    test_tcp(&a, &b);
    read = cg_readall(b, buf, 4, .moved = &moved);
    write = cg_writeall(a, "four", 4);
    for (int i = 0; i < 3; i++) {
        memset(buf, 0, sizeof buf);
        IS(cg_yield(write), 4);
        IS(cg_yield(read), 4);
        ck_assert_mem_eq(buf, "four", 4);
        ck_assert_uint_eq(moved, 4);
    }
    cg_sock_set_timeout(b, CG_MILLISECOND);
    IS(cg_yield(read), -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_read(b, buf, 1)), -ETIMEDOUT);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Ops can be printed. */
static ssize_t printed(void *arg)
{
    struct cg_sock *a, *b;
    char text[100], want[100];

    (void)arg;
    test_tcp(&a, &b);
    snprintf(want, sizeof want, "read fd %d, 0/4096", cg_sock_fd(a));
    cg_op_print(cg_read(a, big, 4096), text, sizeof text);
    ck_assert_str_eq(text, want);
    snprintf(want, sizeof want, "poll_sock fd %d, in out", cg_sock_fd(a));
    cg_op_print(cg_poll_sock(a, CG_IN | CG_OUT), text, sizeof text);
    ck_assert_str_eq(text, want);
    snprintf(want, sizeof want, "shutdown fd %d, write", cg_sock_fd(a));
    cg_op_print(cg_shutdown(a, SHUT_WR), text, sizeof text);
    ck_assert_str_eq(text, want);
    cg_op_print(cg_connect("[::1]:80", &b), text, sizeof text);
    ck_assert_str_eq(text, "connect [::1]:80");
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* With a deadline a loop over input that is always available ends. */
static void borrows_until(struct cg_sock *a, struct cg_sock *b)
{
    int64_t deadline = cg_sched_now(cg_sched_self()) + 2 * CG_MILLISECOND;
    struct cg_view view;
    char line[16];
    ssize_t n;

    IS(cg_yield(cg_writeall(b, "one\ntwo\n", 8)), 8);
    while ((n = cg_yield(cg_borrow(a, &view, .deadline = deadline))) > 0) {
        cg_view_release(&view, 0);
        if (test_on_sim()) /* the clock stands still while a coroutine runs */
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    }
    IS(n, -ETIMEDOUT);
    IS(cg_yield(cg_readline(a, line, sizeof line, .deadline = deadline)), -ETIMEDOUT);
    IS(cg_yield(cg_readline(a, line, sizeof line)), 4);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* A poll reports only events that it asks for, also if requests of an earlier one complete late
 * with others. */
static void late_polls(struct cg_sock *a, struct cg_sock *b)
{
    for (int i = 0; i < 20; i++) {
        OK(cg_yield(cg_any((cg_poll_sock(b, CG_IN | CG_OUT), cg_pass()))));
        IS(cg_yield(cg_poll_sock(b, CG_IN, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    LINK(borrows_until),
    LINK(sock_everything),
    LINK(sock_both_ways),
    LINK(sock_raced),
    LINK(sock_closed),
    LINK(sock_weak, .where = ON_SIM),
    CORO(late_read, .where = ON_SIM),
    CORO(late_readall, .where = ON_SIM),
    CORO(late_write, .where = ON_SIM),
    CORO(late_close),
    LINK(late_polls),
    CORO(late_and_next),
    CORO(error_after_input),
    CORO(pair_holds_back),
    CORO(pair_echo),
    PLAIN(pair_deadlock),
    CORO(bad_arguments),
    CORO(again),
    CORO(printed),
};

int main(void)
{
    return test_main("sock", cases, COUNT(cases));
}
