/* SPDX-License-Identifier: MIT */
/* What one operation wakes may decide races and end groups, and so cancel the coroutine of that
 * very operation, or of another one that completes beside it. Each operation must complete once,
 * with what has really happened to it, and each coroutine must notice its cancellation. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>

#define MS CG_MILLISECOND

/* The operation under test, made anew by each case's coroutine: cg_yield(wakes(prio)). */
static ssize_t (*wakes)(uint8_t prio);
static uint8_t priority;
static ssize_t woke;
static struct cg_queue *queue;
static struct cg_coro *owner;

static ssize_t signals(uint8_t prio)
{
    return cg_yield(cg_signal("stop", 1, .prio = prio));
}

static ssize_t puts_item(uint8_t prio)
{
    return cg_yield(cg_put(queue, 1, .prio = prio)) + 1;
}

static ssize_t cancels(uint8_t prio)
{
    return cg_yield(cg_cancel(owner, .prio = prio)) + 1;
}

static ssize_t in_a_race(uint8_t prio)
{
    return cg_yield(cg_any((cg_signal("stop", 1, .prio = prio), cg_sleep(CG_HOUR)))) + 1;
}

static ssize_t beside_a_sleep(uint8_t prio)
{
    struct cg_op *signal = cg_signal("stop", 1, .prio = prio);

    IS(cg_yield(cg_all((cg_sleep(CG_HOUR), signal))), -ECANCELED);
    return cg_op_result(signal);
}

/* Wakes the race in which it runs, is then cancelled, and ends. */
static ssize_t acts(void *arg)
{
    int64_t begun;

    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    begun = now();
    woke = wakes(priority);
    IS(cg_yield(cg_sleep(MS)), -ECANCELED);
    ck_assert_int_lt(now() - begun, MS);
    return -ECANCELED;
}

/* The race cancels `acts` as a branch: what it calls has a coroutine of its own. */
static ssize_t races_a_call(void *arg)
{
    void *item;

    (void)arg;
    woke = 0;
    IS(cg_yield(cg_any((cg_call(acts, NULL), cg_wait_signal("stop", NULL), cg_get(queue, &item)),
                       .timeout = CG_SECOND)) > 0,
       1);
    IS(woke, 1);
    return 0;
}

/* The race cancels `acts` as a member of a group. */
static ssize_t races_a_group(void *arg)
{
    struct cg_group group;
    struct cg_op *wait = cg_wait_group(&group);
    void *item;

    (void)arg;
    woke = 0;
    owner = cg_coro_self();
    cg_group_open(&group);
    IS(cg_group_start(&group, acts, NULL, NULL), 0);
    cg_yield(cg_any((wait, cg_wait_signal("stop", NULL), cg_get(queue, &item))));
    IS(cg_op_result(wait), -ECANCELED);
    IS(woke, 1);
    return 0;
}

static ssize_t each_operation(void *arg)
{
    static ssize_t (*const all[])(uint8_t) = {signals, puts_item, in_a_race, beside_a_sleep,
                                              cancels};
    static const uint8_t priorities[] = {CG_PRIO_LAST, CG_PRIO_CORO, CG_PRIO_OP, CG_PRIO_FIRST};

    (void)arg;
    queue = cg_queue_new(.limit = 1);
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t k = 0; k < COUNT(priorities); k++) {
            wakes = all[i];
            priority = priorities[k];
            if (wakes != cancels)
                IS(test_end(test_start(races_a_call, NULL)), 0);
            IS(test_end(test_start(races_a_group, NULL)), 0);
        }
    cg_queue_free(queue);
    return 0;
}

/* A race that contains the end of its own coroutine does not go on. */
static ssize_t cancels_itself(void *arg)
{
    int64_t begun = now();

    (void)arg;
    IS(cg_yield(cg_all((cg_sleep(CG_HOUR), cg_cancel(cg_coro_self())))), -ECANCELED);
    IS(now(), begun);
    return 0;
}

static ssize_t itself(void *arg)
{
    (void)arg;
    IS(test_end(test_start(cancels_itself, NULL)), 0);
    return 0;
}

/* A signaller that has waited for its recipients: the signal decides the race whose group it
 * belongs to. It completes with their number. */
static ssize_t waits_for_two(void *arg)
{
    woke = cg_yield(cg_signal("x", 7, .recipients = 2, .prio = *(uint8_t *)arg));
    IS(cg_yield(cg_pass()), -ECANCELED);
    return 0;
}

