/* SPDX-License-Identifier: MIT */
/* cg_splice and cg_relay. Every byte of a stream differs from its neighbours, so that one
 * that is lost, doubled or misplaced is found. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    LONG = 1024 * 1024 + 7, /* long enough for a pipe */
    PIECE = 50 * 1000,
    SMALL = 64 * 1024,
};

/* source ~ from -> to ~ sink: two connections, and what goes through them. */
struct flow {
    struct cg_sock *source, *from, *to, *sink;
    size_t len;   /* bytes that the source writes */
    size_t drawn; /* bytes that the sink has read */
    int64_t pause; /* of the sink, after each piece */
    size_t stop;   /* the sink reads no more after so many bytes; 0: it reads all */
};

static const enum test_link routes[][2] = {
    {OVER_TCP, OVER_TCP},   {OVER_UNIX, OVER_TCP},  {OVER_TCP, OVER_UNIX},
    {OVER_UNIX, OVER_UNIX}, {OVER_PAIR, OVER_UNIX}, {OVER_TCP6, OVER_PAIR},
};

static bool flow_open(struct flow *flow, const enum test_link route[2], size_t len)
{
    *flow = (struct flow){.len = len};
    if (!test_connect(route[0], &flow->from, &flow->source))
        return false;
    OK(test_connect(route[1], &flow->to, &flow->sink));
    return true;
}

static void flow_close(struct flow *flow)
{
    cg_sock_close(flow->source);
    cg_sock_close(flow->from);
    cg_sock_close(flow->to);
    cg_sock_close(flow->sink);
}

static ssize_t pours(void *arg)
{
    struct flow *flow = arg;
    static char bytes[PIECE]; /* filled and handed over without a switch in between: copied
                               * by the kernel, so the writer fills it anew each time */
    size_t at = 0;

    while (at < flow->len) {
        size_t len = flow->len - at < PIECE ? flow->len - at : PIECE;
        ssize_t n;

        test_fill(bytes, len, at);
        n = cg_yield(cg_write(flow->source, bytes, len));
        if (n < 0)
            return n;
        at += (size_t)n;
    }
    return cg_yield(cg_shutdown(flow->source, SHUT_WR));
}

static ssize_t draws(void *arg)
{
    struct flow *flow = arg;
    char buf[16 * 1024];
    ssize_t n;

    while ((n = cg_yield(cg_read(flow->sink, buf, sizeof buf))) > 0) {
        test_verify(buf, (size_t)n, flow->drawn);
        flow->drawn += (size_t)n;
        if (flow->stop > 0 && flow->drawn >= flow->stop)
            return flow->drawn;
        if (flow->pause > 0)
            cg_yield(cg_sleep(flow->pause));
    }
    return n;
}

/* Small buffers in the kernel, so that bytes stay in the pipe. */
static void narrow(struct cg_sock *sock, int name)
{
    int size = SMALL;

    if (!test_on_sim())
        cg_sock_setopt(sock, SOL_SOCKET, name, &size, sizeof size);
}

/* A whole stream arrives, whatever carries it, and its end is told by the result. */
static ssize_t whole(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct flow flow;
        struct cg_coro *source, *sink;
        size_t moved = 99;

        if (!flow_open(&flow, routes[i], LONG))
            continue;
        source = test_start(pours, &flow);
        sink = test_start(draws, &flow);
        IS(cg_yield(cg_splice(flow.from, flow.to, SIZE_MAX, .moved = &moved)), LONG);
        ck_assert_uint_eq(moved, LONG);
        IS(cg_yield(cg_splice(flow.from, flow.to, SIZE_MAX)), 0);
        IS(cg_yield(cg_shutdown(flow.to, SHUT_WR)), 0);
        IS(test_end(source), 0);
        IS(test_end(sink), 0);
        ck_assert_uint_eq(flow.drawn, LONG);
        flow_close(&flow);
    }
    return 0;
}

/* A splice of so many bytes leaves the next one unread. */
static ssize_t limited(void *arg)
{
    static const size_t lengths[] = {0, 1, 4096, 16 * 1024, 65 * 1024, 300 * 1000};

    (void)arg;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct flow flow;
        struct cg_coro *source, *sink;
        char next;

        OK(flow_open(&flow, routes[0], 400 * 1000));
        source = test_start(pours, &flow);
        sink = test_start(draws, &flow);
        IS(cg_yield(cg_splice(flow.from, flow.to, lengths[i])), (ssize_t)lengths[i]);
        IS(cg_yield(cg_read(flow.from, &next, 1)), 1);
        test_verify(&next, 1, lengths[i]);
        IS(cg_yield(cg_shutdown(flow.to, SHUT_WR)), 0);
        IS(test_end(sink), 0);
        ck_assert_uint_eq(flow.drawn, lengths[i]);
        cg_coro_cancel(source);
        test_end(source);
        flow_close(&flow);
    }
    return 0;
}

