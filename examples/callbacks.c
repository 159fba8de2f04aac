/* SPDX-License-Identifier: MIT */
/* Compares the cost of ways to run a piece of code: a function through a pointer, a posted
 * callback, a called coroutine, a new coroutine that is joined, a generator.
 *
 *     ./callbacks                  10,000 of each, in ns
 *     ./callbacks --calls 1000000
 */
#include <cogen.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "common.h"
#include "generators.h"

static long calls, done;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static ssize_t step(void *arg)
{
    (void)arg;
    return ++done;
}

static void posted(void *arg)
{
    (void)arg;
    done++;
}

static ssize_t generate(struct cg_gen *gen, void *arg)
{
    (void)arg;
    do
        done++;
    while (cg_gen_yield(gen, 0, NULL) >= 0);
    return 0;
}

/* Each way returns a negative code if it failed. */
static ssize_t by_pointer(struct cg_gen *gen)
{
    static cg_fn *volatile fn = step;

    (void)gen;
    return fn(NULL);
}

static ssize_t by_post(struct cg_gen *gen)
{
    (void)gen;
    return cg_sched_post(cg_sched_self(), posted, NULL);
}

static ssize_t by_call(struct cg_gen *gen)
{
    (void)gen;
    return cg_yield(cg_call(step, NULL));
}

static ssize_t by_pass(struct cg_gen *gen)
{
    (void)gen;
    done++;
    return cg_yield(cg_pass());
}

static ssize_t by_join(struct cg_gen *gen)
{
    struct cg_coro *coro;
    ssize_t rc = cg_yield(cg_add(step, NULL, .coro = &coro));

    (void)gen;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_join(coro));
    cg_coro_unref(coro);
    return rc;
}

static ssize_t by_next(struct cg_gen *gen)
{
    return cg_gen_next(gen, NULL);
}

/* Runs all the steps in one way. Returns how long it took, in ns, or a negative code. */
static double run_steps(ssize_t (*way)(struct cg_gen *gen), struct cg_gen *gen)
{
    double start = now();
    ssize_t rc = 0;

    done = 0;
    for (long n = 0; n < calls && rc >= 0; n++)
        rc = way(gen);
    while (done < calls && rc >= 0) /* posted callbacks run later */
        rc = cg_yield(cg_sleep(0));
    return rc < 0 ? (double)rc : now() - start;
}

static ssize_t profile(void *arg)
{
    static const struct {
        const char *name;
        ssize_t (*way)(struct cg_gen *gen);
    } ways[] = {
        {"function", by_pointer}, {"call", by_call}, {"pass", by_pass},
        {"generator", by_next},   {"post", by_post}, {"add_and_join", by_join},
    };
    struct cg_gen *gen = generator(generate, NULL);

    (void)arg;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        double took = run_steps(ways[i].way, gen);

        if (took < 0)
            example_fail(ways[i].name, (ssize_t)took);
        else
            printf("%-14s %9.1f ns\n", ways[i].name, took / calls);
    }
    cg_gen_free(gen);
    return 0;
}

int main(int argc, char **argv)
{
    const char *count = "10000";
    const struct example_option options[] = {
        {"calls", "N", "how many of each", &count, 0},
        {0},
    };
    struct example ex = {
        .name = "callbacks",
        .about = "What a step costs as a callback, a call, a coroutine, a generator",
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    calls = (long)example_number(&ex, count, 1, LONG_MAX, "N must be a number above 0");
    if ((code = cg_sched_start(ex.sched, profile, NULL, .name = "profile")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
