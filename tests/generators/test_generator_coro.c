/* SPDX-License-Identifier: MIT */
/* Generators inside coroutines: their bodies yield operations. */
#include "config.h"

#include "tests/generators/gen_bodies.h"

#include <errno.h>
#include <sys/types.h>

#define MS CG_MILLISECOND

static ssize_t sleeper(struct cg_gen *gen, void *arg)
{
    ssize_t rc = 0;

    for (intptr_t i = 0; i < *(int *)arg && rc >= 0; i++) {
        if ((rc = cg_yield(cg_sleep(MS))) >= 0)
            rc = cg_gen_yield(gen, i, NULL);
    }
    cg_yield(cg_sleep(1, .shield = true)); /* clean-up that waits */
    return rc;
}

static ssize_t ticker(void *arg)
{
    int *ticks = arg;

    while (cg_yield(cg_sleep(MS / 4)) == 0)
        ++*ticks;
    return 0;
}

/* A body may yield operations: the coroutine that has resumed it waits, and others run. */
static ssize_t operations_in_a_body(void *arg)
{
    int up_to = 5, ticks = 0;
    struct gen_chain chain = {sleeper, &up_to, 1, 3};
    struct cg_coro *coro = test_start(ticker, &ticks);
    struct cg_gen *gen = gen_make(gen_delegates, &chain);
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    for (intptr_t i = 0; i < 5; i++)
        ck_assert_int_eq(gen_value(gen), i);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - start, 5 * MS);
    ck_assert_int_ge(ticks, 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    IS(cg_yield(cg_cancel(coro)), 0);
    return test_end(coro);
}

static ssize_t pulls_one(void *arg)
{
    intptr_t value;
    ssize_t rc = cg_gen_next(arg, &value);

    return rc == 1 ? 10 + value : rc;
}

static ssize_t busy_sleeper(void *arg)
{
    return cg_gen_next(arg, NULL);
}

/* While a coroutine waits inside the body, the generator counts as running for all others.
 * After that any of them may resume it. */
static ssize_t several_coroutines_share_one(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = gen_make(sleeper, &up_to);
    struct cg_coro *first = test_start(pulls_one, gen), *second, *third;

    (void)arg;
    test_until_waiting(first);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_RUNNING);
    ck_assert_ptr_null(cg_gen_self());
    IS(cg_gen_next(gen, NULL), -EBUSY);
    IS(cg_gen_free(gen), -EBUSY);
    second = test_start(busy_sleeper, gen);
    IS(test_end(second), -EBUSY);
    IS(test_end(first), 10);
    third = test_start(pulls_one, gen);
    IS(test_end(third), 11);
    ck_assert_int_eq(gen_value(gen), 2);
    IS(cg_gen_free(gen), 0);
    return 0;
}

/* Cancelling the coroutine ends the wait inside the body, but not the generator: the body
 * decides. */
static ssize_t a_cancel_reaches_into_the_body(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = gen_make(sleeper, &up_to);
    struct cg_coro *coro = test_start(pulls_one, gen);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_free(gen), 0);

    gen = gen_make(sleeper, &up_to);
    IS(cg_yield(cg_call(pulls_one, gen, .timeout = MS / 10)), -ETIMEDOUT);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_free(gen), 0);
    return 0;
}

static ssize_t closes(void *arg)
{
    return cg_gen_close(arg);
}

/* Closing waits until the clean-up of the body has ended, which may wait. */
static ssize_t a_clean_up_that_waits(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = gen_make(sleeper, &up_to);

    (void)arg;
    ck_assert_int_eq(gen_value(gen), 0);
    IS(test_end(test_start(closes, gen)), 0);
    IS(cg_gen_result(gen), -ECANCELED);
    return cg_gen_free(gen);
}

static ssize_t yields_inside(void *arg)
{
    return cg_gen_yield(arg, 1, NULL);
}

static ssize_t scoped(struct cg_gen *gen, void *arg)
{
    struct cg_scope scope;

    (void)arg;
    IS(cg_yield(cg_call(yields_inside, gen)), -EPERM);
    cg_scope_open(&scope, CG_NEVER, true);
    IS(cg_gen_yield(gen, 1, NULL), -EPERM);
    IS(cg_gen_from(gen, gen), -EPERM);
    IS(cg_scope_close(&scope), 0);
    IS(cg_gen_yield(gen, 2, NULL), 0);
    return 3;
}

