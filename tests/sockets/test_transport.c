/* SPDX-License-Identifier: MIT */
/* Sockets over transports other than the kernel's: one that yields operations of its own,
 * and one that is always ready. Random operations over all of them. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/support/support.h"
#include "tests/sockets/end_cases.h"
#include "tests/sockets/sock_cases.h"

#include <cogen/serve.h>
#include <cogen/sim.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A socket that is kept alive is closed like any other: its peer reads the end, and its
 * descriptor is closed. Operations on it complete with -EBADF, and a view of it stays valid
 * until the last unkeep. */
static void kept(struct cg_sock *a, struct cg_sock *b)
{
    int fds = test_count_fds(), fd = cg_sock_fd(a);
    struct cg_view view;
    char buf[CG_ADDR_SIZE];
    size_t size = sizeof buf;
    void *rest;

    cg_sock_keep(a);
    IS(cg_sock_unkeep(a), 0);
    IS(cg_yield(cg_writeall(b, "hello", 5)), 5);
    IS(cg_yield(cg_borrow(a, &view)), 5);
    cg_sock_keep(a);
    cg_sock_keep(a);
    cg_sock_close(a);
    while (cg_yield(cg_write(b, "x", 1, .timeout = CG_SECOND)) >= 0)
        OK(cg_yield(cg_sleep(CG_MICROSECOND))); /* until the kernel has released it */
    if (fd >= 0 && !test_on_sim())
        IS(test_count_fds(), fds - 1);
    IS(cg_yield(cg_read(a, buf, 1)), -EBADF);
    IS(cg_yield(cg_write(a, "y", 1)), -EBADF);
    IS(cg_yield(cg_any((cg_borrow(a, &view)))), 0);
    IS(cg_yield(cg_accept(a, &b)), -EBADF);
    IS(cg_yield(cg_poll_sock(a, CG_IN | CG_OUT)), -EBADF);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), -EBADF);
    IS(cg_yield(cg_serve(a, NULL)), -EINVAL);
    IS(cg_sock_local_addr(a, buf, sizeof buf), -EBADF);
    IS(cg_sock_setopt(a, SOL_SOCKET, SO_KEEPALIVE, "1234", 4), -EBADF);
    IS(cg_sock_getopt(a, SOL_SOCKET, SO_ERROR, buf, &size), -EBADF);
    IS(cg_sock_fd(a), -EBADF);
    IS(cg_sock_detach(a, &rest, &size), -EBADF);
    IS(cg_sock_unkeep(a), -EBADF);
    ck_assert(view.len == 5 && memcmp(view.data, "hello", 5) == 0);
    cg_view_release(&view, 2);
    IS(cg_sock_unkeep(a), -EBADF);
    cg_sock_close(b);
}

/* Offering bytes */

/* Bytes that are offered are taken at once or not at all. The rest is not stored, nothing
 * waits, and a closed peer is an error. */
static void offered(struct cg_sock *a, struct cg_sock *b)
{
    static char out[64 * 1024], in[sizeof out];
    size_t sum = 0;
    ssize_t n;

    do {
        struct cg_io io = {.code = CG_IO_OFFER};

        test_fill(out, sizeof out, sum);
        io.buf = out;
        io.len = sizeof out;
        n = OK(cg__sock_call(a, &io));
        sum += (size_t)n;
    } while (n > 0);
    ck_assert_uint_gt(sum, 0);
    for (size_t at = 0; at < sum; at += (size_t)n) {
        n = sum - at < sizeof in ? (ssize_t)(sum - at) : (ssize_t)sizeof in;
        IS(cg_yield(cg_readall(b, in, (size_t)n)), n);
        test_verify(in, (size_t)n, at);
    }
    cg_sock_close(b);
    while (cg_yield(cg_write(a, out, 1)) >= 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    ck_assert_int_lt(
        cg__sock_call(a, &(struct cg_io){.code = CG_IO_OFFER, .buf = out, .len = 1}),
        0);
    cg_sock_close(a);
}

/* A transport that runs */

/* Changes every byte on its way over an inner socket, with other operations in between. */
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
    cg_view_release(&view, (size_t)n);
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
    cg_sock_close(cg_sock_state(sock));
}

static struct cg_sock *mask_below(const struct cg_sock *sock)
{
    return cg_sock_state(sock);
}

static const struct cg_transport_type mask = {
    .name = "mask",
    .submit = mask_submit,
    .run = mask_run,
    .close = mask_close,
    .below = mask_below,
};

static void masked(struct cg_sock **a, struct cg_sock **b)
{
    *a = cg_sock_open(cg_sched_self(), &mask, *a, -1);
    *b = cg_sock_open(cg_sched_self(), &mask, *b, -1);
}

/* A socket over a transport with a run slot can do everything that a plain socket can,
 * except what needs a descriptor. */
