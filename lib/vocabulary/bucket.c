/* SPDX-License-Identifier: MIT */
/* A token bucket on which coroutines wait: takers in the queue of a mutex, and the first of them
 * for the moment at which there are enough tokens. */
#include "config.h"

#include "lib/base/tokens.h"
#include "lib/vocabulary/bucket.h"

#include <cogen/sched.h>
#include <cogen/sync.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_take_op) <= 128, "core ops fit in 128 bytes");

struct cg_bucket {
    unsigned refs;
    struct cg__tokens kind;
    int64_t full; /* moment */
    struct cg_mutex turn;      /* the taker that is first */
    struct cg_event returned;  /* set for a moment when tokens were put back */
};

static uint64_t level(const struct cg_bucket *bucket, int64_t now)
{
    return cg__tokens_level(&bucket->kind, bucket->full, now);
}

static int64_t moment_of(const struct cg_bucket *bucket, uint64_t tokens)
{
    return cg__tokens_moment(&bucket->kind, bucket->full, tokens);
}

int cg_bucket_new_with(const struct cg_bucket_options *options, struct cg_bucket **bucket)
{
    static const struct cg_bucket_options none;
    struct cg_bucket *made;
    uint64_t rate, burst;

    if (options == NULL)
        options = &none;
    rate = options->rate;
    burst = options->burst;
    if (rate < 1 || rate > CG_BUCKET_RATE_MOST || burst > CG_BUCKET_BURST_MOST)
        return -EINVAL;
    if (burst == 0)
        burst = rate / 10 > 0 ? rate / 10 : 1;
    if (burst > CG_BUCKET_BURST_MOST)
        burst = CG_BUCKET_BURST_MOST;
    made = malloc(sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    *made = (struct cg_bucket){.refs = 1, .kind = {rate, burst}};
    *bucket = made;
    return 0;
}

struct cg_bucket *cg_bucket_ref(struct cg_bucket *bucket)
{
    if (bucket != NULL)
        bucket->refs++;
    return bucket;
}

void cg_bucket_unref(struct cg_bucket *bucket)
{
    if (bucket == NULL || --bucket->refs > 0)
        return;
    assert(bucket->turn.owner == NULL); /* nobody takes */
    free(bucket);
}

void cg_bucket_return(struct cg_bucket *bucket, size_t count)
{
    cg__tokens_return(&bucket->kind, &bucket->full, count);
    cg_event_set(&bucket->returned);
    cg_event_clear(&bucket->returned);
}

uint64_t cg_bucket_level(const struct cg_bucket *bucket)
{
    return level(bucket, cg_sched_now(cg_sched_self()));
}

size_t cg__bucket_piece(const struct cg_bucket *bucket)
{
    uint64_t piece = bucket->kind.rate / 100;

    if (piece > bucket->kind.burst)
        piece = bucket->kind.burst;
    return piece > 0 ? (size_t)piece : 1;
}

static struct cg_take_op *of(struct cg_op *op)
{
    return (struct cg_take_op *)op;
}

static size_t least(const struct cg_take_op *take)
{
    return take->least > 0 && take->least < take->count ? take->least : take->count;
}

/* Takes tokens if there are enough. */
static bool try(struct cg_take_op *op, struct cg_sched *sched)
{
    int64_t now = cg_sched_now(sched);
    uint64_t there = level(op->bucket, now);

    if (there < least(op))
        return false;
    op->taken = there < op->count ? (size_t)there : op->count;
    cg__tokens_take(&op->bucket->kind, &op->bucket->full, op->taken, now);
    return true;
}

static enum cg_verdict take_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_take_op *take = of(op);

    take->taken = 0;
    op->result = -EMSGSIZE;
    if (least(take) > take->bucket->kind.burst)
        return CG_DONE;
    if (take->bucket->turn.owner != NULL || !try(take, sched))
        return CG_RUN;
    op->result = (ssize_t)take->taken;
    return CG_DONE;
}

/* Waits as the first one. Tokens that others put back may end the wait early. */
static ssize_t wait(struct cg_take_op *take)
{
    struct cg_bucket *bucket = take->bucket;
    struct cg_sched *sched = cg_sched_self();
    ssize_t n = 0;

    while (!try(take, sched)) {
        if (n < 0 && n != -ETIMEDOUT)
            return n;
        n = cg_yield(cg_wait_event(&bucket->returned, .timeout = CG_NEVER,
                                   .deadline = moment_of(bucket, least(take))));
        if (n == -ETIMEDOUT && cg_sched_now(sched) < moment_of(bucket, least(take)))
            return n; /* of the whole operation */
    }
    return (ssize_t)take->taken;
}

static ssize_t take_run(struct cg_op *op)
{
    struct cg_bucket *bucket = of(op)->bucket;
    ssize_t n = cg_yield(cg_lock(&bucket->turn, .timeout = CG_NEVER));

    if (n >= 0) {
        n = wait(of(op));
        cg_mutex_unlock(&bucket->turn);
    }
    return n;
}

/* An operation that was cancelled in the moment in which it took its tokens puts them
 * back. */
static ssize_t take_finish(struct cg_op *op)
{
    struct cg_take_op *take = of(op);

    if (op->result < 0 && take->taken > 0)
        cg_bucket_return(take->bucket, take->taken);
    take->taken = 0;
    return op->result;
}

static int take_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_take_op *take = (const struct cg_take_op *)op;

    return snprintf(buf, size, "%zu of %" PRIu64 "/s", take->count, take->bucket->kind.rate);
}

const struct cg_op_type cg_take_type = {
    .name = "take",
    .process = take_process,
    .run = take_run,
    .finish = take_finish,
    .print = take_print,
};
