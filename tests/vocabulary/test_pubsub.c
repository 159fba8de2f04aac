/* SPDX-License-Identifier: MIT */
/* Publish and subscribe: every subscriber gets all messages since its subscription, once
 * and in order. No message is dropped while it is in use. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

static void publish(struct cg_pubsub *pubsub, intptr_t from, intptr_t to)
{
    for (intptr_t i = from; i <= to; i++)
        IS(cg_yield(cg_publish(pubsub, i)), 0);
}

/* Fetches all available messages, which must be the numbers from `from` to `to`. */
static void expect(struct cg_subscriber *subscriber, intptr_t from, intptr_t to)
{
    intptr_t got[64];
    ssize_t n = cg_yield(cg_fetch(subscriber, got, COUNT(got), .timeout = CG_NOWAIT));

    IS(n, from > to ? -ETIMEDOUT : to - from + 1);
    for (ssize_t i = 0; i < n; i++)
        IS(got[i], from + i);
}

/* A subscription from the start gets all messages that are kept, one from now only new
 * ones; also if it fetches a few at a time. */
static ssize_t since(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new();
    struct cg_subscriber early, start, now;
    intptr_t two[2];

    (void)arg;
    cg_pubsub_subscribe(pubsub, &early, CG_SINCE_NOW);
    publish(pubsub, 1, 3);
    cg_pubsub_subscribe(pubsub, &start, CG_SINCE_START);
    cg_pubsub_subscribe(pubsub, &now, CG_SINCE_NOW);
    IS((ssize_t)cg_subscriber_unread(&start), 3);
    IS((ssize_t)cg_subscriber_unread(&now), 0);
    expect(&now, 1, 0);
    publish(pubsub, 4, 5);
    expect(&now, 4, 5);
    expect(&now, 1, 0);
    IS(cg_yield(cg_fetch(&start, two, 2)), 2);
    IS(two[0], 1);
    IS(two[1], 2);
    expect(&start, 3, 5);
    expect(&early, 1, 5);
    IS(cg_pubsub_try_publish(pubsub, (void *)6), 0);
    expect(&now, 6, 6);
    cg_pubsub_unsubscribe(&now);
    cg_pubsub_unsubscribe(&start);
    IS(cg_yield(cg_fetch(&now, two, 2)), -EBADF);
    cg_pubsub_free(pubsub);
    IS(cg_yield(cg_fetch(&early, two, 2)), -EBADF);
    cg_pubsub_unsubscribe(&early); /* already ended by cg_pubsub_free */
    return 0;
}

struct reader {
    struct cg_pubsub *pubsub;
    struct cg_subscriber subscriber;
    const char *mark;
    ssize_t wanted;
};

static ssize_t reads(void *arg)
{
    struct reader *r = arg;
    char *message = NULL;

    cg_pubsub_subscribe(r->pubsub, &r->subscriber, CG_SINCE_NOW);
    IS(cg_yield(cg_fetch(&r->subscriber, &message, 1)), r->wanted);
    note(r->mark);
    if (r->wanted > 0)
        note(message);
    return 0;
}

/* All waiting subscribers get a message, in the order of their waits, and run before the
 * publisher continues; with CG_PRIO_CORO after it. */
static ssize_t wakes_all(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new();
    unsigned prio[] = {CG_PRIO_LAST, CG_PRIO_OP, CG_PRIO_FIRST};
    static const char *const order[] = {"axbx|", "axbx|", "|axbx"};

    (void)arg;
    for (size_t i = 0; i < COUNT(prio); i++) {
        struct reader a = {.pubsub = pubsub, .mark = "a", .wanted = 1}, b = a;
        struct cg_coro *first = test_start(reads, &a), *second = test_start(reads, &b);

        b.mark = "b";
        note_anew();
        test_until_waiting(second);
        IS(cg_yield(cg_publish(pubsub, "x", .prio = prio[i])), 0);
        note("|");
        test_end(first);
        test_end(second);
        ck_assert_str_eq(noted, order[i]);
        cg_pubsub_unsubscribe(&a.subscriber);
        cg_pubsub_unsubscribe(&b.subscriber);
    }
    cg_pubsub_free(pubsub);
    return 0;
}

