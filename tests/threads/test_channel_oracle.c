/* SPDX-License-Identifier: MIT */
/* Channels between threads, by seeds: senders and receivers on the workers of a crew, some
 * of which time out now and then, and threads without a scheduler. In every case the items
 * that were sent are received once each, no other items are received, and each receiver
 * gets the items of a sender in order. $COGEN_SEEDS is the number of seeds (20). */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 3, SENDERS = 6, RECEIVERS = 6, ATTEMPTS = 300 };

enum fate { UNKNOWN, NOT_SENT, SENT };

/* An item is its sender's number and the number of the attempt. */
static struct {
    uint64_t seed;
    struct cg_channel *channel;
    atomic_int senders, receivers;       /* the next one's number */
    atomic_int sending;                  /* senders that have not finished */
    uint8_t fate[SENDERS][ATTEMPTS];     /* each sender's own */
    atomic_uchar seen[SENDERS][ATTEMPTS]; /* how often it was received */
} world;

static void receive(intptr_t item, int last[SENDERS])
{
    int sender = (int)(item / ATTEMPTS), attempt = (int)(item % ATTEMPTS);

    ck_assert(item >= 0 && sender < SENDERS);
    ck_assert_int_gt(attempt, last[sender]);
    last[sender] = attempt;
    atomic_fetch_add(&world.seen[sender][attempt], 1);
}

static ssize_t send_one(intptr_t item, uint64_t *seed)
{
    struct cg_channel *channel = world.channel;
    uint32_t how = test_random(seed) % 8;

    switch (how) {
    case 0:
        return cg_channel_try_send(channel, (void *)item);
    case 1:
        return cg_yield(cg_send(channel, item, .timeout = CG_NOWAIT));
    case 2:
        return cg_yield(
            cg_send(channel, item, .timeout = 1 + test_random(seed) % (200 * CG_MICROSECOND)));
    case 3: {
        struct cg_op *send = cg_send(channel, item);

        cg_yield(cg_any((send, cg_sleep(test_random(seed) % (100 * CG_MICROSECOND)))));
        return cg_op_result(send);
    }
    default:
        return cg_yield(cg_send(channel, item));
    }
}

/* The last one closes the channel. */
static void finish_sender(void)
{
    if (atomic_fetch_sub(&world.sending, 1) == 1)
        cg_channel_close(world.channel);
}

static ssize_t sends(void *arg)
{
    int self = atomic_fetch_add(&world.senders, 1);
    uint64_t seed = world.seed * 31 + (uint64_t)self;

    (void)arg;
    for (int i = 0; i < ATTEMPTS; i++) {
        ssize_t rc = send_one(self * ATTEMPTS + i, &seed);

        ck_assert(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT || rc == -ECANCELED);
        world.fate[self][i] = rc == 0 ? SENT : NOT_SENT;
        if (test_random(&seed) % 16 == 0)
            IS(cg_yield(cg_pass()), 0);
    }
    finish_sender();
    return 0;
}

static void *sends_in_thread(void *arg)
{
    int self = atomic_fetch_add(&world.senders, 1);

    for (int i = 0; i < ATTEMPTS; i++) {
        int rc = cg_channel_try_send(world.channel, (void *)(intptr_t)(self * ATTEMPTS + i));

        ck_assert(rc == 0 || rc == -EAGAIN);
        world.fate[self][i] = rc == 0 ? SENT : NOT_SENT;
        if (rc < 0)
            sched_yield();
    }
    finish_sender();
    return arg;
}