/* Reads a little past a cancelled splice and passes it on: the stream goes on where
 * .moved says. */
static size_t by_hand(struct flow *flow, size_t at, size_t most)
{
    char buf[1000];
    ssize_t n = OK(cg_yield(cg_read(flow->from, buf, most)));

    test_verify(buf, (size_t)n, at);
    IS(cg_yield(cg_writeall(flow->to, buf, (size_t)n)), n);
    return (size_t)n;
}

/* A splice that is cut off at any moment, again and again, loses nothing. */
static ssize_t cut(void *arg)
{
    uint64_t seed = 7;
    size_t cuts = 0;

    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct flow flow;
        struct cg_coro *source, *sink;
        size_t at = 0, moved;
        ssize_t n;

        if (!flow_open(&flow, routes[i], LONG))
            continue;
        narrow(flow.to, SO_SNDBUF);
        narrow(flow.sink, SO_RCVBUF);
        flow.pause = test_on_sim() ? CG_MILLISECOND : 10 * 1000;
        source = test_start(pours, &flow);
        sink = test_start(draws, &flow);
        do {
            n = cg_yield(cg_splice(flow.from, flow.to, SIZE_MAX, .moved = &moved,
                                   .timeout = 1 + test_random(&seed) % (4 * CG_MILLISECOND)));
            at += moved;
            cuts += n == -ETIMEDOUT;
            if (n == -ETIMEDOUT && test_random(&seed) % 2)
                at += by_hand(&flow, at, 1 + test_random(&seed) % 1000);
        } while (n == -ETIMEDOUT);
        OK(n);
        IS((ssize_t)at, LONG);
        IS(cg_yield(cg_shutdown(flow.to, SHUT_WR)), 0);
        IS(test_end(source), 0);
        IS(test_end(sink), 0);
        IS((ssize_t)flow.drawn, LONG);
        flow_close(&flow);
    }
    ck_assert_uint_gt(cuts, COUNT(routes));
    return 0;
}

struct splice {
    struct flow *flow;
    size_t moved;
};

static ssize_t splices(void *arg)
{
    struct splice *splice = arg;

    return cg_yield(cg_splice(splice->flow->from, splice->flow->to, SIZE_MAX,
                              .moved = &splice->moved));
}

/* Starts a splice and waits until the sink has stopped and the splice waits for it. */
static struct cg_coro *stuck(struct splice *splice, struct cg_coro **source)
{
    struct flow *flow = splice->flow;
    struct cg_coro *coro, *sink;
    int looks = 0;

    narrow(flow->to, SO_SNDBUF);
    narrow(flow->sink, SO_RCVBUF);
    flow->stop = LONG / 4;
    *source = test_start(pours, flow);
    coro = test_start(splices, splice);
    sink = test_start(draws, flow);
    OK(test_end(sink));
    while (looks < 3) {
        const struct cg_op *op;

        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        op = cg_coro_op(coro);
        looks = op != NULL && (strcmp(op->type->name, "splice_drain") == 0 ||
                               strcmp(op->type->name, "write") == 0)
                    ? looks + 1
                    : 0;
    }
    flow->stop = 0;
    return coro;
}

/* Whatever is not written yet can still be read. */
static void rest(struct flow *flow, size_t at)
{
    static char buf[LONG];

    IS(cg_yield(cg_readall(flow->from, buf, LONG - at)), (ssize_t)(LONG - at));
    test_verify(buf, LONG - at, at);
}

/* While a splice works nobody else may read its source. The writer's end is closed by
 * somebody else: what was not written is unread. */
static ssize_t closed_to(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct flow flow;
        struct splice splice = {.flow = &flow};
        struct cg_coro *coro, *source;
        char byte;

        if (!flow_open(&flow, routes[i], LONG))
            continue;
        coro = stuck(&splice, &source);
        IS(cg_yield(cg_read(flow.from, &byte, 1)), -EBUSY);
        cg_sock_close(flow.to);
        flow.to = NULL;
        IS(test_end(coro), -EBADF);
        ck_assert_uint_ge(splice.moved, LONG / 4);
        rest(&flow, splice.moved);
        IS(test_end(source), 0);
        flow_close(&flow);
    }
    return 0;
}

/* The same if the sink resets its connection. */
static ssize_t reset(void *arg)
{
    struct linger none = {.l_onoff = 1};

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        struct flow flow;
        struct splice splice = {.flow = &flow};
        struct cg_coro *coro, *source;

        OK(flow_open(&flow, routes[i], LONG));
        coro = stuck(&splice, &source);
        OK(cg_sock_setopt(flow.sink, SOL_SOCKET, SO_LINGER, &none, sizeof none));
        cg_sock_close(flow.sink);
        flow.sink = NULL;
        ck_assert_int_lt(test_end(coro), 0);
        rest(&flow, splice.moved);
        IS(test_end(source), 0);
        flow_close(&flow);
    }
    return 0;
}

