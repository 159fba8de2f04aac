/* SPDX-License-Identifier: MIT */
/* A scheduler with all its observers, for which the first, the second, ... the last allocation
 * fails: it is not made, or runs; what is measured without memory is left out, not wrong; and
 * a trace is written whole or not at all. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    COROS = 80, /* so many that the ready queue grows twice */
    PASSES = 100,
};

static atomic_bool armed, failed;
static atomic_long countdown; /* allocations until one fails */

bool failing_now(enum failing_what what)
{
    (void)what;
    if (!atomic_load(&armed) || atomic_fetch_sub(&countdown, 1) != 0)
        return false;
    atomic_store(&failed, true);
    return true;
}

static ssize_t passes(void *arg)
{
    (void)arg;
    for (int i = 0; i < PASSES; i++)
        OK(cg_yield(cg_pass()));
    return 0;
}

static ssize_t starts(void *arg)
{
    ssize_t rc = 0, started;

    for (int i = 0; i < COROS; i++) {
        started = cg_yield(cg_add(passes, arg));
        rc = rc < 0 ? rc : started;
        OK(cg_yield(cg_pass())); /* so that others wait when it grows */
    }
    return rc;
}

/* A clock that began long ago, so that a delay since its beginning is seen. */
static int is_possible(void *arg, const struct cg_metric *metric)
{
    (void)arg;
    if (strcmp(metric->name, "cogen_ready_delay_seconds") == 0)
        ck_assert_uint_lt(metric->sum, 1000 * CG_SECOND);
    return 0;
}

static ssize_t run(struct cg_reactor *reactor)
{
    static char text[100000];
    FILE *out = fmemopen(text, sizeof text, "w");
    struct cg_sched *sched;
    struct cg_coro *coro = NULL;
    ssize_t rc;
    bool whole;

    text[0] = '\0';
    atomic_store(&armed, true);
    sched = cg_sched_new(reactor, .metrics = true, .trace = 64, .debug = true, .hog = CG_SECOND);
    rc = sched ? cg_sched_start(sched, starts, NULL, .coro = &coro) : -ENOMEM;
    if (rc == 0)
        rc = cg_sched_run(sched);
    if (rc == 0)
        rc = cg_coro_result(coro);
    if (rc == 0)
        rc = cg_trace_write(sched, out);
    atomic_store(&armed, false);
    fclose(out);
    whole = text[0] == '[' && strstr(text, "\n]\n") != NULL;
    ck_assert_msg(rc == 0 ? whole : text[0] == '\0', "%d: %.100s", (int)rc, text);
    ck_assert_int_eq(cg_metrics_walk(is_possible, NULL), 0);
    cg_coro_unref(coro);
    cg_sched_free(sched);
    return rc;
}

/* One trial. False: there was nothing left to fail. */
static bool survives(struct cg_reactor *reactor, long n)
{
    ssize_t rc;

    atomic_store(&failed, false);
    atomic_store(&countdown, n);
    if (n >= 0) /* the trial with n < 0 makes what is never freed */
        failing_watch();
    rc = run(reactor);
    if (rc < 0 || !atomic_load(&failed))
        IS(rc, atomic_load(&failed) ? -ENOMEM : 0);
    if (n >= 0)
        IS((ssize_t)failing_left(), 0);
    return n < 0 || atomic_load(&failed);
}

static void observed(void)
{
    struct cg_reactor *reactor;
    long n = -1;

    OK(cg_reactor_open("sim", &reactor));
    cg_sim_advance(reactor, 1000000 * CG_SECOND);
    while (survives(reactor, n))
        n++;
    ck_assert_int_gt(n, 10); /* otherwise the test would test nothing */
    cg_reactor_close(reactor);
}

static const struct test_case cases[] = {
    PLAIN(observed, .where = ON_SIM),
};

int main(void)
{
    return test_main("observed", cases, COUNT(cases));
}
