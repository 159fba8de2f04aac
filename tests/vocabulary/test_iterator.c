/* SPDX-License-Identifier: MIT */
/* Iterators: the producer runs only when a value is asked for, and no value is lost,
 * whichever side times out. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static ssize_t counts(void *arg)
{
    note("(");
    for (intptr_t i = 1; i <= *(intptr_t *)arg; i++) {
        ssize_t rc = cg_yield(cg_produce(i));

        if (rc < 0)
            return rc;
        note(".");
    }
    note(")");
    return 70;
}

/* The producer begins with the first next, and continues only when the next value is asked
 * for. After its end next returns 0, and its result can be read. */
static ssize_t lazy(void *arg)
{
    intptr_t limit = 3, value = 0;
    struct cg_iterator it = cg_iterator(counts, &limit, .name = "counter");

    (void)arg;
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "");
    for (intptr_t i = 1; i <= 3; i++) {
        IS(cg_yield(cg_get_next(&it, &value)), 1);
        IS(value, i);
        OK(cg_yield(cg_pass()));
        ck_assert_uint_eq(strlen(noted), (size_t)i);
    }
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    ck_assert_str_eq(noted, "(...)");
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    IS(it.result, 70);
    IS(cg_yield(cg_stop_producer(&it)), 70);
    return 0;
}

static ssize_t slow(void *arg)
{
    intptr_t value = 0;
    ssize_t rc;

    do {
        if ((rc = cg_yield(cg_sleep(2 * MS))) < 0)
            break;
        rc = cg_yield(cg_produce(++value));
    } while (rc >= 0);
    note("c");
    *(intptr_t *)arg = value;
    return rc;
}

/* Between values a producer may yield any operations. A next that times out in the
 * meantime loses nothing: the following next gets the value. */
static ssize_t patience(void *arg)
{
    intptr_t last = 0, value = 0;
    struct cg_iterator it = cg_iterator(slow, &last);

    (void)arg;
    IS(cg_yield(cg_get_next(&it, &value, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_get_next(&it, &value, .timeout = MS)), -ETIMEDOUT);
    OK(cg_yield(cg_sleep(5 * MS)));
    IS(value, 0);
    IS(cg_yield(cg_get_next(&it, &value, .timeout = CG_NOWAIT)), 1);
    IS(value, 1);
    IS(cg_yield(cg_get_next(&it, &value)), 1);
    IS(value, 2);
    IS(cg_yield(cg_any((cg_get_next(&it, &value), cg_sleep(MS)))), 1);
    IS(cg_yield(cg_get_next(&it, &value)), 1);
    IS(value, 3);
    IS(cg_yield(cg_stop_producer(&it)), 0);
    IS(last, 3);
    ck_assert_str_eq(noted, "c");
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    return 0;
}

static ssize_t fails(void *arg)
{
    OK(cg_yield(cg_produce(arg)));
    return -EIO;
}

/* A producer's failure is the answer of next, now and later. */
static ssize_t failure(void *arg)
{
    char *value;
    struct cg_iterator it = cg_iterator(fails, "text", .stack_size = 256 * 1024);
    struct cg_iterator none = cg_iterator(NULL, NULL);

    (void)arg;
    IS(cg_yield(cg_get_next(&it, &value)), 1);
    ck_assert_str_eq(value, "text");
    IS(cg_yield(cg_get_next(&it, &value)), -EIO);
    IS(cg_yield(cg_get_next(&it, &value)), -EIO);
    IS(cg_yield(cg_stop_producer(&it)), -EIO);
    IS(cg_yield(cg_get_next(&none, &value)), -EINVAL);
    return 0;
}

/* A producer that is stopped before it began never begins. */
static ssize_t never(void *arg)
{
    intptr_t limit = 1, value;
    struct cg_iterator it = cg_iterator(counts, &limit);

    (void)arg;
    IS(cg_yield(cg_stop_producer(&it)), 0);
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    ck_assert_str_eq(noted, "");
    return 0;
}

static ssize_t stubborn(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_produce(1)), 0); /* taken, although no further value is asked for */
    IS(cg_yield(cg_sleep(CG_SECOND)), -ECANCELED);
    IS(cg_yield(cg_sleep(3 * MS, .shield = true)), 0);
    note("end");
    return 5;
}