static void run_everything(struct cg_sock *a, struct cg_sock *b)
{
    char buf[8];
    size_t size = sizeof buf;

    masked(&a, &b);
    IS(cg_yield(cg_sendfile(a, 0, 0, 1)), -EOPNOTSUPP);
    IS(cg_sock_getopt(a, SOL_SOCKET, SO_ERROR, buf, &size), -EOPNOTSUPP);
    IS(cg_sock_fd(a), -EOPNOTSUPP);
    sock_everything(a, b);
}

/* Reads that race for the socket's input take its default timeout, as it is then, when they are
 * yielded again. */
static void run_defaulted(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_op *reads[2];
    char byte;

    masked(&a, &b);
    reads[0] = cg_read(a, &byte, 1);
    reads[1] = cg_read(a, &byte, 1);
    cg_sock_set_timeout(a, 10 * CG_MILLISECOND);
    IS(cg_yield(cg_any((reads[0], reads[1]))), 1);
    IS(cg_op_result(reads[1]), -EBUSY);
    for (int i = 0; i < 2; i++) {
        int64_t start = cg_sched_now(cg_sched_self());

        cg_sock_set_timeout(a, (50 + i) * CG_MILLISECOND);
        IS(cg_yield(reads[i]), -ETIMEDOUT);
        IS(cg_sched_now(cg_sched_self()) - start, (50 + i) * CG_MILLISECOND);
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Closing also ends operations that have not begun. */
static ssize_t closes(void *arg)
{
    cg_sock_close(arg);
    return 0;
}

static void run_closed_before(struct cg_sock *a, struct cg_sock *b)
{
    char buf[8];
    struct cg_coro *coro;
    struct cg_op *read, *again;

    masked(&a, &b);
    read = cg_read(b, buf, sizeof buf);
    again = cg_readline(b, buf, sizeof buf);
    coro = test_start(closes, b);
    IS(cg_yield(cg_all((read, again))), 0);
    IS(cg_op_result(read), -EBADF);
    IS(cg_op_result(again), -EBADF);
    test_end(coro);
    cg_sock_close(a);
}

/* A transport that is always ready */

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

/* A large op that never has to wait lets other coroutines run every 64 KiB, and can be
 * cancelled there. */
static ssize_t large_is_fair(void *arg)
{
    static char big[256 * 1024];
    struct cg_sock *sock = cg_sock_open(cg_sched_self(), &fountain, NULL, -1);
    int passes = 0;
    struct cg_coro *coro = test_start(counts, &passes);
    size_t moved = 0;

    (void)arg;
    for (int i = 0; i < 4; i++)
        IS(cg_yield(cg_readall(sock, big, sizeof big)), sizeof big);
    ck_assert_int_ge(passes, 12);
    IS(cg_yield(cg_readall(sock, big, sizeof big, .timeout = CG_NOWAIT, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_ge(moved, 64 * 1024);
    ck_assert_uint_lt(moved, sizeof big);
    OK(cg_yield(cg_cancel(coro)));
    test_end(coro);
    cg_sock_close(sock);
    return 0;
}

/* Random operations */

enum { STORM = 200000 }; /* bytes in each direction */

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
            n = cg_op_result(op);
        }
        ck_assert(storm_expects(n));
        ck_assert_uint_le(moved, size);
        ck_assert(n < 0 || moved == size);
    }
    return cg_yield(cg_shutdown(s->sock, SHUT_WR));
}

/* Makes one read of some kind, perhaps in a race. Returns its result; the bytes are in
 * buf. */
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
        n = cg_op_result(op);
    }
    if (kind == 3 && n > 0) {
        *moved = (size_t)n < size ? (size_t)n : size;
        memcpy(buf, view.data, *moved);
        cg_view_release(&view, *moved);
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
        OK(cg_sock_pair(cg_sched_self(), &a, &b));
        break;
    case 1:
        test_tcp(&a, &b);
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
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Operations time out or lose races, and requests complete late: no byte is lost and none
 * comes twice. */
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
        OK(cg_sched_start(sched, storm, &seed));
        IS(cg_sched_run(sched), 0);
        ck_assert_uint_eq(cg_sim_handles(reactor), 0);
        ck_assert_uint_eq(reactor->chunks_out, 0);
        cg_sched_free(sched);
        cg_reactor_close(reactor);
    }
}

/* The same random operations on sockets of the kernel. */
static ssize_t kernel_storms(void *arg)
{
    (void)arg;
    for (uint64_t seed = 0; seed < 12; seed++)
        IS(storm(&seed), 0);
    return 0;
}

static const struct test_case cases[] = {
    LINK(kept),
    LINK(offered),
    LINK(run_everything, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_both_ways, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_raced, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_closed, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gone, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gone_closed, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gently, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(end_to_end, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(end_least, .above = masked, .over = OVER_PAIR | OVER_TCP),
    LINK(run_defaulted, .over = OVER_PAIR | OVER_TCP, .where = ON_SIM),
    LINK(run_closed_before, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_weak, .above = masked, .over = OVER_PAIR | OVER_TCP, .where = ON_SIM),
    CORO(large_is_fair),
    CORO(kernel_storms),
    PLAIN(storms, .where = ON_SIM),
};

int main(void)
{
    return test_main("transport", cases, COUNT(cases));
}
