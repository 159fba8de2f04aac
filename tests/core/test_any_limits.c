/* SPDX-License-Identifier: MIT */
/* What cg_any and cg_all take and refuse, how deep they nest, a compound branch whose
 * own time is up, and a race that is cancelled once it is decided. The rest is in
 * test_any.c. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>

#define MS CG_MILLISECOND

/* A race may have as many branches as the limit allows, and not one more. */
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

/* An op for which another coroutine waits cannot be a branch. Whatever happens to the
 * other branches, that coroutine continues to wait. */
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

/* An op that already waits cannot be a branch; here because it is listed twice. */
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

/* A branch that times out has the result -ETIMEDOUT, whatever its function returns
 * then. */
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

/* The winner has taken an item. A cancel while the kernel still holds the loser does not
 * undo that. */
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

struct decided {
    struct cg_sock *sock;
    struct cg_queue *queue;
};

static ssize_t is_decided(void *arg)
{
    struct decided *d = arg;
    intptr_t item = 0;
    char byte;
    struct cg_op *get = cg_get(d->queue, &item);

    IS(cg_yield(cg_any((cg_read(d->sock, &byte, 1), get))), 1);
    IS(cg_op_result(get), 0);
    IS(item, 7);
    IS(cg_yield(cg_pass()), -ECANCELED);
    return 0;
}

/* A race that is decided, and only waits for the kernel to let go of a loser, is not
 * undone by a cancellation: the winner keeps its result. */
static ssize_t decided_then_cancelled(void *arg)
{
    struct decided d = {.queue = cg_queue_new()};
    struct cg_sock *peer;
    struct cg_coro *coro;

    (void)arg;
    test_tcp(&d.sock, &peer);
    coro = test_start(is_decided, &d);
    test_until_waiting(coro);
    IS(cg_queue_try_put(d.queue, (void *)7), 0);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), 0);
    cg_sock_close(d.sock);
    cg_sock_close(peer);
    cg_queue_free(d.queue);
    return 0;
}

/* In a coroutine that is already cancelled no branch begins, and each branch's result says
 * so, also that of an op that has succeeded before. */
static ssize_t refused(void *arg)
{
    struct cg_scope scope;
    struct cg_op *a = cg_sleep(0), *b = cg_sleep(CG_HOUR);

    (void)arg;
    IS(cg_yield(a), 0);
    cg_scope_open(&scope, CG_NEVER, false);
    cg_scope_cancel(&scope);
    IS(cg_yield(cg_any((cg_all((a, b)), cg_sleep(1)))), -ECANCELED);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), -ECANCELED);
    IS(cg_scope_close(&scope), -ECANCELED);
    return 0;
}

/* Races nest up to CG_ANY_DEPTH. Deeper ones are refused, and use no stack. */
static ssize_t deep(void *arg)
{
    enum { DEPTH = 5000 };
    struct cg_any_op *races = calloc(DEPTH, sizeof *races);
    struct cg_op **ops = calloc(DEPTH + 1, sizeof *ops);
    struct cg_sleep_op *nap = (struct cg_sleep_op *)cg_sleep(MS);
    struct cg_scope scope;
    char text[64];

    (void)arg;
    for (size_t i = 0; i < DEPTH; i++) {
        races[i] = (struct cg_any_op){.type = i % 2 ? &cg_any_type : &cg_all_type,
                                      .ops = &ops[i + 1], .count = 1};
        ops[i] = &races[i].op;
    }
    ops[DEPTH] = &nap->op;
    IS(cg_yield(ops[DEPTH - CG_ANY_DEPTH]), 0);
    IS(cg_op_result(&nap->op), 0);
    cg_scope_open(&scope, cg_sched_now(cg_sched_self()) + MS / 2, false);
    IS(cg_yield(ops[DEPTH - CG_ANY_DEPTH]), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    IS(cg_op_result(&nap->op), -ECANCELED);
    IS(cg_yield(ops[DEPTH - CG_ANY_DEPTH - 1]), -ELOOP);
    IS(cg_yield(ops[0]), -ELOOP);
    cg_scope_open(&scope, CG_NEVER, false);
    cg_scope_cancel(&scope);
    IS(cg_yield(ops[0]), -ECANCELED);
    cg_scope_close(&scope);
    cg_op_print(ops[0], text, sizeof text);
    ck_assert_str_eq(text, "all of 1, too deep");
    free(ops);
    free(races);
    return 0;
}

static size_t levels;

static ssize_t calls_deeper(void *arg)
{
    intptr_t depth = (intptr_t)arg;

    levels++;
    if (depth == 0)
        return cg_yield(cg_sleep(CG_HOUR));
    return cg_yield(cg_any((cg_call(calls_deeper, (void *)(depth - 1)), cg_sleep(CG_HOUR))));
}

/* Races inside compound branches, which have their own stacks, may nest to any depth. */
static ssize_t deep_calls(void *arg)
{
    enum { DEPTH = 2000 };
    struct cg_coro *coro = test_start(calls_deeper, (void *)DEPTH);

    (void)arg;
    while (levels <= DEPTH)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), -ECANCELED);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(deep_calls, .where = ON_SIM),
        CORO(deep, .where = ON_SIM),
        CORO(refused, .where = ON_SIM),
        CORO(decided_then_cancelled),
        CORO(as_many_as_the_limit, .where = ON_SIM),
        CORO(used_elsewhere, .where = ON_SIM),
        CORO(named_twice, .where = ON_SIM),
        CORO(a_call_that_times_out, .where = ON_SIM),
        LINK(cancelled_once_decided),
    };

    return test_main("any_limits", cases, COUNT(cases));
}
