/* SPDX-License-Identifier: MIT */
/* Generators shared between threads, and between their schedulers. */
#include "config.h"

#include "tests/generators/gen_bodies.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MS CG_MILLISECOND

struct shared {
    struct cg_gen *gen;
    atomic_long got, busy;
    atomic_bool stop;
};

static ssize_t counts(struct cg_gen *gen, void *arg)
{
    long *n = arg; /* not atomic: only one thread at a time may run the body */
    ssize_t how;

    do {
        if (++*n % 8 == 0)
            sched_yield();
        how = cg_gen_yield(gen, *n, NULL);
    } while (how >= 0);
    return how;
}

static void *sends(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < 2000 || (atomic_load(&shared->busy) == 0 && i < 2000000); i++) {
        intptr_t value;
        ssize_t rc = cg_gen_send(shared->gen, i, &value);

        if (rc == 1)
            atomic_fetch_add(&shared->got, 1);
        else if (rc == -EBUSY)
            atomic_fetch_add(&shared->busy, 1);
        else
            abort();
    }
    return NULL;
}

/* Beazley's cocrash: two threads send to one generator. Each send either succeeds alone or
 * is refused. */
static void threads_cannot_be_in_it_together(void)
{
    long n = 0;
    struct shared shared = {.gen = gen_make(counts, &n)};
    pthread_t threads[3];

    gen_value(shared.gen);
    for (size_t i = 0; i < COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sends, &shared), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(n, 1 + atomic_load(&shared.got));
    ck_assert_int_gt(atomic_load(&shared.busy), 0);
    IS(cg_gen_free(shared.gen), 0);
}

static void *creates(void *arg)
{
    static int up_to = 5;
    struct cg_gen **gens = arg;

    for (int i = 0; i < 20; i++) {
        gens[i] = gen_make(gen_range, &up_to);
        if (i % 2)
            gen_value(gens[i]);
    }
    cg_gen_free(gens[19]);
    gens[19] = NULL;
    return NULL;
}

/* A generator may outlive the thread that created it; the thread's pool of stacks is freed
 * with its last generator. */
static void generators_outlive_their_thread(void)
{
    struct cg_gen *gens[20];
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, creates, gens), 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 19; i++) {
        ck_assert_int_eq(gen_value(gens[i]), i % 2);
        IS(cg_gen_free(gens[i]), 0);
    }
}

static void *frees(void *arg)
{
    struct cg_gen **gens = arg;

    for (int i = 0; i < 40; i++)
        IS(cg_gen_free(gens[i]), 0);
    return NULL;
}

/* Stacks that another thread has freed are used again in the thread that made them. */
static void stacks_come_home(void)
{
    struct cg_gen *gens[40], *again;
    int up_to = 5;
    pthread_t thread;
    bool found = false;

    for (int i = 0; i < 40; i++)
        gen_value(gens[i] = gen_make(gen_range, &up_to));
    ck_assert_int_eq(pthread_create(&thread, NULL, frees, gens), 0);
    pthread_join(thread, NULL);
    again = gen_make(gen_range, &up_to);
    for (int i = 0; i < 40; i++)
        found |= again == gens[i];
    ck_assert(found);
    IS(cg_gen_free(again), 0);
}

static ssize_t drains(void *arg)
{
    struct shared *shared = arg;
    intptr_t value;

    while (cg_gen_next(shared->gen, &value) != 0)
        OK(cg_yield(cg_sleep(MS / 10)));
    return 0;
}

static void *in_a_scheduler(void *arg)
{
    return (void *)cg_main(NULL, drains, arg);
}

static ssize_t mixed(struct cg_gen *gen, void *arg)
{
    ssize_t rc;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        if ((rc = cg_yield(cg_sleep(MS / 10))) < 0 && rc != -EPERM)
            return rc;
        if ((rc = cg_gen_yield(gen, i, NULL)) < 0)
            return rc;
    }
    return 0;
}

/* A body moves from the scheduler of one thread to that of another. */
static void from_scheduler_to_scheduler(void)
{
    struct shared shared = {.gen = gen_make(mixed, NULL)};
    pthread_t threads[2];
    void *answer;

    for (size_t i = 0; i < COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, in_a_scheduler, &shared), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], &answer);
        IS((ssize_t)answer, 0);
    }
    IS(cg_gen_result(shared.gen), 0);
    IS(cg_gen_free(shared.gen), 0);
}

static const struct test_case cases[] = {
    PLAIN(threads_cannot_be_in_it_together, .where = ON_SIM),
    PLAIN(generators_outlive_their_thread, .where = ON_SIM),
    PLAIN(stacks_come_home, .where = ON_SIM),
    PLAIN(from_scheduler_to_scheduler, .where = ON_SIM),
};

int main(void)
{
    return test_main("generator_thread", cases, COUNT(cases));
}
