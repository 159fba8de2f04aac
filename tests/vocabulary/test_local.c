/* SPDX-License-Identifier: MIT */
/* Coroutine-local values: each coroutine has its own; destructors run at its end. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char trace[64];

static void note(void *what)
{
    strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

static const struct cg_local plain, noted = {note}, owned = {free};

static ssize_t sets(void *arg)
{
    ck_assert_ptr_null(cg_local_get(&plain));
    IS(cg_local_set(&plain, arg), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_ptr_eq(cg_local_get(&plain), arg);
    return 0;
}

/* A value that was not set is NULL; other coroutines do not see a value that one sets. */
static ssize_t own(void *arg)
{
    int a, b;
    struct cg_coro *first = test_start(sets, &a), *second = test_start(sets, &b);

    (void)arg;
    IS(cg_local_set(&plain, &a), 0);
    test_end(first);
    test_end(second);
    ck_assert_ptr_eq(cg_local_get(&plain), &a);
    IS(cg_local_set(&plain, NULL), 0);
    ck_assert_ptr_null(cg_local_get(&plain));
    return 0;
}

static void yields(void *value)
{
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    note(value);
    IS(cg_local_set(&noted, "z"), 0); /* its destructor runs, too */
}

static const struct cg_local yielding = {yields};

static ssize_t leaves_values(void *arg)
{
    (void)arg;
    IS(cg_local_set(&owned, strdup("freed")), 0);
    IS(cg_local_set(&yielding, "y"), 0);
    IS(cg_local_set(&noted, "a"), 0);
    IS(cg_local_set(&noted, "b"), 0); /* the caller owns the old value: no destructor */
    IS(cg_local_set(&plain, "p"), 0);
    return 3;
}

/* At the end of a coroutine the destructors run, the newest key first, before joiners are
 * woken. They may yield, and set values again. */
static ssize_t destroys(void *arg)
{
    struct cg_coro *coro = test_start(leaves_values, NULL);

    (void)arg;
    IS(test_end(coro), 3);
    ck_assert_str_eq(trace, "byz");
    return 0;
}

/* Many keys, with unset ones between them. */
static ssize_t many(void *arg)
{
    static const struct cg_local keys[50];

    (void)arg;
    for (size_t i = 0; i < COUNT(keys); i++)
        IS(cg_local_set(&keys[i], (void *)&keys[i]), 0);
    for (size_t i = 0; i < COUNT(keys); i += 3)
        IS(cg_local_set(&keys[i], NULL), 0);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_ptr_eq(cg_local_get(&keys[i]), i % 3 ? &keys[i] : NULL);
    return 0;
}

static ssize_t looks(void *arg)
{
    ck_assert_ptr_eq(cg_local_get(&plain), arg);
    IS(cg_local_set(&noted, "b"), 0);
    return 0;
}

/* A branch that runs in its own coroutine has the values of the coroutine that waits for
 * it. */
static ssize_t branches(void *arg)
{
    int here;

    (void)arg;
    IS(cg_local_set(&plain, &here), 0);
    IS(cg_yield(cg_all((cg_call(looks, &here), cg_any((cg_call(looks, &here)))))), 0);
    ck_assert_str_eq(cg_local_get(&noted), "b");
    IS(cg_local_set(&noted, NULL), 0);
    ck_assert_str_eq(trace, "");
    return 0;
}

/* Outside coroutines there are none. */
static void outside(void)
{
    ck_assert_ptr_null(cg_local_get(&plain));
    IS(cg_local_set(&plain, &trace), -EPERM);
}

static const struct test_case cases[] = {
    CORO(own),
    CORO(destroys),
    CORO(many, .where = ON_SIM),
    CORO(branches),
    PLAIN(outside, .where = ON_SIM),
};

int main(void)
{
    return test_main("local", cases, COUNT(cases));
}
