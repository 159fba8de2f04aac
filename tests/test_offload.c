/* SPDX-License-Identifier: MIT */
/* Functions in threads: their results, their limits, and what a cancel can stop. A gate is a
 * function that blocks until the test opens it, so that nothing here depends on time. */
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside, most, calls, abandoned;
    bool open;
};

#define GATE                                                                           \
    {                                                                                  \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, false         \
    }

static ssize_t through(void *arg)
{
    struct gate *gate = arg;
    int calls;

    pthread_mutex_lock(&gate->lock);
    calls = ++gate->calls;
    if (++gate->inside > gate->most)
        gate->most = gate->inside;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
    pthread_mutex_unlock(&gate->lock);
    return calls;
}

static void abandoned(void *arg)
{
    struct gate *gate = arg;

    pthread_mutex_lock(&gate->lock);
    gate->abandoned++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void open_soon(void *arg)
{
    open_gate(arg);
}

/* Blocks the test until that many are inside. */
static void await_inside(struct gate *gate, int n)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < n)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void await_abandoned(struct gate *gate, int n)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->abandoned < n)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static struct cg_pool *pool_of(unsigned threads, size_t queue)
{
    struct cg_pool *pool = cg_pool_new(threads, queue);

    ck_assert_ptr_nonnull(pool);
    return pool;
}

/* A coroutine that goes through the gate. */
struct visit {
    struct gate *gate;
    struct cg_pool *pool;
    int64_t timeout;
    void (*abandon)(void *arg);
    enum cg_fate fate;
};

static ssize_t visit(void *arg)
{
    struct visit *v = arg;

    return cg_yield(cg_offload(through, v->gate, .pool = v->pool, .timeout = v->timeout,
                               .abandon = v->abandon, .fate = &v->fate));
}

/* ---- Results -------------------------------------------------------------------------- */

struct answer {
    pthread_t thread;
    ssize_t answer;
    bool signals_blocked;
};

static ssize_t fill_in(void *arg)
{
    struct answer *answer = arg;
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    answer->signals_blocked = sigismember(&now, SIGTERM) == 1;
    answer->thread = pthread_self();
    IS(cg_yield(cg_sleep(1)), -EPERM);
    ck_assert_ptr_null(cg_self());
    return answer->answer;
}

/* It runs in another thread, with all signals blocked, and its answer, good or bad, is the
 * op's. */
static ssize_t the_answer_is_the_functions(void *arg)
{
    enum cg_fate fate = CG_FATE_LEFT;

    (void)arg;
    for (ssize_t want = -2; want <= 2; want++) {
        struct answer answer = {.answer = want};

        IS(cg_yield(cg_offload(fill_in, &answer, .fate = &fate)), want);
        ck_assert(answer.signals_blocked);
        ck_assert(!pthread_equal(answer.thread, pthread_self()));
        ck_assert_int_eq(fate, CG_FATE_RAN);
    }
    fate = CG_FATE_LEFT;
    IS(cg_yield(cg_offload(NULL, NULL, .fate = &fate)), -EINVAL);
    ck_assert_int_eq(fate, CG_FATE_NOT_RUN);
    return 0;
}

/* The other coroutines go on while it runs; what it waits for can be seen. */
static ssize_t the_others_go_on(void *arg)
{
    struct gate gate = GATE;
    struct visit v = {.gate = &gate};
    struct cg_coro *coro = test_start(visit, &v);
    char text[128];

    (void)arg;
    test_until_waiting(coro);
    await_inside(&gate, 1);
    for (int i = 0; i < 100; i++)
        OK(cg_yield(cg_pass()));
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "offload running"));
    open_gate(&gate);
    IS(test_end(coro), 1);
    ck_assert_int_eq(v.fate, CG_FATE_RAN);
    return 0;
}

/* As any other op. */
static ssize_t raced_and_joined(void *arg)
{
    struct gate gate = GATE;
    struct answer a = {.answer = 1}, b = {.answer = 2};
    struct cg_op *one = cg_offload(fill_in, &a), *two = cg_offload(fill_in, &b);
    enum cg_fate fate;
    struct cg_op *slow = cg_offload(through, &gate, .abandon = abandoned, .fate = &fate);
    struct cg_op *pass = cg_pass();
    int left;

    (void)arg;
    IS(cg_yield(cg_all((one, two))), 0);
    IS(cg_result(one), 1);
    IS(cg_result(two), 2);
    IS(cg_yield(cg_any((one, slow))), 0); /* yielded again */
    IS(cg_result(one), 1);
    IS(cg_result(slow), -ECANCELED);
    left = fate == CG_FATE_LEFT;
    IS(cg_yield(cg_any((slow, pass))), 1);
    left += fate == CG_FATE_LEFT;
    open_gate(&gate);
    await_abandoned(&gate, left);
    return 0;
}

