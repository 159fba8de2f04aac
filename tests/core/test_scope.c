/* SPDX-License-Identifier: MIT */
/* Calls and scopes, in virtual time: what their deadlines and cancellations end, and what
 * a shield keeps out. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdlib.h>

#define MS CG_MILLISECOND

/* A call completes with what its function returned, also a failure, without a switch. */
static ssize_t call_answers(void *arg)
{
    ssize_t value = 42;
    struct cg_coro *other = test_start(notes, "x");

    (void)arg;
    note_anew();
    IS(cg_yield(cg_call(answers, &value)), 42);
    value = -ENOTDIR;
    IS(cg_yield(cg_call(answers, &value)), -ENOTDIR);
    ck_assert_str_eq(noted, "");
    return test_end(other);
}

/* When a call times out, every yield inside it fails with -ECANCELED, and the call itself
 * completes with -ETIMEDOUT; after that yields work again. */
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

/* Only the call whose deadline has passed completes with -ETIMEDOUT. A call inside it
 * completes with what its function returns; calls around it continue. */
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

/* An op's own timeout does not affect the scope around it. */
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

/* Inside a shield a cancelled coroutine can wait, up to the shield's own deadline; after
 * the shield it is cancelled as before. */
static ssize_t shield_keeps_cancel_out(void *arg)
{
    struct cg_coro *coro = test_start(cleans_up, NULL);

    (void)arg;
    note_anew();
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), 6);
    ck_assert_str_eq(noted, "cleaned");
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

/* A cancel during a shielded wait does not end it. */
static ssize_t shield_while_waiting(void *arg)
{
    struct cg_coro *coro = test_start(waits_in_shield, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    return test_end(coro);
}

/* Scopes opened by hand: one with a deadline, one that is cancelled, one that ends
 * normally. */
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

    cg_scope_open(&scope, now() + MS, false); /* passes, but nothing waited */
    cg_scope_open(&inner, CG_NEVER, true);
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    IS(cg_scope_close(&inner), 0);
    IS(cg_yield(cg_pass()), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    return 0;
}

/* In a scope whose deadline has passed nothing waits. */
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

/* Scopes nest as deeply as a program likes. */
static ssize_t scopes_nest_deeply(void *arg)
{
    enum { DEPTH = 2000 };
    struct cg_scope *scopes = calloc(DEPTH, sizeof *scopes);
    struct cg_coro *other;

    (void)arg;
    for (size_t i = 0; i < DEPTH; i++)
        cg_scope_open(&scopes[i], CG_NEVER, false);
    other = test_start(cancels_scope, &scopes[0]);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    for (size_t i = DEPTH; i--;)
        IS(cg_scope_close(&scopes[i]), i ? 0 : -ECANCELED);
    free(scopes);
    return test_end(other);
}

static const struct test_case cases[] = {
    CORO(call_answers, .where = ON_SIM),
    CORO(call_times_out, .where = ON_SIM),
    CORO(call_nests, .where = ON_SIM),
    CORO(own_timeout_is_local, .where = ON_SIM),
    CORO(shield_keeps_cancel_out, .where = ON_SIM),
    CORO(shield_while_waiting, .where = ON_SIM),
    CORO(scopes_by_hand, .where = ON_SIM),
    CORO(scope_of_the_past, .where = ON_SIM),
    CORO(scope_cancelled_by_another, .where = ON_SIM),
    CORO(scopes_nest_deeply, .where = ON_SIM),
};

int main(void)
{
    return test_main("scope", cases, COUNT(cases));
}
