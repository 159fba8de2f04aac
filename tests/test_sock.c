/* SPDX-License-Identifier: MIT */
/* What only the inside of sockets/ can show: how input is kept, how a request that comes
 * back late is settled, and that every operation works over a transport that must yield
 * operations of its own. What users see is in the test_conform_* files. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/support.h"

#include <cogen/sim.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char big[300 * 1024];

/* ---- Input ----------------------------------------------------------------------- */

static void add(struct cg_reactor *reactor, struct cg__input *input, const char *text)
{
    struct cg_chunk *chunk = cg_chunk_get(reactor);

    memcpy(chunk->data, text, strlen(text));
    chunk->end = (uint32_t)strlen(text);
    cg__input_add(reactor, input, chunk);
}

/* Small arrivals share a chunk, also while it is lent; an empty one leaves none behind. */
static void input_coalesces(void)
{
    struct test test = test_open();
    struct cg__input input = {.first = NULL};
    size_t own = test.reactor->chunks_out;
    char buf[16];

    for (int i = 0; i < 1000; i++)
        add(test.reactor, &input, "abcdefghij");
    ck_assert_uint_eq(test.reactor->chunks_out, own + 1);
    ck_assert_uint_eq(input.unread, 10000);
    input.first->lent = 1;
    add(test.reactor, &input, "k");
    add(test.reactor, &input, "");
    ck_assert_uint_eq(test.reactor->chunks_out, own + 1);
    ck_assert_uint_eq(input.first->end, 10001);
    input.first->lent = 0;
    cg__input_drop(test.reactor, &input, 9998);
    ck_assert_uint_eq(cg__input_read(test.reactor, &input, buf, sizeof buf), 3);
    ck_assert_mem_eq(buf, "ijk", 3);
    ck_assert_uint_eq(test.reactor->chunks_out, own);
    ck_assert_ptr_null(input.first);
    ck_assert_ptr_null(input.last);
    test_close(&test);
}

/* Bytes keep their order over any number of chunks, whatever the sizes. */
static void input_keeps_order(void)
{
    struct test test = test_open();
    struct cg__input input = {.first = NULL};
    size_t own = test.reactor->chunks_out;
    uint64_t seed = 1;
    size_t in = 0, out = 0;
    char buf[40000];

    while (out < 2000000) {
        size_t size = test_random(&seed) % sizeof buf;

        test_fill(buf, size, in);
        ck_assert_uint_eq(cg__input_push(test.reactor, &input, buf, size), size);
        in += size;
        size = cg__input_read(test.reactor, &input, buf, test_random(&seed) % sizeof buf);
        test_verify(buf, size, out);
        out += size;
        ck_assert_uint_eq(input.unread, in - out);
        ck_assert_uint_le(test.reactor->chunks_out, own + input.unread / CG_CHUNK_SIZE + 2);
    }
    cg__input_drop(test.reactor, &input, input.unread);
    ck_assert_uint_eq(test.reactor->chunks_out, own);
    test_close(&test);
}

/* A line is found across chunks; what was looked at is not looked at again. */
static void input_lines(void)
{
    struct test test = test_open();
    struct cg__input input = {.first = NULL};
    size_t own = test.reactor->chunks_out;

    memset(big, 'x', sizeof big);
    ck_assert_uint_eq(cg__input_line(&input), 0);
    cg__input_push(test.reactor, &input, big, 40000);
    ck_assert_uint_eq(cg__input_line(&input), 0);
    ck_assert_uint_eq(input.scanned, 40000);
    add(test.reactor, &input, "end\nnext\n");
    ck_assert_uint_eq(cg__input_line(&input), 40004);
    ck_assert_uint_eq(cg__input_line(&input), 40004);
    cg__input_drop(test.reactor, &input, 39999);
    ck_assert_uint_eq(cg__input_line(&input), 5);
    cg__input_drop(test.reactor, &input, 5);
    ck_assert_uint_eq(cg__input_line(&input), 5);
    cg__input_drop(test.reactor, &input, 5);
    ck_assert_uint_eq(test.reactor->chunks_out, own);
    test_close(&test);
}

/* A peer that is not read from fills the input up to its limit and what was under way when
 * that was reached (where requests stay armed a handful of chunks, else one), no more; all
 * of it arrives once somebody reads. */
