/* SPDX-License-Identifier: MIT */
/* A long chain of coroutines, each of which joins the next, in virtual time. (Not in
 * test_coro.c: Valgrind is slow with so many stacks.) */
#include "config.h"

#include "lib/base/sanitize.h"

#include "tests/support/notes.h"

#include <errno.h>

enum { CHAIN = CG__ASAN || CG__TSAN ? 10000 : 100000 };

static struct cg_coro *chain[CHAIN + 1];

/* Joins the next coroutine of the chain. */
static ssize_t joins_next(void *arg)
{
    return cg_yield(cg_join(*(struct cg_coro **)arg));
}

static ssize_t ends_on_signal(void *arg)
{
    ssize_t rc = cg_yield(cg_wait_signal("end", NULL));

    (void)arg;
    return rc < 0 ? rc : 7;
}

static void start_chain(void)
{
    chain[CHAIN] = test_start(ends_on_signal, NULL);
    for (size_t i = CHAIN; i-- > 0;)
        OK(cg_sched_start(cg_sched_self(), joins_next, &chain[i + 1], .coro = &chain[i],
                          .stack_size = 8192));
    test_until_waiting(chain[0]);
}

static void end_chain(ssize_t result)
{
    for (size_t i = 0; i <= CHAIN; i++)
        IS(test_end(chain[i]), result);
}

/* The end of a coroutine only wakes its joiners, so that an end or a cancel passes through
 * a chain of any length without recursion. */
static ssize_t chain_of_joins(void *arg)
{
    (void)arg;
    start_chain();
    IS(cg_yield(cg_signal("end", NULL)), 1);
    end_chain(7);
    start_chain();
    IS(cg_coro_cancel(chain[CHAIN]), 0);
    end_chain(-ECANCELED);
    return 0;
}

/* A chain is cancelled from its first coroutine on; each gives up its join. */
static ssize_t chain_cancelled(void *arg)
{
    (void)arg;
    start_chain();
    for (size_t i = 0; i <= CHAIN; i++)
        IS(cg_coro_cancel(chain[i]), 0);
    end_chain(-ECANCELED);
    return 0;
}

static const struct test_case cases[] = {
    CORO(chain_of_joins, .where = ON_SIM),
    CORO(chain_cancelled, .where = ON_SIM),
};

int main(void)
{
    return test_main("coro_chain", cases, COUNT(cases));
}