/* Compacting drops the messages that all subscribers have fetched, and moves no cursor.
 * Without subscribers it drops all messages. */
static ssize_t compacts(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new();
    struct cg_subscriber a, b, late;

    (void)arg;
    publish(pubsub, 1, 40);
    IS((ssize_t)cg_pubsub_compact(pubsub), 40);
    IS((ssize_t)cg_pubsub_len(pubsub), 0);
    cg_pubsub_subscribe(pubsub, &a, CG_SINCE_START);
    cg_pubsub_subscribe(pubsub, &b, CG_SINCE_START);
    publish(pubsub, 41, 60);
    expect(&a, 41, 60);
    IS((ssize_t)cg_pubsub_compact(pubsub), 0);
    expect(&b, 41, 60);
    IS((ssize_t)cg_pubsub_compact(pubsub),
       0); /* the subscribers may still use what they have fetched */
    expect(&b, 1, 0);
    IS((ssize_t)cg_pubsub_compact(pubsub), 0);
    publish(pubsub, 61, 62);
    expect(&a, 61, 62);
    IS((ssize_t)cg_pubsub_compact(pubsub), 20);
    cg_pubsub_subscribe(pubsub, &late, CG_SINCE_START);
    expect(&late, 61, 62);
    expect(&b, 61, 62);
    publish(pubsub, 63, 99);
    for (int i = 0; i < 2; i++) {
        expect(&a, i ? 1 : 63, i ? 0 : 99);
        expect(&b, i ? 1 : 63, i ? 0 : 99);
    }
    cg_pubsub_unsubscribe(&late);
    IS((ssize_t)cg_pubsub_compact(pubsub), 39);
    publish(pubsub, 100, 101);
    expect(&a, 100, 101);
    expect(&b, 100, 101);
    cg_pubsub_free(pubsub);
    return 0;
}

static unsigned drops;

static void drop(void *message)
{
    drops++;
    memset(message, 'X', 3);
    free(message);
}

/* Every message is dropped once: by compacting, or when the pubsub is freed. Fetched
 * messages stay valid until the next fetch, whoever compacts. */
