/* SPDX-License-Identifier: MIT */
/* Sleep, pass, suspend and activate, in virtual time: how long they last, and which
 * coroutines run in between. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>

#define MS CG_MILLISECOND

/* A sleep lasts its length of virtual time, and not a nanosecond less. */
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

/* Any slack is allowed. What bounds the sleep may end it when its own time has passed, and not
 * before. */
static ssize_t sleep_with_much_slack(void *arg)
{
    static const int64_t slacks[] = {CG_HOUR, INT64_MAX / 4, INT64_MAX / 2, CG_NEVER - 1, CG_NEVER};

    (void)arg;
    for (size_t i = 0; i < COUNT(slacks); i++) {
        int64_t start = now();

        IS(cg_yield(cg_sleep(CG_SECOND, .slack = slacks[i], .timeout = CG_MINUTE)), 0);
        ck_assert_int_ge(now(), start + CG_MINUTE);
        IS(cg_yield(cg_sleep(CG_NEVER, .slack = slacks[i], .timeout = CG_SECOND)), -ETIMEDOUT);
    }
    return 0;
}

/* A sleep until a moment that has passed, or of a negative length, does not wait. */
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

/* A sleep with slack ends within it, never early, and together with others that have it. */
static ssize_t slack_of_a_sleep(void *arg)
{
    int64_t start, last = -1, ends = 0;
    uint64_t seed = 5;

    (void)arg;
    IS(cg_yield(cg_sleep(MS, .slack = -1)), -EINVAL);
    for (int i = 0; i < 300; i++) {
        int64_t length = 1 + (int64_t)(test_random(&seed) % (20 * MS));
        int64_t slack = 1 + (int64_t)(test_random(&seed) % (3 * MS));

        start = now();
        IS(cg_yield(cg_sleep(length, .slack = slack)), 0);
        ck_assert_int_ge(now(), start + length);
        ck_assert_int_le(now(), start + length + slack);
    }
    start = now() / (8 * MS) * 8 * MS + 8 * MS;
    IS(cg_yield(cg_sleep_until(start)), 0);
    /* Sleeps end at multiples of a power of two ns, which are not multiples of 1 ms.
     * Counts the different ends of 63 sleeps. */
    for (int i = 1; i < 64; i++) {
        IS(cg_yield(cg_sleep_until(start + i * MS / 4, .slack = 2 * MS)), 0);
        ends += now() != last;
        last = now();
    }
    ck_assert_int_lt(ends, 20);
    /* A sleep with slack may also have a timeout, which wins only if it is earlier than
     * the end of the sleep. */
    start = now();
    IS(cg_yield(cg_sleep(5 * MS, .slack = CG_SECOND, .timeout = 2 * MS)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start + 2 * MS);
    IS(cg_yield(cg_sleep_until(start + 9 * MS, .slack = CG_SECOND, .deadline = start + 9 * MS)),
       0);
    ck_assert_int_eq(now(), start + 9 * MS);
    return 0;
}

static ssize_t notes_the_end(void *arg)
{
    struct sleeper *s = arg;

    IS(cg_yield(cg_sleep_until(s->moment)), 0);
    ck_assert_int_ge(s->moment, *s->last); /* the order stays */
    *s->last = s->moment;
    s->moment = now();
    ++*s->woken;
    return 0;
}

/* With slack the scheduler wakes once for all sleeps that end within it. Neither an
 * operation with CG_NOWAIT nor an earlier event is delayed. */
static ssize_t slack_of_a_scheduler(void *arg)
{
    static struct sleeper sleepers[10];
    int64_t start = now(), last = 0;
    struct cg_sock *a, *b;
    size_t woken = 0;
    char byte;

    (void)arg;
    IS(cg_sched_set_slack(cg_sched_self(), -1), -EINVAL);
    IS(cg_sched_set_slack(cg_sched_self(), CG_SECOND + 1), -EINVAL);
    IS(cg_sched_set_slack(cg_sched_self(), MS), 0);
    for (int i = 0; i < 10; i++) {
        sleepers[i] = (struct sleeper){start + 5 * MS + i * MS / 10, &woken, &last};
        cg_coro_unref(test_start(notes_the_end, &sleepers[i]));
    }
    IS(cg_yield(cg_sleep(8 * MS)), 0);
    ck_assert_uint_eq(woken, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(sleepers[i].moment, start + 6 * MS);

    IS(cg_sock_pair(cg_sched_self(), &a, &b), 0);
    start = now();
    IS(cg_yield(cg_read(a, &byte, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_read(a, &byte, 1, .timeout = 3 * MS)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start + 4 * MS);
    cg_sock_close(a);
    cg_sock_close(b);
    IS(cg_sched_set_slack(cg_sched_self(), 0), 0);
    start = now();
    IS(cg_yield(cg_sleep(MS)), 0);
    ck_assert_int_eq(now(), start + MS);
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

/* An activation ends a suspend, or is kept for the next one; only one is kept. */
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

/* A dump tells for how long, also if that is for ever. */
static ssize_t sleep_is_printed(void *arg)
{
    char text[64];

    (void)arg;
    cg_op_print(cg_sleep(1500 * MS), text, sizeof text);
    ck_assert_str_eq(text, "sleep 1.500 s");
    cg_op_print(cg_sleep(CG_NEVER), text, sizeof text);
    ck_assert_str_eq(text, "sleep forever");
    cg_op_print(cg_sleep_until(CG_NEVER), text, sizeof text);
    ck_assert_str_eq(text, "sleep forever");
    return 0;
}

static const struct test_case cases[] = {
    CORO(sleep_takes_its_time, .where = ON_SIM),
    CORO(sleep_is_printed, .where = ON_SIM),
    CORO(sleep_with_much_slack, .where = ON_SIM),
    CORO(sleep_until_the_past, .where = ON_SIM),
    CORO(pass_is_one_round, .where = ON_SIM),
    CORO(timers_in_order, .where = ON_SIM),
    CORO(timers_of_one_moment, .where = ON_SIM),
    CORO(slack_of_a_sleep, .where = ON_SIM),
    CORO(slack_of_a_scheduler, .where = ON_SIM),
    CORO(suspend_and_activate, .where = ON_SIM),
    CORO(activate_from_a_callback, .where = ON_SIM),
};

int main(void)
{
    return test_main("pause", cases, COUNT(cases));
}
