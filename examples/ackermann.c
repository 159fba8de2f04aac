/* SPDX-License-Identifier: MIT */
/* 2,000 coroutines compute values of Ackermann's function in turn: each of its calls lets
 * all the others run once. They print through a monitor; a watchdog stops what is left.
 *
 *     ./ackermann                      until all have ended, at most ten minutes
 *     ./ackermann --watchdog 5         at most five seconds
 *     ./ackermann --depth 100000       calls so deep within each other before one coroutine
 *                                      has to give up; the default is 1000
 *     ./ackermann --round 10           10 times 10 instead of 100 times 10 of each sort
 *
 * It takes long because there is so much to do: most of the thousand that come to 1000
 * calls within each other have made half a million by then, 400 million turns in all. With
 * --depth 200 it is a matter of a moment.
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

enum {
    TOO_DEEP = -EOVERFLOW, /* what a coroutine ends with that recurses too deep */
    STOPPED = -ECANCELED,
    FRAME = 256, /* bytes of stack that a call takes, at most; ASan's are larger */
};

struct value {
    long m, n, depth;
    ssize_t result;
};

static long limit = 1000, left, computed, too_deep;
static bool running = true;
static struct cg_mutex print_monitor;
static struct cg_coro *dog, *starter;

/* In a function of its own, so that the operation takes no room in each call's frame. */
static __attribute__((noinline)) ssize_t others_first(void)
{
    return cg_yield(cg_pass());
}

static ssize_t ack(long m, long n, long depth)
{
    ssize_t inner;

    if (depth > limit)
        return TOO_DEEP;
    if (!running || others_first() < 0)
        return STOPPED;
    if (m == 0)
        return n + 1;
    inner = n == 0 ? 1 : ack(m, n - 1, depth + 1);
    return inner < 0 ? inner : ack(m - 1, inner, depth + 1);
}

/* Word by word, with pauses: without the monitor the lines would mix. */
static ssize_t print(void *arg)
{
    const struct value *value = arg;

    printf("Ackermann");
    others_first();
    printf(" %ld", value->m);
    others_first();
    printf(" %ld", value->n);
    others_first();
    printf(" =");
    others_first();
    printf(" %zd\n", value->result);
    if (ferror(stdout))
        running = false; /* for whom should the others compute? */
    return 0;
}

static ssize_t compute(void *arg)
{
    struct value *value = arg;

    value->result = ack(value->m, value->n, 1);
    if (value->result >= 0 &&
        cg_yield(cg_call_locked(&print_monitor, print, value)) >= 0)
        computed++;
    too_deep += value->result == TOO_DEEP;
    if (--left == 0)
        cg_yield(cg_activate(starter));
    return 0; /* that one could not be computed is counted above */
}

static ssize_t watchdog(void *arg)
{
    const int64_t *when = arg;

    if (cg_yield(cg_sleep_until(*when)) == 0)
        running = false;
    return 0;
}

struct job {
    struct value *values;
    long count;
    int64_t watch; /* ns */
};

static ssize_t run(void *arg)
{
    const struct job *job = arg;
    struct cg_sched *sched = cg_sched_self();
    int64_t end = cg_sched_now(sched) + job->watch;
    ssize_t rc = cg_yield(cg_add(watchdog, &end, .coro = &dog));

    starter = cg_coro_self();
    left = job->count;
    for (long i = 0; i < job->count && rc >= 0; i++)
        rc = cg_sched_start(sched, compute, &job->values[i], .name = "ackermann",
                            .stack_size = (limit + 64) * FRAME);
    if (rc >= 0)
        cg_yield(cg_suspend()); /* until the last one activates it */
    else
        example_fail("start", rc);
    cg_yield(cg_cancel(dog));
    cg_coro_unref(dog);
    return rc;
}

int main(int argc, char **argv)
{
    const char *watch = "600", *depth = NULL, *round = "100";
    const struct example_option options[] = {
        {"watchdog", "SECONDS", "after which all stop", &watch, 0},
        {"depth", "CALLS", "how deep one may recurse", &depth, 0},
        {"round", "N", "N times 10 values of each of two sorts", &round, 0},
        {0},
    };
    struct example ex = {
        .name = "ackermann",
        .about = "2,000 coroutines compute Ackermann's function in turn",
        .options = options,
    };
    struct job job = {.count = 0};
    long size;
    int code;

    example_open(&ex, argc, argv);
    size = atol(round);
    if (depth)
        limit = atol(depth);
    if (size < 1 || size > 10000 || limit < 1 || limit > 10000000)
        example_usage(&ex, "a number makes no sense");
    if (!(job.values = calloc(20 * size, sizeof *job.values)))
        example_fail("values", -ENOMEM);
    for (long i = 0; i < size && job.values; i++)
        for (long j = 0; j < 10; j++) {
            job.values[job.count++] = (struct value){.m = 1, .n = i};
            job.values[job.count++] = (struct value){.m = i, .n = j};
        }
    job.watch = example_seconds(&ex, watch);
    printf("Starting the run of %ld coroutines\n", job.count);
    if ((code = cg_sched_start(ex.sched, run, &job, .name = "run")) < 0)
        example_fail("start", code);
    code = example_run(&ex);
    printf("%ld computed, %ld deeper than %ld calls, %ld stopped\n", computed, too_deep,
           limit, job.count - computed - too_deep);
    free(job.values);
    return code;
}