static ssize_t hears(void *arg)
{
    struct cg_group group;

    cg_group_open(&group);
    IS(cg_group_start(&group, waits_for_two, arg, NULL), 0);
    IS(cg_yield(cg_any((cg_wait_group(&group), cg_wait_signal("x", NULL)))), 1);
    return 0;
}

static ssize_t recipients(void *arg)
{
    uint8_t priorities[] = {CG_PRIO_LAST, CG_PRIO_CORO};

    (void)arg;
    for (size_t k = 0; k < COUNT(priorities); k++) {
        struct cg_coro *coro = test_start(hears, &priorities[k]);

        IS(cg_yield(cg_sleep(MS)), 0);
        woke = 0;
        IS(cg_yield(cg_wait_signal("x", NULL)), 0);
        IS(test_end(coro), 0);
        IS(woke, 2);
    }
    return 0;
}

static ssize_t wants_three(void *arg)
{
    (void)arg;
    return cg_yield(cg_signal("y", 1, .recipients = 3));
}

/* The last branch of a race brings the recipients that a signaller has waited for. The signal
 * completes the first branch only, and reaches one coroutine. */
static ssize_t one_of_three(void *arg)
{
    struct cg_coro *coro = test_start(wants_three, NULL);
    struct cg_op *second = cg_wait_signal("y", NULL), *third = cg_wait_signal("y", NULL);

    (void)arg;
    IS(cg_yield(cg_pass()), 0);
    IS(cg_yield(cg_any((cg_wait_signal("y", NULL), second, third))), 0);
    IS(cg_op_result(second), -ECANCELED);
    IS(cg_op_result(third), -ECANCELED);
    IS(test_end(coro), 1);
    IS(cg_yield(cg_all((cg_signal("y", 1, .recipients = 2), second, third))), 0);
    IS(cg_op_result(third), 0);
    return 0;
}

/* A publisher that waits at the limit: its message decides the race whose group it belongs
 * to. It was published. */
static struct cg_pubsub *news;
static struct cg_subscriber slow;

static ssize_t publishes(void *arg)
{
    ssize_t rc = cg_yield(cg_publish(news, arg));

    IS(cg_yield(cg_pass()), -ECANCELED);
    return rc;
}

static ssize_t reads_on(void *arg)
{
    struct cg_group group;
    intptr_t got;
    ssize_t first = 1, second = 1;

    (void)arg;
    IS(cg_yield(cg_fetch(&slow, &got, 1)), 1);
    cg_group_open(&group, .keep_going = true);
    IS(cg_group_start(&group, publishes, (void *)2, &first), 0);
    IS(cg_group_start(&group, publishes, (void *)3, &second), 0);
    IS(cg_yield(cg_any((cg_wait_group(&group), cg_fetch(&slow, &got, 1)))), 1);
    IS(got, 2);
    IS(first, 0);
    IS(second, -ECANCELED);
    return 0;
}

static ssize_t at_the_limit(void *arg)
{
    struct cg_subscriber other;
    intptr_t got;
    struct cg_coro *coro;

    (void)arg;
    news = cg_pubsub_new(.limit = 1);
    cg_pubsub_subscribe(news, &slow, CG_SINCE_NOW);
    cg_pubsub_subscribe(news, &other, CG_SINCE_NOW);
    IS(cg_yield(cg_publish(news, 1)), 0);
    IS(cg_yield(cg_fetch(&other, &got, 1)), 1);
    coro = test_start(reads_on, NULL);
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_fetch(&other, &got, 1)), 1);
    IS(test_end(coro), 0);
    cg_pubsub_free(news);
    return 0;
}

/* A fetch makes room for the publisher that it races with: that wins. */
static ssize_t publishes_or_fetches(void *arg)
{
    struct cg_op *fetch;
    intptr_t got;

    (void)arg;
    news = cg_pubsub_new(.limit = 1);
    cg_pubsub_subscribe(news, &slow, CG_SINCE_NOW);
    IS(cg_yield(cg_publish(news, 1)), 0);
    IS(cg_yield(cg_fetch(&slow, &got, 1)), 1);
    fetch = cg_fetch(&slow, &got, 1);
    IS(cg_yield(cg_any((cg_publish(news, 2), fetch), .timeout = MS)), 0);
    IS(cg_op_result(fetch), -ECANCELED);
    IS(cg_yield(cg_fetch(&slow, &got, 1, .timeout = CG_NOWAIT)), 1);
    IS(got, 2);
    cg_pubsub_free(news);
    return 0;
}

/* The branch of a race inside that race makes the room. Nothing more is started there: an item
 * that it took would be lost. */
