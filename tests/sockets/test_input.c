/* SPDX-License-Identifier: MIT */
/* The input of a socket: how unread bytes are stored, and how many at most. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/support/support.h"

#include <cogen/transport.h>
#include <errno.h>
#include <string.h>

static char big[300 * 1024];

static void add(struct cg_reactor *reactor, struct cg__input *input, const char *text)
{
    struct cg_chunk *chunk = cg_chunk_get(reactor);

    memcpy(chunk->data, text, strlen(text));
    chunk->end = (uint32_t)strlen(text);
    cg__input_add(reactor, input, chunk);
}

/* Small pieces share a chunk, even while it is lent. An empty piece leaves no chunk. */
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

/* Taking the only chunk leaves an empty input, which can be filled again. */
static void input_without_chunks(void)
{
    struct test test = test_open();
    struct cg__input input = {.first = NULL};
    char buf[16];

    add(test.reactor, &input, "one");
    cg_chunk_put(test.reactor, cg__input_shift(&input));
    ck_assert_ptr_null(cg__input_shift(&input));
    ck_assert_uint_eq(input.unread, 0);
    ck_assert_uint_eq(cg__input_push(test.reactor, &input, "two", 3), 3);
    ck_assert_uint_eq(cg__input_read(test.reactor, &input, buf, sizeof buf), 3);
    ck_assert_mem_eq(buf, "two", 3);
    test_close(&test);
}

/* Bytes keep their order over any number of chunks of any sizes. */
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

/* A line is found across chunks. Bytes that have been searched are not searched again. */
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

/* When a socket is not read, its peer can fill the input up to the limit, plus what is in
 * flight when the limit is reached: a few chunks where requests stay armed, else one. All
 * bytes arrive once a coroutine reads. */
enum { FLOOD = 8 * sizeof big };

static ssize_t floods(void *arg)
{
    for (int i = 0; i < 8; i++)
        IS(cg_yield(cg_writeall(arg, big, sizeof big)), sizeof big);
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
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* A receive that stays armed */

static struct cg_io *armed;
static int disarmed; /* how often */

static enum cg_verdict tap_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    armed = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

static enum cg_verdict tap_cancel(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    disarmed++;
    armed = NULL;
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

static const struct cg_transport_type tap = {
    .name = "tap",
    .submit = tap_submit,
    .cancel = tap_cancel,
};

/* Delivers a chunk. */
static void drip(struct cg_sock *sock)
{
    struct cg_chunk *chunk = cg_chunk_get(sock->reactor);

    memset(chunk->data, 'w', chunk->size);
    chunk->end = chunk->size;
    armed->chunk = chunk;
    armed->complete(armed, (ssize_t)chunk->size);
}

static ssize_t sips(void *arg)
{
    char byte;

    return cg_yield(cg_read(arg, &byte, 1));
}

/* The receive stays armed until the limit is reached. It is armed again for a reader that
 * finds no input. */
static ssize_t limit_disarms(void *arg)
{
    struct cg_sock *sock = cg_sock_open(cg_sched_self(), &tap, NULL, -1);
    struct cg_coro *coro = test_start(sips, sock);
    size_t unread;

    (void)arg;
    disarmed = 0;
    test_until_waiting(coro);
    drip(sock);
    IS(test_end(coro), 1);
    while (!disarmed) {
        ck_assert_uint_lt(sock->input.unread, CG_INPUT_LIMIT);
        drip(sock);
    }
    ck_assert_int_eq(disarmed, 1);
    unread = sock->input.unread;
    ck_assert_uint_ge(unread, CG_INPUT_LIMIT);
    ck_assert_uint_le(unread, sizeof big);
    IS(cg_yield(cg_readall(sock, big, unread)), (ssize_t)unread);
    ck_assert_ptr_null(armed);
    coro = test_start(sips, sock);
    test_until_waiting(coro);
    drip(sock);
    IS(test_end(coro), 1);
    cg_sock_close(sock);
    return 0;
}

/* A socket without unread bytes holds no buffer. */
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
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

static const struct test_case cases[] = {
    PLAIN(input_coalesces),
    PLAIN(input_without_chunks),
    PLAIN(input_keeps_order),
    PLAIN(input_lines),
    CORO(input_is_limited),
    CORO(limit_disarms),
    CORO(idle_holds_nothing),
};

int main(void)
{
    return test_main("input", cases, COUNT(cases));
}
