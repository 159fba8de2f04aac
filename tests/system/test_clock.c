/* SPDX-License-Identifier: MIT */
/* cg_wait_clock: until a clock shows a moment, on every reactor. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <time.h>

#define MS CG_MILLISECOND

static int64_t shown(enum cg_clock clock)
{
    return cg_clock_now(cg_sched_self(), clock);
}

/* The wait ends when the clock shows the moment and not before, on each clock. */
static ssize_t until_the_moment(void *arg)
{
    (void)arg;
    for (enum cg_clock clock = CG_CLOCK_WALL; clock <= CG_CLOCK_BOOT; clock++) {
        int64_t moment = shown(clock) + 20 * MS;

        IS(cg_yield(cg_wait_clock(clock, moment)), 0);
        ck_assert_int_ge(shown(clock), moment);
    }
    return 0;
}

/* A wait for a moment that has passed completes at once, also for the earliest moment of
 * all. */
static ssize_t in_the_past(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_wait_clock(CG_CLOCK_WALL, shown(CG_CLOCK_WALL))), 0);
    IS(cg_yield(cg_wait_clock(CG_CLOCK_WALL, INT64_MIN)), 0);
    IS(cg_yield(cg_wait_clock(CG_CLOCK_BOOT, 0)), 0);
    IS(cg_yield(cg_wait_clock((enum cg_clock)7, 0)), -EINVAL);
    IS(cg_clock_now(cg_sched_self(), (enum cg_clock)7), -EINVAL);
    return 0;
}

/* A moment that never comes: the wait times out, is cancelled, and loses races. */
static ssize_t never(void *arg)
{
    struct cg_op *wait = cg_wait_clock(CG_CLOCK_WALL, INT64_MAX);
    char text[128];

    (void)arg;
    IS(cg_yield(cg_wait_clock(CG_CLOCK_BOOT, INT64_MAX, .timeout = 5 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((wait, cg_sleep(5 * MS)))), 1);
    IS(cg_op_result(wait), -ECANCELED);
    cg_op_print(wait, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "wait_clock wall, until "));
    return 0;
}

/* Without a scheduler the clock is the machine's, also in a simulated world. */
static ssize_t of_the_machine(void *arg)
{
    int64_t before = time(NULL), shown = cg_clock_now(NULL, CG_CLOCK_WALL) / CG_SECOND;

    (void)arg;
    ck_assert_int_ge(shown, before);
    ck_assert_int_le(shown, time(NULL) + 1); /* time() is behind the clock by up to a tick */
    return 0;
}

/* In the simulator both clocks are virtual: a day passes at once. */
static ssize_t in_a_world(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(shown(CG_CLOCK_WALL), start);
    IS(cg_yield(cg_wait_clock(CG_CLOCK_WALL, start + 24 * CG_HOUR)), 0);
    IS(now(), start + 24 * CG_HOUR);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(until_the_moment),
        CORO(in_the_past),
        CORO(never),
        CORO(of_the_machine),
        CORO(in_a_world, .where = ON_SIM),
    };

    return test_main("clock", cases, COUNT(cases));
}