static ssize_t receives(void *arg)
{
    int last[SENDERS];
    uint64_t seed = world.seed * 37 + (uint64_t)atomic_fetch_add(&world.receivers, 1);
    intptr_t items[5];
    ssize_t rc;

    (void)arg;
    memset(last, -1, sizeof last);
    for (;;) {
        switch (test_random(&seed) % 4) {
        case 0:
            rc = cg_yield(cg_receive_many(world.channel, items, 1 + test_random(&seed) % 5));
            break;
        case 1: {
            struct cg_op *one = cg_receive(world.channel, &items[0]);
            struct cg_op *two = cg_receive(world.channel, &items[1]);

            rc = cg_yield(cg_any((one, two), .timeout = 1 + test_random(&seed) %
                                                                (100 * CG_MICROSECOND)));
            if (rc == 1)
                items[0] = items[1];
            if (rc >= 0)
                rc = cg_op_result(rc == 0 ? one : two);
            rc += rc == 0;
            break;
        }
        case 2:
            rc = cg_channel_try_receive(world.channel, items);
            rc += rc == 0;
            break;
        default:
            rc = cg_yield(cg_receive(world.channel, items,
                                     .timeout = 1 + test_random(&seed) %
                                                        (300 * CG_MICROSECOND)));
            rc += rc == 0;
        }
        for (ssize_t i = 0; i < rc; i++)
            receive(items[i], last);
        if (rc == CG_EOF)
            return 0;
        ck_assert(rc > 0 || rc == -ETIMEDOUT || rc == -EAGAIN);
        if (rc == -EAGAIN)
            IS(cg_yield(cg_pass()), 0);
    }
}

/* Each worker has some senders and some receivers; worker 0 may have all receivers, or
 * none. */
static ssize_t works(void *arg)
{
    unsigned self = cg_worker_id();
    uint64_t seed = world.seed;
    bool apart = test_random(&seed) % 2;

    (void)arg;
    for (int i = 0; i < SENDERS - 1; i++)
        if ((unsigned)i % WORKERS == self)
            OK(cg_yield(cg_add(sends, NULL, .name = "sender")));
    for (int i = 0; i < RECEIVERS; i++)
        if ((apart ? 0 : (unsigned)i % WORKERS) == self)
            OK(cg_yield(cg_add(receives, NULL, .name = "receiver")));
    return 0;
}

static void check(void)
{
    for (int i = 0; i < SENDERS; i++)
        for (int k = 0; k < ATTEMPTS; k++) {
            ck_assert_int_ne(world.fate[i][k], UNKNOWN);
            ck_assert_msg(atomic_load(&world.seen[i][k]) == (world.fate[i][k] == SENT),
                          "seed %lu: %d of %d was received %d times", (unsigned long)world.seed,
                          k, i, (int)atomic_load(&world.seen[i][k]));
        }
}

static void one_seed(uint64_t seed)
{
    pthread_t thread;
    uint64_t random = seed;

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.channel = cg_channel_new(.limit = 1 + test_random(&random) % 20);
    atomic_store(&world.sending, SENDERS);
    IS(pthread_create(&thread, NULL, sends_in_thread, NULL), 0);
    IS(cg_crew_main(works, NULL, .workers = WORKERS,
                    .reactor = test_on_sim() ? "sim" : test_reactor()),
       0);
    pthread_join(thread, NULL);
    cg_channel_unref(world.channel);
    check();
}

static void oracle(void)
{
    const char *seeds = getenv("COGEN_SEEDS");

    for (int seed = 1; seed <= (seeds ? atoi(seeds) : 20); seed++)
        one_seed((uint64_t)seed);
}

/* Runs many seeds in one scheduler of a simulated world, where nothing depends on
 * threads. */
static ssize_t works_alone(void *arg)
{
    for (int i = 0; i < SENDERS; i++)
        OK(cg_yield(cg_add(sends, arg)));
    for (int i = 0; i < RECEIVERS; i++)
        OK(cg_yield(cg_add(receives, arg)));
    return 0;
}

static void oracle_alone(void)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t random = seed;
        struct cg_reactor *reactor;
        struct cg_sched *sched;

        memset(&world, 0, sizeof world);
        world.seed = seed;
        world.channel = cg_channel_new(.limit = 1 + test_random(&random) % 20);
        atomic_store(&world.sending, SENDERS);
        IS(cg_sim_open(&(struct cg_sim_options){.seed = seed, .cost = CG_MICROSECOND}, &reactor),
           0);
        sched = cg_sched_new(reactor);
        OK(cg_sched_start(sched, works_alone, NULL));
        IS(cg_sched_run(sched), 0);
        cg_sched_free(sched);
        cg_reactor_close(reactor);
        cg_channel_unref(world.channel);
        check();
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(oracle),
        PLAIN(oracle_alone, .where = ON_SIM),
    };

    return test_main("channel_oracle", cases, COUNT(cases));
}
