/* SPDX-License-Identifier: MIT */
/* What coroutines say to each other holds in whatever order ready coroutines run. Each play
 * uses one of the primitives, with timeouts by chance, and keeps books on it; it is run in
 * worlds of many seeds, whose order is random or by ranks (PCT). */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/sim.h>
#include <errno.h>
#include <string.h>

enum { SEEDS = 1000, ACTORS = 6, ROUNDS = 5, PLACES = 2, MS = CG_MILLISECOND };

/* The books: what must hold is checked by MUST, without Check's message for each. */
static const char *broken;
#define MUST(expr) (broken = broken != NULL || (expr) ? broken : #expr)

static struct cg_mutex mutex;
static struct cg_semaphore semaphore;
static struct cg_condition condition;
static struct cg_event event;
static struct cg_barrier barrier;
static struct cg_queue *queue;
static struct cg_pubsub *pubsub;
static struct cg_channel *channel;
static struct cg_future *future;
static unsigned inside, total, stock, made, taken, arrived[ROUNDS];
static unsigned last[ACTORS][ACTORS]; /* from whom, by whom */
static bool seen[ACTORS][ROUNDS + 1];

static unsigned chance(unsigned below)
{
    return (unsigned)cg_sim_random(cg_sched_reactor(cg_sched_self()), below);
}

/* Lets others run, or time pass. */
static void dawdle(void)
{
    switch (chance(4)) {
    case 0:
        break;
    case 1:
        cg_yield(cg_sleep(chance(3) * MS));
        break;
    default:
        cg_yield(cg_pass());
    }
}

static int64_t patience(void)
{
    return chance(3) == 0 ? chance(3) * MS + 1 : CG_NEVER;
}

/* Runs ACTORS coroutines of fn(their number), and waits for them. */
static void play(cg_fn *fn)
{
    struct cg_group group;

    cg_group_open(&group);
    for (intptr_t i = 0; i < ACTORS; i++)
        MUST(cg_yield(cg_add_to_group(&group, fn, (void *)i)) == 0);
    MUST(cg_yield(cg_wait_group(&group)) == 0);
}

/* Nobody else is inside while one holds the mutex, also if others give up waiting for it. */
static ssize_t locker(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        dawdle();
        if (cg_yield(cg_lock(&mutex, .timeout = patience())) < 0)
            continue;
        MUST(inside++ == 0);
        dawdle();
        total++;
        MUST(--inside == 0);
        MUST(cg_mutex_unlock(&mutex) == 0);
    }
    return 0;
}

static ssize_t mutexes(void *arg)
{
    (void)arg;
    play(locker);
    MUST(total > 0 && inside == 0);
    MUST(cg_mutex_destroy(&mutex) == 0);
    return 0;
}

/* At most as many are inside as there are units, and no unit is lost. */
static ssize_t acquirer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        dawdle();
        if (cg_yield(cg_acquire(&semaphore, .timeout = patience())) < 0)
            continue;
        MUST(++inside <= PLACES);
        dawdle();
        inside--;
        MUST(cg_semaphore_release(&semaphore, 1) == 0);
    }
    return 0;
}

static ssize_t semaphores(void *arg)
{
    (void)arg;
    semaphore.units = PLACES;
    play(acquirer);
    MUST(semaphore.units == PLACES);
    MUST(cg_semaphore_destroy(&semaphore) == 0);
    return 0;
}

/* A store of PLACES places, with one condition for both sides: each thing that is brought is
 * taken, and nobody sleeps while he could go on. */
static ssize_t storekeeper(void *arg)
{
    bool brings = (intptr_t)arg % 2;

    for (int i = 0; i < ROUNDS; i++) {
        MUST(cg_yield(cg_lock(&mutex)) == 0);
        while (brings ? stock == PLACES : stock == 0)
            MUST(cg_yield(cg_wait_condition(&condition, &mutex)) == 0);
        stock += brings ? 1 : -1u;
        MUST(stock <= PLACES);
        cg_condition_notify_all(&condition);
        MUST(cg_mutex_unlock(&mutex) == 0);
        dawdle();
    }
    return 0;
}

