/* SPDX-License-Identifier: MIT */
/* Crews: all workers run and end together, the first failure ends the others, and a crew
 * that cannot be made leaves nothing behind. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MS CG_MILLISECOND

enum { WORKERS = 3 };

/* Shared by the functions of all workers. */
static struct {
    atomic_uint ran, seen, ended;
    ssize_t result;
} crew;

/* The reactor's name for cg_crew_main; "sim" for all the simulated worlds. */
static const char *reactor(void)
{
    return test_on_sim() ? "sim" : test_reactor();
}

#define CREW(fn, ...) cg_crew_main(fn, NULL, .reactor = reactor(), __VA_ARGS__)

static ssize_t looks_about(void *arg)
{
    struct cg_worker *self = cg_worker_self();
    unsigned id = cg_worker_id();

    (void)arg;
    ck_assert_uint_eq(cg_crew_size(), WORKERS);
    ck_assert_ptr_eq(cg_crew_worker(id), self);
    ck_assert_ptr_eq(cg_worker_sched(self), cg_sched_self());
    ck_assert_ptr_null(cg_crew_worker(WORKERS));
    IS(cg_crew_main(looks_about, NULL), -EBUSY);
    atomic_fetch_or(&crew.seen, 1U << id);
    atomic_fetch_add(&crew.ran, 1);
    return (ssize_t)id;
}

/* fn runs once on each worker, and cg_worker_self tells on which. */
static void runs_on_all(void)
{
    for (int i = 0; i < 10; i++) {
        int fds = test_count_fds();

        atomic_store(&crew.ran, 0);
        IS(CREW(looks_about, .workers = WORKERS, .pin = i % 2), 0);
        ck_assert_uint_eq(atomic_load(&crew.ran), WORKERS);
        ck_assert_uint_eq(atomic_load(&crew.seen), (1U << WORKERS) - 1);
        ck_assert_uint_eq(cg_crew_size(), 0);
        ck_assert_ptr_null(cg_crew_worker(0));
        ck_assert_ptr_null(cg_worker_self());
        ck_assert_int_eq(test_count_fds(), fds);
    }
}

static ssize_t counts(void *arg)
{
    (void)arg;
    atomic_fetch_add(&crew.ran, 1);
    return 0;
}

/* A crew may have one worker; 0 means as many as there are processors. */
static void of_any_size(void)
{
    atomic_store(&crew.ran, 0);
    IS(CREW(counts, .workers = 1), 0);
    ck_assert_uint_eq(atomic_load(&crew.ran), 1);
    IS(CREW(counts, .workers = 0), 0);
    ck_assert_uint_eq(atomic_load(&crew.ran), 1 + cg_cpus());
    cg_crew_stop(); /* no effect: there is no crew */
    IS(cg_crew_post_signal("nobody", 0), -EINVAL);
}

static ssize_t sleeps(void *arg)
{
    ssize_t rc;

    (void)arg;
    atomic_fetch_add(&crew.ran, 1);
    rc = cg_yield(cg_sleep(CG_MINUTE));
    atomic_fetch_add(&crew.ended, 1);
    return rc;
}

static void stop(int signo)
{
    (void)signo;
    cg_crew_stop();
}

static ssize_t signals_process(void *arg)
{
    if (cg_worker_id() != 1)
        return sleeps(arg);
    while (atomic_load(&crew.ran) < WORKERS - 1)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(kill(getpid(), SIGUSR1), 0);
    return sleeps(arg);
}

/* A stop ends all workers, also from a signal handler, and does not count as a failure. */
static void stopped(void)
{
    atomic_store(&crew.ran, 0);
    atomic_store(&crew.ended, 0);
    signal(SIGUSR1, stop);
    IS(CREW(signals_process, .workers = WORKERS), 0);
    signal(SIGUSR1, SIG_DFL);
    ck_assert_uint_eq(atomic_load(&crew.ended), WORKERS);
}

/* Calls cg_crew_stop at any moment: it ends the crew, or has no effect before it begins
 * and after it has ended. */
static void *stops_at_any_moment(void *arg)
{
    while (!atomic_load((atomic_bool *)arg)) {
        cg_crew_stop();
        usleep(200);
    }
    return NULL;
}

