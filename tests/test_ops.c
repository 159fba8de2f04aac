/* SPDX-License-Identifier: MIT */
/* The core operations, one by one, in virtual time: what each answers, in which order they
 * wake, what they cost in time, and what they say when they are used wrongly. */
#include "config.h"

#include "tests/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static char trace[256];

static void note(const char *what)
{
    strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

/* With CK_FORK=no the trace of the case before is still there. */
static void note_anew(void)
{
    trace[0] = '\0';
}

static int64_t now(void)
{
    return cg_now(cg_sched_self());
}

static ssize_t answers(void *arg)
{
    return *(ssize_t *)arg;
}

static ssize_t sleeps(void *arg)
{
    return cg_yield(cg_sleep(*(int64_t *)arg));
}

static ssize_t notes(void *arg)
{
    note(arg);
    return 0;
}

/* ---- sleep and pass ----------------------------------------------------------------- */

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
    ck_assert_str_eq(trace, "1ab2c3");
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
        cg_unref(test_start(sleeper, &sleepers[i]));
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
        cg_unref(test_start(sleeper, &sleepers[i]));
    }
    IS(cg_yield(cg_sleep_until(moment + 1)), 0);
    ck_assert_uint_eq(woken, COUNT(sleepers));
    return 0;
}

/* ---- call and scopes ---------------------------------------------------------------- */

/* A call answers what its function returned, failure included, without a switch. */
static ssize_t call_answers(void *arg)
{
    ssize_t value = 42;
    struct cg_coro *other = test_start(notes, "x");

    (void)arg;
    note_anew();
    IS(cg_yield(cg_call(answers, &value)), 42);
    value = -ENOTDIR;
    IS(cg_yield(cg_call(answers, &value)), -ENOTDIR);
    ck_assert_str_eq(trace, "");
    return test_end(other);
}

static ssize_t two_waits(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_sleep(0)), -ECANCELED); /* level-triggered: it stays so */
    IS(cg_yield(cg_wait_signal("never", NULL)), -ECANCELED);
    return 5;
}

/* A call's timeout ends what is yielded inside with -ECANCELED, for good, and is answered
 * -ETIMEDOUT outside; then all is well again. */
static ssize_t call_times_out(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_call(two_waits, NULL, .timeout = 10 * MS)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 10 * MS);
    ck_assert_int_lt(now(), start + 11 * MS);
    IS(cg_yield(cg_call(two_waits, NULL, .deadline = now() + 10 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(MS)), 0);
    return 0;
}

static ssize_t inner_call(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_call(two_waits, NULL, .timeout = CG_HOUR)), 5);
    IS(cg_yield(cg_call(two_waits, NULL)), -ECANCELED); /* does not even start */
    return 0;
}

static ssize_t outer_call(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_call(two_waits, NULL, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(MS)), 0);
    return 3;
}

/* Only the call whose deadline it was answers -ETIMEDOUT; one inside it that had begun
 * answers what its function made of it, those around it go on. */
static ssize_t call_nests(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_call(inner_call, NULL, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_call(outer_call, NULL, .timeout = CG_SECOND)), 3);
    return 0;
}

static ssize_t own_timeouts(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(MS)), 0);
    return 1;
}

/* An op's own timeout leaves the scope it is in alone. */
static ssize_t own_timeout_is_local(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_call(own_timeouts, NULL, .timeout = CG_HOUR)), 1);
    return 0;
}

static ssize_t shielded(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    return 4;
}

static ssize_t cleans_up(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_call(shielded, NULL, .shield = true)), 4);
    IS(cg_yield(cg_call(two_waits, NULL, .shield = true, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(0)), -ECANCELED);
    note("cleaned");
    return 6;
}

/* Inside a shield a cancelled coroutine can wait, bounded by the shield's own deadline;
 * after it, it is cancelled as before. */