/* ---- Limits --------------------------------------------------------------------------- */

/* As many run as there may be threads, as many wait as may, and no more. */
static ssize_t a_pool_is_bounded(void *arg)
{
    enum {
        THREADS = 3,
        QUEUE = 4,
        N = THREADS + QUEUE
    };
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(THREADS, QUEUE);
    struct visit v[N + 2];
    struct cg_coro *coros[N + 2];

    (void)arg;
    for (int i = 0; i < N + 2; i++) {
        v[i] = (struct visit){.gate = &gate, .pool = pool, .fate = CG_FATE_LEFT};
        coros[i] = test_start(visit, &v[i]);
    }
    test_until_waiting(coros[N - 1]);
    for (int i = N; i < N + 2; i++) {
        IS(test_end(coros[i]), -EAGAIN);
        ck_assert_int_eq(v[i].fate, CG_FATE_NOT_RUN);
    }
    await_inside(&gate, THREADS);
    ck_assert_int_eq(gate.calls, THREADS);
    open_gate(&gate);
    for (int i = 0; i < N; i++)
        OK(test_end(coros[i]));
    ck_assert_int_eq(gate.calls, N);
    ck_assert_int_le(gate.most, THREADS);
    cg_pool_free(pool);
    return 0;
}

/* A pool whose threads are all taken does not hinder another one. */
static ssize_t pools_do_not_starve_each_other(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *slow = pool_of(1, 1);
    struct visit v = {.gate = &gate, .pool = slow};
    struct answer answer = {.answer = 5};
    struct cg_coro *first = test_start(visit, &v), *second = test_start(visit, &v);

    (void)arg;
    test_until_waiting(second);
    await_inside(&gate, 1);
    IS(cg_yield(cg_offload(fill_in, &answer)), 5);
    open_gate(&gate);
    IS(test_end(first), 1);
    IS(test_end(second), 2);
    cg_pool_free(slow);
    cg_pool_free(NULL);
    return 0;
}

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

/* Many at a time, each answered once. */
static ssize_t a_thousand_functions(void *arg)
{
    struct cg_coro *coros[20];
    atomic_int sum = 0;

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(adder, &sum);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 0);
    ck_assert_int_eq(atomic_load(&sum), 1000);
    return 0;
}

static ssize_t on_my_stack(void *arg)
{
    IS(cg_yield(cg_sleep(1)), -EPERM);
    return pthread_equal(*(pthread_t *)arg, pthread_self()) ? 7 : -EIO;
}

/* No threads: at once, here, every time alike. */
static ssize_t a_pool_without_threads(void *arg)
{
    struct cg_pool *pool = pool_of(0, 0);
    pthread_t self = pthread_self();
    enum cg_fate fate = CG_FATE_LEFT;
    int64_t before = cg_now(cg_sched_self());

    (void)arg;
    IS(cg_yield(cg_offload(on_my_stack, &self, .pool = pool, .fate = &fate)), 7);
    ck_assert_int_eq(fate, CG_FATE_RAN);
    ck_assert_int_eq(cg_now(cg_sched_self()), before);
    ck_assert_ptr_nonnull(cg_self());
    cg_pool_free(pool);
    return 0;
}

/* ---- Cancellation ----------------------------------------------------------------------- */

/* One that waits for a thread is taken back and never runs. */
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

/* One that runs is waited for: what it uses may be on the stack. The answer is the reason. */
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

/* One that may be is left behind at once; its argument is given up in its thread. */
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
    IS(visit(&v), -EAGAIN); /* they keep their threads */
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    cg_pool_free(pool); /* the last of them takes it along */
    open_gate(&gate);
    await_abandoned(&gate, 2);
    return 0;
}

/* With .abandon, one that returns in time, or never ran, is the caller's as ever. */
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

    IS(cg_yield(cg_cancel(cg_self())), 0);
    v->fate = CG_FATE_LEFT;
    return visit(v);
}

/* It is not even queued, and says so. */
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

/* Raced against a clock, each argument is freed exactly once, by whom the fate says. */
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

/* ---- The run --------------------------------------------------------------------------- */

