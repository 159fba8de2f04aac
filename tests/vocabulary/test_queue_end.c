/* SPDX-License-Identifier: MIT */
/* What happens to a queue's waiters and items when it is freed. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>

static int dropped;

static void count(void *item)
{
    (void)item;
    dropped++;
}

static ssize_t joins(void *queue)
{
    return cg_yield(cg_join_queue(queue));
}

/* A join completes with an error: the work will never be done. */
static ssize_t joiners(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 2);
    struct cg_coro *coro;

    OK(cg_queue_try_put(queue, arg));
    test_until_waiting(coro = test_start(joins, queue));
    cg_queue_free(queue);
    IS(test_end(coro), -EBADF);
    return 0;
}

/* Each item that was not taken is dropped once. */
static ssize_t items(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.drop = count);
    void *item;

    for (int i = 0; i < 40; i++)
        OK(cg_queue_try_put(queue, arg));
    OK(cg_queue_try_get(queue, &item));
    dropped = 0;
    cg_queue_free(queue);
    ck_assert_int_eq(dropped, 39);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(joiners, .where = ON_SIM),
        CORO(items, .where = ON_SIM),
    };

    return test_main("queue_end", cases, COUNT(cases));
}
