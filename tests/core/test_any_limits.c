/* SPDX-License-Identifier: MIT */
/* What cg_any and cg_all take and refuse, a compound branch whose own time is up, and a
 * race that is cancelled once it is decided. The rest is in test_any.c. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>

/* As many branches as the limit says, and not one more. */
static ssize_t as_many_as_the_limit(void *arg)
{
    static struct cg_op *many[CG_ANY_LIMIT + 1];
    struct cg_op *pass = cg_pass();

    (void)arg;
    for (size_t i = 0; i <= CG_ANY_LIMIT; i++)
        many[i] = pass;
    IS(cg_yield(cg_any_of(many, CG_ANY_LIMIT)), 0); /* the first is done at once */
    IS(cg_yield(cg_any_of(many, CG_ANY_LIMIT + 1)), -EINVAL);
    return 0;
}

static ssize_t waits_for(void *op)
{
    return cg_yield((struct cg_op *)op);
}

/* An op for which another coroutine waits cannot be a branch, and whatever becomes of the
 * others, that coroutine waits on. */
static ssize_t used_elsewhere(void *arg)
{
    struct cg_op *wait = cg_wait_signal("go", NULL);
    struct cg_coro *coro = test_start(waits_for, wait);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_all((wait))), -EBUSY);
    IS(cg_yield(cg_all((cg_sleep(CG_HOUR), wait, cg_pass()))), -EBUSY);
    IS(cg_yield(cg_any((wait, cg_sleep(CG_HOUR)))), -EBUSY);
    IS(cg_yield(cg_any((cg_sleep(CG_HOUR), wait))), -EBUSY);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    IS(cg_yield(cg_signal("go", NULL)), 1);
    return test_end(coro);
}

/* An op that waits already, here because it is named twice, cannot be a branch. */
static ssize_t named_twice(void *arg)
{
    struct cg_op *sleep = cg_sleep(CG_HOUR);

    (void)arg;
    IS(cg_yield(cg_all((sleep, sleep))), -EBUSY);
    IS(cg_yield(cg_any((sleep, sleep))), -EBUSY);
    IS(cg_op_result(sleep), -ECANCELED);
    return 0;
}

static ssize_t returns_five_at_the_end(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    return 5;
}

/* A branch that times out says so, whatever its function returns then. */
static ssize_t a_call_that_times_out(void *arg)
{
    struct cg_op *call = cg_call(returns_five_at_the_end, arg, .timeout = CG_MILLISECOND);

    IS(cg_yield(cg_all((call, cg_sleep(CG_SECOND)))), 0);
    IS(cg_op_result(call), -ETIMEDOUT);
    return 0;
}

static struct cg_queue *queue;

static ssize_t gets_or_reads(void *sock)
{
    char buf[4];
    void *item;

    return cg_yield(cg_any((cg_get(queue, &item), cg_read(sock, buf, sizeof buf))));
}

/* The winner's item has been taken: a cancel that comes while the loser is still with the
 * kernel does not undo that. */
static void cancelled_once_decided(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro;

    queue = cg_queue_new(.limit = 1);
    test_until_waiting(coro = test_start(gets_or_reads, a));
    OK(cg_queue_try_put(queue, b));
    OK(cg_coro_cancel(coro));
    IS(test_end(coro), 0);
    ck_assert(cg_queue_empty(queue));
    cg_queue_free(queue);
    cg_sock_close(a);
    cg_sock_close(b);
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(as_many_as_the_limit, .where = ON_SIM),
        CORO(used_elsewhere, .where = ON_SIM),
        CORO(named_twice, .where = ON_SIM),
        CORO(a_call_that_times_out, .where = ON_SIM),
        LINK(cancelled_once_decided),
    };

    return test_main("any_limits", cases, COUNT(cases));
}