/* A function in a thread holds the run open; one that was left behind does not. */
static void what_holds_the_run_open(void)
{
    struct test test = test_open(.timeout = 0);
    struct gate gate = GATE, other = GATE;
    struct visit stays = {.gate = &gate};
    struct visit left = {.gate = &other, .timeout = MS, .abandon = abandoned};

    OK(cg_start(test.sched, visit, &left));
    test_finish(&test);
    OK(cg_start(test.sched, visit, &stays));
    for (int i = 0; i < 5; i++)
        IS(cg_step(test.sched, 0), 1);
    await_inside(&gate, 1);
    open_gate(&gate);
    test_finish(&test);
    ck_assert_int_eq(stays.fate, CG_FATE_RAN);
    test_close(&test);
    if (left.fate == CG_FATE_LEFT) { /* on sim its time is up before it has begun */
        open_gate(&other);
        await_abandoned(&other, 1);
    }
}

/* A thread that opens a gate a while after it has begun. */
static void *opens_later(void *arg)
{
    struct timespec pause = {.tv_nsec = 30 * 1000 * 1000};

    nanosleep(&pause, NULL);
    open_soon(arg);
    return NULL;
}

/* When the grace period is over the coroutine is given up; its stack is not, as long as the
 * function may be using it. */
static void a_stopped_run_and_a_stuck_function(void)
{
    struct test test = test_open(.grace = MS);
    struct gate gate = GATE;
    struct visit v = {.gate = &gate};
    pthread_t thread;

    freopen("/dev/null", "w", stderr); /* it says that it has abandoned a coroutine */
    OK(cg_start(test.sched, visit, &v));
    IS(cg_step(test.sched, 0), 1);
    await_inside(&gate, 1);
    cg_stop(test.sched);
    IS(cg_run(test.sched), 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, opens_later, &gate), 0);
    cg_sched_free(test.sched);
    ck_assert_int_eq(gate.inside, 0);
    pthread_join(thread, NULL);
    cg_reactor_close(test.reactor);
    test_watch(NULL, 0);
}

/* ---- Several schedulers ----------------------------------------------------------------- */

static void *a_scheduler(void *arg)
{
    return (void *)cg_main("poll", adder, arg);
}

/* In several threads, over one pool; each is freed as soon as it has its answers. */
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

/* In a world that other threads may wake it is the same. */
static void a_simulated_world_with_threads(void)
{
    struct cg_reactor *world;
    struct cg_sched *sched;
    atomic_int sum = 0;

    OK(cg_sim_open(&(struct cg_sim_options){.threads = true}, &world));
    sched = cg_sched_new(world);
    ck_assert_ptr_nonnull(sched);
    OK(cg_start(sched, adder, &sum));
    IS(cg_run(sched), 0);
    ck_assert_int_eq(atomic_load(&sum), 50);
    cg_sched_free(sched);
    cg_reactor_close(world);
}

/* The clock does not wait for threads. */
static ssize_t virtual_time_goes_on(void *arg)
{
    struct gate gate = GATE;
    struct visit v = {.gate = &gate, .timeout = CG_HOUR, .abandon = abandoned};
    int64_t start = cg_now(cg_sched_self());

    (void)arg;
    IS(visit(&v), -ETIMEDOUT);
    ck_assert_int_ge(cg_now(cg_sched_self()) - start, CG_HOUR);
    open_gate(&gate);
    if (v.fate == CG_FATE_LEFT)
        await_abandoned(&gate, 1);
    return 0;
}

static const struct test_case cases[] = {
    CORO(the_answer_is_the_functions),
    CORO(the_others_go_on),
    CORO(raced_and_joined),
    CORO(a_pool_is_bounded),
    CORO(pools_do_not_starve_each_other),
    CORO(a_thousand_functions),
    CORO(a_pool_without_threads),
    CORO(the_queued_are_taken_back),
    CORO(the_running_are_waited_for),
    CORO(the_abandoned_are_left_behind),
    CORO(nothing_is_abandoned_in_vain),
    CORO(one_that_came_too_late),
    CORO(a_storm_of_races),
    PLAIN(what_holds_the_run_open),
    PLAIN(a_stopped_run_and_a_stuck_function),
    PLAIN(several_schedulers, .where = ON_SIM),
    PLAIN(a_simulated_world_with_threads, .where = ON_SIM),
    CORO(virtual_time_goes_on, .where = ON_SIM),
};

int main(void)
{
    return test_main("offload", cases, COUNT(cases));
}