static ssize_t resumes_inside(void *arg)
{
    return cg_gen_next(arg, NULL);
}

/* A body cannot yield a value inside a scope that it has opened, since the scope would
 * stay open in the coroutine. A scope around the call that resumes it does not matter. */
static ssize_t no_value_out_of_a_scope(void *arg)
{
    struct cg_gen *gen = gen_make(scoped, NULL);

    (void)arg;
    ck_assert_int_eq(gen_value(gen), 2);
    IS(cg_yield(cg_call(resumes_inside, gen)), 0);
    IS(cg_gen_result(gen), 3);
    return cg_gen_free(gen);
}

static ssize_t races(struct cg_gen *gen, void *arg)
{
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_any((cg_sleep(CG_SECOND), cg_sleep(MS), cg_call(ticker, arg)))),
           1);
        IS(cg_gen_yield(gen, i, NULL), 0);
    }
    return 0;
}

/* Several coroutines resume one generator each, and all wait inside their bodies at the
 * same time. */
static ssize_t pulls_all(void *arg)
{
    int ticks = 0;
    struct cg_gen *gen = gen_make(races, &ticks);
    intptr_t value, n = 0;

    (void)arg;
    while (cg_gen_next(gen, &value) == 1)
        ck_assert_int_eq(value, n++);
    ck_assert_int_eq(n, 3);
    return cg_gen_free(gen);
}

static ssize_t many_at_once(void *arg)
{
    struct cg_coro *coros[20];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(pulls_all, NULL);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 0);
    return 0;
}

/* Outside coroutines a body cannot yield operations. */
static ssize_t yields_an_op(struct cg_gen *gen, void *arg)
{
    (void)gen, (void)arg;
    return cg_yield(cg_sleep(1));
}

static ssize_t runs_a_scheduler(struct cg_gen *gen, void *arg)
{
    for (int i = 0; i < 2; i++) {
        IS(test_run(operations_in_a_body, arg), 0);
        ck_assert_ptr_eq(cg_gen_self(), gen);
        IS(cg_gen_yield(gen, i, NULL), 0);
    }
    return 0;
}

/* A body may run a scheduler. */
static void a_scheduler_in_a_body(void)
{
    struct cg_gen *gen = cg_gen_new(runs_a_scheduler, NULL, .stack_size = 256 * 1024);

    ck_assert_int_eq(gen_value(gen), 0);
    ck_assert_int_eq(gen_value(gen), 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    gen = gen_make(yields_an_op, NULL);
    IS(cg_gen_next(gen, NULL), -EPERM);
    IS(cg_gen_free(gen), 0);
}

struct posted {
    struct cg_deferred deferred;
    struct cg_gen *gen;
    intptr_t value;
};

static void resumes_in_the_loop(struct cg_deferred *deferred)
{
    struct posted *posted = (struct posted *)deferred;

    IS(cg_gen_next(posted->gen, &posted->value), 1);
}

/* Functions that the loop calls may resume a generator, too. */
static ssize_t resumed_by_the_loop(void *arg)
{
    int up_to = 2;
    struct posted posted = {.deferred.fn = resumes_in_the_loop,
                            .gen = gen_make(gen_range, &up_to),
                            .value = -1};

    (void)arg;
    gen_value(posted.gen);
    cg_sched_defer(cg_sched_self(), &posted.deferred);
    while (posted.value < 0)
        OK(cg_yield(cg_sleep(1)));
    ck_assert_int_eq(posted.value, 1);
    return cg_gen_free(posted.gen);
}

static const struct test_case cases[] = {
    PLAIN(a_scheduler_in_a_body),
    CORO(operations_in_a_body),
    CORO(several_coroutines_share_one),
    CORO(a_cancel_reaches_into_the_body),
    CORO(a_clean_up_that_waits),
    CORO(no_value_out_of_a_scope),
    CORO(many_at_once),
    CORO(resumed_by_the_loop),
};

int main(void)
{
    return test_main("generator_coro", cases, COUNT(cases));
}
