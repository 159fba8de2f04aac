/* SPDX-License-Identifier: MIT */
/* A crew for which memory, a thread or a reactor is lacking: no worker runs, and nothing is
 * left behind. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>

enum { WORKERS = 3 };

static atomic_bool armed, failed;
static atomic_long countdown; /* allocations until one fails */
static int threads_left = -1; /* threads that may still be made; -1: any number */
static atomic_uint ran;
static atomic_uint refused; /* threads that could not be made */

bool failing_now(enum failing_what what)
{
    (void)what;
    if (!atomic_load(&armed) || atomic_fetch_sub(&countdown, 1) != 0)
        return false;
    atomic_store(&failed, true);
    return true;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *arg), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *arg), void *arg)
{
    if (threads_left == 0) {
        unsigned before = atomic_fetch_add(&refused, 1);

        /* Gives another worker the time to ask for a thread, too. */
        for (int i = 0; i < 50 && atomic_load(&refused) == before + 1; i++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        return EAGAIN;
    }
    threads_left -= threads_left > 0;
    return __real_pthread_create(thread, attr, fn, arg);
}

/* Runs on each worker. From here on no allocation fails. */
static ssize_t runs(void *arg)
{
    (void)arg;
    atomic_store(&armed, false);
    atomic_fetch_add(&ran, 1);
    return 0;
}

static ssize_t crew(void)
{
    atomic_store(&ran, 0);
    return cg_crew_main(runs, NULL, .workers = WORKERS,
                        .reactor = test_on_sim() ? "sim" : test_reactor());
}

static void without_memory(void)
{
    int fds = test_count_fds();

    IS(crew(), 0); /* the list of schedulers never shrinks, and sim keeps stacks */
    failing_queues = WORKERS;
    do {
        static long n;
        ssize_t rc;

        atomic_store(&failed, false);
        atomic_store(&countdown, n++);
        failing_watch();
        atomic_store(&armed, true);
        rc = crew();
        atomic_store(&armed, false);
        ck_assert_uint_eq(failing_left(), 0);
        ck_assert(rc == 0 || rc == -ENOMEM);
        ck_assert_uint_eq(atomic_load(&ran), rc == 0 ? WORKERS : 0);
        ck_assert_int_eq(test_count_fds(), fds);
    } while (atomic_load(&failed));
}

static void without_threads(void)
{
    int fds = test_count_fds();

    for (int n = 0; n < WORKERS - 1; n++) {
        threads_left = n;
        IS(crew(), -EAGAIN);
        ck_assert_uint_eq(atomic_load(&ran), 0);
        ck_assert_int_eq(test_count_fds(), fds);
    }
    threads_left = -1;
    IS(crew(), 0);
}

static ssize_t works(void *arg)
{
    return (ssize_t)(intptr_t)arg;
}

static ssize_t offloads(void *arg)
{
    (void)arg;
    threads_left = 0;
    IS(cg_yield(cg_offload(works, NULL)), -EAGAIN);
    return 0;
}

/* Workers that offload functions at the same time, without a thread for any of them: none waits
 * for the thread that another one could not start. */
static void without_threads_of_a_pool(void)
{
    IS(cg_crew_main(offloads, NULL, .workers = WORKERS, .reactor = test_reactor()), 0);
    threads_left = -1;
}

static void without_descriptors(void)
{
    struct rlimit before, few;
    ssize_t rc = -EMFILE;
    int fds = test_count_fds();

    IS(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (few = before, few.rlim_cur = (rlim_t)fds; rc < 0; few.rlim_cur++) {
        IS(setrlimit(RLIMIT_NOFILE, &few), 0);
        rc = crew();
        ck_assert(rc == 0 || rc == -EMFILE);
        ck_assert_uint_eq(atomic_load(&ran), rc == 0 ? WORKERS : 0);
        IS(setrlimit(RLIMIT_NOFILE, &before), 0);
        ck_assert_int_eq(test_count_fds(), fds);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(without_memory),
        PLAIN(without_threads, .where = ON_KERNEL),
        PLAIN(without_threads_of_a_pool, .where = ON_KERNEL),
        PLAIN(without_descriptors, .where = ON_KERNEL),
    };

    return test_main("crew_memory", cases, COUNT(cases));
}
