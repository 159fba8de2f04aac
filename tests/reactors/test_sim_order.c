/* SPDX-License-Identifier: MIT */
/* Orders of ready coroutines by the seed: they find faults that the usual order never shows,
 * the same seed gives the same order, and nothing is lost or starved. */
#include "config.h"

#include "tests/reactors/explored.h"

#include <cogen/sim.h>
#include <errno.h>
#include <string.h>

enum { SEEDS = 1000, WALKERS = 20, STEPS = 10 };

/* Runs fn in a world of this order and seed; returns what cg_sched_run did. */
static ssize_t run(enum cg_order_kind kind, uint64_t seed, cg_fn *fn)
{
    struct cg_sim_options options = {.seed = seed, .order = kind, .steps = 20};
    struct cg_reactor *world;
    struct cg_sched *sched;
    ssize_t left;

    IS(cg_sim_open(&options, &world), 0);
    sched = cg_sched_new(world);
    ck_assert_ptr_nonnull(sched);
    IS(cg_sched_start(sched, fn, NULL), 0);
    left = cg_sched_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(world);
    return left;
}

static unsigned value;

/* A fault: two coroutines read, pass and write. */
static ssize_t adds(void *arg)
{
    unsigned seen;

    for (intptr_t i = 0; i < (intptr_t)arg; i++)
        cg_yield(cg_pass());
    seen = value;
    cg_yield(cg_pass());
    value = seen + 1;
    return 0;
}

static ssize_t lost_update(void *arg)
{
    struct cg_coro *first, *second;

    (void)arg;
    value = 0;
    cg_yield(cg_add(adds, (void *)0, .coro = &first));
    cg_yield(cg_add(adds, (void *)4, .coro = &second));
    cg_yield(cg_join(first));
    cg_yield(cg_join(second));
    cg_coro_unref(first);
    cg_coro_unref(second);
    return 0;
}

static unsigned count_lost_wakeups(enum cg_order_kind kind)
{
    unsigned found = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++)
        found += run(kind, seed, lost_wakeup) != 0;
    return found;
}

static unsigned count_lost_updates(enum cg_order_kind kind)
{
    unsigned found = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run(kind, seed, lost_update);
        found += value != 2;
    }
    return found;
}

/* The usual order finds neither fault with any seed; both others find both. */
static void finds_faults(void)
{
    ck_assert_uint_eq(count_lost_wakeups(CG_ORDER_USUAL), 0);
    ck_assert_uint_ge(count_lost_wakeups(CG_ORDER_RANDOM), SEEDS / 100);
    ck_assert_uint_ge(count_lost_wakeups(CG_ORDER_PCT), SEEDS / 100);
    ck_assert_uint_eq(count_lost_updates(CG_ORDER_USUAL), 0);
    ck_assert_uint_ge(count_lost_updates(CG_ORDER_RANDOM), SEEDS / 100);
    ck_assert_uint_ge(count_lost_updates(CG_ORDER_PCT), SEEDS / 100);
}

static char walked[WALKERS * STEPS + 1];
static size_t walks;

static ssize_t walks_on(void *arg)
{
    for (int step = 0; step < STEPS; step++) {
        walked[walks++] = (char)('a' + (intptr_t)arg);
        cg_yield(step % 2 ? cg_pass() : cg_sleep(1));
    }
    return 0;
}

static ssize_t walk(void *arg)
{
    struct cg_group group;

    (void)arg;
    walks = 0;
    cg_group_open(&group);
    for (intptr_t i = 0; i < WALKERS; i++)
        IS(cg_group_start(&group, walks_on, (void *)i, NULL), 0);
    return cg_yield(cg_wait_group(&group));
}

/* Every coroutine goes all its steps; the same seed gives the same order, another one
 * another. */
static void seeds_decide(void)
{
    static const enum cg_order_kind kinds[] = {CG_ORDER_RANDOM, CG_ORDER_PCT};
    char first[sizeof walked];

    for (size_t i = 0; i < COUNT(kinds); i++) {
        IS(run(kinds[i], 7, walk), 0);
        ck_assert_uint_eq(walks, WALKERS * STEPS);
        strcpy(first, walked);
        IS(run(kinds[i], 7, walk), 0);
        ck_assert_str_eq(walked, first);
        IS(run(kinds[i], 8, walk), 0);
        ck_assert_str_ne(walked, first);
    }
}

/* An order or a depth that does not exist is refused. */
static void wrong_options(void)
{
    struct cg_reactor *world;

    IS(cg_sim_open(&(struct cg_sim_options){.order = CG_ORDER_PCT, .depth = CG_ORDER_DEPTH + 1},
                   &world),
       -EINVAL);
    IS(cg_sim_open(&(struct cg_sim_options){.order = (enum cg_order_kind)9}, &world), -EINVAL);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(finds_faults, .where = ON_SIM),
        PLAIN(seeds_decide, .where = ON_SIM),
        PLAIN(wrong_options, .where = ON_SIM),
    };

    return test_main("sim_order", cases, COUNT(cases));
}
