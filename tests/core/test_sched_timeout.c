/* SPDX-License-Identifier: MIT */
/* How long a foreign loop may sleep before it must step the scheduler, and functions that
 * are deferred to a later turn. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/reactor.h>

static ssize_t sleeps(void *arg)
{
    return cg_yield(cg_sleep(*(int64_t *)arg, .shield = true));
}

/* The loop may sleep for ever, or until the next timer, or until the reactor must try
 * something again. */
static void until_something_is_due(void)
{
    struct test test = test_open(.timeout = 0);
    int64_t length = CG_SECOND;

    ck_assert(cg_sched_timeout(test.sched) == CG_NEVER);
    OK(cg_sched_start(test.sched, sleeps, &length));
    ck_assert_int_eq(cg_sched_timeout(test.sched), 0);
    IS(cg_sched_step(test.sched, 0), 1);
    ck_assert_int_eq(cg_sched_timeout(test.sched), CG_SECOND);
    test.reactor->due = cg_sched_now(test.sched) + CG_MILLISECOND;
    ck_assert_int_eq(cg_sched_timeout(test.sched), CG_MILLISECOND);
    test.reactor->due = 0;
    test_finish(&test);
    test_close(&test);
}

/* A stopped run ends when its grace is over, whatever its coroutines wait for. */
static void until_the_grace_is_over(void)
{
    struct test test = test_open(.grace = CG_SECOND);
    int64_t length = CG_MINUTE, start = cg_sched_now(test.sched);

    OK(cg_sched_start(test.sched, sleeps, &length));
    IS(cg_sched_step(test.sched, 0), 1);
    cg_sched_stop(test.sched);
    IS(cg_sched_step(test.sched, 0), 1);
    ck_assert_int_eq(cg_sched_timeout(test.sched), CG_SECOND);
    IS(cg_sched_run(test.sched), 1);
    ck_assert_int_eq(cg_sched_now(test.sched) - start, CG_SECOND);
    test_finish(&test);
    test_close(&test);
}

static ssize_t cleans_up(void *arg)
{
    cg_yield(cg_sleep(CG_MINUTE));
    IS(cg_yield(cg_sleep(CG_HOUR, .shield = true)), 0);
    *(bool *)arg = true;
    return 0;
}

/* A grace period without limit lasts until the coroutines have ended. */
static void without_limit(void)
{
    struct test test = test_open(.grace = CG_NEVER);
    bool clean = false;

    OK(cg_sched_start(test.sched, cleans_up, &clean));
    cg_sched_hold(test.sched);
    IS(cg_sched_step(test.sched, 0), 1);
    cg_sched_stop(test.sched);
    while (!clean)
        IS(cg_sched_step(test.sched, CG_NEVER), 1);
    ck_assert(cg_sched_timeout(test.sched) == CG_NEVER); /* the hold is left */
    cg_sched_unhold(test.sched);
    test_finish(&test);
    test_close(&test);
}

struct counted {
    struct cg_deferred deferred;
    int calls;
};

static void count(struct cg_deferred *deferred)
{
    ((struct counted *)deferred)->calls++;
}

/* A function that is deferred twice is called once, and so is the one behind it. */
static void deferred_once(void)
{
    struct test test = test_open(.timeout = 0);
    struct counted one = {.deferred.fn = count}, two = {.deferred.fn = count};

    cg_sched_defer(test.sched, &one.deferred);
    cg_sched_defer(test.sched, &two.deferred);
    cg_sched_defer(test.sched, &one.deferred);
    ck_assert_int_eq(cg_sched_timeout(test.sched), 0);
    cg_sched_step(test.sched, 0);
    ck_assert_int_eq(one.calls, 1);
    ck_assert_int_eq(two.calls, 1);
    cg_sched_defer(test.sched, &one.deferred);
    cg_sched_step(test.sched, 0);
    ck_assert_int_eq(one.calls, 2);
    test_close(&test);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(until_something_is_due, .where = ON_SIM),
        PLAIN(until_the_grace_is_over, .where = ON_SIM),
        PLAIN(without_limit, .where = ON_SIM),
        PLAIN(deferred_once, .where = ON_SIM),
    };

    return test_main("sched_timeout", cases, COUNT(cases));
}