static ssize_t conditions(void *arg)
{
    (void)arg;
    play(storekeeper);
    MUST(stock == 0);
    MUST(cg_condition_destroy(&condition) == 0 && cg_mutex_destroy(&mutex) == 0);
    return 0;
}

/* Whoever waits for an event that is set goes on. */
static ssize_t event_user(void *arg)
{
    dawdle();
    if (arg == NULL) {
        dawdle();
        cg_event_set(&event);
        return 0;
    }
    while (cg_yield(cg_wait_event(&event, .timeout = patience())) < 0)
        MUST(true);
    MUST(event.set);
    return 0;
}

static ssize_t events(void *arg)
{
    (void)arg;
    play(event_user);
    MUST(cg_event_destroy(&event) == 0);
    return 0;
}

/* Nobody leaves a barrier before all have arrived. */
static ssize_t meets(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        dawdle();
        arrived[i]++;
        MUST(cg_yield(cg_wait_barrier(&barrier)) >= 0);
        MUST(arrived[i] == ACTORS);
    }
    return 0;
}

static ssize_t barriers(void *arg)
{
    (void)arg;
    barrier.parties = ACTORS;
    play(meets);
    MUST(cg_barrier_destroy(&barrier) == 0);
    return 0;
}

/* Half put their numbers in order, half take: nothing is lost, doubled or invented, and what
 * one gets from another comes in order. */
static void note_taken(intptr_t item, intptr_t by)
{
    unsigned from = (unsigned)item / 100, number = (unsigned)item % 100;

    MUST(from < ACTORS && number <= ROUNDS && !seen[from][number]);
    MUST(number > last[from][by]);
    last[from][by] = number;
    seen[from][number] = true;
    taken++;
}

static ssize_t trader(void *arg)
{
    intptr_t self = (intptr_t)arg, item;

    for (int i = 1; i <= ROUNDS; i++) {
        ssize_t n;

        dawdle();
        do
            n = self % 2 ? cg_yield(cg_put(queue, self * 100 + i, .timeout = patience()))
                         : cg_yield(cg_get(queue, &item, .timeout = patience()));
        while (n == -ETIMEDOUT);
        MUST(n == 0);
        if (self % 2 == 0)
            note_taken(item, self);
    }
    return 0;
}

static ssize_t queues(void *arg)
{
    (void)arg;
    queue = cg_queue_new(.limit = PLACES);
    play(trader);
    MUST(taken == ACTORS / 2 * ROUNDS && cg_queue_empty(queue));
    cg_queue_free(queue);
    return 0;
}

static ssize_t channel_user(void *arg)
{
    intptr_t self = (intptr_t)arg, item;

    for (int i = 1; i <= ROUNDS; i++) {
        ssize_t n;

        dawdle();
        do
            n = self % 2
                    ? cg_yield(cg_send(channel, self * 100 + i, .timeout = patience()))
                    : cg_yield(cg_receive(channel, &item, .timeout = patience()));
        while (n == -ETIMEDOUT);
        MUST(n == 0);
        if (self % 2 == 0)
            note_taken(item, self);
    }
    return 0;
}

static ssize_t channels(void *arg)
{
    (void)arg;
    channel = cg_channel_new(.limit = PLACES);
    play(channel_user);
    MUST(taken == ACTORS / 2 * ROUNDS);
    cg_channel_unref(channel);
    return 0;
}

/* One publishes; every subscriber gets every message, in order. */
static ssize_t reader(void *arg)
{
    struct cg_subscriber subscriber;
    intptr_t got[ROUNDS], next = 1;
    ssize_t n;

    if (arg == NULL) {
        for (intptr_t i = 1; i <= ROUNDS; i++) {
            dawdle();
            MUST(cg_yield(cg_publish(pubsub, i)) >= 0);
        }
        return 0;
    }
    cg_pubsub_subscribe(pubsub, &subscriber, CG_SINCE_START);
    while (next <= ROUNDS) {
        dawdle();
        n = cg_yield(cg_fetch(&subscriber, got, 2, .timeout = patience()));
        for (ssize_t i = 0; i < n; i++)
            MUST(got[i] == next++);
    }
    cg_pubsub_unsubscribe(&subscriber);
    return 0;
}

