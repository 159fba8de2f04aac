/* SPDX-License-Identifier: MIT */
/* Functions in threads: their results and the limits of their pools. */
#include "config.h"

#include "tests/threads/gate.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
    ck_assert_ptr_null(cg_coro_self());
    return answer->answer;
}

/* The function runs in another thread, with all signals blocked. Its result, also an
 * error, is the op's result. */
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

/* The other coroutines run while the function runs; a dump shows that it runs. */
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

/* Can be raced and joined like any other op. */
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
    IS(cg_op_result(one), 1);
    IS(cg_op_result(two), 2);
    IS(cg_yield(cg_any((one, slow))), 0); /* yielded again */
    IS(cg_op_result(one), 1);
    IS(cg_op_result(slow), -ECANCELED);
    left = fate == CG_FATE_LEFT;
    IS(cg_yield(cg_any((slow, pass))), 1);
    left += fate == CG_FATE_LEFT;
    open_gate(&gate);
    await_abandoned(&gate, left);
    return 0;
}

/* As many functions run as the pool may have threads, as many wait as its queue allows;
 * more are refused. */
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

/* A pool may have any number of threads and places. */
static ssize_t a_pool_without_a_bound(void *arg)
{
    static const unsigned threads[] = {1, 3, UINT_MAX};
    static const size_t queues[] = {0, SIZE_MAX - 1, SIZE_MAX};

    (void)arg;
    for (size_t i = 0; i < COUNT(threads) * COUNT(queues); i++) {
        struct answer answer = {.answer = 7};
        struct cg_pool *pool = pool_of(threads[i % 3], queues[i / 3]);

        IS(cg_yield(cg_offload(fill_in, &answer, .pool = pool)), 7);
        cg_pool_free(pool);
    }
    return 0;
}

/* If all threads of a pool are busy, another pool still works. */
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

/* Many functions at the same time; each op completes once. */
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

/* A pool without threads calls the function at once, in the scheduler's thread. */
static ssize_t a_pool_without_threads(void *arg)
{
    struct cg_pool *pool = pool_of(0, 0);
    pthread_t self = pthread_self();
    enum cg_fate fate = CG_FATE_LEFT;
    int64_t before = cg_sched_now(cg_sched_self());

    (void)arg;
    IS(cg_yield(cg_offload(on_my_stack, &self, .pool = pool, .fate = &fate)), 7);
    ck_assert_int_eq(fate, CG_FATE_RAN);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()), before);
    ck_assert_ptr_nonnull(cg_coro_self());
    cg_pool_free(pool);
    return 0;
}

/* What a dump says of the coroutines. */
static const char *dumped(void)
{
    static char text[4096];
    FILE *file = fmemopen(text, sizeof text, "w");

    ck_assert_ptr_nonnull(file);
    cg_coro_dump(cg_sched_self(), file);
    fclose(file);
    return text;
}

/* A dump says how far a function is, also while its thread changes that: with TSan nothing of this
 * is a data race. */
static ssize_t a_dump_tells_states(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(1, 1);
    struct visit v = {.gate = &gate, .pool = pool}, waits = v;
    struct cg_coro *coro = test_start(visit, &v), *other = test_start(visit, &waits);

    (void)arg;
    test_until_waiting(other);
    await_inside(&gate, 1);
    ck_assert_ptr_nonnull(strstr(dumped(), "running"));
    ck_assert_ptr_nonnull(strstr(dumped(), "queued"));
    open_gate(&gate);
    ck_assert_ptr_nonnull(strstr(dumped(), "offload"));
    IS(test_end(coro), 1);
    IS(test_end(other), 2);
    cg_pool_free(pool);
    return 0;
}

static const struct test_case cases[] = {
    CORO(a_dump_tells_states),
    CORO(the_answer_is_the_functions),
    CORO(the_others_go_on),
    CORO(raced_and_joined),
    CORO(a_pool_is_bounded),
    CORO(a_pool_without_a_bound),
    CORO(pools_do_not_starve_each_other),
    CORO(a_thousand_functions),
    CORO(a_pool_without_threads),
};

int main(void)
{
    return test_main("offload", cases, COUNT(cases));
}
