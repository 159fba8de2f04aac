/* SPDX-License-Identifier: MIT */
/* Queues: order, limits, hand-over, which coroutine runs when, and that no item is lost or
 * delivered twice, however the operations end. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

struct job {
    struct cg_queue *queue;
    intptr_t item;
    ssize_t wanted;
    int64_t timeout;
    unsigned prio;
};

static ssize_t getter(void *arg)
{
    struct job *job = arg;
    intptr_t item = -1;
    char text[32];
    ssize_t rc = cg_yield(cg_get(job->queue, &item, .timeout = job->timeout));

    IS(rc, job->wanted);
    snprintf(text, sizeof text, "g%zd", rc < 0 ? (ssize_t)-1 : (ssize_t)item);
    note(text);
    if (rc == 0)
        job->item = item;
    return 0;
}

static ssize_t putter(void *arg)
{
    struct job *job = arg;
    char text[32];

    IS(cg_yield(cg_put(job->queue, job->item, .timeout = job->timeout)), job->wanted);
    snprintf(text, sizeof text, "p%zd", (ssize_t)job->item);
    note(text);
    return 0;
}

static struct cg_coro *waits(cg_fn *fn, struct job *job)
{
    struct cg_coro *coro = test_start(fn, job);

    test_until_waiting(coro);
    return coro;
}

static ssize_t take(struct cg_queue *queue)
{
    intptr_t item = -1;

    OK(cg_yield(cg_get(queue, &item)));
    return item;
}

/* First in, first out. A ring whose first item is in its middle keeps the order when it
 * grows. */
static ssize_t fifo(void *arg)
{
    struct cg_queue *queue = cg_queue_new();
    intptr_t in = 0, out = 0;

    (void)arg;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 7; i++)
            IS(cg_yield(cg_put(queue, in++)), 0);
        for (int i = 0; i < 5; i++)
            IS(take(queue), out++);
    }
    IS((ssize_t)cg_queue_len(queue), in - out);
    while (!cg_queue_empty(queue))
        IS(take(queue), out++);
    IS(in, out);
    cg_queue_free(queue);
    return 0;
}

/* Last in, first out. */
static ssize_t lifo(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.lifo = true);

    (void)arg;
    for (intptr_t i = 0; i < 40; i++)
        IS(cg_yield(cg_put(queue, i)), 0);
    for (intptr_t i = 40; i-- > 0;)
        IS(take(queue), i);
    cg_queue_free(queue);
    return 0;
}

static int by_tens(const void *a, const void *b)
{
    intptr_t x = (intptr_t)a / 10, y = (intptr_t)b / 10;

    return (x > y) - (x < y);
}

/* The smallest item first; among equal ones the oldest, or with .lifo the newest. */
static ssize_t priority(void *arg)
{
    static const intptr_t in[] = {31, 12, 55, 11, 32, 10, 54, 9, 33, 13};
    static const intptr_t oldest[] = {9, 12, 11, 10, 13, 31, 32, 33, 55, 54};
    static const intptr_t newest[] = {9, 13, 10, 11, 12, 33, 32, 31, 54, 55};
    struct cg_queue *a = cg_queue_new(.compare = by_tens);
    struct cg_queue *b =
        cg_queue_new(.compare = by_tens, .lifo = true, .limit = COUNT(in));

    (void)arg;
    for (size_t i = 0; i < COUNT(in); i++) {
        IS(cg_yield(cg_put(a, in[i])), 0);
        IS(cg_yield(cg_put(b, in[i])), 0);
    }
    for (size_t i = 0; i < COUNT(in); i++) {
        IS(take(a), oldest[i]);
        IS(take(b), newest[i]);
    }
    cg_queue_free(a);
    cg_queue_free(b);
    return 0;
}

/* At random: a get always returns the smallest item in the queue. */
static ssize_t priority_at_random(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.compare = by_tens);
    unsigned in[64] = {0};
    uint64_t seed = 42;

    (void)arg;
    for (int i = 0; i < 3000; i++) {
        if (test_random(&seed) % 5 < 3 && cg_queue_len(queue) < 500) {
            intptr_t item = test_random(&seed) % 640;

            IS(cg_queue_try_put(queue, (void *)item), 0);
            in[item / 10]++;
        } else {
            intptr_t item;
            int rc = cg_queue_try_get(queue, &item);
            size_t least = 0;

            while (least < COUNT(in) && !in[least])
                least++;
            IS(rc, least == COUNT(in) ? -EAGAIN : 0);
            if (rc == 0) {
                IS(item / 10, (ssize_t)least);
                in[least]--;
            }
        }
    }
    cg_queue_free(queue);
    return 0;
}