/* A source that is closed by somebody else ends the splice. */
static ssize_t closed_from(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct flow flow;
        struct splice splice = {.flow = &flow};
        struct cg_coro *coro, *source, *sink;

        if (!flow_open(&flow, routes[i], LONG))
            continue;
        coro = stuck(&splice, &source);
        cg_sock_close(flow.from);
        flow.from = NULL;
        sink = test_start(draws, &flow);
        IS(test_end(coro), -EBADF);
        cg_sock_close(flow.to);
        flow.to = NULL;
        test_end(sink);
        test_end(source);
        IS((ssize_t)flow.drawn, (ssize_t)splice.moved);
        flow_close(&flow);
    }
    return 0;
}

/* A socket spliced into itself echoes. */
static void echo(struct cg_sock *a, struct cg_sock *b)
{
    struct flow flow = {.source = b, .from = a, .to = a, .sink = b, .len = LONG};
    struct splice splice = {.flow = &flow};
    struct cg_coro *source = test_start(pours, &flow), *sink = test_start(draws, &flow),
                   *coro = test_start(splices, &splice);

    IS(test_end(coro), LONG);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(test_end(source), 0);
    IS(test_end(sink), 0);
    IS((ssize_t)flow.drawn, LONG);
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t invalid(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *a, *b;

    (void)arg;
    OK(test_connect(OVER_TCP, &a, &b));
    IS(cg_yield(cg_splice(listener, a, 1)), -EINVAL);
    IS(cg_yield(cg_splice(a, listener, 1)), -EINVAL);
    IS(cg_yield(cg_splice(NULL, a, 1)), -EBADF);
    IS(cg_yield(cg_splice(a, NULL, 1)), -EBADF);
    IS(cg_yield(cg_relay(a, NULL)), -EBADF);
    IS(cg_yield(cg_relay(listener, a)), -EINVAL);
    cg_sock_close(listener);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

struct relay {
    struct cg_sock *a, *b;
    uint64_t there, back;
    int64_t patience;
};

static ssize_t relays(void *arg)
{
    struct relay *relay = arg;

    return cg_yield(cg_relay(relay->a, relay->b, .a_to_b = &relay->there,
                             .b_to_a = &relay->back, .timeout = relay->patience,
                             .weak_timeout = true));
}

/* Both directions, each with its own end. */
static ssize_t both(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct flow there, back;
        struct relay relay = {.there = 7, .back = 7};
        struct cg_coro *coro, *ways[4];

        if (!flow_open(&there, routes[i], LONG))
            continue;
        relay.a = there.from;
        relay.b = there.to;
        back = (struct flow){.source = there.sink, .sink = there.source, .len = LONG / 2};
        coro = test_start(relays, &relay);
        ways[0] = test_start(pours, &there);
        ways[1] = test_start(draws, &there);
        IS(test_end(ways[1]), 0);
        IS((ssize_t)there.drawn, LONG);
        ways[2] = test_start(pours, &back);
        ways[3] = test_start(draws, &back);
        IS(test_end(ways[3]), 0);
        IS((ssize_t)back.drawn, LONG / 2);
        IS(test_end(ways[0]), 0);
        IS(test_end(ways[2]), 0);
        IS(test_end(coro), 0);
        IS((ssize_t)relay.there, LONG);
        IS((ssize_t)relay.back, LONG / 2);
        flow_close(&there);
    }
    return 0;
}

/* A weak timeout ends a relay that is idle in both directions, and no other one. */
static ssize_t idle(void *arg)
{
    struct flow flow;
    struct relay relay = {.patience = CG_SECOND};
    struct cg_coro *coro;
    int64_t begin;
    char byte;

    (void)arg;
    OK(flow_open(&flow, routes[0], 0));
    relay.a = flow.from;
    relay.b = flow.to;
    coro = test_start(relays, &relay);
    for (int i = 0; i < 5; i++) {
        struct cg_sock *from = i % 2 ? flow.source : flow.sink;

        IS(cg_yield(cg_sleep(900 * CG_MILLISECOND)), 0);
        IS(cg_yield(cg_writeall(from, "x", 1)), 1);
        IS(cg_yield(cg_read(i % 2 ? flow.sink : flow.source, &byte, 1)), 1);
    }
    begin = cg_sched_now(cg_sched_self());
    IS(test_end(coro), -ETIMEDOUT);
    ck_assert_int_le(cg_sched_now(cg_sched_self()) - begin, CG_SECOND);
    IS((ssize_t)(relay.there + relay.back), 5);
    flow_close(&flow);
    return 0;
}

static const struct test_case cases[] = {
    CORO(whole),
    CORO(limited),
    CORO(cut),
    CORO(closed_to),
    CORO(closed_from),
    CORO(reset),
    CORO(invalid),
    CORO(both),
    CORO(idle, .where = ON_SIM),
    LINK(echo),
};

int main(void)
{
    return test_main("splice", cases, COUNT(cases));
}
