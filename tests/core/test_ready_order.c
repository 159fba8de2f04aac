/* SPDX-License-Identifier: MIT */
/* The ready queue: coroutines run in the order in which they were woken, under every
 * priority, and favoured ones do not starve the others. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>

#define MS CG_MILLISECOND

enum { MANY = 40 }; /* more than the initial places of the queue */

static const uint8_t prios[] = {CG_PRIO_LAST, CG_PRIO_CORO, CG_PRIO_OP, CG_PRIO_FIRST};

/* The objects for which the coroutines of a case wait. */
static struct {
    struct cg_event event;
    struct cg_semaphore semaphore;
    struct cg_barrier barrier;
    struct cg_queue *queue;
    struct cg_pubsub *pubsub;
    struct cg_coro *joined, *coros[MANY];
    struct cg_sock *in[MANY], *out[MANY];
    int64_t moment;
} w;

/* A way to wait, for coroutine i, and the way to wake all that wait like this. */
struct way {
    const char *name;
    void (*wait)(int i);
    void (*wake)(void);
};

static void wait_signal(int i)
{
    (void)i;
    IS(cg_yield(cg_wait_signal("go", NULL)), 0);
}

static void wake_signal(void)
{
    IS(cg_yield(cg_signal("go", NULL)), MANY);
}

static void wait_event(int i)
{
    (void)i;
    IS(cg_yield(cg_wait_event(&w.event)), 0);
}

static void wake_event(void)
{
    IS((ssize_t)cg_event_set(&w.event), MANY);
}

static void wait_semaphore(int i)
{
    (void)i;
    IS(cg_yield(cg_acquire(&w.semaphore)), 0);
}

static void wake_semaphore(void)
{
    IS(cg_semaphore_release(&w.semaphore, MANY), 0);
}

static void wait_barrier(int i)
{
    IS(cg_yield(cg_wait_barrier(&w.barrier)), i);
}

static void wake_barrier(void)
{
    IS(cg_yield(cg_wait_barrier(&w.barrier)), MANY);
}

static void wait_get(int i)
{
    intptr_t item;

    IS(cg_yield(cg_get(w.queue, &item)), 0);
    IS(item, i);
}

static void wake_get(void)
{
    for (intptr_t i = 0; i < MANY; i++)
        IS(cg_yield(cg_put(w.queue, i)), 0);
}

static void wait_put(int i)
{
    IS(cg_yield(cg_put(w.queue, (intptr_t)i)), 0);
}

static void wake_put(void)
{
    intptr_t item;

    for (int i = -1; i < MANY; i++) {
        IS(cg_yield(cg_get(w.queue, &item)), 0);
        IS(item, i);
    }
}

static void wait_fetch(int i)
{
    struct cg_subscriber subscriber;
    intptr_t message;

    (void)i;
    cg_pubsub_subscribe(w.pubsub, &subscriber, CG_SINCE_NOW);
    IS(cg_yield(cg_fetch(&subscriber, &message, 1)), 1);
    cg_pubsub_unsubscribe(&subscriber);
}

static void wake_fetch(void)
{
    IS(cg_yield(cg_publish(w.pubsub, 1)), 0);
}

static void wait_join(int i)
{
    (void)i;
    IS(cg_yield(cg_join(w.joined)), -ECANCELED);
}

static void wake_join(void)
{
    IS(cg_yield(cg_cancel(w.joined)), 0);
}

static void wait_suspend(int i)
{
    IS(cg_yield(cg_suspend()), i);
}

static void wake_suspend(void)
{
    for (int i = 0; i < MANY; i++)
        IS(cg_yield(cg_activate(w.coros[i], .value = i)), 0);
}

static void wait_read(int i)
{
    char c;

    IS(cg_yield(cg_read(w.in[i], &c, 1)), 1);
}

static void wake_read(void)
{
    for (int i = 0; i < MANY; i++)
        IS(cg_yield(cg_write(w.out[i], "x", 1)), 1);
}

static void wait_until(int i)
{
    (void)i;
    IS(cg_yield(cg_sleep_until(w.moment)), 0);
}

static void wait_deadline(int i)
{
    (void)i;
    IS(cg_yield(cg_wait_signal("never", NULL, .deadline = w.moment)), -ETIMEDOUT);
}

static void wake_later(void)
{
    IS(cg_yield(cg_sleep_until(w.moment + MS)), 0);
}

static const struct way ways[] = {
    {"signal", wait_signal, wake_signal},    {"event", wait_event, wake_event},
    {"release", wait_semaphore, wake_semaphore}, {"barrier", wait_barrier, wake_barrier},
    {"put", wait_get, wake_get},             {"get", wait_put, wake_put},
    {"publish", wait_fetch, wake_fetch},     {"end", wait_join, wake_join},
    {"activate", wait_suspend, wake_suspend}, {"write", wait_read, wake_read},
    {"sleep", wait_until, wake_later},       {"deadline", wait_deadline, wake_later},
};

static const struct way *way; /* the current one */
static int ran[MANY], runs;

static ssize_t waits(void *arg)
{
    int i = (int)(intptr_t)arg;

    way->wait(i);
    ran[runs++] = i;
    return 0;
}

static void prepare(void)
{
    static int64_t hour = CG_HOUR; /* the sleeper reads it when it runs */

    memset(&w, 0, sizeof w);
    w.barrier.parties = MANY + 1;
    w.queue = cg_queue_new(.limit = way->wait == wait_put);
    w.pubsub = cg_pubsub_new();
    w.moment = now() + 5 * MS;
    if (way->wait == wait_put)
        IS(cg_queue_try_put(w.queue, (void *)(intptr_t)-1), 0);
    if (way->wait == wait_join)
        w.joined = test_start(sleeps, &hour);
    for (int i = 0; i < MANY && way->wait == wait_read; i++)
        OK(cg_sock_pair(cg_sched_self(), &w.in[i], &w.out[i]));
    runs = 0;
}