/* Waiting getters are served in the order of their waits, and run before the putter
 * continues. */
static ssize_t hands_over(void *arg)
{
    struct cg_queue *queue = cg_queue_new();
    struct job a = {.queue = queue}, b = {.queue = queue};
    struct cg_coro *first = waits(getter, &a), *second = waits(getter, &b);

    (void)arg;
    IS(cg_yield(cg_put(queue, 1)), 0);
    note("+");
    IS((ssize_t)cg_queue_len(queue), 0);
    IS(cg_yield(cg_put(queue, 2)), 0);
    ck_assert_str_eq(noted, "g1+g2");
    IS(cg_yield(cg_put(queue, 3)), 0);
    IS((ssize_t)cg_queue_len(queue), 1);
    test_end(first);
    test_end(second);
    cg_queue_free(queue);
    return 0;
}

/* With CG_PRIO_CORO the putter continues first; with CG_PRIO_OP the getter that it wakes
 * runs before other ready coroutines. Two getters that are woken in a row run in that
 * order. */
static ssize_t priorities(void *arg)
{
    struct cg_queue *queue = cg_queue_new(), *other = cg_queue_new();
    struct job a = {.queue = queue}, b = {.queue = queue}, c = {.queue = other};
    struct cg_coro *coros[] = {waits(getter, &a), waits(getter, &b), waits(getter, &c)};

    (void)arg;
    IS(cg_yield(cg_put(queue, 1, .prio = CG_PRIO_CORO)), 0);
    note("+");
    IS(cg_yield(cg_put(queue, 2, .prio = CG_PRIO_FIRST)), 0);
    note("+");
    IS(cg_yield(cg_put(other, 3, .prio = CG_PRIO_OP)), 0);
    note("+");
    ck_assert_str_eq(noted, "++g2g3g1+");
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    cg_queue_free(queue);
    cg_queue_free(other);
    return 0;
}

/* The priorities of a get, and of the putter for which it makes room. */
static ssize_t priorities_of_get(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 1), *other = cg_queue_new(.limit = 1);
    struct job a = {.queue = queue, .item = 1}, b = {.queue = other, .item = 2};
    struct cg_coro *coros[2];
    intptr_t item;

    (void)arg;
    IS(cg_yield(cg_put(queue, 0)), 0);
    IS(cg_yield(cg_put(other, 0)), 0);
    coros[0] = waits(putter, &a);
    coros[1] = waits(putter, &b);
    IS(cg_yield(cg_get(queue, &item, .prio = CG_PRIO_CORO)), 0);
    note("+");
    IS(cg_yield(cg_get(other, &item, .prio = CG_PRIO_OP)), 0);
    note("+");
    ck_assert_str_eq(noted, "+p2p1+");
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    cg_queue_free(queue);
    cg_queue_free(other);
    return 0;
}

/* If the queue is full, putters wait in order; each get makes room for the next one. */
static ssize_t limit(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 2);
    struct job a = {.queue = queue, .item = 3}, b = {.queue = queue, .item = 4};
    struct cg_coro *first, *second;

    (void)arg;
    IS(cg_yield(cg_put(queue, 1)), 0);
    ck_assert(!cg_queue_full(queue));
    IS(cg_yield(cg_put(queue, 2)), 0);
    ck_assert(cg_queue_full(queue));
    first = waits(putter, &a);
    second = waits(putter, &b);
    for (intptr_t i = 1; i <= 4; i++)
        IS(take(queue), i);
    ck_assert_str_eq(noted, "p3p4");
    test_end(first);
    test_end(second);
    cg_queue_free(queue);
    return 0;
}