static ssize_t stops(void *arg)
{
    struct cg_iterator *it = arg;
    intptr_t value;

    IS(cg_yield(cg_get_next(it, &value)), 1);
    IS(cg_yield(cg_sleep(CG_SECOND)), -ECANCELED);
    IS(cg_yield(cg_stop_producer(it)), 5); /* cancelled or not */
    note("!");
    return 0;
}

/* A stop waits for the producer's clean-up, also in a coroutine that has been cancelled. */
static ssize_t stop_waits(void *arg)
{
    struct cg_iterator it = cg_iterator(stubborn, NULL),
                       other = cg_iterator(stubborn, NULL);
    struct cg_coro *coro = test_start(stops, &it);
    intptr_t value;

    (void)arg;
    test_until_waiting(coro);
    OK(cg_yield(cg_pass()));
    IS(cg_yield(cg_cancel(coro)), 0);
    test_end(coro);
    ck_assert_str_eq(noted, "end!");
    IS(cg_yield(cg_get_next(&other, &value)), 1);
    IS(cg_yield(cg_stop_producer(&other, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_stop_producer(&other)), 5);
    return 0;
}

static ssize_t asks(void *arg)
{
    intptr_t value;

    IS(cg_yield(cg_get_next(arg, &value)), 0);
    return 0;
}

static ssize_t asks_itself(void *arg)
{
    intptr_t value;

    IS(cg_yield(cg_get_next(arg, &value)), -EDEADLK);
    IS(cg_yield(cg_stop_producer(arg)), -EDEADLK);
    return cg_yield(cg_sleep(MS));
}

/* Only a producer can produce. Only one coroutine can wait for the next value at a time,
 * and not the producer itself. */
static ssize_t misuse(void *arg)
{
    struct cg_iterator it = {0};
    struct cg_coro *coro;
    intptr_t value;

    (void)arg;
    it = cg_iterator(asks_itself, &it);
    IS(cg_yield(cg_produce(1)), -EPERM);
    coro = test_start(asks, &it);
    test_until_waiting(coro);
    IS(cg_yield(cg_get_next(&it, &value)), -EBUSY);
    return test_end(coro);
}

static ssize_t produces_in_races(void *arg)
{
    (void)arg;
    for (intptr_t i = 1; i <= 3; i++) {
        struct cg_op *produce = cg_produce(i);

        do
            cg_yield(cg_any((produce, cg_sleep(MS))));
        while (cg_op_result(produce) < 0);
    }
    return 0;
}

/* A value that is produced in a race is taken at most once: the producer may offer it
 * again only if the race was lost before the value was taken. */
static ssize_t offers(void *arg)
{
    struct cg_iterator it = cg_iterator(produces_in_races, NULL);
    intptr_t value = 0;

    (void)arg;
    IS(cg_yield(cg_get_next(&it, &value, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (intptr_t i = 1; i <= 3; i++) {
        OK(cg_yield(cg_sleep(i * MS)));
        IS(cg_yield(cg_get_next(&it, &value)), 1);
        IS(value, i);
    }
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    return 0;
}

static ssize_t fails_when_stopped(void *arg)
{
    (void)arg;
    cg_yield(cg_produce(1));
    return cg_yield(cg_sleep(1)) == -ECANCELED ? -EIO : 0;
}

/* If a producer fails while it is stopped, the stop and later nexts return its error. */
static ssize_t stopped_with_an_error(void *arg)
{
    struct cg_iterator it = cg_iterator(fails_when_stopped, arg);
    intptr_t value = 0;

    IS(cg_yield(cg_get_next(&it, &value)), 1);
    IS(cg_yield(cg_stop_producer(&it)), -EIO);
    IS(cg_yield(cg_get_next(&it, &value)), -EIO);
    return 0;
}

static const struct test_case cases[] = {
    CORO(lazy),       CORO(patience), CORO(failure), CORO(never),
    CORO(stop_waits), CORO(misuse),   CORO(offers),
    CORO(stopped_with_an_error),
};

int main(void)
{
    return test_main("iterate", cases, COUNT(cases));
}