enum { FLOOD = 8 * sizeof big };

static ssize_t pours(void *arg)
{
    return cg_yield(cg_writeall(arg, big, sizeof big));
}

static ssize_t floods(void *arg)
{
    for (int i = 0; i < 8; i++)
        IS(pours(arg), sizeof big);
    return 0;
}

static void check_unread(const struct cg_sock *sock)
{
    size_t under_way = (sock->multishot ? 48 : 1) * CG_CHUNK_SIZE;

    ck_assert_uint_le(sock->input.unread, CG_INPUT_LIMIT + under_way);
}

static ssize_t input_is_limited(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *writer;
    char buf[5000];

    (void)arg;
    test_tcp(&a, &b);
    test_fill(big, sizeof big, 0);
    writer = test_start(floods, a);
    IS(cg_yield(cg_read(b, buf, 1)), 1);
    test_verify(buf, 1, 0);
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_sleep(5 * CG_MILLISECOND)), 0);
        check_unread(b);
    }
    for (size_t at = 1; at < FLOOD;) {
        size_t left = sizeof big - at % sizeof big;
        ssize_t n = OK(cg_yield(cg_read(b, buf, left < sizeof buf ? left : sizeof buf)));

        ck_assert_int_gt(n, 0);
        test_verify(buf, (size_t)n, at % sizeof big);
        at += (size_t)n;
        check_unread(b);
    }
    IS(test_end(writer), 0);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* A socket with nothing unread holds no buffer. */
static ssize_t idle_holds_nothing(void *arg)
{
    struct cg_sock *a, *b;
    char buf[8];

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(a, "hello\n", 6)), 6);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), 6);
    IS(cg_yield(cg_readline(b, buf, sizeof buf, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    ck_assert_ptr_null(b->input.first);
    ck_assert_ptr_null(a->input.first);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* ---- Requests that come back late ------------------------------------------------ */

/* A transport that keeps its requests until the test completes them. */
static struct cg_io *kept[2];

static enum cg_verdict keeper_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
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
    return cg_sock_new(cg_sched_self(), &keeper, NULL, -1);
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

/* Bytes that the kernel put into the buffer of a cancelled read are found by the next
 * reader, and the cancelled one does not come back before. */
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
    cg_close(sock);
    return 0;
}

/* The same of a readall: they are its own, and .moved counts them. */
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
    cg_close(sock);
    return 0;
}

/* A write that is cancelled too late still counts what went out. */
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
    cg_close(sock);
    return 0;
}

/* A closed socket answers those who wait -EBADF, and those whose memory the kernel still
 * has when it has let go; then it is gone. */
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
    cg_close(sock);
    IS(test_end(reader), 0);
    IS(reads.result, -EBADF);
    ck_assert(!writes.back);
    release(0, 0);
    release(1, -ECANCELED);
    IS(test_end(writer), 0);
    IS(writes.result, -EBADF);
    return 0;
}

/* A reader that finds an earlier one's request still on its way back waits for that, and
 * then asks itself. */
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
    cg_close(sock);
    return 0;
}

/* What came before an error is read first; then the error stays. */
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
    IS(cg_yield(cg_poll_sock(sock, CG_IN)), CG_IN);
    cg_close(sock);
    return 0;
}

/* ---- A transport that runs ------------------------------------------------------- */

/* Every byte is changed on its way over an inner socket, with other operations between. */
static enum cg_verdict mask_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    if (io->code <= CG_IO_POLL || io->code == CG_IO_SHUTDOWN)
        return CG_RUN;
    io->result = -EOPNOTSUPP;
    return CG_DONE;
}

static ssize_t mask_recv(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sock_sched(sock));
    struct cg_sock *inner = cg_sock_state(sock);
    struct cg_view view;
    ssize_t n = cg_yield(cg_borrow(inner, &view));
    char *to = io->buf;

    if (n <= 0)
        return n;
    if (io->len == 0) {
        io->chunk = cg_chunk_get(reactor);
        n = n < io->chunk->size ? n : (ssize_t)io->chunk->size;
        io->chunk->end = (uint32_t)n;
        to = io->chunk->data;
    } else if ((size_t)n > io->len) {
        n = (ssize_t)io->len;
    }
    for (ssize_t i = 0; i < n; i++)
        to[i] = view.data[i] ^ 0x5a;
    cg_giveback(&view, (size_t)n);
    return n;
}

