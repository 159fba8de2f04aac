/* SPDX-License-Identifier: MIT */
/* 2,000 coroutines compute values of Ackermann's function. At each of its calls a
 * coroutine lets all the others run once. They print through a monitor, so that their
 * lines do not mix; a watchdog stops those that take too long.
 *
 *     ./ackermann                      until all have ended, at most ten minutes
 *     ./ackermann --watchdog 5         at most five seconds
 *     ./ackermann --depth 100000       how deep a coroutine recurses before it gives up;
 *                                      the default is 1000
 *     ./ackermann --round 10           10 times 10 instead of 100 times 10 of each sort
 *
 * It takes long because there is so much to do: most of the thousand coroutines that reach
 * depth 1000 have made half a million calls by then; together that is 400 million
 * switches. With --depth 200 it takes only a moment.
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

enum {
    TOO_DEEP = -EOVERFLOW, /* the result of a coroutine that recurses too deep */
    STOPPED = -ECANCELED,
    FRAME = 256, /* the most bytes of stack that a call takes; more under ASan */
};

struct value {
    long m, n, depth;
    ssize_t result;
};

static long limit = 1000, left, computed, too_deep;
static bool running = true;
static struct cg_mutex print_monitor;
static struct cg_coro *dog, *starter;

/* A separate function, so that the operation takes no room in the frame of each call. */
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

/* Prints word by word, with pauses: without the monitor the lines would mix. */
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
        running = false; /* the output cannot be written, so stop the others */
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
    return 0; /* a value that could not be computed has been counted above */
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
    if (rc >= 0) {
        cg_yield(cg_suspend()); /* until the last one activates it */
    } else {
        example_fail("start", rc);
        running = false;
    }
    cg_yield(cg_cancel(dog));
    cg_coro_unref(dog);
    return rc;
}

int main(int argc, char **argv)
{
    const char *watch = "600", *depth = NULL, *round = "100";
    const struct example_option options[] = {
        {"watchdog", "SECONDS", "stop all coroutines after this time", &watch, 0},
        {"depth", "CALLS", "the limit for the depth of recursion", &depth, 0},
        {"round", "N", "N times 10 values of each of two sorts", &round, 0},
        {0},
    };
    struct example ex = {
        .name = "ackermann",
        .about = "2,000 coroutines compute Ackermann's function in turn",
        .options = options,
    };
    static const char wrong[] = "a number is out of range";
    struct job job = {.count = 0};
    long size;
    int code;

    example_open(&ex, argc, argv);
    size = (long)example_number(&ex, round, 1, 10000, wrong);
    if (depth)
        limit = (long)example_number(&ex, depth, 1, 10000000, wrong);
    if (!(job.values = calloc(20 * size, sizeof *job.values)))
        example_fail("values", -ENOMEM);
    for (long i = 0; i < size && job.values; i++)
        for (long j = 0; j < 10; j++) {
            job.values[job.count++] = (struct value){.m = 1, .n = i};
            job.values[job.count++] = (struct value){.m = i, .n = j};
        }
    job.watch = example_seconds(&ex, watch);
    printf("Starting the run of %ld coroutines\n", job.count);
    if (job.count > 0 && (code = cg_sched_start(ex.sched, run, &job, .name = "run")) < 0)
        example_fail("start", code);
    code = example_run(&ex);
    printf("%ld computed, %ld deeper than %ld calls, %ld stopped\n", computed, too_deep,
           limit, job.count - computed - too_deep);
    free(job.values);
    return code;
}
