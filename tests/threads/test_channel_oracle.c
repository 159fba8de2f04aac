/* SPDX-License-Identifier: MIT */
/* Channels between threads, by seeds: senders and receivers on the workers of a crew, some
 * of which time out now and then, and threads without a scheduler. In every case the items
 * that were sent are received once each, no other items are received, and each receiver
 * gets the items of a sender in order. $COGEN_SEEDS is the number of seeds (20 with threads,
 * 1,000 on simulated hosts). */
#include "config.h"

#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <errno.h>
#include <limits.h>
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
    int attempts; /* of each sender */
    bool patient; /* senders wait without a limit, and so do the receivers of the first host;
                   * the others leave after a while. Then a lost notification is not made up
                   * for by the next timeout: the run cannot end */
    struct cg_channel *channel;
    atomic_int senders, receivers;       /* the next one's number */
    atomic_int sending;                  /* senders that have not finished */
    uint8_t fate[SENDERS][ATTEMPTS];     /* each sender's own */
    atomic_uchar seen[SENDERS][ATTEMPTS]; /* how often it was received */
} world;

static void receive(intptr_t item, int last[SENDERS])
{
    int sender = (int)(item / ATTEMPTS), attempt = (int)(item % ATTEMPTS);

    MUST_HOLD(item >= 0 && sender < SENDERS);
    MUST_HOLD(attempt > last[sender]);
    last[sender] = attempt;
    atomic_fetch_add(&world.seen[sender][attempt], 1);
}

/* A length of time. Patient worlds have few different ones, and a clock that moves only when
 * all hosts are idle: so timeouts and notifications meet at the same moment. */
static int64_t some_time(uint64_t *seed, uint32_t most)
{
    return world.patient ? (1 + test_random(seed) % 5) * 10 * CG_MICROSECOND
                         : 1 + test_random(seed) % (most * CG_MICROSECOND);
}