static ssize_t shield_keeps_cancel_out(void *arg)
{
    struct cg_coro *coro = test_start(cleans_up, NULL);

    (void)arg;
    note_anew();
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), 6);
    ck_assert_str_eq(trace, "cleaned");
    coro = test_start(cleans_up, NULL);
    test_until_waiting(coro);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), 6);
    return 0;
}

static ssize_t waits_in_shield(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_call(shielded, NULL, .shield = true)), 4);
    IS(cg_yield(cg_sleep(0)), -ECANCELED);
    return 0;
}

/* A cancel that comes while a shielded wait is on does not disturb it. */
static ssize_t shield_while_waiting(void *arg)
{
    struct cg_coro *coro = test_start(waits_in_shield, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    return test_end(coro);
}

/* Scopes opened by hand: a deadline, a cancel, and an end in peace. */
static ssize_t scopes_by_hand(void *arg)
{
    struct cg_scope scope, inner;

    (void)arg;
    cg_scope_open(&scope, CG_NEVER, false);
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_scope_close(&scope), 0);

    cg_scope_open(&scope, now() + MS, false);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_pass()), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(MS)), 0);

    cg_scope_open(&scope, CG_NEVER, false);
    cg_scope_cancel(&scope);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_scope_close(&scope), -ECANCELED);

    cg_scope_open(&scope, now() + MS, false);
    cg_scope_open(&inner, now() + CG_SECOND, false);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    ck_assert_int_ne(cg_scope_close(&inner), -ETIMEDOUT);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    IS(cg_yield(cg_sleep(MS)), 0);

    cg_scope_open(&scope, now() + MS, false); /* passed, but nobody waited */
    cg_scope_open(&inner, CG_NEVER, true);
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    IS(cg_scope_close(&inner), 0);
    IS(cg_yield(cg_pass()), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    return 0;
}

/* A scope that was there already when a moment has passed lets nothing wait. */
static ssize_t scope_of_the_past(void *arg)
{
    struct cg_scope scope;
    int64_t start;

    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    start = now();
    cg_scope_open(&scope, start - 1, false);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    return 0;
}

static ssize_t cancels_scope(void *arg)
{
    cg_scope_cancel(arg);
    return 0;
}

/* A scope can be cancelled by another coroutine while its owner waits inside it. */
static ssize_t scope_cancelled_by_another(void *arg)
{
    struct cg_scope scope;
    struct cg_coro *other;

    (void)arg;
    cg_scope_open(&scope, CG_NEVER, false);
    other = test_start(cancels_scope, &scope);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_scope_close(&scope), -ECANCELED);
    return test_end(other);
}

/* ---- add, join, states -------------------------------------------------------------- */

/* The new coroutine runs before its parent goes on, unless the parent is favoured. */
static ssize_t add_runs_first(void *arg)
{
    (void)arg;
    note_anew();
    IS(cg_yield(cg_add(notes, "a")), 0);
    note("1");
    IS(cg_yield(cg_add(notes, "b", .prio = CG_PRIO_CORO)), 0);
    note("2");
    IS(cg_yield(cg_pass()), 0);
    ck_assert_str_eq(trace, "a12b");
    IS(cg_yield(cg_add(NULL, "c")), -EINVAL);
    return 0;
}

static ssize_t looks_at_itself(void *arg)
{
    struct cg_coro *self = cg_self();

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
    cg_unref(coro);
    return 0;
}

/* A reference stays good after the end, while hundreds of others come and go on the stack
 * that it had. */
static ssize_t references_stay_valid(void *arg)
{
    ssize_t value = 1234, zero = 0;
    struct cg_coro *coro = test_start(answers, &value), *second;

    (void)arg;
    second = cg_ref(coro);
    ck_assert_ptr_eq(second, coro);
    IS(cg_yield(cg_join(coro)), 1234);
    cg_unref(second);
    for (int i = 0; i < 300; i++)
        IS(cg_yield(cg_add(answers, &zero, .name = "other")), 0);
    ck_assert_str_eq(cg_coro_name(coro), "helper");
    IS(cg_coro_result(coro), 1234);
    IS(cg_yield(cg_join(coro)), 1234);
    cg_unref(coro);
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

/* Every joiner gets the result, a failure too, early or late. */
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
    cg_unref(j.target);
    return 0;
}

