/* SPDX-License-Identifier: MIT */
/* Functions that run on other workers: where they run, and what happens when they are
 * cancelled and when the worker ends. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdatomic.h>

#define MS CG_MILLISECOND

enum { WORKERS = 3 };

static const char *reactor(void)
{
    return test_on_sim() ? "sim" : test_reactor();
}

/* Runs fn on worker 0 of a crew whose other workers are idle. */
static ssize_t only_first(void *fn)
{
    return cg_worker_id() == 0 ? (*(cg_fn **)fn)(NULL) : 0;
}

static void on_crew(cg_fn *fn)
{
    IS(cg_crew_main(only_first, &fn, .workers = WORKERS, .reactor = reactor(),
                    .grace = 100 * MS),
       0);
}

static ssize_t tells_where(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    return (ssize_t)cg_worker_id() + 10;
}

static ssize_t asks_all(void *arg)
{
    (void)arg;
    for (unsigned k = 0; k < WORKERS; k++)
        IS(cg_yield(cg_run_on(cg_crew_worker(k), tells_where, NULL)), (ssize_t)k + 10);
    IS(cg_yield(cg_run_on(cg_crew_worker(WORKERS), tells_where, NULL)), -EINVAL);
    IS(cg_yield(cg_run_on(cg_crew_worker(0), NULL, NULL)), -EINVAL);
    return 0;
}

/* The function runs on the other worker, and its result comes back. */
static void runs_there(void)
{
    on_crew(asks_all);
}

static ssize_t marks(void *arg)
{
    atomic_fetch_or((atomic_uint *)arg, 1U << cg_worker_id());
    return cg_worker_id() == 0 ? 0 : -(ssize_t)cg_worker_id();
}

static ssize_t marks_each(void *arg)
{
    atomic_uint seen = 0;

    (void)arg;
    IS(cg_yield(cg_run_on_each(marks, &seen)), -1);
    ck_assert_uint_eq(atomic_load(&seen), (1U << WORKERS) - 1);
    return 0;
}

/* A function runs on all workers at the same time: the first failure in the order of the
 * workers is the result. */
static void runs_on_each(void)
{
    on_crew(marks_each);
}

static ssize_t outside(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_run_on_each(marks, NULL)), -EINVAL);
    IS(cg_yield(cg_signal_crew("name", 0)), -EINVAL);
    return 0;
}

struct work {
    atomic_int begun, ended, cancelled;
};

static ssize_t sleeps(void *arg)
{
    struct work *work = arg;
    ssize_t rc;

    atomic_fetch_add(&work->begun, 1);
    rc = cg_yield(cg_suspend());
    atomic_fetch_add(&work->cancelled, rc == -ECANCELED);
    IS(cg_yield(cg_sleep(MS, .shield = true)), 0);
    atomic_fetch_add(&work->ended, 1);
    return rc;
}

static ssize_t times_out(void *arg)
{
    struct work work = {0};

    (void)arg;
    for (int i = 0; i < 20; i++) {
        ssize_t rc = cg_yield(cg_run_on(cg_crew_worker(1), sleeps, &work,
                                        .timeout = 1 + i * 20 * CG_MICROSECOND));

        IS(rc, -ETIMEDOUT);
        ck_assert_int_eq(atomic_load(&work.begun), atomic_load(&work.ended));
        ck_assert_int_eq(atomic_load(&work.begun), atomic_load(&work.cancelled));
    }
    IS(cg_yield(cg_run_on(cg_crew_worker(1), sleeps, &work, .timeout = 50 * MS)), -ETIMEDOUT);
    ck_assert_int_ge(atomic_load(&work.begun), 1);
    return 0;
}

/* A cancelled operation cancels the coroutine on the other worker and waits for its end.
 * If the coroutine does not exist yet, it never will. */
static void cancels_it(void)
{
    on_crew(times_out);
}

static ssize_t never_ends(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return cg_yield(cg_suspend(.shield = true));
}

/* The second stop ends the grace period. */
static ssize_t stops_it(void *arg)
{
    struct cg_sched *there = cg_worker_sched(cg_crew_worker(1));
    atomic_int *begun = arg;

    while (atomic_load(begun) == 0)
        IS(cg_yield(cg_sleep(MS)), 0);
    cg_sched_stop(there);
    cg_sched_stop(there);
    return 0;
}

static ssize_t is_left(void *arg)
{
    static atomic_int begun; /* outlives this coroutine */

    (void)arg;
    atomic_store(&begun, 0);
    OK(cg_yield(cg_add(stops_it, &begun)));
    IS(cg_yield(cg_run_on(cg_crew_worker(1), never_ends, &begun)), -ESRCH);
    IS(cg_yield(cg_run_on(cg_crew_worker(1), tells_where, NULL)), -ESRCH);
    return 0;
}

/* When a worker ends, operations that wait for functions on it complete with an error. */
static void ends_meanwhile(void)
{
    on_crew(is_left);
}

static ssize_t calls_back(void *arg)
{
    int *depth = arg;

    if (++*depth == 20)
        return 20;
    return cg_yield(cg_run_on(cg_crew_worker((unsigned)*depth % WORKERS), calls_back, arg));
}

static ssize_t calls(void *arg)
{
    int depth = 0;

    (void)arg;
    IS(cg_yield(cg_run_on(cg_crew_worker(0), calls_back, &depth)), 20);
    return 0;
}

/* Workers may wait for each other in any depth. */
static void calls_back_and_forth(void)
{
    on_crew(calls);
}

static ssize_t asks_a_lot(void *arg)
{
    for (int i = 0; i < 200; i++) {
        unsigned k = (unsigned)i % WORKERS;

        IS(cg_yield(cg_run_on(cg_crew_worker(k), tells_where, arg)), (ssize_t)k + 10);
    }
    return 0;
}

/* All workers run functions on all others at the same time. */
static void all_ask_all(void)
{
    IS(cg_crew_main(asks_a_lot, NULL, .workers = WORKERS, .reactor = reactor()), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(runs_there),     PLAIN(runs_on_each), CORO(outside),
        PLAIN(cancels_it, .where = ON_KERNEL),     PLAIN(ends_meanwhile),
        PLAIN(calls_back_and_forth), PLAIN(all_ask_all),
    };

    return test_main("run_on", cases, COUNT(cases));
}