static ssize_t races_inside(void *arg)
{
    (void)arg;
    for (int all = 0; all < 2; all++) {
        struct cg_op *fetch, *get, *inner;
        void *item;
        intptr_t got;

        queue = cg_queue_new();
        IS(cg_queue_try_put(queue, "kept"), 0);
        news = cg_pubsub_new(.limit = 1);
        cg_pubsub_subscribe(news, &slow, CG_SINCE_NOW);
        IS(cg_yield(cg_publish(news, 1)), 0);
        IS(cg_yield(cg_fetch(&slow, &got, 1)), 1);
        fetch = cg_fetch(&slow, &got, 1);
        get = cg_get(queue, &item);
        inner = all ? cg_all((fetch, get)) : cg_any((fetch, get));
        IS(cg_yield(cg_any((cg_publish(news, 2), inner))), 0);
        IS(cg_op_result(inner), -ECANCELED);
        IS(cg_op_result(get), -ECANCELED);
        IS(cg_queue_len(queue), 1);
        cg_pubsub_free(news);
        cg_queue_free(queue);
    }
    return 0;
}

static ssize_t publishes_and_fetches(void *arg)
{
    struct cg_op *publish = cg_publish(news, 2), *fetch = cg_fetch(arg, &woke, 1);

    IS(cg_yield(cg_any((publish, fetch))), 0);
    IS(cg_op_result(fetch), -ECANCELED);
    return 0;
}

/* A publisher that others make room for does not serve a fetch of its own race. */
static ssize_t room_by_others(void *arg)
{
    struct cg_subscriber own;
    struct cg_coro *coro;
    intptr_t got;

    (void)arg;
    news = cg_pubsub_new(.limit = 1);
    cg_pubsub_subscribe(news, &slow, CG_SINCE_NOW);
    IS(cg_yield(cg_publish(news, 1)), 0);
    cg_pubsub_subscribe(news, &own, CG_SINCE_NOW);
    coro = test_start(publishes_and_fetches, &own);
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_fetch(&slow, &got, 1)), 1);
    IS(cg_yield(cg_fetch(&slow, &got, 1)), 1);
    IS(got, 2);
    IS(test_end(coro), 0);
    IS(cg_subscriber_unread(&own), 1);
    cg_pubsub_free(news);
    return 0;
}

/* The end of a producer completes the request for its next value, which decides the race in
 * which another coroutine waits for that end. */
static struct cg_iterator producer;

static ssize_t never_produces(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    return -ECANCELED;
}

static ssize_t stops(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    woke = cg_yield(cg_any((cg_stop_producer(&producer), cg_sleep(CG_HOUR))));
    return 0;
}

static ssize_t asks(void *arg)
{
    struct cg_group group;
    intptr_t value;

    (void)arg;
    cg_group_open(&group);
    IS(cg_group_start(&group, stops, NULL, NULL), 0);
    IS(cg_yield(cg_any((cg_wait_group(&group), cg_get_next(&producer, &value)))), 1);
    return 0;
}

static ssize_t iterator_ends(void *arg)
{
    (void)arg;
    producer = cg_iterator(never_produces, NULL);
    IS(test_end(test_start(asks, NULL)), 0);
    IS(woke, -ECANCELED);
    return 0;
}

/* A barrier stays in step though the race that it decides takes another of its waiters back. */
static struct cg_barrier three = {.parties = 3};

static ssize_t arrives(void *arg)
{
    (void)arg;
    return cg_yield(cg_wait_barrier(&three, .timeout = MS));
}

static ssize_t arrives_twice(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_any((cg_wait_barrier(&three), cg_call(arrives, NULL)))), 0);
    return 0;
}

static ssize_t barrier(void *arg)
{
    struct cg_coro *coro = test_start(arrives_twice, NULL), *other;

    (void)arg;
    while (three.waiting < 2)
        IS(cg_yield(cg_pass()), 0);
    IS(arrives(NULL), 2);
    IS(test_end(coro), 0);
    IS(three.waiting, 0);
    coro = test_start(arrives, NULL);
    other = test_start(arrives, NULL);
    IS(cg_yield(cg_pass()), 0);
    IS(arrives(NULL), 2);
    IS(test_end(coro), 0);
    IS(test_end(other), 1);
    return 0;
}

static const struct test_case cases[] = {
    CORO(each_operation, .where = ON_SIM),
    CORO(itself, .where = ON_SIM),
    CORO(recipients),
    CORO(one_of_three),
    CORO(at_the_limit),
    CORO(publishes_or_fetches),
    CORO(races_inside, .where = ON_SIM),
    CORO(room_by_others),
    CORO(iterator_ends),
    CORO(barrier),
};

int main(void)
{
    return test_main("ends_itself", cases, COUNT(cases));
}