/* A join that times out leaves the coroutine alone; one of itself is refused. */
static ssize_t join_times_out(void *arg)
{
    int64_t length = CG_SECOND, start = now();
    struct cg_coro *coro = test_start(sleeps, &length);

    (void)arg;
    IS(cg_yield(cg_join(coro, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_join(coro, .timeout = MS)), -ETIMEDOUT);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    IS(cg_yield(cg_join(cg_self())), -EDEADLK);
    IS(cg_yield(cg_join(coro)), 0);
    IS(cg_yield(cg_join(coro, .timeout = CG_NOWAIT)), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    cg_unref(coro);
    return 0;
}

/* A joiner that is cancelled takes neither its target nor the other joiners along. */
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

/* ---- cancel ------------------------------------------------------------------------- */

/* Cancelling ends the wait, and every later one; a finished coroutine answers -ESRCH. */
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
    cg_unref(coro);
    return 0;
}

/* One that has not started still runs: it finds itself cancelled at its first yield. */
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
    IS(cg_coro_cancel(cg_self()), 0);
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

/* What had completed before the cancel came is still answered. */
static ssize_t cancel_after_completion(void *arg)
{
    struct cg_coro *coro = test_start(waits_and_is_cancelled, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_signal("late", 9, .prio = CG_PRIO_CORO)), 1);
    IS(cg_coro_cancel(coro), 0);
    return test_end(coro);
}

/* ---- suspend and activate ----------------------------------------------------------- */

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
    cg_unref(coro);
    return 0;
}

/* ---- using ops wrongly -------------------------------------------------------------- */

static ssize_t yields_it(void *arg)
{
    return cg_yield(arg);
}

