/* SPDX-License-Identifier: MIT */
/* Channels within one scheduler, and between two that run in turn, so that each step can
 * be checked. test_channel_oracle.c tests them between threads. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MS CG_MILLISECOND

static int dropped;

static void drop(void *item)
{
    dropped += (int)(intptr_t)item;
}

/* Without waiters: the channel keeps items in order, up to its limit. When it is closed,
 * it accepts no more items, and still gives those that it has. */
static void without_waiting(void)
{
    struct cg_channel *channel = cg_channel_new(.limit = 3, .drop = drop);
    intptr_t item;

    IS(cg_channel_try_receive(channel, &item), -EAGAIN);
    for (intptr_t round = 0; round < 5; round++) {
        for (intptr_t i = 0; i < 3; i++)
            IS(cg_channel_try_send(channel, (void *)(round * 3 + i)), 0);
        IS(cg_channel_try_send(channel, NULL), -EAGAIN);
        IS((ssize_t)cg_channel_size(channel), 3);
        for (intptr_t i = 0; i < 3; i++) {
            IS(cg_channel_try_receive(channel, &item), 0);
            IS(item, round * 3 + i);
        }
    }
    for (intptr_t i = 1; i <= 3; i++)
        IS(cg_channel_try_send(channel, (void *)i), 0);
    cg_channel_close(channel);
    IS(cg_channel_try_send(channel, NULL), -EPIPE);
    IS(cg_channel_try_receive(channel, &item), 0);
    cg_channel_ref(channel);
    cg_channel_unref(channel);
    dropped = 0;
    cg_channel_unref(channel);
    ck_assert_int_eq(dropped, 5);
    cg_channel_unref(NULL);
    channel = cg_channel_new();
    while (cg_channel_try_send(channel, NULL) == 0)
        continue;
    IS((ssize_t)cg_channel_size(channel), CG_CHANNEL_LIMIT);
    IS(cg_channel_try_receive(channel, &item), 0);
    cg_channel_close(channel);
    while (cg_channel_try_receive(channel, &item) == 0)
        continue;
    IS(cg_channel_try_receive(channel, &item), CG_EOF);
    cg_channel_unref(channel);
    ck_assert_ptr_null(cg_channel_new(.limit = SIZE_MAX / 2));
}

struct pass {
    struct cg_channel *channel;
    intptr_t n, got;
    ssize_t result;
};

static ssize_t sends(void *arg)
{
    struct pass *pass = arg;

    for (intptr_t i = 0; i < pass->n; i++)
        IS(cg_yield(cg_send(pass->channel, i)), 0);
    cg_channel_close(pass->channel);
    return 0;
}

/* The sender waits for room and the receiver for items; the end comes after the last
 * one. */
static ssize_t passes(void *arg)
{
    struct pass pass = {.channel = cg_channel_new(.limit = 2), .n = 500};
    struct cg_coro *sender = test_start(sends, &pass);
    intptr_t item, next = 0, items[8];
    ssize_t n;

    (void)arg;
    for (; next < 100; next++) {
        IS(cg_yield(cg_receive(pass.channel, &item)), 0);
        IS(item, next);
    }
    while ((n = cg_yield(cg_receive_many(pass.channel, items, COUNT(items)))) > 0)
        for (ssize_t i = 0; i < n; i++)
            IS(items[i], next++);
    IS(n, CG_EOF);
    IS(next, pass.n);
    IS(cg_yield(cg_receive(pass.channel, &item)), CG_EOF);
    IS(cg_yield(cg_send(pass.channel, 1)), -EPIPE);
    IS(cg_yield(cg_receive_many(pass.channel, items, 0)), -EINVAL);
    OK(test_end(sender));
    cg_channel_unref(pass.channel);
    return 0;
}

