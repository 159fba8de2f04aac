/* SPDX-License-Identifier: MIT */
/* Random errands between the workers of a crew and a pool of threads, most of them cancelled at
 * some moment: by a timeout, a race, a group, or the end of the crew. Whatever the moment, what has
 * begun has ended when its operation completes, since it may use the stack of who waits. Meant for
 * ThreadSanitizer, too. */
#include "config.h"

#include "tests/support/support.h"

#include <stdatomic.h>

enum {
    WORKERS = 3,
    COROS = 4, /* on each worker */
    STEPS = 60 /* of each coroutine */
};

static const char *reactor(void)
{
    return test_on_sim() ? "sim" : test_reactor();
}

static struct cg_pool *pool;
static struct cg_channel *channel;
static atomic_uint seeds, steps;
static unsigned stop_at; /* of the steps; 0: never */

/* Lies on the stack of the coroutine that waits. */
struct errand {
    atomic_int begun, ended;
    unsigned random; /* only read */
};

static unsigned draw(unsigned *random, unsigned below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 16) % below;
}

static int64_t short_time(unsigned *random)
{
    return 1 + draw(random, 300) * CG_MICROSECOND;
}

static struct cg_worker *anyone(unsigned *random)
{
    return cg_crew_worker(draw(random, WORKERS));
}

static void expect_ended(struct errand *errand)
{
    ck_assert_int_eq(atomic_load(&errand->begun), atomic_load(&errand->ended));
}

static ssize_t in_thread(void *arg)
{
    struct errand *errand = arg;
    unsigned random = errand->random;

    atomic_fetch_add(&errand->begun, 1);
    for (unsigned i = draw(&random, 2000); i > 0; i--)
        atomic_signal_fence(memory_order_seq_cst);
    atomic_fetch_add(&errand->ended, 1);
    return 1;
}

static ssize_t passes(void *arg)
{
    struct errand *errand = arg;

    atomic_fetch_add(&errand->begun, 1);
    cg_yield(cg_pass());
    atomic_fetch_add(&errand->ended, 1);
    return 1;
}

/* On another worker: waits, or passes the errand on. */
static ssize_t visits(void *arg)
{
    struct errand *errand = arg, inner = {.random = errand->random};

    atomic_fetch_add(&errand->begun, 1);
    switch (draw(&inner.random, 4)) {
    case 0:
        break;
    case 1:
        cg_yield(cg_sleep(short_time(&inner.random)));
        break;
    case 2:
        cg_yield(cg_run_on(anyone(&inner.random), passes, &inner));
        break;
    case 3:
        cg_yield(cg_offload(in_thread, &inner, .pool = pool));
        break;
    }
    expect_ended(&inner);
    atomic_fetch_add(&errand->ended, 1);
    return 1;
}

static ssize_t visits_someone(void *arg)
{
    struct errand errand = {.random = *(unsigned *)arg};

    cg_yield(cg_run_on(anyone(&errand.random), visits, &errand));
    expect_ended(&errand);
    return 0;
}

/* Members of a group that is cancelled at some moment. */
static void visit_in_a_group(unsigned *random)
{
    struct cg_group group;
    unsigned seed[3];

    cg_group_open(&group, .timeout = short_time(random));
    for (size_t i = 0; i < COUNT(seed); i++) {
        seed[i] = draw(random, 1000);
        cg_group_start(&group, visits_someone, &seed[i], NULL);
    }
    cg_yield(cg_wait_group(&group));
}

static void talk(unsigned *random)
{
    void *item;

    switch (draw(random, 3)) {
    case 0:
        cg_yield(cg_send(channel, channel, .timeout = short_time(random)));
        break;
    case 1:
        cg_yield(cg_receive(channel, &item, .timeout = short_time(random)));
        break;
    case 2:
        cg_yield(cg_signal_crew("x", 0, .timeout = short_time(random)));
        break;
    }
}

static void step(unsigned *random)
{
    struct errand errand = {.random = *random};
    int64_t timeout = short_time(random);
    struct cg_op *visit = cg_run_on(anyone(random), visits, &errand);
    struct cg_op *thread = cg_offload(in_thread, &errand, .pool = pool);
    void *item;

    switch (draw(random, 7)) {
    case 0:
        visit->timeout = timeout;
        cg_yield(visit);
        break;
    case 1:
        cg_yield(cg_any((visit, cg_sleep(timeout), cg_wait_signal("x", NULL))));
        break;
    case 2:
        thread->timeout = timeout;
        cg_yield(thread);
        break;
    case 3:
        cg_yield(cg_any((cg_receive(channel, &item), thread, visit), .timeout = timeout));
        break;
    case 4:
        cg_yield(cg_run_on_each(visits, &errand, .timeout = timeout));
        break;
    case 5:
        visit_in_a_group(random);
        break;
    case 6:
        talk(random);
        break;
    }
    expect_ended(&errand);
}

static ssize_t walks(void *arg)
{
    unsigned random = atomic_fetch_add(&seeds, 7919);

    (void)arg;
    for (int i = 0; i < STEPS; i++) {
        step(&random);
        if (atomic_fetch_add(&steps, 1) + 1 == stop_at)
            cg_crew_stop();
    }
    return 0;
}

static ssize_t works(void *arg)
{
    struct cg_group group;

    cg_group_open(&group);
    for (int i = 0; i < COROS; i++)
        cg_group_start(&group, walks, arg, NULL);
    return cg_yield(cg_wait_group(&group));
}

static void run_crew(unsigned seed, unsigned stop)
{
    atomic_store(&seeds, seed);
    atomic_store(&steps, 0);
    stop_at = stop;
    pool = cg_pool_new(test_on_sim() ? 0 : 2, 8); /* real threads take no virtual time */
    channel = cg_channel_new(.limit = 2);
    IS(cg_crew_main(works, NULL, .workers = WORKERS, .reactor = reactor(), .grace = CG_MINUTE),
       0);
    cg_channel_unref(channel);
    cg_pool_free(pool);
}

static void to_the_end(void)
{
    run_crew(1, 0);
    ck_assert_uint_eq(atomic_load(&steps), WORKERS * COROS * STEPS);
}

static void stopped(void)
{
    for (unsigned i = 0; i < 10; i++)
        run_crew(i, 1 + i * 37);
}

static const struct test_case cases[] = {
    PLAIN(to_the_end),
    PLAIN(stopped),
};

int main(void)
{
    return test_main("threads_random", cases, COUNT(cases));
}
