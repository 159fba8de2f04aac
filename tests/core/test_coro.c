/* SPDX-License-Identifier: MIT */
/* The life of a coroutine, in virtual time: added, joined, cancelled, and its states. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>

#define MS CG_MILLISECOND

/* A new coroutine runs before its parent continues, unless the parent is favoured. */
static ssize_t add_runs_first(void *arg)
{
    (void)arg;
    note_anew();
    IS(cg_yield(cg_add(notes, "a")), 0);
    note("1");
    IS(cg_yield(cg_add(notes, "b", .prio = CG_PRIO_CORO)), 0);
    note("2");
    IS(cg_yield(cg_pass()), 0);
    ck_assert_str_eq(noted, "a12b");
    IS(cg_yield(cg_add(NULL, "c")), -EINVAL);
    return 0;
}

static ssize_t looks_at_itself(void *arg)
{
    struct cg_coro *self = cg_coro_self();

    (void)arg;
    ck_assert_ptr_nonnull(self);
    ck_assert_int_eq(cg_coro_state(self), CG_CORO_RUNNING);
    ck_assert_str_eq(cg_coro_name(self), "Narcissus");
    ck_assert_uint_ge(cg_coro_stack_size(self), 200000);
    IS(cg_coro_result(self), -EBUSY);
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    return 77;
}

/* What can be asked of a coroutine in each state of its life. */
static ssize_t states(void *arg)
{
    struct cg_coro *coro = NULL;

    (void)arg;
    IS(cg_yield(cg_add(looks_at_itself, NULL, .name = "Narcissus", .stack_size = 200000,
                       .coro = &coro, .prio = CG_PRIO_CORO)),
       0);
    ck_assert_ptr_nonnull(coro);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_READY);
    IS(cg_coro_result(coro), -EBUSY);
    ck_assert_ptr_null(cg_coro_op(coro));
    IS(cg_yield(cg_sleep(CG_SECOND / 2)), 0);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    ck_assert_ptr_nonnull(cg_coro_op(coro));
    ck_assert_ptr_eq(cg_coro_op(coro)->type, &cg_sleep_type);
    ck_assert_int_ge(cg_coro_age(coro), CG_SECOND / 2);
    ck_assert_int_lt(cg_coro_age(coro), CG_SECOND);
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_FINISHED);
    IS(cg_coro_result(coro), 77);
    ck_assert_ptr_null(cg_coro_op(coro));
    cg_coro_unref(coro);
    return 0;
}

/* A reference stays valid after the coroutine's end, while hundreds of other coroutines
 * use its stack. */
static ssize_t references_stay_valid(void *arg)
{
    ssize_t value = 1234, zero = 0;
    struct cg_coro *coro = test_start(answers, &value), *second;

    (void)arg;
    second = cg_coro_ref(coro);
    ck_assert_ptr_eq(second, coro);
    IS(cg_yield(cg_join(coro)), 1234);
    cg_coro_unref(second);
    for (int i = 0; i < 300; i++)
        IS(cg_yield(cg_add(answers, &zero, .name = "other")), 0);
    ck_assert_str_eq(cg_coro_name(coro), "helper");
    IS(cg_coro_result(coro), 1234);
    IS(cg_yield(cg_join(coro)), 1234);
    cg_coro_unref(coro);
    return 0;
}

struct joiner {
    struct cg_coro *target;
    ssize_t wanted;
};

static ssize_t joiner(void *arg)
{
    struct joiner *j = arg;

    IS(cg_yield(cg_join(j->target)), j->wanted);
    return 0;
}

static ssize_t sleeps_then_fails(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    return -ENOTTY;
}

/* Every joiner gets the result, also a failure, whether it joins before or after the
 * end. */
static ssize_t join_many(void *arg)
{
    struct joiner j = {test_start(sleeps_then_fails, NULL), -ENOTTY};
    struct cg_coro *joiners[10];

    (void)arg;
    for (size_t i = 0; i < COUNT(joiners); i++)
        joiners[i] = test_start(joiner, &j);
    for (size_t i = 0; i < COUNT(joiners); i++)
        IS(test_end(joiners[i]), 0);
    IS(cg_yield(cg_join(j.target)), -ENOTTY);
    cg_coro_unref(j.target);
    return 0;
}

