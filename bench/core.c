/* SPDX-License-Identifier: MIT */
/* What the core costs, without any I/O: prints "name value unit", each the median of nine
 * rounds.
 *     bench/core [--reactor NAME] */
#include "config.h"

#include "lib/timers.h"

#include <cogen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9 };

static const char *reactor_name;

static double clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const char *name, double (*round)(long n), long n)
{
    double costs[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        costs[i] = round(n);
    qsort(costs, ROUNDS, sizeof costs[0], ascending);
    printf("%s %.1f ns\n", name, costs[ROUNDS / 2]);
}

/* Runs one coroutine to its end and answers what it counted per step. */
static double run(cg_fn *fn, long n)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    int rc = cg_reactor_open(reactor_name, &reactor);
    double start;

    if (rc < 0 || (sched = cg_sched_new(reactor)) == NULL) {
        fprintf(stderr, "core: %s: %s\n", reactor_name ? reactor_name : "reactor",
                cg_strerror(rc));
        exit(1);
    }
    cg_start(sched, fn, &n);
    start = clock_ns();
    cg_run(sched);
    start = clock_ns() - start;
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return start;
}

static ssize_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

static ssize_t spawner(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_add(nothing, NULL));
    return 0;
}

static double spawn_and_finish(long n)
{
    return run(spawner, n) / n;
}

static ssize_t passer(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_pass());
    return 0;
}

static long passes = 200;

static ssize_t crowd(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_add(passer, &passes, .prio = CG_PRIO_CORO));
    return 0;
}

static double pass_among(long n)
{
    return run(crowd, n) / n / passes;
}

static ssize_t answerer(void *arg)
{
    while (cg_yield(cg_wait_signal(1, NULL)) == 0)
        if (cg_yield(cg_signal(2, NULL, .prio = CG_PRIO_CORO)) < 0)
            break;
    (void)arg;
    return 0;
}

static ssize_t asker(void *arg)
{
    struct cg_coro *other;

    cg_yield(cg_add(answerer, NULL, .coro = &other));
    for (long n = *(long *)arg; n > 0; n--) {
        cg_yield(cg_signal(1, NULL, .prio = CG_PRIO_CORO));
        cg_yield(cg_wait_signal(2, NULL));
    }
    cg_yield(cg_cancel(other));
    cg_unref(other);
    return 0;
}

static double signal_and_back(long n)
{
    return run(asker, n) / n;
}

static double set_and_cancel_among(long n)
{
    enum { TIMES = 1000000 };
    struct cg__timers *timers = malloc(sizeof *timers);
    struct cg_timer *others = calloc(n, sizeof *others), one = {0};
    uint64_t x = 88172645463325252u;
    double start;

    if (timers == NULL || others == NULL)
        abort();
    cg__timers_init(timers);
    for (long i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        cg__timer_set(timers, &others[i], x % CG_HOUR);
    }
    start = clock_ns();
    for (int i = 0; i < TIMES; i++) {
        cg__timer_set(timers, &one, 30 * CG_SECOND + i);
        cg__timer_cancel(timers, &one);
    }
    start = clock_ns() - start;
    free(others);
    free(timers);
    return start / TIMES;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--reactor") == 0)
        reactor_name = argv[2];
    else if (argc != 1) {
        fprintf(stderr, "usage: core [--reactor NAME]\n");
        return 2;
    }
    report("spawn_and_finish", spawn_and_finish, 200000);
    report("pass_among_100", pass_among, 100);
    report("pass_among_10000", pass_among, 10000);
    report("signal_and_back", signal_and_back, 200000);
    report("timer_set_and_cancel_among_100000", set_and_cancel_among, 100000);
    report("timer_set_and_cancel_among_1000000", set_and_cancel_among, 1000000);
    return 0;
}