static ssize_t mask_send(struct cg_sock *sock, const void *data, size_t len)
{
    char buf[1000];
    size_t moved = 0;
    ssize_t result;

    len = len < sizeof buf ? len : sizeof buf;
    for (size_t i = 0; i < len; i++)
        buf[i] = ((const char *)data)[i] ^ 0x5a;
    result = cg_yield(cg_writeall(cg_sock_state(sock), buf, len, .moved = &moved));
    return moved > 0 ? (ssize_t)moved : result;
}

static ssize_t mask_run(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = cg_sock_state(sock);
    ssize_t result = cg_yield(cg_pass());

    if (result < 0)
        return result;
    switch (io->code) {
    case CG_IO_RECV:
        return mask_recv(sock, io);
    case CG_IO_SEND:
        return mask_send(sock, io->buf, io->len);
    case CG_IO_SENDV:
        return mask_send(sock, io->iov[0].iov_base, io->iov[0].iov_len);
    case CG_IO_POLL:
        return cg_yield(cg_poll_sock(inner, io->events));
    case CG_IO_SHUTDOWN:
        return cg_yield(cg_shutdown(inner, io->how));
    default:
        return -EOPNOTSUPP;
    }
}

static void mask_close(struct cg_sock *sock)
{
    cg_close(cg_sock_state(sock));
}

static const struct cg_transport_type mask = {
    .name = "mask",
    .submit = mask_submit,
    .run = mask_run,
    .close = mask_close,
};

static void masked(struct cg_sock **a, struct cg_sock **b)
{
    struct cg_sock *inner[2];

    test_tcp(&inner[0], &inner[1]);
    *a = cg_sock_new(cg_sched_self(), &mask, inner[0], -1);
    *b = cg_sock_new(cg_sched_self(), &mask, inner[1], -1);
}

/* All that can be done with a plain socket can be done with one whose transport runs. */
static ssize_t run_everything(void *arg)
{
    struct cg_sock *a, *b;
    struct iovec iov[] = {{"one ", 4}, {"", 0}, {"two\n", 4}, {"three", 5}};
    struct cg_view view;
    char buf[64] = "";
    size_t moved = 99, size = sizeof buf;

    (void)arg;
    masked(&a, &b);
    IS(cg_yield(cg_writev(a, iov, 4, .moved = &moved)), 13);
    ck_assert_uint_eq(moved, 13);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), 8);
    ck_assert_str_eq(buf, "one two\n");
    IS(cg_yield(cg_readall(b, buf, 5, .moved = &moved)), 5);
    ck_assert_mem_eq(buf, "three", 5);
    IS(cg_yield(cg_writeall(b, "answer", 6)), 6);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(a, CG_IN))) & CG_IN, 0);
    IS(cg_yield(cg_poll_sock(a, CG_OUT)), CG_OUT);
    IS(cg_yield(cg_borrow(a, &view)), 6);
    ck_assert_mem_eq(view.data, "answer", 6);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), -EBUSY);
    cg_giveback(&view, 2);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 4);
    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_readall(a, buf, 8, .timeout = CG_MILLISECOND, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_sendfile(a, 0, 0, 1)), -EOPNOTSUPP);
    IS(cg_getopt(a, SOL_SOCKET, SO_ERROR, buf, &size), -EOPNOTSUPP);
    IS(cg_sock_fd(a), -EOPNOTSUPP);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    IS(cg_yield(cg_readall(b, buf, 1)), CG_EOF);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* Both directions at once, more than fits anywhere. */
static ssize_t run_both_ways(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *writer;

    (void)arg;
    masked(&a, &b);
    for (int i = 0; i < 2; i++) {
        static char back[sizeof big];

        test_fill(big, sizeof big, 0);
        writer = test_start(pours, i ? a : b);
        IS(cg_yield(cg_readall(i ? b : a, back, sizeof back)), sizeof back);
        test_verify(back, sizeof back, 0);
        IS(test_end(writer), sizeof big);
    }
    cg_close(a);
    cg_close(b);
    return 0;
}