/* A join that times out does not affect the coroutine. A coroutine cannot join itself. */
static ssize_t join_times_out(void *arg)
{
    int64_t length = CG_SECOND, start = now();
    struct cg_coro *coro = test_start(sleeps, &length);

    (void)arg;
    IS(cg_yield(cg_join(coro, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_join(coro, .timeout = MS)), -ETIMEDOUT);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    IS(cg_yield(cg_join(cg_coro_self())), -EDEADLK);
    IS(cg_yield(cg_join(coro)), 0);
    IS(cg_yield(cg_join(coro, .timeout = CG_NOWAIT)), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    cg_coro_unref(coro);
    return 0;
}

/* Cancelling a joiner affects neither its target nor the other joiners. */
static ssize_t join_cancelled(void *arg)
{
    int64_t length = CG_SECOND;
    struct joiner j = {test_start(sleeps, &length), 0};
    struct joiner lost = {j.target, -ECANCELED};
    struct cg_coro *a = test_start(joiner, &j);
    struct cg_coro *b = test_start(joiner, &lost);
    struct cg_coro *c = test_start(joiner, &j);

    (void)arg;
    test_until_waiting(c);
    IS(cg_yield(cg_cancel(b)), 0);
    IS(test_end(b), 0);
    ck_assert_int_eq(cg_coro_state(j.target), CG_CORO_WAITING);
    IS(test_end(a), 0);
    IS(test_end(c), 0);
    return test_end(j.target);
}

/* Cancelling ends the current wait and every later one. For a finished coroutine it
 * returns -ESRCH. */
static ssize_t cancel_ends_waits(void *arg)
{
    struct cg_coro *coro = test_start(two_waits, NULL);
    int64_t start = now();

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(cg_yield(cg_join(coro)), 5);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_cancel(coro)), -ESRCH);
    IS(cg_coro_cancel(coro), -ESRCH);
    cg_coro_unref(coro);
    return 0;
}

/* A coroutine that is cancelled before it starts still runs; its first yield fails. */
static ssize_t cancel_before_start(void *arg)
{
    struct cg_coro *coro = test_start(two_waits, NULL);

    (void)arg;
    IS(cg_coro_cancel(coro), 0);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), 5);
    return 0;
}

static ssize_t cancels_itself(void *arg)
{
    (void)arg;
    IS(cg_coro_cancel(cg_coro_self()), 0);
    return cg_yield(cg_call(two_waits, NULL));
}

/* A coroutine can cancel itself. */
static ssize_t cancel_self(void *arg)
{
    ssize_t result;
    struct cg_coro *coro = test_start(cancels_itself, NULL);

    (void)arg;
    result = test_end(coro);
    if (result != -ECANCELED)
        IS(result, 5);
    return 0;
}

static ssize_t waits_and_is_cancelled(void *arg)
{
    intptr_t value = 0;

    (void)arg;
    IS(cg_yield(cg_wait_signal("late", &value)), 0);
    ck_assert_int_eq(value, 9);
    IS(cg_yield(cg_pass()), -ECANCELED);
    return 0;
}

/* An op that completed before the cancel keeps its result. */
static ssize_t cancel_after_completion(void *arg)
{
    struct cg_coro *coro = test_start(waits_and_is_cancelled, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_signal("late", 9, .prio = CG_PRIO_CORO)), 1);
    IS(cg_coro_cancel(coro), 0);
    return test_end(coro);
}

static const struct test_case cases[] = {
    CORO(add_runs_first, .where = ON_SIM),
    CORO(states, .where = ON_SIM),
    CORO(references_stay_valid, .where = ON_SIM),
    CORO(join_many, .where = ON_SIM),
    CORO(join_times_out, .where = ON_SIM),
    CORO(join_cancelled, .where = ON_SIM),
    CORO(cancel_ends_waits, .where = ON_SIM),
    CORO(cancel_before_start, .where = ON_SIM),
    CORO(cancel_self, .where = ON_SIM),
    CORO(cancel_after_completion, .where = ON_SIM),
};

int main(void)
{
    return test_main("coro", cases, COUNT(cases));
}
