/* SPDX-License-Identifier: MIT */
/* Functions in threads whose ops are cancelled: what a cancel can stop, and who owns the
 * argument then. */
#include "config.h"

#include "tests/threads/gate.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A function that waits for a thread is removed from the queue and never runs. */
static ssize_t the_queued_are_taken_back(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(1, 3);
    struct visit first = {.gate = &gate, .pool = pool}, v[3];
    struct cg_coro *runs = test_start(visit, &first), *coros[3];

    (void)arg;
    test_until_waiting(runs);
    await_inside(&gate, 1);
    for (int i = 0; i < 3; i++) {
        v[i] = (struct visit){.gate = &gate, .pool = pool, .fate = CG_FATE_LEFT};
        coros[i] = test_start(visit, &v[i]);
        test_until_waiting(coros[i]);
    }
    for (int i = 1; i < 4; i++) { /* from the middle, the end, the front */
        IS(cg_yield(cg_cancel(coros[i % 3])), 0);
        IS(test_end(coros[i % 3]), -ECANCELED);
        ck_assert_int_eq(v[i % 3].fate, CG_FATE_NOT_RUN);
    }
    v[0].timeout = MS;
    v[0].fate = CG_FATE_LEFT;
    IS(visit(&v[0]), -ETIMEDOUT);
    ck_assert_int_eq(v[0].fate, CG_FATE_NOT_RUN);
    open_gate(&gate);
    IS(test_end(runs), 1);
    ck_assert_int_eq(gate.calls, 1);
    cg_pool_free(pool);
    return 0;
}

/* The op waits for a function that runs, since that may use the stack. Its result is the
 * reason of the cancellation. */
static ssize_t the_running_are_waited_for(void *arg)
{
    struct gate gate = GATE;
    struct visit v = {.gate = &gate, .fate = CG_FATE_LEFT};
    struct cg_coro *coro = test_start(visit, &v);

    (void)arg;
    test_until_waiting(coro);
    await_inside(&gate, 1);
    IS(cg_yield(cg_cancel(coro)), 0);
    for (int i = 0; i < 50; i++)
        OK(cg_yield(cg_pass()));
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    ck_assert_int_eq(v.fate, CG_FATE_LEFT);
    open_gate(&gate);
    IS(test_end(coro), -ECANCELED);
    ck_assert_int_eq(v.fate, CG_FATE_RAN);
    ck_assert_int_eq(gate.inside, 0);
    return 0;
}

/* With .abandon a cancelled op does not wait for a function that runs; the thread passes
 * the argument to the abandon function. */
static ssize_t the_abandoned_are_left_behind(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(2, 0);
    struct visit v = {.gate = &gate, .pool = pool, .abandon = abandoned};
    struct cg_coro *coro = test_start(visit, &v);

    (void)arg;
    test_until_waiting(coro);
    await_inside(&gate, 1);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    ck_assert_int_eq(v.fate, CG_FATE_LEFT);
    coro = test_start(visit, &v);
    test_until_waiting(coro);
    await_inside(&gate, 2);
    ck_assert_int_eq(gate.abandoned, 0);
    v.fate = CG_FATE_NOT_RUN;
    IS(visit(&v), -EAGAIN); /* abandoned functions keep their threads */
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    cg_pool_free(pool); /* the last thread frees the memory */
    open_gate(&gate);
    await_abandoned(&gate, 2);
    return 0;
}

/* With .abandon, the caller still owns the argument of a function that returned in time,
 * or never ran. */
static ssize_t nothing_is_abandoned_in_vain(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(1, 1);
    struct visit v = {.gate = &gate, .pool = pool, .abandon = abandoned};
    struct visit queued = v;
    struct cg_coro *coro = test_start(visit, &v), *other = test_start(visit, &queued);

    (void)arg;
    test_until_waiting(other);
    await_inside(&gate, 1);
    IS(cg_yield(cg_cancel(other)), 0);
    IS(test_end(other), -ECANCELED);
    ck_assert_int_eq(queued.fate, CG_FATE_NOT_RUN);
    open_gate(&gate);
    IS(test_end(coro), 1);
    ck_assert_int_eq(v.fate, CG_FATE_RAN);
    ck_assert_int_eq(gate.abandoned, 0);
    cg_pool_free(pool);
    return 0;
}

static ssize_t cancelled_already(void *arg)
{
    struct visit *v = arg;

    IS(cg_yield(cg_cancel(cg_coro_self())), 0);
    v->fate = CG_FATE_LEFT;
    return visit(v);
}

/* In a cancelled coroutine the function is not queued, and .fate says so. */
static ssize_t one_that_came_too_late(void *arg)
{
    struct gate gate = GATE;
    struct visit v = {.gate = &gate};

    (void)arg;
    IS(test_end(test_start(cancelled_already, &v)), -ECANCELED);
    ck_assert_int_eq(v.fate, CG_FATE_NOT_RUN);
    ck_assert_int_eq(gate.calls, 0);
    return 0;
}

struct storm {
    struct cg_pool *pool;
    atomic_int ran, freed;
    int left, answered, not_run, given;
    uint64_t seed;
};

static ssize_t short_work(void *arg)
{
    struct storm **cell = arg;

    atomic_fetch_add(&(*cell)->ran, 1);
    return 0;
}

static void free_cell(void *arg)
{
    struct storm **cell = arg, *storm = *cell;

    free(cell);
    atomic_fetch_add(&storm->freed, 1);
}

static ssize_t in_the_storm(void *arg)
{
    struct storm *storm = arg;

    for (int i = 0; i < 40; i++) {
        struct storm **cell = malloc(sizeof *cell);
        enum cg_fate fate;

        ck_assert_ptr_nonnull(cell);
        *cell = storm;
        storm->given++;
        OK(cg_yield(
            cg_any((cg_offload(short_work, cell, .pool = storm->pool,
                               .abandon = free_cell, .fate = &fate),
                    cg_sleep(1 + test_random(&storm->seed) % (50 * CG_MICROSECOND))))));
        storm->left += fate == CG_FATE_LEFT;
        storm->answered += fate == CG_FATE_RAN;
        storm->not_run += fate == CG_FATE_NOT_RUN;
        if (fate != CG_FATE_LEFT)
            free(cell);
    }
    return 0;
}

/* Many functions race timers. Each argument is freed exactly once, by the side that .fate
 * names. */
static ssize_t a_storm_of_races(void *arg)
{
    struct storm storm = {.pool = pool_of(3, 100), .seed = 7};
    struct cg_coro *coros[8];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(in_the_storm, &storm);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 0);
    ck_assert_int_eq(storm.left + storm.answered + storm.not_run, storm.given);
    while (atomic_load(&storm.freed) < storm.left)
        sched_yield();
    ck_assert_int_eq(atomic_load(&storm.ran), storm.given - storm.not_run);
    cg_pool_free(storm.pool);
    return 0;
}

static const struct test_case cases[] = {
    CORO(the_queued_are_taken_back),
    CORO(the_running_are_waited_for),
    CORO(the_abandoned_are_left_behind),
    CORO(nothing_is_abandoned_in_vain),
    CORO(one_that_came_too_late),
    CORO(a_storm_of_races),
};

int main(void)
{
    return test_main("offload_cancel", cases, COUNT(cases));
}