/* CG_NOWAIT and the try functions never wait, and change nothing if they fail. */
static ssize_t try_forms(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 1);
    intptr_t item = 7;

    (void)arg;
    IS(cg_yield(cg_get(queue, &item, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_queue_try_get(queue, &item), -EAGAIN);
    IS(item, 7);
    IS(cg_yield(cg_put(queue, 1, .timeout = CG_NOWAIT)), 0);
    IS(cg_yield(cg_put(queue, 2, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_queue_try_put(queue, (void *)2), -EAGAIN);
    IS(cg_yield(cg_get(queue, &item, .timeout = CG_NOWAIT)), 0);
    IS(item, 1);
    IS(cg_queue_try_put(queue, (void *)3), 0);
    IS(cg_queue_try_get(queue, &item), 0);
    IS(item, 3);
    IS((ssize_t)cg_queue_len(queue), 0);
    cg_queue_free(queue);
    return 0;
}

/* A get or put that times out changes nothing. The scheduler's default timeout applies. */
static ssize_t timeouts(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 1);
    intptr_t item = 7;

    (void)arg;
    IS(cg_yield(cg_get(queue, &item, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_get(queue, &item)), -ETIMEDOUT);
    IS(cg_yield(cg_put(queue, 1)), 0);
    IS(cg_yield(cg_put(queue, 2, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_put(queue, 2)), -ETIMEDOUT);
    IS(take(queue), 1);
    ck_assert(cg_queue_empty(queue));
    IS(cg_queue_task_done(queue), 0);
    IS(cg_yield(cg_join_queue(queue, .timeout = CG_NOWAIT)),
       0); /* two items were never put */
    IS(cg_queue_task_done(queue), -EINVAL);
    cg_queue_free(queue);
    return 0;
}

static void default_timeout(void)
{
    struct test test = test_open(.timeout = 2 * MS);

    OK(cg_sched_start(test.sched, timeouts, NULL));
    test_finish(&test);
    test_close(&test);
}

static ssize_t joiner(void *arg)
{
    IS(cg_yield(cg_join_queue(arg)), 0);
    note("j");
    return 0;
}

/* A join waits until every item is done, not only taken. */
static ssize_t joins(void *arg)
{
    struct cg_queue *queue = cg_queue_new();
    struct cg_coro *first, *second;

    (void)arg;
    IS(cg_yield(cg_join_queue(queue)), 0);
    IS(cg_queue_task_done(queue), -EINVAL);
    IS(cg_yield(cg_put(queue, 1)), 0);
    IS(cg_yield(cg_put(queue, 2)), 0);
    first = test_start(joiner, queue);
    second = test_start(joiner, queue);
    test_until_waiting(second);
    IS(cg_yield(cg_join_queue(queue, .timeout = MS)), -ETIMEDOUT);
    take(queue);
    take(queue);
    IS(cg_queue_task_done(queue), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "");
    IS(cg_queue_task_done(queue), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "jj");
    IS(cg_queue_task_done(queue), -EINVAL);
    test_end(first);
    test_end(second);
    cg_queue_free(queue);
    return 0;
}

/* A join also waits for items whose put had to wait. */
static ssize_t joins_what_was_put_late(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 1);
    struct job late = {.queue = queue, .item = 2};
    struct cg_coro *coro;

    (void)arg;
    IS(cg_yield(cg_put(queue, 1)), 0);
    coro = waits(putter, &late);
    IS(take(queue), 1);
    IS(cg_queue_task_done(queue), 0);
    IS(cg_yield(cg_join_queue(queue, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(take(queue), 2);
    IS(cg_queue_task_done(queue), 0);
    IS(cg_yield(cg_join_queue(queue)), 0);
    IS(cg_queue_task_done(queue), -EINVAL);
    test_end(coro);
    cg_queue_free(queue);
    return 0;
}

/* A closed queue accepts no more items, still gives those that it has, and then reports
 * its end. Operations that wait at the close complete at once. */
static ssize_t closes(void *arg)
{
    struct cg_queue *full = cg_queue_new(.limit = 1), *empty = cg_queue_new();
    struct job a = {.queue = full, .item = 2, .wanted = -EPIPE},
               b = {.queue = empty, .wanted = CG_EOF};
    struct cg_coro *put, *get = waits(getter, &b);
    intptr_t item;

    (void)arg;
    IS(cg_yield(cg_put(full, 1)), 0);
    put = waits(putter, &a);
    cg_queue_close(full);
    cg_queue_close(empty);
    test_end(put);
    test_end(get);
    IS(cg_yield(cg_put(full, 3)), -EPIPE);
    IS(cg_queue_try_put(empty, NULL), -EPIPE);
    IS(take(full), 1);
    IS(cg_yield(cg_get(full, &item)), CG_EOF);
    IS(cg_queue_try_get(full, &item), CG_EOF);
    cg_queue_free(full);
    cg_queue_free(empty);
    return 0;
}

/* Freeing a queue drops each item in it once, and ends all waits. */
static ssize_t frees(void *arg)
{
    struct cg_queue *full = cg_queue_new(.limit = 1, .drop = free),
                    *empty = cg_queue_new();
    struct job a = {.queue = full, .item = 2, .wanted = -EBADF},
               b = {.queue = empty, .wanted = -EBADF};
    struct cg_coro *put, *get = waits(getter, &b);
    intptr_t item;

    (void)arg;
    IS(cg_yield(cg_put(full, strdup("left"))), 0);
    put = waits(putter, &a);
    /* A branch that has ended can still be printed. */
    IS(cg_yield(cg_any((cg_sleep(MS), cg_get(empty, &item)))), 0);
    cg_queue_free(full);
    cg_queue_free(empty);
    cg_queue_free(NULL);
    test_end(put);
    test_end(get);
    return 0;
}

/* In a race either the branch has won and taken its item, or the item is still there. */
static ssize_t races(void *arg)
{
    struct cg_queue *a = cg_queue_new(), *b = cg_queue_new(.limit = 1);
    intptr_t x = 0, y = 0;
    struct cg_op *get_a = cg_get(a, &x), *get_b = cg_get(b, &y);

    (void)arg;
    IS(cg_yield(cg_put(a, 1)), 0);
    IS(cg_yield(cg_put(b, 2)), 0);
    IS(cg_yield(cg_any((get_a, get_b))), 0);
    IS(cg_op_result(get_b), -ECANCELED);
    IS(x, 1);
    IS((ssize_t)cg_queue_len(b), 1);
    IS(cg_yield(cg_any((get_a, get_b))), 1);
    IS(y, 2);
    IS(cg_op_result(get_a), -ECANCELED);
    cg_queue_free(a);
    cg_queue_free(b);
    return 0;
}

/* The branches of one race do not serve each other: one of them wins, and the other has no
 * effect. */
static ssize_t rivals(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.limit = 1);
    intptr_t item = 0;
    struct cg_op *get = cg_get(queue, &item), *put = cg_put(queue, 5);

    (void)arg;
    IS(cg_yield(cg_any((get, put))), 1);
    IS(cg_op_result(get), -ECANCELED);
    IS((ssize_t)cg_queue_len(queue), 1);
    IS(cg_yield(cg_any((put, get))), 1); /* full: the get wins, the put is cancelled */
    IS(cg_op_result(put), -ECANCELED);
    IS(item, 5);
    IS((ssize_t)cg_queue_len(queue), 0);
    IS(cg_yield(cg_all((get, put))), 0); /* in cg_all they serve each other */
    IS(cg_op_result(get), 0);
    IS(cg_op_result(put), 0);
    cg_queue_free(queue);
    return 0;
}

enum {
    ROUNDS = 200,
    WORKERS = 5
};

struct storm {
    struct cg_queue *queue;
    uint64_t seed;
    unsigned put, got;
    unsigned char seen[ROUNDS * WORKERS];
    unsigned left;
};

static ssize_t storm_put(void *arg)
{
    struct storm *storm = arg;

    for (int i = 0; i < ROUNDS; i++) {
        intptr_t item = storm->put++;
        ssize_t rc;

        do {
            struct cg_op *put = cg_put(storm->queue, item);
            int64_t patience = test_random(&storm->seed) % 4 * (MS / 2);

            if (test_random(&storm->seed) % 2) {
                rc = cg_yield(cg_put(storm->queue, item, .timeout = patience + 1));
            } else {
                rc = cg_yield(cg_any((put, cg_sleep(patience))));
                rc = cg_op_result(put);
                ck_assert(rc == 0 || rc == -ECANCELED);
            }
        } while (rc < 0);
        if (test_random(&storm->seed) % 3 == 0)
            OK(cg_yield(cg_sleep(test_random(&storm->seed) % MS)));
    }
    if (--storm->left == 0)
        cg_queue_close(storm->queue);
    return 0;
}

static ssize_t storm_get(void *arg)
{
    struct storm *storm = arg;

    for (;;) {
        intptr_t a = -1, b = -1;
        struct cg_op *first =
            cg_get(storm->queue, &a, .timeout = 1 + test_random(&storm->seed) % MS);
        struct cg_op *second = cg_get(storm->queue, &b);
        ssize_t rc =
            cg_yield(cg_any((first, second, cg_sleep(test_random(&storm->seed) % MS))));

        ck_assert(rc >= 0 && rc < 3);
        ck_assert(!(cg_op_result(first) == 0 && cg_op_result(second) == 0));
        if (cg_op_result(first) == 0 || cg_op_result(second) == 0) {
            intptr_t item = cg_op_result(first) == 0 ? a : b;

            IS(storm->seen[item], 0);
            storm->seen[item] = 1;
            storm->got++;
            IS(cg_queue_task_done(storm->queue), 0);
        } else {
            IS(a, -1);
            IS(b, -1);
        }
        if (cg_op_result(first) == CG_EOF || cg_op_result(second) == CG_EOF)
            return 0;
    }
}

/* Many coroutines put and get at random, time out and lose races: every item arrives
 * once. */
static ssize_t storm(void *arg)
{
    static struct storm s;
    struct cg_coro *coros[2 * WORKERS];

    (void)arg;
    s = (struct storm){.queue = cg_queue_new(.limit = 3), .seed = 7, .left = WORKERS};
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(i % 2 ? storm_put : storm_get, &s);
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    IS(s.got, ROUNDS * WORKERS);
    IS(cg_yield(cg_join_queue(s.queue, .timeout = CG_NOWAIT)), 0);
    cg_queue_free(s.queue);
    return 0;
}

static ssize_t get_canceled(void *arg)
{
    intptr_t item = -1;

    IS(cg_yield(cg_get(arg, &item)), -ECANCELED);
    IS(item, -1);
    IS(cg_yield(cg_put(arg, 8)), -ECANCELED);
    IS(cg_queue_try_put(arg, (void *)9), 0); /* works in a cancelled coroutine */
    return 0;
}

/* A cancelled get has taken no item, unless it had completed before the cancel. */
static ssize_t cancels(void *arg)
{
    struct cg_queue *queue = cg_queue_new();
    struct cg_coro *coro = test_start(get_canceled, queue), *other;
    struct job job = {.queue = queue};

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    test_end(coro);
    IS(take(queue), 9);
    other = waits(getter, &job);
    IS(cg_queue_try_put(queue, (void *)3), 0);
    IS(cg_yield(cg_cancel(other)), 0);
    test_end(other);
    IS(job.item, 3);
    cg_queue_free(queue);
    return 0;
}

/* A dump names the queue and tells how full it is. */
static ssize_t prints(void *arg)
{
    struct cg_queue *jobs = cg_queue_new(.limit = 1, .name = "jobs");
    struct job job = {.queue = jobs, .item = 2};
    struct cg_coro *coro;
    char text[64];

    (void)arg;
    IS(cg_yield(cg_put(jobs, 1)), 0);
    coro = waits(putter, &job);
    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_str_eq(text, "put jobs, 1/1, since 0.0 s");
    take(jobs);
    test_end(coro);
    cg_queue_free(jobs);
    return 0;
}

static const struct test_case cases[] = {
    CORO(fifo),
    CORO(lifo),
    CORO(priority),
    CORO(priority_at_random, .where = ON_SIM),
    CORO(hands_over),
    CORO(priorities),
    CORO(priorities_of_get),
    CORO(limit),
    CORO(try_forms),
    PLAIN(default_timeout),
    CORO(joins),
    CORO(joins_what_was_put_late),
    CORO(closes),
    CORO(frees),
    CORO(races),
    CORO(rivals),
    CORO(storm, .where = ON_SIM),
    CORO(cancels),
    CORO(prints, .where = ON_SIM),
};

int main(void)
{
    return test_main("queue", cases, COUNT(cases));
}