static ssize_t pubsubs(void *arg)
{
    (void)arg;
    pubsub = cg_pubsub_new();
    play(reader);
    cg_pubsub_free(pubsub);
    return 0;
}

/* Each signal reaches whoever waits then: as many are woken as the signallers count. */
static ssize_t caller(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        dawdle();
        if ((intptr_t)arg % 2)
            made += (unsigned)cg_yield(cg_signal("news", (void *)(intptr_t)7));
        else if (cg_yield(cg_wait_signal("news", &(intptr_t){0}, .timeout = 2 * MS)) >= 0)
            taken++;
    }
    return 0;
}

static ssize_t signals(void *arg)
{
    (void)arg;
    play(caller);
    MUST(made == taken);
    return 0;
}

/* All who await a future get its result. */
static ssize_t awaiter(void *arg)
{
    ssize_t n;

    dawdle();
    if (arg == NULL)
        return cg_future_set_result(future, 7);
    do
        n = cg_yield(cg_await(future, .timeout = patience()));
    while (n == -ETIMEDOUT);
    MUST(n == 7);
    return 0;
}

static ssize_t futures(void *arg)
{
    (void)arg;
    future = cg_future_new(cg_sched_self());
    play(awaiter);
    cg_future_unref(future);
    return 0;
}

static void begin(void)
{
    mutex = (struct cg_mutex){.name = "mutex"};
    semaphore = (struct cg_semaphore){.name = "semaphore"};
    condition = (struct cg_condition){.name = "condition"};
    event = (struct cg_event){.name = "event"};
    barrier = (struct cg_barrier){.name = "barrier"};
    inside = total = stock = made = taken = 0;
    memset(last, 0, sizeof last);
    memset(seen, 0, sizeof seen);
    memset(arrived, 0, sizeof arrived);
}

/* One world. Fails if a book does not balance, or if somebody waits for ever. */
static void run(cg_fn *fn, enum cg_order_kind order, uint64_t seed)
{
    struct cg_sim_options options = {.seed = seed, .order = order, .steps = 100};
    struct cg_reactor *world;
    struct cg_sched *sched;
    ssize_t left = -1;

    begin();
    if (cg_sim_open(&options, &world) == 0 && (sched = cg_sched_new(world)) != NULL) {
        if (cg_sched_start(sched, fn, NULL) == 0)
            left = cg_sched_run(sched);
        cg_sched_free(sched);
        cg_reactor_close(world);
    }
    if (broken != NULL || left != 0)
        ck_abort_msg("order %d, seed %llu: %s, %zd left", (int)order,
                     (unsigned long long)seed, broken ? broken : "all books balance", left);
}

static void run_all(cg_fn *fn)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run(fn, CG_ORDER_RANDOM, seed);
        run(fn, CG_ORDER_PCT, seed);
    }
}

#define IN_ANY_ORDER(what)                                                                 \
    static void what##_in_any_order(void)                                                  \
    {                                                                                      \
        run_all(what);                                                                     \
    }

IN_ANY_ORDER(mutexes)
IN_ANY_ORDER(semaphores)
IN_ANY_ORDER(conditions)
IN_ANY_ORDER(events)
IN_ANY_ORDER(barriers)
IN_ANY_ORDER(queues)
IN_ANY_ORDER(channels)
IN_ANY_ORDER(pubsubs)
IN_ANY_ORDER(signals)
IN_ANY_ORDER(futures)

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(mutexes_in_any_order, .where = ON_SIM),
        PLAIN(semaphores_in_any_order, .where = ON_SIM),
        PLAIN(conditions_in_any_order, .where = ON_SIM),
        PLAIN(events_in_any_order, .where = ON_SIM),
        PLAIN(barriers_in_any_order, .where = ON_SIM),
        PLAIN(queues_in_any_order, .where = ON_SIM),
        PLAIN(channels_in_any_order, .where = ON_SIM),
        PLAIN(pubsubs_in_any_order, .where = ON_SIM),
        PLAIN(signals_in_any_order, .where = ON_SIM),
        PLAIN(futures_in_any_order, .where = ON_SIM),
    };

    return test_main("any_order", cases, COUNT(cases));
}
