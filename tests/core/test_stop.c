/* SPDX-License-Identifier: MIT */
/* cg_sched_stop wakes the loop, cancels also coroutines that are started later, and does
 * not affect a shielded operation until the grace period is over. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static ssize_t sleeps(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_HOUR));
}

static void *stops_later(void *sched)
{
    /* Long enough for the loop to fall asleep. If it is too short, the test passes all the
     * same. */
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    nanosleep(&pause, NULL);
    cg_sched_stop(sched);
    return NULL;
}

/* A stop from another thread ends a sleep that would last an hour, also in a second
 * run. */
static void from_another_thread(void)
{
    struct test test = test_open(.timeout = 0);
    pthread_t thread;

    for (int i = 0; i < 2; i++) {
        OK(cg_sched_start(test.sched, sleeps, NULL));
        ck_assert_int_eq(pthread_create(&thread, NULL, stops_later, test.sched), 0);
        IS(cg_sched_run(test.sched), 0);
        ck_assert(cg_sched_stopped(test.sched));
        pthread_join(thread, NULL);
    }
    test_close(&test);
}

static ssize_t result;

static ssize_t starts_another(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    cg_sched_stop(cg_sched_self());
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    OK(cg_sched_start(cg_sched_self(), sleeps, NULL, .coro = &coro));
    result = cg_yield(cg_join(coro, .shield = true));
    cg_coro_unref(coro);
    return 0;
}

/* A coroutine that is started after the stop is cancelled from its beginning. */
static void reaches_those_started_later(void)
{
    struct test test = test_open(.grace = CG_SECOND);

    OK(cg_sched_start(test.sched, starts_another, NULL));
    IS(cg_sched_run(test.sched), 0);
    IS(result, -ECANCELED);
    test_close(&test);
}

static ssize_t is_shielded(void *arg)
{
    (void)arg;
    cg_sched_stop(cg_sched_self());
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), -ECANCELED);
    result = cg_yield(cg_sleep(CG_SECOND, .shield = true));
    return 0;
}

static ssize_t is_cancelled_behind_a_shield(void *arg)
{
    result = cg_yield(cg_sleep(CG_SECOND, .shield = true));
    IS(cg_yield(cg_sleep(CG_SECOND)), -ECANCELED);
    return (ssize_t)arg;
}

/* A shielded operation continues, whether it began before or after the stop. */
static void leaves_the_shielded(void)
{
    struct test test = test_open(.grace = CG_MINUTE);

    result = -1;
    OK(cg_sched_start(test.sched, is_shielded, NULL));
    IS(cg_sched_run(test.sched), 0);
    IS(result, 0);
    result = -1;
    OK(cg_sched_start(test.sched, is_cancelled_behind_a_shield, NULL));
    IS(cg_sched_step(test.sched, 0), 1);
    cg_sched_stop(test.sched);
    IS(cg_sched_run(test.sched), 0);
    IS(result, 0);
    test_close(&test);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(from_another_thread, .where = ON_KERNEL),
        PLAIN(reaches_those_started_later, .where = ON_SIM),
        PLAIN(leaves_the_shielded, .where = ON_SIM),
    };

    return test_main("stop", cases, COUNT(cases));
}