/* A read that loses a race loses no byte, however close it was. */
static ssize_t writes_slowly(void *arg)
{
    for (int i = 0; i < 100; i++) {
        char byte = (char)i;

        IS(cg_yield(cg_writeall(arg, &byte, 1)), 1);
        for (int pass = 0; pass < i % 5; pass++)
            IS(cg_yield(cg_pass()), 0);
    }
    cg_close(arg);
    return 0;
}

static ssize_t run_raced(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *writer;
    int next = 0, lost = 0;
    ssize_t n;

    (void)arg;
    masked(&a, &b);
    writer = test_start(writes_slowly, a);
    do {
        char buf[4];
        struct cg_op *read = cg_read(b, buf, sizeof buf);
        ssize_t winner = OK(cg_yield(cg_any((read, cg_sleep(lost % 3)))));

        n = cg_result(read);
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
    cg_close(b);
    return 0;
}

/* Closing reaches whoever runs, and one that has not even begun. */
static ssize_t closes(void *arg)
{
    cg_close(arg);
    return 0;
}

static ssize_t run_closed(void *arg)
{
    struct cg_sock *a, *b;
    char buf[8];
    struct waits w;
    struct cg_coro *coro;
    struct cg_op *read, *again;

    (void)arg;
    masked(&a, &b);
    w = (struct waits){.op = cg_read(a, buf, sizeof buf)};
    coro = test_start(waits, &w);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), -EBUSY);
    cg_close(a);
    test_end(coro);
    IS(w.result, -EBADF);
    read = cg_read(b, buf, sizeof buf);
    again = cg_readline(b, buf, sizeof buf);
    coro = test_start(closes, b);
    IS(cg_yield(cg_all((read, again))), 0);
    IS(cg_result(read), -EBADF);
    IS(cg_result(again), -EBADF);
    test_end(coro);
    return 0;
}

static ssize_t trickles(void *arg)
{
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_writeall(arg, "x", 1)), 1);
        IS(cg_yield(cg_sleep(2 * CG_SECOND)), 0);
    }
    return 0;
}

/* A weak timeout starts anew with every byte, yielded alone and raced; one that is not weak
 * does not. */
