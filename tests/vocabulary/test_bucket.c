/* SPDX-License-Identifier: MIT */
/* Token buckets: exact in virtual time, first come first served, and a cancelled taker takes
 * nothing. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>

static ssize_t invalid(void *arg)
{
    struct cg_bucket *bucket = NULL;

    (void)arg;
    IS(cg_bucket_new(&bucket), -EINVAL);
    IS(cg_bucket_new(&bucket, .rate = CG_BUCKET_RATE_MOST + 1), -EINVAL);
    IS(cg_bucket_new(&bucket, .rate = 1, .burst = CG_BUCKET_BURST_MOST + 1), -EINVAL);
    ck_assert_ptr_null(bucket);
    OK(cg_bucket_new(&bucket, .rate = 5));
    IS((ssize_t)cg_bucket_level(bucket), 1);
    IS(cg_yield(cg_take(bucket, 2)), -EMSGSIZE);
    IS(cg_yield(cg_take(bucket, 0)), 0);
    IS(cg_yield(cg_take(bucket, 100, .least = 1)), 1);
    IS(cg_yield(cg_take(bucket, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    cg_bucket_unref(cg_bucket_ref(bucket));
    cg_bucket_unref(bucket);
    cg_bucket_unref(NULL);
    return 0;
}

struct bucket {
    struct cg_bucket *bucket;
    uint64_t rate, burst, taken;
    int64_t begin;
    uint64_t seed;
};

/* The most that may have been taken by now. */
static uint64_t given(const struct bucket *b)
{
    uint64_t time = (uint64_t)(cg_sched_now(cg_sched_self()) - b->begin);

    return b->burst + time / CG_SECOND * b->rate + time % CG_SECOND * b->rate / CG_SECOND;
}

/* Takes random amounts, at times only for a moment, and puts some of them back. */
static ssize_t takes(void *arg)
{
    struct bucket *b = arg;

    for (int i = 0; i < 200; i++) {
        size_t count = 1 + test_random(&b->seed) % b->burst;
        size_t least = test_random(&b->seed) % 3 ? 0 : 1;
        int64_t patience = test_random(&b->seed) % 2 ? CG_NEVER
                                                     : test_random(&b->seed) % CG_SECOND + 1;
        ssize_t n = cg_yield(cg_take(b->bucket, count, .least = least, .timeout = patience));

        if (n == -ETIMEDOUT)
            continue;
        OK(n);
        ck_assert(n == (ssize_t)count || (least > 0 && n > 0 && n < (ssize_t)count));
        if (test_random(&b->seed) % 4 == 0) {
            size_t back = test_random(&b->seed) % (size_t)(n + 1);

            cg_bucket_return(b->bucket, back);
            n -= (ssize_t)back;
        }
        b->taken += (uint64_t)n;
        ck_assert_msg(b->taken <= given(b), "%llu of %llu", (unsigned long long)b->taken,
                      (unsigned long long)given(b));
    }
    return 0;
}

/* Never more than burst + rate * time; and while somebody waits, all that is not there any
 * more was taken, but for the rounding: up to one token for each taking. */
static ssize_t exact(void *arg)
{
    static const uint64_t rates[] = {1, 7, 1000, 999983, 123456789, CG_BUCKET_RATE_MOST};

    (void)arg;
    for (size_t i = 0; i < COUNT(rates); i++) {
        struct bucket b = {.rate = rates[i], .burst = 1 + i * 1000, .seed = i + 1};
        struct cg_coro *coros[5];

        OK(cg_bucket_new(&b.bucket, .rate = b.rate, .burst = b.burst));
        b.begin = cg_sched_now(cg_sched_self());
        for (size_t j = 0; j < COUNT(coros); j++)
            coros[j] = test_start(takes, &b);
        for (size_t j = 0; j < COUNT(coros); j++)
            IS(test_end(coros[j]), 0);
        ck_assert_uint_le(cg_bucket_level(b.bucket), b.burst);
        cg_bucket_unref(b.bucket);
    }
    return 0;
}

/* Someone who always wants tokens gets all of them, each at its moment. */
static ssize_t busy(void *arg)
{
    struct bucket b = {.rate = 1000, .burst = 10};

    (void)arg;
    OK(cg_bucket_new(&b.bucket, .rate = b.rate, .burst = b.burst));
    b.begin = cg_sched_now(cg_sched_self());
    for (int i = 0; i < 1000; i++) {
        IS(cg_yield(cg_take(b.bucket, 1 + i % 10)), 1 + i % 10);
        b.taken += 1 + (uint64_t)i % 10;
        ck_assert_uint_le(b.taken, given(&b));
        if (b.taken > b.burst)
            ck_assert_uint_eq(b.taken, given(&b));
    }
    cg_bucket_unref(b.bucket);
    return 0;
}