/* An op that waits cannot be yielded a second time; once it has completed it can. */
static ssize_t op_yielded_twice(void *arg)
{
    struct cg_op *op = cg_sleep(CG_SECOND);
    struct cg_coro *coro = test_start(yields_it, op);
    int64_t start = now();

    (void)arg;
    test_until_waiting(coro);
    IS(cg_result(op), -EBUSY);
    IS(cg_yield(op), -EBUSY);
    IS(test_end(coro), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    IS(cg_result(op), 0);
    start = now();
    IS(cg_yield(op), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    return 0;
}

/* An op that timed out or was cancelled can be yielded again. */
static ssize_t op_yielded_again(void *arg)
{
    struct cg_op *op = cg_wait_signal("x", NULL, .timeout = MS);

    (void)arg;
    for (int i = 0; i < 3; i++) {
        int64_t start = now();

        IS(cg_yield(op), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + MS);
        IS(cg_result(op), -ETIMEDOUT);
    }
    IS(cg_yield(cg_signal("x", NULL)), 0);
    return 0;
}

static int posted_answer;

static void yields_outside(void *arg)
{
    (void)arg;
    ck_assert_ptr_null(cg_self());
    posted_answer = (int)cg_yield(cg_sleep(CG_SECOND));
}

/* Outside a coroutine a yield answers -EPERM, and nothing runs there. */
static void yield_outside(void)
{
    struct test test;

    ck_assert_ptr_null(cg_self());
    ck_assert_ptr_null(cg_sched_self());
    IS(cg_yield(cg_sleep(CG_SECOND)), -EPERM);
    test = test_open(.timeout = 0);
    IS(cg_yield(cg_sleep(CG_SECOND)), -EPERM);
    OK(cg_post(test.sched, yields_outside, NULL));
    test_finish(&test);
    IS(posted_answer, -EPERM);
    IS(cg_start(test.sched, NULL, NULL), -EINVAL);
    test_close(&test);
}

static ssize_t runs_its_own_scheduler(void *arg)
{
    (void)arg;
    IS(cg_run(cg_sched_self()), -EBUSY);
    IS(cg_step(cg_sched_self(), 0), -EBUSY);
    return 0;
}

/* ---- priorities --------------------------------------------------------------------- */

static ssize_t waits_and_notes(void *arg)
{
    IS(cg_yield(cg_wait_signal("go", NULL, .prio = CG_PRIO_LAST)), 0);
    note(arg);
    return 0;
}

static const char *order_with(uint8_t prio)
{
    struct cg_coro *v = test_start(waits_and_notes, "v");
    struct cg_coro *w = test_start(waits_and_notes, "w"), *x;

    test_until_waiting(v);
    test_until_waiting(w);
    x = test_start(notes, "x");
    note_anew();
    IS(cg_yield(cg_signal("go", NULL, .prio = prio)), 2);
    note("m");
    test_end(v);
    test_end(w);
    test_end(x);
    return trace;
}

/* cogen's flags: nobody is favoured; the yielder; those it wakes, who go to the head; both. */
static ssize_t priorities(void *arg)
{
    (void)arg;
    ck_assert_str_eq(order_with(CG_PRIO_DEFAULT), "xvwm");
    ck_assert_str_eq(order_with(CG_PRIO_LAST), "xvwm");
    ck_assert_str_eq(order_with(CG_PRIO_CORO), "mxvw");
    order_with(CG_PRIO_OP);
    ck_assert_msg(!strcmp(trace, "vwxm") || !strcmp(trace, "wvxm"), "%s", trace);
    order_with(CG_PRIO_FIRST);
    ck_assert_msg(trace[3] == 'x', "%s", trace);
    return 0;
}

static ssize_t default_is_coro(void *arg)
{
    (void)arg;
    ck_assert_str_eq(order_with(CG_PRIO_DEFAULT), "mxvw");
    ck_assert_str_eq(order_with(CG_PRIO_LAST), "xvwm");
    return 0;
}

/* The scheduler's priority is that of ops that name none. */
static void default_priority(void)
{
    struct test test = test_open(.prio = CG_PRIO_CORO);

    OK(cg_start(test.sched, default_is_coro, NULL));
    test_finish(&test);
    test_close(&test);
}

/* A start with CG_PRIO_OP goes to the head of the queue. */
static ssize_t start_at_the_head(void *arg)
{
    struct cg_coro *a = test_start(notes, "a");

    (void)arg;
    note_anew();
    OK(cg_start(cg_sched_self(), notes, "b", .prio = CG_PRIO_OP));
    OK(test_end(a));
    ck_assert_str_eq(trace, "ba");
    return 0;
}

/* ---- timeouts ----------------------------------------------------------------------- */

/* The earliest of timeout and deadline counts; CG_NOWAIT takes no time; a deadline that has
 * passed lets nothing wait. */
static ssize_t timeouts(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_wait_signal("x", NULL, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_suspend(.timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = 5 * MS, .deadline = start + 3 * MS)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 3 * MS);
    ck_assert_int_lt(now(), start + 4 * MS);
    start = now();
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = 5 * MS, .deadline = start + 8 * MS)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 5 * MS);
    ck_assert_int_lt(now(), start + 6 * MS);
    start = now();
    IS(cg_yield(cg_sleep(CG_HOUR, .deadline = start - MS)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_sleep(MS, .deadline = CG_NEVER, .timeout = CG_NEVER)), 0);
    return 0;
}

