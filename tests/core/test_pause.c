/* SPDX-License-Identifier: MIT */
/* Sleep, pass, suspend and activate, in virtual time: how long they last, and who runs
 * meanwhile. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>

#define MS CG_MILLISECOND

/* A sleep lasts its length, of virtual time, and not a nanosecond less. */
static ssize_t sleep_takes_its_time(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), 0);
    ck_assert_int_ge(now(), start + CG_HOUR);
    ck_assert_int_lt(now(), start + CG_HOUR + MS);
    IS(cg_yield(cg_sleep_until(start + 2 * CG_HOUR)), 0);
    ck_assert_int_ge(now(), start + 2 * CG_HOUR);
    ck_assert_int_lt(now(), start + 2 * CG_HOUR + MS);
    return 0;
}

/* A moment that has passed, and a negative length, do not wait. */
static ssize_t sleep_until_the_past(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    start = now();
    IS(cg_yield(cg_sleep_until(start - 1)), 0);
    IS(cg_yield(cg_sleep_until(start)), 0);
    ck_assert_int_eq(now(), start);
    return 0;
}

/* sleep(0) and pass let every other runnable coroutine run first, once. */
static ssize_t pass_is_one_round(void *arg)
{
    struct cg_coro *a, *b;

    (void)arg;
    note_anew();
    a = test_start(notes, "a");
    b = test_start(notes, "b");
    note("1");
    IS(cg_yield(cg_pass()), 0);
    note("2");
    test_end(a);
    test_end(b);
    a = test_start(notes, "c");
    IS(cg_yield(cg_sleep(0)), 0);
    note("3");
    test_end(a);
    ck_assert_str_eq(noted, "1ab2c3");
    return 0;
}

struct sleeper {
    int64_t moment;
    size_t *woken;
    int64_t *last;
};

static ssize_t sleeper(void *arg)
{
    struct sleeper *s = arg;

    IS(cg_yield(cg_sleep_until(s->moment)), 0);
    ck_assert_int_ge(now(), s->moment);
    ck_assert_int_ge(s->moment, *s->last); /* in the order of their moments */
    *s->last = s->moment;
    ++*s->woken;
    return 0;
}

/* Many timers, from nanoseconds to weeks apart, fire in the order of their moments. */
static ssize_t timers_in_order(void *arg)
{
    static struct sleeper sleepers[1500];
    uint64_t seed = 7;
    size_t woken = 0;
    int64_t last = 0;

    (void)arg;
    for (size_t i = 0; i < COUNT(sleepers); i++) {
        int64_t length = (int64_t)1 << test_random(&seed) % 50;

        length += test_random(&seed) % length;
        sleepers[i] = (struct sleeper){now() + length, &woken, &last};
        cg_coro_unref(test_start(sleeper, &sleepers[i]));
    }
    while (woken < COUNT(sleepers))
        IS(cg_yield(cg_sleep(CG_HOUR)), 0);
    return 0;
}

/* A thousand timers of one moment all fire at it. */
static ssize_t timers_of_one_moment(void *arg)
{
    static struct sleeper sleepers[1000];
    size_t woken = 0;
    int64_t last = 0, moment = now() + CG_SECOND;

    (void)arg;
    for (size_t i = 0; i < COUNT(sleepers); i++) {
        sleepers[i] = (struct sleeper){moment, &woken, &last};
        cg_coro_unref(test_start(sleeper, &sleepers[i]));
    }
    IS(cg_yield(cg_sleep_until(moment + 1)), 0);
    ck_assert_uint_eq(woken, COUNT(sleepers));
    return 0;
}

static ssize_t suspends_twice(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_suspend()), 11);
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    IS(cg_yield(cg_suspend()), 0);
    IS(cg_yield(cg_suspend(.timeout = MS)), -ETIMEDOUT);
    return 0;
}

/* An activation ends the suspend or is kept for the next one, but only one. */
static ssize_t suspend_and_activate(void *arg)
{
    struct cg_coro *coro = test_start(suspends_twice, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_activate(coro, .value = 11)), 0);
    test_until_waiting(coro); /* now it sleeps */
    IS(cg_yield(cg_activate(coro)), 0);
    IS(cg_yield(cg_activate(coro)), -EALREADY);
    IS(cg_yield(cg_join(coro)), 0);
    IS(cg_yield(cg_activate(coro)), -ESRCH);
    cg_coro_unref(coro);
    return 0;
}

static void activates(void *coro)
{
    IS(cg_coro_activate(coro, 11), 0);
}

/* cg_coro_activate does the same from a callback outside coroutines. */
static ssize_t activate_from_a_callback(void *arg)
{
    struct cg_coro *coro = test_start(suspends_twice, NULL);

    (void)arg;
    test_until_waiting(coro);
    OK(cg_sched_call_soon(cg_sched_self(), activates, coro, NULL));
    IS(cg_yield(cg_sleep(MS)), 0); /* now the other one sleeps */
    IS(cg_coro_activate(coro, 0), 0);
    IS(cg_coro_activate(coro, 0), -EALREADY);
    IS(cg_yield(cg_join(coro)), 0);
    IS(cg_coro_activate(coro, 0), -ESRCH);
    cg_coro_unref(coro);
    return 0;
}

static const struct test_case cases[] = {
    CORO(sleep_takes_its_time, .where = ON_SIM),
    CORO(sleep_until_the_past, .where = ON_SIM),
    CORO(pass_is_one_round, .where = ON_SIM),
    CORO(timers_in_order, .where = ON_SIM),
    CORO(timers_of_one_moment, .where = ON_SIM),
    CORO(suspend_and_activate, .where = ON_SIM),
    CORO(activate_from_a_callback, .where = ON_SIM),
};

int main(void)
{
    return test_main("pause", cases, COUNT(cases));
}