struct taker {
    struct cg_bucket *bucket;
    size_t count;
    int64_t when;
};

static ssize_t takes_once(void *arg)
{
    struct taker *taker = arg;
    ssize_t n = cg_yield(cg_take(taker->bucket, taker->count));

    taker->when = cg_sched_now(cg_sched_self());
    return n;
}

/* A small taker does not overtake a large one; one that gives up lets the next go at once;
 * tokens that come back are used at once. */
static ssize_t in_order(void *arg)
{
    struct cg_bucket *bucket;
    struct taker large, small, last;
    struct cg_coro *coros[3];
    int64_t begin;

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = 100, .burst = 100));
    large = (struct taker){bucket, 80, 0};
    small = (struct taker){bucket, 10, 0};
    last = (struct taker){bucket, 100, 0};
    IS(cg_yield(cg_take(bucket, 100)), 100);
    begin = cg_sched_now(cg_sched_self());
    coros[0] = test_start(takes_once, &large);
    coros[1] = test_start(takes_once, &small);
    coros[2] = test_start(takes_once, &last);
    IS(cg_yield(cg_sleep(300 * CG_MILLISECOND)), 0);
    IS(cg_yield(cg_take(bucket, 10, .timeout = CG_NOWAIT)), -ETIMEDOUT); /* 30 are there */
    IS(cg_yield(cg_sleep(200 * CG_MILLISECOND)), 0);
    OK(cg_yield(cg_cancel(coros[0])));
    IS(test_end(coros[0]), -ECANCELED);
    IS(test_end(coros[1]), 10);
    IS(small.when - begin, 500 * CG_MILLISECOND);
    IS(cg_yield(cg_sleep(100 * CG_MILLISECOND)), 0); /* 50 are there */
    cg_bucket_return(bucket, 49);
    IS(test_end(coros[2]), 100);
    IS(last.when - begin, 610 * CG_MILLISECOND);
    cg_bucket_unref(bucket);
    return 0;
}

/* What is more than the burst is lost, however much is put back. */
static ssize_t too_much_is_put_back(void *arg)
{
    static const size_t counts[] = {100, 101, UINT64_MAX / CG_SECOND + 1, SIZE_MAX / 2, SIZE_MAX};
    struct cg_bucket *bucket;

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = 100, .burst = 100));
    for (size_t i = 0; i < COUNT(counts); i++) {
        IS(cg_yield(cg_take(bucket, 100)), 100);
        cg_bucket_return(bucket, counts[i]);
        ck_assert_uint_eq(cg_bucket_level(bucket), 100);
    }
    cg_bucket_unref(bucket);
    return 0;
}

/* A taker that loses a race in the very moment in which its tokens are there takes none. */
static ssize_t too_late(void *arg)
{
    struct cg_bucket *bucket;
    struct cg_op *take;
    int64_t when;

    (void)arg;
    OK(cg_bucket_new(&bucket, .rate = 100, .burst = 10));
    IS(cg_yield(cg_take(bucket, 10)), 10);
    when = cg_sched_now(cg_sched_self()) + 100 * CG_MILLISECOND;
    take = cg_take(bucket, 10);
    IS(cg_yield(cg_any((cg_sleep_until(when), take))), 0);
    IS(cg_op_result(take), -ECANCELED);
    IS(cg_sched_now(cg_sched_self()) - when, 0);
    IS((ssize_t)cg_bucket_level(bucket), 10);
    IS(cg_yield(cg_take(bucket, 10)), 10);
    cg_bucket_return(bucket, SIZE_MAX); /* more than it can hold */
    IS((ssize_t)cg_bucket_level(bucket), 10);
    cg_bucket_unref(bucket);
    return 0;
}

static const struct test_case cases[] = {
    CORO(too_much_is_put_back, .where = ON_SIM),
    CORO(too_late, .where = ON_SIM),
    CORO(invalid),
    CORO(exact, .where = ON_SIM),
    CORO(busy, .where = ON_SIM),
    CORO(in_order, .where = ON_SIM),
};

int main(void)
{
    return test_main("bucket", cases, COUNT(cases));
}