static void clean(void)
{
    for (int i = 0; i < MANY && way->wait == wait_read; i++) {
        cg_sock_close(w.in[i]);
        cg_sock_close(w.out[i]);
    }
    cg_coro_unref(w.joined);
    cg_pubsub_free(w.pubsub);
    cg_queue_free(w.queue);
}

static ssize_t wakes_in_order(void *arg)
{
    (void)arg;
    for (way = ways; way < ways + COUNT(ways); way++) {
        test_label(way->name);
        prepare();
        for (int i = 0; i < MANY; i++) {
            w.coros[i] = test_start(waits, (void *)(intptr_t)i);
            test_until_waiting(w.coros[i]);
        }
        way->wake();
        for (int i = 0; i < MANY; i++)
            IS(test_end(w.coros[i]), 0);
        for (int i = 0; i < MANY; i++)
            IS(ran[i], i);
        clean();
    }
    return 0;
}

/* Coroutines that are woken by one signal, event or moment, or one after the other, run in
 * the order of their waits, under every priority of the scheduler. */
static void in_the_order_of_waking(void)
{
    for (size_t i = 0; i < COUNT(prios); i++) {
        struct test test = test_open(.prio = prios[i]);

        OK(cg_sched_start(test.sched, wakes_in_order, NULL));
        test_finish(&test);
        test_close(&test);
    }
}

static ssize_t waits_favoured(void *arg)
{
    IS(cg_yield(cg_wait_signal("go", NULL, .prio = CG_PRIO_CORO)), 0);
    note(arg);
    return 0;
}

/* A wait with CG_PRIO_CORO puts its coroutine at the head of the queue, whatever ends
 * it. */
static ssize_t woken_favoured(void *arg)
{
    struct cg_coro *v = test_start(waits_favoured, "v"), *x;

    (void)arg;
    test_until_waiting(v);
    x = test_start(notes, "x");
    IS(cg_yield(cg_signal("go", NULL, .prio = CG_PRIO_LAST)), 1);
    note("m");
    test_end(v);
    test_end(x);
    ck_assert_str_eq(noted, "vxm");
    return 0;
}

static struct {
    bool pair;        /* they talk over a pair of sockets, not by queues */
    uint8_t prio;     /* of their operations */
    struct cg_sock *x, *y;
    struct cg_queue *to, *back;
    int others; /* the other coroutines that have not finished */
} talk;

static ssize_t say(bool answer)
{
    if (talk.pair)
        return cg_yield(cg_write(answer ? talk.y : talk.x, "x", 1, .prio = talk.prio));
    return cg_yield(cg_put(answer ? talk.back : talk.to, 1, .prio = talk.prio));
}

static ssize_t hear(bool answer)
{
    char c;
    intptr_t item;

    if (talk.pair)
        return cg_yield(cg_read(answer ? talk.x : talk.y, &c, 1, .prio = talk.prio));
    return cg_yield(cg_get(answer ? talk.back : talk.to, &item, .prio = talk.prio));
}

/* Sends requests until the other coroutines have finished. */
static ssize_t asks(void *arg)
{
    (void)arg;
    while (talk.others > 0) {
        OK(say(false));
        OK(hear(true));
    }
    cg_queue_close(talk.to);
    cg_sock_close(talk.x);
    return 0;
}

static ssize_t replies(void *arg)
{
    (void)arg;
    while (hear(false) == (talk.pair ? 1 : 0))
        OK(say(true));
    cg_sock_close(talk.y);
    return 0;
}

static ssize_t passes(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++)
        IS(cg_yield(cg_pass(.prio = CG_PRIO_LAST)), 0);
    talk.others--;
    return 0;
}

static ssize_t ticks(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        IS(cg_yield(cg_sleep(MS)), 0);
    talk.others--;
    return 0;
}

static ssize_t connects(void *arg)
{
    struct cg_sock *accepted, *connected;

    (void)arg;
    test_tcp(&accepted, &connected);
    cg_sock_close(accepted);
    cg_sock_close(connected);
    talk.others--;
    return 0;
}

static void talk_beside(uint8_t prio, uint8_t all, bool pair)
{
    struct test test = test_open(.prio = all);
    cg_fn *fns[] = {asks, replies, passes, ticks, connects};

    talk.pair = pair;
    talk.prio = prio;
    talk.others = 3;
    talk.to = cg_queue_new(.limit = 1);
    talk.back = cg_queue_new(.limit = 1);
    OK(cg_sock_pair(test.sched, &talk.x, &talk.y));
    for (size_t i = 0; i < COUNT(fns); i++)
        OK(cg_sched_start(test.sched, fns[i], NULL));
    test_finish(&test);
    cg_queue_free(talk.to);
    cg_queue_free(talk.back);
    test_close(&test);
}

/* Two coroutines that wake each other without end do not starve one that passes, nor
 * timers and connections, whatever priority they or the scheduler have. */
static void talkers_starve_nobody(void)
{
    for (int pair = 0; pair < 2; pair++)
        for (size_t i = 0; i < COUNT(prios); i++) {
            talk_beside(CG_PRIO_DEFAULT, prios[i], pair);
            talk_beside(prios[i], CG_PRIO_LAST, pair);
        }
}

static const struct test_case cases[] = {
    PLAIN(in_the_order_of_waking),
    CORO(woken_favoured, .where = ON_SIM),
    PLAIN(talkers_starve_nobody, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("ready_order", cases, COUNT(cases));
}