static void stopped_at_any_moment(void)
{
    atomic_bool over = false;
    pthread_t thread;

    IS(pthread_create(&thread, NULL, stops_at_any_moment, &over), 0);
    for (int i = 0; i < 50; i++) {
        ssize_t rc = CREW(sleeps, .workers = WORKERS);

        ck_assert(rc == 0 || rc == -ECANCELED);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
}

static ssize_t one_fails(void *arg)
{
    if (cg_worker_id() == 1)
        return -EDOM;
    return sleeps(arg);
}

static void fail_one(void)
{
    atomic_store(&crew.ended, 0);
    SURE(CREW(one_fails, .workers = WORKERS) == -EDOM);
    SURE(atomic_load(&crew.ended) == WORKERS - 1);
}

/* A failure of a worker stops the others gracefully, is the crew's result, and is
 * reported. */
static void failed(void)
{
    char said[512];

    ck_assert_int_eq(child_run(fail_one, said, sizeof said), 0);
    ck_assert_ptr_nonnull(strstr(said, "cogen: worker 1 failed: "));
}

static ssize_t one_fails_alone(void *arg)
{
    (void)arg;
    if (cg_worker_id() == 1)
        return -EDOM;
    if (cg_yield(cg_sleep(20 * MS)) == 0)
        atomic_fetch_add(&crew.ended, 1);
    return 0;
}

static void fail_alone(void)
{
    atomic_store(&crew.ended, 0);
    SURE(CREW(one_fails_alone, .workers = WORKERS, .keep_going = true) == -EDOM);
    SURE(atomic_load(&crew.ended) == WORKERS - 1);
}

static void failed_alone(void)
{
    char said[512];

    ck_assert_int_eq(child_run(fail_alone, said, sizeof said), 0);
    ck_assert_ptr_nonnull(strstr(said, "cogen: worker 1 failed: "));
}

static ssize_t waits_for_nobody(void *arg)
{
    (void)arg;
    return cg_yield(cg_wait_signal("nobody", NULL));
}

static void wait_for_nobody(void)
{
    SURE(CREW(waits_for_nobody, .workers = 2) == -EDEADLK);
}

/* Coroutines that can never continue are reported when all workers are idle. */
static void deadlock(void)
{
    char said[2048];

    ck_assert_int_eq(child_run(wait_for_nobody, said, sizeof said), 0);
    ck_assert_msg(strstr(said, "cogen: worker 0: deadlock") != NULL, "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "signal \"nobody\""));
}

static ssize_t hears(void *arg)
{
    intptr_t word = 0;
    ssize_t woken = 0;

    (void)arg;
    if (cg_worker_id() == 0) {
        for (unsigned left = WORKERS - 1; left > 0; left -= (unsigned)woken)
            if ((woken = cg_yield(cg_signal_crew("news", 7))) == 0)
                IS(cg_yield(cg_sleep(MS)), 0);
        return 0;
    }
    IS(cg_yield(cg_wait_signal("news", &word)), 0);
    IS(word, 7);
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    return 0;
}

/* A worker that only waits for a signal is idle, but has not ended: others may signal
 * it. */
static void signals_reach_all(void)
{
    IS(CREW(hears, .workers = WORKERS), 0);
}

static ssize_t plays(void *arg)
{
    struct cg_sched *other = cg_worker_sched(cg_crew_worker(1 - cg_worker_id()));

    (void)arg;
    if (cg_worker_id() == 0) { /* begins when the other one is there */
        while (cg_yield(cg_signal_remote(other, "begin", 0)) == 0)
            IS(cg_yield(cg_sleep(MS)), 0);
        IS(cg_sched_post_signal(other, "ball", 0), 0);
    } else {
        IS(cg_yield(cg_wait_signal("begin", NULL)), 0);
    }
    for (int i = 0; i < 2000; i++) {
        IS(cg_yield(cg_wait_signal("ball", NULL)), 0);
        IS(cg_sched_post_signal(other, "ball", 0), 0);
    }
    return 0;
}

/* Each of two workers is idle once it has posted to the other one. A post that is on its way
 * keeps the crew going all the same. */
static void posts_between_the_idle(void)
{
    IS(CREW(plays, .workers = 2), 0);
}

/* The crew fails if there is no reactor of the given name. */
static void without_reactor(void)
{
    atomic_store(&crew.ran, 0);
    IS(cg_crew_main(counts, NULL, .workers = 2, .reactor = "none"), CG_EREACTOR);
    ck_assert_uint_eq(atomic_load(&crew.ran), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(runs_on_all),       PLAIN(of_any_size),
        PLAIN(stopped),           PLAIN(stopped_at_any_moment),
        PLAIN(failed),            PLAIN(failed_alone),
        PLAIN(deadlock),          PLAIN(signals_reach_all),
        PLAIN(posts_between_the_idle),
        PLAIN(without_reactor, .where = ON_SIM),
    };

    return test_main("crew", cases, COUNT(cases));
}
