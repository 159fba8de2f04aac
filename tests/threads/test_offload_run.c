/* SPDX-License-Identifier: MIT */
/* Functions in threads, and a scheduler's run: what holds the run open, what its end waits
 * for, and several schedulers with one pool. */
#include "config.h"

#include "tests/threads/gate.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

static ssize_t add_up(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

static ssize_t adder(void *arg)
{
    for (int i = 0; i < 50; i++)
        IS(cg_yield(cg_offload(add_up, arg)), 0);
    return 0;
}

/* A function in a thread holds the run open; an abandoned one does not. */
static void what_holds_the_run_open(void)
{
    struct test test = test_open(.timeout = 0);
    struct gate gate = GATE, other = GATE;
    struct visit stays = {.gate = &gate};
    struct visit left = {.gate = &other, .timeout = MS, .abandon = abandoned};

    OK(cg_sched_start(test.sched, visit, &left));
    test_finish(&test);
    OK(cg_sched_start(test.sched, visit, &stays));
    for (int i = 0; i < 5; i++)
        IS(cg_sched_step(test.sched, 0), 1);
    await_inside(&gate, 1);
    open_gate(&gate);
    test_finish(&test);
    ck_assert_int_eq(stays.fate, CG_FATE_RAN);
    test_close(&test);
    if (left.fate == CG_FATE_LEFT) { /* on sim it times out before it has begun */
        open_gate(&other);
        await_abandoned(&other, 1);
    }
}

/* An argument on the coroutine's stack. */
struct stuck {
    struct gate *gate;
    int touched;
};

static ssize_t get_stuck(void *arg)
{
    struct stuck *stuck = arg;

    through(stuck->gate);
    stuck->touched++;
    abandoned(stuck->gate);
    return 0;
}

static ssize_t waits_for_a_stuck_one(void *arg)
{
    struct stuck stuck = {.gate = arg};

    return cg_yield(cg_offload(get_stuck, &stuck));
}

/* When the grace period is over, the scheduler can be freed although a function still runs
 * in a thread. The function is abandoned; the coroutine's stack, on which its argument is,
 * is kept until it returns. */
static void a_stuck_function_holds_nothing_up(void)
{
    struct test test = test_open(.grace = MS);
    struct gate gate = GATE;

    freopen("/dev/null", "w", stderr); /* hides the report of an abandoned coroutine */
    for (int i = 0; i < 2; i++)
        OK(cg_sched_start(test.sched, waits_for_a_stuck_one, &gate));
    IS(cg_sched_step(test.sched, 0), 1);
    await_inside(&gate, 2);
    cg_sched_stop(test.sched);
    IS(cg_sched_run(test.sched), 2);
    cg_sched_free(test.sched);
    cg_reactor_close(test.reactor);
    test_watch(NULL, 0);
    ck_assert_int_eq(gate.inside, 2);
    open_gate(&gate);
    await_abandoned(&gate, 2);
}

static void *a_scheduler(void *arg)
{
    return (void *)cg_main("poll", adder, arg);
}

/* Several threads with a scheduler each, and one pool. Each scheduler is freed as soon as
 * it has its results. */
static void several_schedulers(void)
{
    pthread_t threads[4];
    atomic_int sum = 0;

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT(threads); i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, a_scheduler, &sum), 0);
        for (size_t i = 0; i < COUNT(threads); i++) {
            void *answer;

            pthread_join(threads[i], &answer);
            IS((ssize_t)answer, 0);
        }
    }
    ck_assert_int_eq(atomic_load(&sum), 5 * 4 * 50);
}

/* Functions run in threads in a simulated world, too, if other threads may wake it. */
static void a_simulated_world_with_threads(void)
{
    struct cg_reactor *world;
    struct cg_sched *sched;
    atomic_int sum = 0;

    OK(cg_sim_open(&(struct cg_sim_options){.threads = true}, &world));
    sched = cg_sched_new(world);
    ck_assert_ptr_nonnull(sched);
    OK(cg_sched_start(sched, adder, &sum));
    IS(cg_sched_run(sched), 0);
    ck_assert_int_eq(atomic_load(&sum), 50);
    cg_sched_free(sched);
    cg_reactor_close(world);
}

/* The virtual clock does not wait for threads. */
static ssize_t virtual_time_goes_on(void *arg)
{
    struct gate gate = GATE;
    struct visit v = {.gate = &gate, .timeout = CG_HOUR, .abandon = abandoned};
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    IS(visit(&v), -ETIMEDOUT);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - start, CG_HOUR);
    open_gate(&gate);
    if (v.fate == CG_FATE_LEFT)
        await_abandoned(&gate, 1);
    return 0;
}

static const struct test_case cases[] = {
    PLAIN(what_holds_the_run_open),
    PLAIN(a_stuck_function_holds_nothing_up),
    PLAIN(several_schedulers, .where = ON_SIM),
    PLAIN(a_simulated_world_with_threads, .where = ON_SIM),
    CORO(virtual_time_goes_on, .where = ON_SIM),
};

int main(void)
{
    return test_main("offload_run", cases, COUNT(cases));
}