/* An op that does not complete has no effect, and a race has one winner. */
static ssize_t races(void *arg)
{
    struct cg_channel *channel = cg_channel_new(.limit = 1);
    intptr_t a = -1, b = -1;

    (void)arg;
    IS(cg_yield(cg_receive(channel, &a, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_receive(channel, &a, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_receive(channel, &a), cg_receive(channel, &b)), .timeout = MS)),
       -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_receive(channel, &a), cg_send(channel, 7)))), 1);
    IS(a, -1);
    IS((ssize_t)cg_channel_size(channel), 1);
    IS(cg_yield(cg_send(channel, 8, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_send(channel, 8, .timeout = MS)), -ETIMEDOUT);
    IS((ssize_t)cg_channel_size(channel), 1);
    IS(cg_yield(cg_all((cg_send(channel, 9), cg_receive(channel, &a)))), 0);
    IS(a, 7);
    IS(cg_yield(cg_any((cg_receive(channel, &a), cg_receive(channel, &b)))), 0);
    IS(a, 9);
    IS(b, -1);
    cg_channel_unref(channel);
    return 0;
}

static ssize_t receives_either(void *arg)
{
    struct pass *pass = arg;
    intptr_t a = 0, b = 0;

    IS(cg_yield(cg_any((cg_receive(pass->channel, &a), cg_receive(pass->channel, &b)))), 0);
    pass->got = a + b;
    return 0;
}

/* Both branches of a race wait at the same seat: the first gets the item, the other is
 * cancelled. */
static ssize_t two_branches(void *arg)
{
    struct pass pass = {.channel = cg_channel_new()};
    struct cg_coro *coro = test_start(receives_either, &pass);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_send(pass.channel, 5)), 0);
    OK(test_end(coro));
    IS(pass.got, 5);
    cg_channel_unref(pass.channel);
    return 0;
}

static ssize_t receives(void *arg)
{
    struct pass *pass = arg;

    return pass->result = cg_yield(cg_receive(pass->channel, &pass->got));
}

static ssize_t sends_one(void *arg)
{
    struct pass *pass = arg;

    return pass->result = cg_yield(cg_send(pass->channel, pass->n));
}

/* A scheduler with a coroutine that waits. */
static struct test waiting(cg_fn *fn, struct pass *pass, struct cg_coro **coro)
{
    struct test test = test_open(.grace = 1);

    OK(cg_sched_start(test.sched, fn, pass, .coro = coro, .name = "waiting"));
    IS(cg_sched_step(test.sched, 0), 1);
    pass->result = 1;
    return test;
}

/* The first waiter in line is cancelled after it was notified: the next one gets the item
 * or the room. */
static void passed_on(cg_fn *fn, size_t fill)
{
    struct cg_channel *channel = cg_channel_new(.limit = 1);
    struct pass a = {.channel = channel, .n = 1}, b = {.channel = channel, .n = 2};
    struct cg_coro *coro;
    struct test first, second;
    intptr_t item;

    if (fill)
        IS(cg_channel_try_send(channel, (void *)9), 0);
    first = waiting(fn, &a, &coro);
    second = waiting(fn, &b, NULL);
    IS(fill ? cg_channel_try_receive(channel, &item) : cg_channel_try_send(channel, (void *)9),
       0);
    IS(cg_coro_cancel(coro), 0);
    test_finish(&first);
    IS(a.result, -ECANCELED);
    test_finish(&second);
    IS(b.result, 0);
    IS(fill ? 2 : b.got, fill ? 2 : 9);
    cg_coro_unref(coro);
    test_close(&first);
    test_close(&second);
    cg_channel_unref(channel);
}

static void items_passed_on(void)
{
    passed_on(receives, 0);
}

static void room_passed_on(void)
{
    passed_on(sends_one, 1);
}

static ssize_t receives_shielded(void *arg)
{
    struct pass *pass = arg;

    return cg_yield(cg_receive(pass->channel, &pass->got, .shield = true));
}