static ssize_t owns(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new(.drop = drop);
    struct cg_subscriber a;
    char *got[2];

    (void)arg;
    drops = 0;
    cg_pubsub_subscribe(pubsub, &a, CG_SINCE_NOW);
    IS(cg_yield(cg_publish(pubsub, strdup("one"))), 0);
    IS(cg_yield(cg_publish(pubsub, strdup("two"))), 0);
    IS(cg_yield(cg_fetch(&a, got, 2)), 2);
    cg_pubsub_compact(pubsub);
    ck_assert_str_eq(got[0], "one");
    ck_assert_str_eq(got[1], "two");
    IS(cg_yield(cg_fetch(&a, got, 2, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS((ssize_t)cg_pubsub_compact(pubsub), 2);
    IS(drops, 2);
    IS(cg_yield(cg_publish(pubsub, strdup("three"))), 0);
    cg_pubsub_free(pubsub);
    cg_pubsub_free(NULL);
    IS(drops, 3);
    return 0;
}

static ssize_t publishes(void *arg)
{
    IS(cg_yield(cg_publish(arg, 4)), 0);
    note("p");
    IS(cg_yield(cg_publish(arg, 5)), -EPIPE);
    note("e");
    return 0;
}

static ssize_t publishes_freely(void *arg)
{
    publish(arg, 4, 5);
    return 0;
}

/* At the limit the oldest message is dropped if no subscriber needs it; otherwise the
 * publisher waits. A fetch, the end of a subscription and a close end that wait. */
static ssize_t limits(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new(.limit = 3);
    struct cg_subscriber a;
    struct cg_coro *publisher;
    intptr_t one;

    (void)arg;
    publish(pubsub, -5, 0); /* no subscribers: the newest are kept */
    IS((ssize_t)cg_pubsub_len(pubsub), 3);
    cg_pubsub_subscribe(pubsub, &a, CG_SINCE_NOW);
    publish(pubsub, 1, 3);
    IS(cg_yield(cg_publish(pubsub, 9, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_pubsub_try_publish(pubsub, (void *)9), -EAGAIN);
    IS(cg_yield(cg_publish(pubsub, 9, .timeout = MS)), -ETIMEDOUT);
    publisher = test_start(publishes, pubsub);
    test_until_waiting(publisher);
    IS(cg_yield(cg_fetch(&a, &one, 1)), 1);
    IS(one, 1);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, ""); /* not dropped: the fetched message is still valid */
    IS(cg_yield(cg_fetch(&a, &one, 1)), 1);
    IS(one, 2);
    ck_assert_str_eq(noted, "p");
    cg_pubsub_close(pubsub);
    test_end(publisher);
    ck_assert_str_eq(noted, "pe");
    expect(&a, 3, 4);
    IS(cg_yield(cg_fetch(&a, &one, 1)), CG_EOF);
    cg_pubsub_free(pubsub);
    pubsub = cg_pubsub_new(.limit = 1);
    cg_pubsub_subscribe(pubsub, &a, CG_SINCE_NOW);
    publish(pubsub, 3, 3);
    publisher = test_start(publishes_freely, pubsub);
    test_until_waiting(publisher);
    cg_pubsub_unsubscribe(&a);
    IS((ssize_t)cg_pubsub_len(pubsub), 1);
    OK(cg_yield(cg_pass()));
    cg_pubsub_subscribe(pubsub, &a, CG_SINCE_START);
    expect(&a, 5, 5); /* without subscribers there was room for the fifth, too */
    cg_pubsub_free(pubsub);
    IS(cg_yield(cg_join(publisher)), 0);
    cg_coro_unref(publisher);
    return 0;
}

/* Waiting subscribers learn that the pubsub was closed or freed. A subscriber can have one
 * fetch at a time. */
static ssize_t ends(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new();
    struct reader a = {.pubsub = pubsub, .mark = "a", .wanted = CG_EOF};
    struct reader b = {.pubsub = pubsub, .mark = "b", .wanted = -EBADF};
    struct reader c = {.pubsub = cg_pubsub_new(), .mark = "c", .wanted = -EBADF};
    struct cg_coro *first = test_start(reads, &a), *second = test_start(reads, &b);
    struct cg_coro *third = test_start(reads, &c);
    intptr_t one;

    (void)arg;
    test_until_waiting(third);
    IS(cg_yield(cg_fetch(&a.subscriber, &one, 1)), -EBUSY);
    cg_pubsub_unsubscribe(&b.subscriber);
    cg_pubsub_close(pubsub);
    cg_pubsub_free(c.pubsub);
    test_end(first);
    test_end(second);
    test_end(third);
    IS(cg_yield(cg_publish(pubsub, 1)), -EPIPE);
    IS(cg_yield(cg_fetch(&a.subscriber, &one, 0)), -EINVAL);
    cg_pubsub_free(pubsub);
    return 0;
}

/* A fetch that times out, is cancelled or loses a race has not moved the cursor. The
 * branches of one race do not serve each other. */
static ssize_t races(void *arg)
{
    struct cg_pubsub *p = cg_pubsub_new(), *q = cg_pubsub_new();
    struct cg_subscriber a, b;
    intptr_t x, y;
    struct cg_op *fetch_a = cg_fetch(&a, &x, 1), *fetch_b = cg_fetch(&b, &y, 1);
    struct cg_op *message = cg_publish(p, 3);

    (void)arg;
    cg_pubsub_subscribe(p, &a, CG_SINCE_NOW);
    cg_pubsub_subscribe(q, &b, CG_SINCE_NOW);
    IS(cg_yield(cg_fetch(&a, &x, 1, .timeout = MS)), -ETIMEDOUT);
    publish(p, 1, 1);
    publish(q, 2, 2);
    IS(cg_yield(cg_any((fetch_a, fetch_b))), 0);
    IS(cg_op_result(fetch_b), -ECANCELED);
    IS(cg_yield(cg_any((fetch_a, fetch_b))), 1);
    IS(y, 2);
    IS(cg_yield(cg_any((fetch_a, message))), 1);
    IS(cg_op_result(fetch_a), -ECANCELED);
    expect(&a, 3, 3);
    IS(cg_yield(cg_all((fetch_a, cg_publish(p, 4)))), 0);
    IS(cg_op_result(fetch_a), 1);
    IS(x, 4);
    cg_pubsub_free(p);
    cg_pubsub_free(q);
    return 0;
}

enum {
    MESSAGES = 500,
    READERS = 4
};

struct storm {
    struct cg_pubsub *pubsub;
    uint64_t seed;
    unsigned published;
};

static ssize_t storm_reads(void *arg)
{
    struct storm *s = arg;
    struct cg_subscriber me;
    intptr_t got[5], next = 0;

    cg_pubsub_subscribe(s->pubsub, &me, CG_SINCE_NOW);
    for (;;) {
        struct cg_op *fetch =
            cg_fetch(&me, got, 1 + test_random(&s->seed) % COUNT(got));
        int64_t t = 1 + test_random(&s->seed) % MS;
        ssize_t rc = cg_yield(cg_any((fetch, cg_sleep(t)), .timeout = t));
        ssize_t n = cg_op_result(fetch);

        if (n == CG_EOF)
            break;
        ck_assert(n > 0 ? rc == 0 : n == -ECANCELED);
        for (ssize_t i = 0; i < n; i++)
            IS(got[i], next++);
        if (test_random(&s->seed) % 4 == 0)
            cg_pubsub_compact(s->pubsub);
        if (test_random(&s->seed) % 3 == 0)
            OK(cg_yield(cg_sleep(t)));
    }
    IS(next, MESSAGES);
    cg_pubsub_unsubscribe(&me);
    return 0;
}

/* At random, with a limit, timeouts and races: every subscriber gets every message once
 * and in order. */
static ssize_t storm(void *arg)
{
    struct storm s = {.pubsub = cg_pubsub_new(.limit = 7), .seed = 3};
    struct cg_coro *coros[READERS];

    (void)arg;
    for (size_t i = 0; i < READERS; i++) {
        coros[i] = test_start(storm_reads, &s);
        test_until_waiting(coros[i]);
    }
    for (intptr_t i = 0; i < MESSAGES; i++) {
        ssize_t rc;

        do
            rc = cg_yield(
                cg_publish(s.pubsub, i, .timeout = 1 + test_random(&s.seed) % MS));
        while (rc == -ETIMEDOUT);
        IS(rc, 0);
    }
    cg_pubsub_close(s.pubsub);
    for (size_t i = 0; i < READERS; i++)
        test_end(coros[i]);
    cg_pubsub_free(s.pubsub);
    return 0;
}

/* A dump names the pubsub. */
static ssize_t prints(void *arg)
{
    struct cg_pubsub *news = cg_pubsub_new(.name = "news");
    struct reader a = {.pubsub = news, .mark = "a", .wanted = 1};
    struct cg_coro *coro = test_start(reads, &a);
    char text[64];

    (void)arg;
    test_until_waiting(coro);
    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_str_eq(text, "fetch news, 0 kept, since 0.0 s");
    IS(cg_yield(cg_publish(news, "x")), 0);
    test_end(coro);
    cg_pubsub_free(news);
    return 0;
}

static const struct test_case cases[] = {
    CORO(since),
    CORO(wakes_all),
    CORO(compacts),
    CORO(owns),
    CORO(limits),
    CORO(ends),
    CORO(races),
    CORO(storm, .where = ON_SIM),
    CORO(prints, .where = ON_SIM),
};

int main(void)
{
    return test_main("pubsub", cases, COUNT(cases));
}
