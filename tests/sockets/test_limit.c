/* SPDX-License-Identifier: MIT */
/* Rate limits of sockets: exact in virtual time, shared fairly, and without effect on what a
 * socket does. */
#include "config.h"

#include "tests/sockets/end_cases.h"
#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"

#include <errno.h>
#include <sys/socket.h>

static void fast(struct cg_sock **a, struct cg_sock **b)
{
    struct cg_bucket *bucket;

    OK(cg_bucket_new(&bucket, .rate = 1000 * 1000 * 1000));
    OK(cg_sock_limit(*a, a, .read = bucket, .write = bucket));
    OK(cg_sock_limit(*b, b, .write = bucket));
    cg_bucket_unref(bucket);
}

enum {
    RATE = 100 * 1000,
    BURST = 5000,
    SHARERS = 4,
    LENGTH = 400 * 1000,
};

struct sharer {
    struct cg_sock *a, *b;
    size_t moved;
    bool reads;
};

static struct sharer sharers[SHARERS];
static int64_t begin;

/* What all have moved together is never more than the bucket has given, and never less by
 * more than what one of them waits for. */
static void check(const struct cg_bucket *bucket)
{
    int64_t now = cg_sched_now(cg_sched_self());
    double most = BURST + (double)RATE * (double)(now - begin) / CG_SECOND;
    size_t sum = 0;

    (void)bucket;
    for (int i = 0; i < SHARERS; i++)
        sum += sharers[i].moved;
    ck_assert_msg((double)sum <= most, "%zu of %f", sum, most);
    ck_assert_msg((double)sum >= most - 2 * RATE / 100 - BURST, "%zu of %f", sum, most);
}

static ssize_t moves(void *arg)
{
    struct sharer *s = arg;
    static char bytes[3000];
    ssize_t n;

    while (s->moved < LENGTH) {
        n = s->reads ? cg_yield(cg_read(s->a, bytes, sizeof bytes))
                     : cg_yield(cg_write(s->a, bytes, sizeof bytes));
        if (n <= 0)
            return n;
        s->moved += (size_t)n;
        check(NULL);
    }
    return 0;
}

static ssize_t feeds(void *arg)
{
    static char bytes[8192];

    while (cg_yield(cg_write(arg, bytes, sizeof bytes)) > 0)
        ;
    return 0;
}

static ssize_t drains(void *arg)
{
    static char bytes[8192];

    while (cg_yield(cg_read(arg, bytes, sizeof bytes)) > 0)
        ;
    return 0;
}

/* Sockets that read and sockets that write share one bucket: in virtual time they use all of
 * it and no more, and each has its share. */
static ssize_t shared(void *arg)
{
    struct cg_bucket *bucket;
    struct cg_coro *coros[SHARERS], *peers[SHARERS];

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = RATE, .burst = BURST));
    for (int i = 0; i < SHARERS; i++) {
        struct sharer *s = &sharers[i];

        *s = (struct sharer){.reads = i % 2};
        OK(test_connect(OVER_TCP, &s->a, &s->b));
        OK(cg_sock_limit(s->a, &s->a, .read = bucket, .write = bucket));
        peers[i] = test_start(s->reads ? feeds : drains, s->b);
    }
    IS(cg_yield(cg_sleep(CG_SECOND)), 0); /* buffers fill */
    begin = cg_sched_now(cg_sched_self());
    for (int i = 0; i < SHARERS; i++)
        coros[i] = test_start(moves, &sharers[i]);
    IS(cg_yield(cg_sleep(4 * CG_SECOND)), 0);
    for (int i = 1; i < SHARERS; i++) {
        ck_assert_uint_le(sharers[i].moved, sharers[0].moved + 2 * BURST);
        ck_assert_uint_ge(sharers[i].moved + 2 * BURST, sharers[0].moved);
    }
    check(bucket);
    for (int i = 0; i < SHARERS; i++) {
        cg_coro_cancel(coros[i]);
        IS(test_end(coros[i]), -ECANCELED);
        cg_sock_close(sharers[i].a);
        cg_coro_cancel(peers[i]);
        test_end(peers[i]);
        cg_sock_close(sharers[i].b);
    }
    cg_bucket_unref(bucket);
    return 0;
}

/* A socket whose peer is slow holds no tokens that others could use. */
static ssize_t slow_peer(void *arg)
{
    struct sharer stuck = {.reads = false}, *s = &sharers[0];
    struct cg_bucket *bucket;
    struct cg_coro *a, *b, *drain;
    int64_t start;

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = RATE, .burst = BURST));
    OK(test_connect(OVER_PAIR, &stuck.a, &stuck.b));
    OK(cg_sock_limit(stuck.a, &stuck.a, .write = bucket));
    for (int i = 0; i < SHARERS; i++)
        sharers[i] = (struct sharer){.reads = false};
    OK(test_connect(OVER_TCP, &s->a, &s->b));
    OK(cg_sock_limit(s->a, &s->a, .write = bucket));
    a = test_start(feeds, stuck.a);
    IS(cg_yield(cg_sleep(10 * CG_SECOND)), 0); /* its peer reads nothing */
    IS((ssize_t)cg_bucket_level(bucket), BURST);
    drain = test_start(drains, s->b);
    start = begin = cg_sched_now(cg_sched_self());
    b = test_start(moves, s);
    IS(test_end(b), 0);
    ck_assert_int_le(cg_sched_now(cg_sched_self()) - start, 4 * CG_SECOND);
    cg_coro_cancel(a);
    test_end(a);
    cg_sock_close(stuck.a);
    cg_sock_close(stuck.b);
    cg_sock_close(s->a);
    IS(test_end(drain), 0);
    cg_sock_close(s->b);
    cg_bucket_unref(bucket);
    return 0;
}

/* A write that the peer takes only in part costs as many tokens as bytes were written. */
static ssize_t cost(void *arg)
{
    enum { MANY = 200 * 1000 };
    static char bytes[MANY];
    struct cg_bucket *bucket;
    struct cg_sock *a, *b;
    size_t moved;

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = 1, .burst = MANY));
    OK(test_connect(OVER_PAIR, &a, &b));
    OK(cg_sock_limit(a, &a, .write = bucket));
    IS(cg_yield(cg_writeall(a, bytes, 1000)), 1000);
    IS(cg_yield(cg_writeall(a, bytes, MANY, .moved = &moved, .timeout = CG_MILLISECOND)),
       -ETIMEDOUT);
    ck_assert_uint_gt(moved, 0);
    IS((ssize_t)cg_bucket_level(bucket), (ssize_t)(MANY - 1000 - moved));
    cg_sock_close(a);
    cg_sock_close(b);
    cg_bucket_unref(bucket);
    return 0;
}

static ssize_t invalid(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *none = NULL;

    (void)arg;
    IS(cg_sock_limit(listener, &none), -EINVAL);
    ck_assert_ptr_null(none);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    LINK(sock_everything, .above = fast), LINK(sock_both_ways, .above = fast),
    LINK(sock_raced, .above = fast),      LINK(sock_closed, .above = fast),
    LINK(end_gone, .above = fast),        LINK(end_gently, .above = fast),
    LINK(end_to_end, .above = fast),      LINK(end_least, .above = fast),
    CORO(shared, .where = ON_SIM), CORO(slow_peer, .where = ON_SIM), CORO(invalid),
    CORO(cost, .where = ON_SIM),
};

int main(void)
{
    return test_main("limit", cases, COUNT(cases));
}