static ssize_t send_one(intptr_t item, uint64_t *seed)
{
    struct cg_channel *channel = world.channel;
    uint32_t how = world.patient ? 7 : test_random(seed) % 8;

    switch (how) {
    case 0:
        return cg_channel_try_send(channel, (void *)item);
    case 1:
        return cg_yield(cg_send(channel, item, .timeout = CG_NOWAIT));
    case 2:
        return cg_yield(cg_send(channel, item, .timeout = some_time(seed, 200)));
    case 3: {
        struct cg_op *send = cg_send(channel, item);

        cg_yield(cg_any((send, cg_sleep(some_time(seed, 100)))));
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
    for (int i = 0; i < world.attempts; i++) {
        ssize_t rc = send_one(self * ATTEMPTS + i, &seed);

        MUST_HOLD(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT || rc == -ECANCELED);
        world.fate[self][i] = rc == 0 ? SENT : NOT_SENT;
        if (world.patient && test_random(&seed) % 2)
            IS(cg_yield(cg_sleep(some_time(&seed, 0))), 0);
        if (test_random(&seed) % 16 == 0)
            IS(cg_yield(cg_pass()), 0);
    }
    finish_sender();
    return 0;
}

static void *sends_in_thread(void *arg)
{
    int self = atomic_fetch_add(&world.senders, 1);

    for (int i = 0; i < world.attempts; i++) {
        int rc = cg_channel_try_send(world.channel, (void *)(intptr_t)(self * ATTEMPTS + i));

        MUST_HOLD(rc == 0 || rc == -EAGAIN);
        world.fate[self][i] = rc == 0 ? SENT : NOT_SENT;
        if (rc < 0)
            sched_yield();
    }
    finish_sender();
    return arg;
}

static ssize_t receives(void *arg)
{
    int last[SENDERS], rounds;
    uint64_t seed = world.seed * 37 + (uint64_t)atomic_fetch_add(&world.receivers, 1);
    bool stays = arg != NULL;
    intptr_t items[5];
    ssize_t rc;

    memset(last, -1, sizeof last);
    rounds = world.patient && !stays ? (int)(test_random(&seed) % 10) : INT_MAX;
    while (rounds-- > 0) {
        switch (world.patient && stays ? 0 : test_random(&seed) % 4) {
        case 0:
            rc = cg_yield(cg_receive_many(world.channel, items, 1 + test_random(&seed) % 5));
            break;
        case 1: {
            struct cg_op *one = cg_receive(world.channel, &items[0]);
            struct cg_op *two = cg_receive(world.channel, &items[1]);

            rc = cg_yield(cg_any((one, two), .timeout = some_time(&seed, 100)));
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
            rc = cg_yield(
                cg_receive(world.channel, items, .timeout = some_time(&seed, 300)));
            rc += rc == 0;
        }
        for (ssize_t i = 0; i < rc; i++)
            receive(items[i], last);
        if (rc == CG_EOF)
            return 0;
        MUST_HOLD(rc > 0 || rc == -ETIMEDOUT || rc == -EAGAIN);
        if (rc == -EAGAIN)
            IS(cg_yield(cg_pass()), 0);
    }
    return 0;
}

/* Starts the coroutines of one worker or host of `count`: each has some senders and some
 * receivers; the first one may have all receivers, and has those that stay. */
static void start_share(unsigned self, unsigned count, int senders)
{
    uint64_t seed = world.seed;
    bool apart = test_random(&seed) % 2;

    for (int i = 0; i < senders; i++)
        if ((unsigned)i % count == self)
            OK(cg_yield(cg_add(sends, NULL, .name = "sender")));
    for (int i = 0; i < RECEIVERS; i++)
        if ((apart ? 0 : (unsigned)i % count) == self)
            OK(cg_yield(cg_add(receives, self ? NULL : &world, .name = "receiver")));
}

static ssize_t works(void *arg)
{
    start_share(cg_worker_id(), WORKERS, SENDERS - 1);
    return arg ? -EINVAL : 0;
}

static void check(void)
{
    for (int i = 0; i < SENDERS; i++)
        for (int k = 0; k < world.attempts; k++) {
            MUST_HOLD(world.fate[i][k] != UNKNOWN);
            if (atomic_load(&world.seen[i][k]) != (world.fate[i][k] == SENT))
                ck_abort_msg("seed %lu: %d of %d was received %d times",
                             (unsigned long)world.seed, k, i,
                             (int)atomic_load(&world.seen[i][k]));
        }
}

static void one_seed(uint64_t seed)
{
    pthread_t thread;
    uint64_t random = seed;

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.attempts = ATTEMPTS;
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

/* The same on simulated hosts: the seed decides which host runs and whom a notification
 * reaches first. */
static ssize_t works_on_host(void *arg)
{
    struct hosts *hosts = arg;
    unsigned self = 0;

    while (hosts->sched[self] != cg_sched_self())
        self++;
    start_share(self, hosts->count, SENDERS);
    return 0;
}

static void one_world(uint64_t seed)
{
    struct cg_sim_options options = {.seed = seed, .cost = seed % 2 ? 0 : CG_MICROSECOND};
    uint64_t random = seed;
    struct hosts hosts;

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.attempts = 30;
    world.patient = seed % 2;
    world.channel = cg_channel_new(.limit = 1 + test_random(&random) % (world.patient ? 2 : 20));
    atomic_store(&world.sending, SENDERS);
    hosts_open(&hosts, 1 + seed % WORKERS, &options);
    for (unsigned i = 0; i < hosts.count; i++)
        hosts_start(&hosts, i, works_on_host, &hosts);
    hosts_run(&hosts);
    hosts_close(&hosts);
    cg_channel_unref(world.channel);
    check();
}

static void oracle_on_hosts(void)
{
    const char *seeds = getenv("COGEN_SEEDS");

    for (int seed = 1; seed <= (seeds ? atoi(seeds) : 1000); seed++)
        one_world((uint64_t)seed);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(oracle),
        PLAIN(oracle_on_hosts, .where = ON_SIM),
    };

    return test_main("channel_oracle", cases, COUNT(cases));
}
