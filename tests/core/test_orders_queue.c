/* SPDX-License-Identifier: MIT */
/* cogen's tests of queues and of publishing under each priority, see test_orders.c. */
#include "config.h"

#include "tests/core/orders.h"

#include <errno.h>

#define MS CG_MILLISECOND

static struct cg_queue *queue;
static struct cg_coro *putter;

static void open_queue(struct cg_sched *sched, void *limit)
{
    (void)sched;
    queue = cg_queue_new(.limit = (uintptr_t)limit);
    ck_assert_ptr_nonnull(queue);
}

static void close_queue(void)
{
    cg_queue_free(queue);
}

/* Fills the queue, and waits for room for one more item. */
static ssize_t puts_21(void *arg)
{
    (void)arg;
    putter = cg_coro_self();
    for (intptr_t i = 0; i < 20; i++)
        IS(cg_yield(cg_put(queue, i)), 0);
    IS(cg_queue_try_put(queue, NULL), -EAGAIN);
    IS(cg_yield(cg_put(queue, NULL, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_uint_eq(cg_queue_len(queue), 20);
    IS(cg_yield(cg_put(queue, 20)), 0);
    note("!");
    return 0;
}

static ssize_t gets_21(void *arg)
{
    intptr_t item;

    (void)arg;
    do
        IS(cg_yield(cg_sleep(MS)), 0);
    while (cg_coro_state(putter) != CG_CORO_WAITING);
    while (cg_yield(cg_get(queue, &item, .timeout = MS)) == 0)
        note_letter(item);
    note(".");
    return 0;
}

static ssize_t gets_too_long(void *arg)
{
    intptr_t item;

    (void)arg;
    IS(cg_yield(cg_get(queue, &item, .timeout = CG_HOUR)), 0);
    note_letter(item);
    IS(cg_yield(cg_get(queue, &item, .timeout = MS)), -ETIMEDOUT);
    note("!");
    return 0;
}

/* An item that is put after a get has timed out stays in the queue. */
static ssize_t puts_too_late(void *arg)
{
    struct cg_coro *getter = test_start(gets_too_long, arg);

    IS(cg_yield(cg_put(queue, 0)), 0);
    IS(test_end(getter), 0);
    IS(cg_yield(cg_put(queue, 1)), 0);
    ck_assert_uint_eq(cg_queue_len(queue), 1);
    return 0;
}

/* Three workers get items; two coroutines put three items each, and wait until they are
 * done. */

static int bosses, done;

static void open_work(struct cg_sched *sched, void *limit)
{
    open_queue(sched, limit);
    bosses = done = 0;
}

static ssize_t works(void *arg)
{
    intptr_t item;

    (void)arg;
    while (cg_yield(cg_get(queue, &item)) == 0) {
        note("1");
        do
            IS(cg_yield(cg_sleep(MS)), 0);
        while (bosses < 2);
        IS(cg_queue_task_done(queue), 0);
    }
    note("2");
    return 0;
}

static ssize_t has_work_done(void *arg)
{
    (void)arg;
    bosses++;
    for (intptr_t i = 0; i < 3; i++)
        IS(cg_yield(cg_put(queue, i)), 0);
    note("1");
    IS(cg_yield(cg_join_queue(queue)), 0);
    note("2");
    if (++done == 2)
        cg_queue_close(queue);
    return 0;
}

static struct cg_pubsub *pubsub;

static void open_pubsub(struct cg_sched *sched, void *arg)
{
    (void)sched;
    (void)arg;
    pubsub = cg_pubsub_new();
    ck_assert_ptr_nonnull(pubsub);
}

static void close_pubsub(void)
{
    cg_pubsub_free(pubsub);
}

/* Fetches up to message 4, the last one. */
static void fetch(struct cg_subscriber *subscriber)
{
    intptr_t messages[16] = {0};
    ssize_t n = 0;

    while (n == 0 || messages[n - 1] != 4) {
        n = OK(cg_yield(cg_fetch(subscriber, messages, 16)));
        for (ssize_t i = 0; i < n; i++)
            note_letter(messages[i]);
    }
    IS(cg_yield(cg_fetch(subscriber, messages, 16, .timeout = CG_NOWAIT)), -ETIMEDOUT);
}

static ssize_t fetches(void *arg)
{
    struct cg_subscriber subscriber;

    (void)arg;
    cg_pubsub_subscribe(pubsub, &subscriber, CG_SINCE_START);
    fetch(&subscriber);
    cg_pubsub_unsubscribe(&subscriber);
    return 0;
}

static ssize_t fetches_and_signals(void *arg)
{
    fetches(arg);
    note("!");
    IS(cg_yield(cg_signal("lazy", NULL)), 1);
    return 0;
}

static ssize_t subscribes_and_waits(void *arg)
{
    struct cg_subscriber subscriber;

    (void)arg;
    cg_pubsub_subscribe(pubsub, &subscriber, CG_SINCE_START);
    IS(cg_yield(cg_wait_signal("lazy", NULL)), 0);
    fetch(&subscriber);
    cg_pubsub_unsubscribe(&subscriber);
    return 0;
}

static ssize_t waits_and_fetches(void *arg)
{
    IS(cg_yield(cg_wait_signal("lazy", NULL)), 0);
    return fetches(arg);
}

static ssize_t publishes(void *arg)
{
    (void)arg;
    for (intptr_t i = 0; i < 5; i++)
        IS(cg_yield(cg_publish(pubsub, i)), 0);
    return 0;
}

/* A subscriber that subscribes after the compaction gets the messages that follow. */
static ssize_t compacts_and_signals(void *arg)
{
    (void)arg;
    for (intptr_t i = 0; i < 5; i++) {
        IS(cg_yield(cg_publish(pubsub, i)), 0);
        if (i == 2) {
            cg_pubsub_compact(pubsub);
            IS(cg_yield(cg_signal("lazy", NULL)), 1);
        }
    }
    return 0;
}

static ssize_t compacts_after_add(void *arg)
{
    (void)arg;
    for (intptr_t i = 0; i < 5; i++) {
        IS(cg_yield(cg_publish(pubsub, i)), 0);
        if (i == 1)
            IS(cg_yield(cg_add(fetches, NULL, .prio = CG_PRIO_CORO)), 0);
        if (i == 2)
            cg_pubsub_compact(pubsub);
    }
    return 0;
}

#define ALL_20 "abcdefghijklmnopqrst"
#define WORK(limit)                                                                        \
    {                                                                                      \
        .name = "queue.join " #limit, .open = open_work, .close = close_queue,             \
        .fns = {works, works, works, has_work_done, has_work_done}, .arg = (void *)limit,  \
        .ours = ALWAYS("1111111122222")                                                    \
    }

static const struct order orders[] = {
    {
        .name = "queue.queue",
        .open = open_queue,
        .close = close_queue,
        .fns = {puts_21, gets_21},
        .arg = (void *)20,
        .ours = {"!" ALL_20 "u.", "abcdefghijklmno!pqrstu.", "!" ALL_20 "u.",
                 "abcdefghijklmno!pqrstu."},
        .cogens = {ALL_20 "u!.", "!" ALL_20 "u.", ALL_20 "u!.", "!" ALL_20 "u."},
        .why = "the woken run before their waker, which with CORO goes on for a budget first",
    },
    {
        .name = "queue.timo",
        .open = open_queue,
        .close = close_queue,
        .fns = {puts_too_late},
        .arg = (void *)20,
        .ours = ALWAYS("a!"),
    },
    WORK(1),
    WORK(2),
    WORK(3),
    WORK(4),
    WORK(5),
    {
        .name = "pubsub",
        .open = open_pubsub,
        .close = close_pubsub,
        .fns = {subscribes_and_waits, fetches_and_signals, publishes},
        .ours = ALWAYS("abcde!abcde"),
    },
    {
        .name = "pubsub.compact",
        .open = open_pubsub,
        .close = close_pubsub,
        .fns = {waits_and_fetches, compacts_and_signals},
        .ours = ALWAYS("de"),
    },
    {
        .name = "pubsub.compact2",
        .open = open_pubsub,
        .close = close_pubsub,
        .fns = {compacts_after_add},
        .ours = ALWAYS("de"),
    },
};

static void as_in_the_table(void)
{
    orders_hold(orders, COUNT(orders));
}

static const struct test_case cases[] = {
    PLAIN(as_in_the_table),
};

int main(void)
{
    return test_main("orders_queue", cases, COUNT(cases));
}