static ssize_t has_default_timeout(void *arg)
{
    int64_t start = now(), length = 3 * CG_SECOND;
    struct cg_coro *sleeping = test_start(sleeps, &length);

    (void)arg;
    IS(cg_yield(cg_wait_signal("x", NULL)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + CG_SECOND);
    ck_assert_int_lt(now(), start + CG_SECOND + MS);
    IS(cg_yield(cg_wait_signal("x", NULL, .timeout = CG_SECOND / 2)), -ETIMEDOUT);
    ck_assert_int_lt(now(), start + 2 * CG_SECOND);
    IS(test_end(sleeping), 0); /* neither sleep nor join has one */
    ck_assert_int_ge(now(), start + 3 * CG_SECOND);
    start = now();
    IS(cg_yield(cg_wait_signal("x", NULL, .timeout = CG_NEVER, .deadline = start + CG_HOUR)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + CG_HOUR);
    return 0;
}

/* The scheduler's default timeout is for signals, not for sleep, call, add and join; a
 * keyword overrides it. */
static void default_timeout(void)
{
    struct test test = test_open(.timeout = CG_SECOND);

    OK(cg_start(test.sched, has_default_timeout, NULL));
    test_finish(&test);
    test_close(&test);
}

/* ---- printing ----------------------------------------------------------------------- */

/* An op prints its name, and since when it waits. */
static ssize_t op_prints_itself(void *arg)
{
    struct cg_op *op = cg_sleep(10 * CG_SECOND);
    struct cg_coro *coro = test_start(yields_it, op);
    char text[128];
    int len;

    (void)arg;
    IS(cg_yield(cg_sleep(1200 * MS)), 0);
    len = cg_op_print(op, text, sizeof text);
    ck_assert_int_eq(len, (int)strlen(text));
    ck_assert_msg(!strncmp(text, "sleep", 5), "%s", text);
    ck_assert_msg(strstr(text, "since 1.2 s") != NULL, "%s", text);
    ck_assert_int_eq(cg_op_print(op, text, 3), len); /* as snprintf */
    ck_assert_uint_eq(strlen(text), 2);
    return test_end(coro);
}

/* The codes have names. */
static ssize_t errors_have_names(void *arg)
{
    (void)arg;
    ck_assert_str_eq(cg_strerror(CG_EOF), "end of stream");
    ck_assert_str_eq(cg_strerror(0), "success");
    ck_assert_str_eq(cg_strerror(17), "success");
    ck_assert_str_eq(cg_strerror(-ECANCELED), strerror(ECANCELED));
    ck_assert_ptr_nonnull(cg_strerror(-99999));
    ck_assert_ptr_nonnull(strchr(cg_version(), '.'));
    return 0;
}

static const struct test_case cases[] = {
    CORO(sleep_takes_its_time, .where = ON_SIM),
    CORO(sleep_until_the_past, .where = ON_SIM),
    CORO(pass_is_one_round, .where = ON_SIM),
    CORO(timers_in_order, .where = ON_SIM),
    CORO(timers_of_one_moment, .where = ON_SIM),
    CORO(call_answers, .where = ON_SIM),
    CORO(call_times_out, .where = ON_SIM),
    CORO(call_nests, .where = ON_SIM),
    CORO(own_timeout_is_local, .where = ON_SIM),
    CORO(shield_keeps_cancel_out, .where = ON_SIM),
    CORO(shield_while_waiting, .where = ON_SIM),
    CORO(scopes_by_hand, .where = ON_SIM),
    CORO(scope_of_the_past, .where = ON_SIM),
    CORO(scope_cancelled_by_another, .where = ON_SIM),
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
    CORO(suspend_and_activate, .where = ON_SIM),
    CORO(op_yielded_twice, .where = ON_SIM),
    CORO(op_yielded_again, .where = ON_SIM),
    PLAIN(yield_outside, .where = ON_SIM),
    CORO(runs_its_own_scheduler, .where = ON_SIM),
    CORO(priorities, .where = ON_SIM),
    PLAIN(default_priority, .where = ON_SIM),
    CORO(start_at_the_head, .where = ON_SIM),
    CORO(timeouts, .where = ON_SIM),
    PLAIN(default_timeout, .where = ON_SIM),
    CORO(op_prints_itself, .where = ON_SIM),
    CORO(errors_have_names, .where = ON_SIM),
};

int main(void)
{
    return test_main("ops", cases, COUNT(cases));
}