static void *step(void *sched)
{
    IS(cg_sched_step(sched, 0), 1);
    return NULL;
}

/* The next waiter gets it, too, if the scheduler of the first is freed with the notification
 * on its way. That scheduler belongs to another thread, so that freeing it runs nothing. */
static void freed(void)
{
    struct cg_channel *channel = cg_channel_new(.limit = 1);
    struct pass a = {.channel = channel}, b = {.channel = channel}, c = {.channel = channel};
    struct test first = test_open(.grace = 1), second, third;
    pthread_t thread;

    OK(cg_sched_start(first.sched, receives, &a, .name = "first"));
    IS(pthread_create(&thread, NULL, step, first.sched), 0);
    pthread_join(thread, NULL);
    second = waiting(receives_shielded, &b, NULL);
    third = waiting(receives, &c, NULL);
    IS(cg_channel_try_send(channel, (void *)9), 0);
    test_close(&second); /* out of the middle of the line */
    test_close(&first);
    IS(a.got, 0);
    test_finish(&third);
    IS(c.got, 9);
    test_close(&third);
    cg_channel_unref(channel);
}

/* Closing a channel ends all waits in all schedulers, once. */
static void closed(void)
{
    struct cg_channel *channel = cg_channel_new(.limit = 1);
    struct pass a = {.channel = channel}, b = {.channel = channel};
    struct test first = waiting(receives, &a, NULL), second = waiting(receives, &b, NULL);

    cg_channel_close(channel);
    cg_channel_unref(channel); /* the ops that wait still have references */
    test_finish(&first);
    test_finish(&second);
    IS(a.result, CG_EOF);
    IS(b.result, CG_EOF);
    test_close(&first);
    test_close(&second);
    channel = cg_channel_new(.limit = 1);
    a.channel = b.channel = channel;
    IS(cg_channel_try_send(channel, NULL), 0);
    first = waiting(sends_one, &a, NULL);
    second = waiting(sends_one, &b, NULL);
    cg_channel_close(channel);
    test_finish(&first);
    test_finish(&second);
    IS(a.result, -EPIPE);
    IS(b.result, -EPIPE);
    test_close(&first);
    test_close(&second);
    cg_channel_unref(channel);
}

/* Several waiters of one scheduler are served by one post, in their order. */
static void many_waiters(void)
{
    struct cg_channel *channel = cg_channel_new();
    struct test test = test_open(.timeout = 0);
    struct pass passes[20];

    for (size_t i = 0; i < COUNT(passes); i++) {
        passes[i] = (struct pass){.channel = channel};
        OK(cg_sched_start(test.sched, receives, &passes[i]));
    }
    IS(cg_sched_step(test.sched, 0), 1);
    for (intptr_t i = 0; i < (intptr_t)COUNT(passes); i++)
        IS(cg_channel_try_send(channel, (void *)i), 0);
    test_finish(&test);
    for (intptr_t i = 0; i < (intptr_t)COUNT(passes); i++)
        IS(passes[i].got, i);
    test_close(&test);
    cg_channel_unref(channel);
}

/* A dump names the channel for which an op waits. */
static void printed(void)
{
    struct pass a = {.channel = cg_channel_new(.limit = 5, .name = "jobs")};
    struct cg_coro *coro;
    struct test test = waiting(receives, &a, &coro);
    char text[80];

    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "receive jobs, 0/5"));
    cg_channel_close(a.channel);
    test_finish(&test);
    cg_coro_unref(coro);
    test_close(&test);
    cg_channel_unref(a.channel);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(without_waiting, .where = ON_SIM),
        CORO(passes),
        CORO(races),
        CORO(two_branches),
        PLAIN(items_passed_on),
        PLAIN(room_passed_on),
        PLAIN(freed),
        PLAIN(closed),
        PLAIN(many_waiters),
        PLAIN(printed),
    };

    return test_main("channel", cases, COUNT(cases));
}