static ssize_t run_weak(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *coro;
    struct cg_op *read;
    size_t moved = 0;
    char buf[10];

    (void)arg;
    masked(&a, &b);
    coro = test_start(trickles, a);
    IS(cg_yield(cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .weak_timeout = true)), 10);
    test_end(coro);
    coro = test_start(trickles, a);
    read = cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .weak_timeout = true);
    IS(cg_yield(cg_any((read, cg_sleep(CG_HOUR)))), 0);
    IS(cg_result(read), 10);
    test_end(coro);
    coro = test_start(trickles, a);
    IS(cg_yield(cg_readall(b, buf, 10, .timeout = 3 * CG_SECOND, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_eq(moved, 2);
    test_end(coro);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* ---- A transport that is always ready ------------------------------------------------ */

enum { PIECE = 4096 };

static enum cg_verdict fountain_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    memset(io->buf, 'w', PIECE);
    io->result = PIECE;
    return CG_DONE;
}

static const struct cg_transport_type fountain = {
    .name = "fountain",
    .submit = fountain_submit,
};

static ssize_t counts(void *arg)
{
    while (cg_yield(cg_pass()) == 0)
        ++*(int *)arg;
    return 0;
}

/* A large op that never has to wait lets the others in between, every 64 KiB, and can be
 * cancelled there. */
static ssize_t large_is_fair(void *arg)
{
    struct cg_sock *sock = cg_sock_new(cg_sched_self(), &fountain, NULL, -1);
    int passes = 0;
    struct cg_coro *coro = test_start(counts, &passes);
    size_t moved = 0;

    (void)arg;
    for (int i = 0; i < 4; i++)
        IS(cg_yield(cg_readall(sock, big, 256 * 1024)), 256 * 1024);
    ck_assert_int_ge(passes, 12);
    IS(cg_yield(cg_readall(sock, big, 256 * 1024, .timeout = CG_NOWAIT, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_ge(moved, 64 * 1024);
    ck_assert_uint_lt(moved, 256 * 1024);
    OK(cg_yield(cg_cancel(coro)));
    test_end(coro);
    cg_close(sock);
    return 0;
}

/* ---- In-memory pairs ------------------------------------------------------------- */

/* A pair holds back a writer whom nobody reads, and the reader gets all of it. */
static ssize_t pair_holds_back(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *writer;
    size_t moved = 0;
    static char back[sizeof big];

    (void)arg;
    OK(cg_pair(cg_sched_self(), &a, &b));
    test_fill(big, sizeof big, 0);
    IS(cg_yield(cg_writeall(a, big, sizeof big, .timeout = CG_MILLISECOND,
                            .moved = &moved)), -ETIMEDOUT);
    ck_assert_uint_eq(moved, 64 * 1024);
    IS(cg_yield(cg_poll_sock(a, CG_OUT, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_readall(b, back, moved)), (ssize_t)moved);
    IS(cg_yield(cg_poll_sock(a, CG_OUT | CG_IN)), CG_OUT);
    writer = test_start(pours, a);
    IS(cg_yield(cg_readall(b, back, sizeof back)), sizeof back);
    test_verify(back, sizeof back, 0);
    IS(test_end(writer), sizeof big);
    cg_close(a);
    IS(cg_yield(cg_read(b, back, 1)), 0);
    IS(cg_yield(cg_write(b, back, 1)), -EPIPE);
    ck_assert_int_ne(OK(cg_yield(cg_poll_sock(b, CG_OUT))) & CG_ERR, 0);
    IS(cg_yield(cg_shutdown(b, 77)), -EINVAL);
    cg_close(b);
    return 0;
}

/* Each waits for the other, also after one direction has ended. */
static ssize_t echoes(void *arg)
{
    char line[32];
    ssize_t n;

    while ((n = cg_yield(cg_readline(arg, line, sizeof line))) > 0)
        IS(cg_yield(cg_writeall(arg, line, (size_t)n)), n);
    cg_close(arg);
    return n;
}

static ssize_t pair_echo(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *echo;
    struct cg_view view;
    char buf[32];

    (void)arg;
    OK(cg_pair(cg_sched_self(), &a, &b));
    echo = test_start(echoes, b);
    for (int i = 0; i < 10; i++) {
        int n = sprintf(buf, "line %d\n", i);
        struct iovec iov[] = {{buf, 2}, {buf + 2, (size_t)n - 2}};

        IS(cg_yield(cg_read(a, buf + 16, 1, .timeout = 1)), -ETIMEDOUT);
        IS(cg_yield(cg_writev(a, iov, 2)), n);
        IS(cg_yield(cg_borrow(a, &view)), n);
        ck_assert_mem_eq(view.data, buf, (size_t)n);
        cg_giveback(&view, (size_t)n);
    }
    IS(cg_yield(cg_writeall(a, "rest", 4)), 4);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_write(a, "x", 1)), -EPIPE);
    IS(cg_yield(cg_readall(a, buf, 8)), CG_EOF);
    ck_assert_mem_eq(buf, "rest", 4);
    IS(test_end(echo), 0);
    cg_close(a);
    return 0;
}

/* A reader on a pair whose other end nobody will ever write to is a deadlock. */
static ssize_t reads_forever(void *arg)
{
    char byte;

    return cg_yield(cg_read(arg, &byte, 1));
}

static void pair_deadlock(void)
{
    struct test test = test_open();
    struct cg_sock *a, *b;

    OK(cg_pair(test.sched, &a, &b));
    OK(cg_start(test.sched, reads_forever, a));
    IS(cg_run(test.sched), 1);
    cg_close(a);
    IS(cg_run(test.sched), 0);
    cg_close(b);
    test_close(&test);
}

/* ---- Storms ---------------------------------------------------------------------- */

enum { STORM = 200000 }; /* bytes, each way */

struct storm {
    struct cg_sock *sock;
    uint64_t seed;
};

static int64_t storm_timeout(struct storm *s)
{
    static const int64_t some[] = {CG_NEVER, CG_NEVER, CG_NOWAIT, 1, 40 * CG_MICROSECOND,
                                   CG_MILLISECOND};

    return some[test_random(&s->seed) % COUNT(some)];
}

static bool storm_expects(ssize_t answer)
{
    return answer >= 0 || answer == -ETIMEDOUT || answer == -ECANCELED;
}

static ssize_t storm_writes(void *arg)
{
    struct storm *s = arg;
    static char buf[30000];

    for (size_t at = 0, moved; at < STORM; at += moved) {
        size_t size = test_random(&s->seed) % sizeof buf + 1;
        struct iovec iov[3];
        struct cg_op *op;
        ssize_t n;

        size = size < STORM - at ? size : STORM - at;
        test_fill(buf, size, at);
        iov[0] = (struct iovec){buf, size / 4};
        iov[1] = (struct iovec){buf, 0};
        iov[2] = (struct iovec){buf + size / 4, size - size / 4};
        op = test_random(&s->seed) % 2 ? cg_writeall(s->sock, buf, size, .moved = &moved)
                                       : cg_writev(s->sock, iov, 3, .moved = &moved);
        moved = size + 1;
        if (test_random(&s->seed) % 3) {
            op->timeout = storm_timeout(s);
            n = cg_yield(op);
        } else {
            OK(cg_yield(cg_any((op, cg_sleep(test_random(&s->seed) % 3000)))));
            n = cg_result(op);
        }
        ck_assert(storm_expects(n));
        ck_assert_uint_le(moved, size);
        ck_assert(n < 0 || moved == size);
    }
    return cg_yield(cg_shutdown(s->sock, SHUT_WR));
}

/* One read of some kind, perhaps raced: its answer, the bytes in buf. */
static ssize_t storm_read(struct storm *s, char *buf, size_t size, size_t *moved)
{
    struct cg_view view;
    struct cg_op *op, *ops[] = {
        cg_read(s->sock, buf, size, .moved = moved),
        cg_readall(s->sock, buf, size, .moved = moved),
        cg_readline(s->sock, buf, size + 1, .moved = moved),
        cg_borrow(s->sock, &view),
        cg_poll_sock(s->sock, CG_IN),
    };
    unsigned kind = test_random(&s->seed) % COUNT(ops);
    ssize_t n;

    op = ops[kind];
    if (test_random(&s->seed) % 3) {
        op->timeout = storm_timeout(s);
        n = cg_yield(op);
    } else {
        OK(cg_yield(cg_any((op, cg_sleep(test_random(&s->seed) % 3000)))));
        n = cg_result(op);
    }
    if (kind == 3 && n > 0) {
        *moved = (size_t)n < size ? (size_t)n : size;
        memcpy(buf, view.data, *moved);
        cg_giveback(&view, *moved);
    }
    if (n < 0 && kind != 1)
        ck_assert_uint_eq(*moved, 0); /* traceless */
    if (n == -EMSGSIZE && kind == 2)
        return cg_yield(cg_readall(s->sock, buf, size, .moved = moved));
    return kind == 4 && n > 0 ? -ECANCELED : n;
}

static ssize_t storm_reads(void *arg)
{
    struct storm *s = arg;
    static char buf[20001];
    size_t at = 0, moved;
    ssize_t n;

    do {
        moved = 0;
        n = storm_read(s, buf, test_random(&s->seed) % (sizeof buf - 1) + 1, &moved);
        test_verify(buf, moved, at);
        at += moved;
        ck_assert(storm_expects(n) || (n == CG_EOF && at == STORM));
    } while (at < STORM);
    ck_assert_uint_eq(at, STORM);
    IS(cg_yield(cg_read(s->sock, buf, sizeof buf)), 0);
    return 0;
}

static ssize_t storm(void *arg)
{
    struct cg_sock *a, *b;
    struct storm writer, reader;
    struct cg_coro *coro;

    switch (*(uint64_t *)arg % 3) {
    case 0:
        OK(cg_pair(cg_sched_self(), &a, &b));
        break;
    case 1:
        masked(&a, &b);
        break;
    default:
        test_tcp(&a, &b);
    }
    writer = (struct storm){.sock = a, .seed = *(uint64_t *)arg};
    reader = (struct storm){.sock = b, .seed = *(uint64_t *)arg + 1000000};
    coro = test_start(storm_writes, &writer);
    IS(storm_reads(&reader), 0);
    IS(test_end(coro), 0);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* Whatever is timed out or loses a race, and however late requests come back: no byte is
 * lost, and none comes twice. */
static void storms(void)
{
    for (uint64_t seed = 0; seed < 120; seed++) {
        uint64_t chance = seed;
        struct cg_sim_options options = {
            .seed = seed,
            .latency = test_random(&chance) % 2 ? 30 * CG_MICROSECOND : 0,
            .jitter = test_random(&chance) % 2 ? 100 * CG_MICROSECOND : 0,
            .short_permille = test_random(&chance) % 2 ? 300 : 0,
            .completion = test_random(&chance) % 2,
            .multishot = test_random(&chance) % 2,
            .late_cancel = test_random(&chance) % 2,
        };
        struct cg_reactor *reactor;
        struct cg_sched *sched;

        OK(cg_sim_open(&options, &reactor));
        sched = cg_sched_new(reactor);
        OK(cg_start(sched, storm, &seed));
        IS(cg_run(sched), 0);
        ck_assert_uint_eq(cg_sim_handles(reactor), 0);
        ck_assert_uint_eq(reactor->chunks_out, 0);
        cg_sched_free(sched);
        cg_reactor_close(reactor);
    }
}

/* The same on the kernel's sockets. */
static ssize_t kernel_storms(void *arg)
{
    (void)arg;
    for (uint64_t seed = 0; seed < 12; seed++)
        IS(storm(&seed), 0);
    return 0;
}

/* ---- Odds and ends --------------------------------------------------------------- */

/* Bad arguments are answered, and nothing is left waiting. */
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
    IS(cg_listen(cg_sched_self(), "nowhere", &made), CG_EADDR);
    IS(cg_attach(cg_sched_self(), -1, &made), -EBADF);
    cg_close(a);
    cg_close(b);
    cg_close(NULL);
    return 0;
}

/* An op can be yielded again; a socket's own default timeout applies to those without. */
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
    cg_sock_timeout(b, CG_MILLISECOND);
    IS(cg_yield(read), -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_read(b, buf, 1)), -ETIMEDOUT);
    cg_close(a);
    cg_close(b);
    return 0;
}

/* A listener removes the path that it bound, and no other: not one that was there before
 * it, not one that somebody has put in its place. */
static ssize_t unix_paths(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_sock *first, *second, *other;
    char addr[CG_ADDR_SIZE], text[CG_ADDR_SIZE];
    const char *path = addr + strlen("unix:");

    (void)arg;
    test_unix_path(addr);
    OK(cg_listen(sched, addr, &first));
    OK(cg_local_addr(first, text, sizeof text));
    ck_assert_str_eq(text, addr);
    IS(access(path, F_OK), 0);
    IS(cg_listen(sched, addr, &second), -EADDRINUSE);
    IS(access(path, F_OK), 0);
    IS(unlink(path), 0);
    OK(cg_listen(sched, addr, &second));
    cg_close(first);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(access(path, F_OK), 0);
    OK(cg_yield(cg_connect(addr, &other)));
    cg_close(other);
    cg_close(second);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(access(path, F_OK), -1);
    return 0;
}

/* Ops print themselves. */
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
    cg_close(a);
    cg_close(b);
    return 0;
}

static const struct test_case cases[] = {
    PLAIN(input_coalesces),   PLAIN(input_keeps_order), PLAIN(input_lines),
    CORO(input_is_limited),   CORO(idle_holds_nothing), CORO(late_read),
    CORO(late_readall),       CORO(late_write),         CORO(late_close),
    CORO(late_and_next),      CORO(error_after_input),  CORO(run_everything),
    CORO(run_both_ways),      CORO(run_raced),          CORO(run_closed),
    CORO(large_is_fair),      CORO(run_weak, .where = ON_SIM),
    CORO(pair_holds_back),    CORO(pair_echo),          PLAIN(pair_deadlock),
    CORO(bad_arguments),      CORO(again),              CORO(printed),
    CORO(unix_paths, .where = ON_KERNEL),
    CORO(kernel_storms),      PLAIN(storms, .where = ON_SIM),
};

int main(void)
{
    return test_main("sock", cases, COUNT(cases));
}
