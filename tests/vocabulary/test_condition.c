/* SPDX-License-Identifier: MIT */
/* Condition, event, barrier: order, misuse, and that a wait that gives up has no
 * effect. */
#include "config.h"

#include "tests/vocabulary/sync.h"

#include <errno.h>

#define MS CG_MILLISECOND

struct board {
    struct cg_mutex mutex;
    struct cg_condition condition;
};

struct reader {
    struct board *board;
    const char *mark;
    int64_t timeout;
    ssize_t wanted;
};

static ssize_t reads(void *arg)
{
    struct reader *r = arg;

    IS(cg_yield(cg_lock(&r->board->mutex, .shield = true)), 0);
    IS(cg_yield(cg_wait_condition(&r->board->condition, &r->board->mutex,
                                  .timeout = r->timeout)),
       r->wanted);
    note(r->mark);
    IS(cg_mutex_unlock(&r->board->mutex), 0); /* owned again, whatever the result */
    return 0;
}

/* A notification wakes the oldest waiter, when the mutex is free; notify_all wakes all,
 * one after the other. */
static ssize_t condition(void *arg)
{
    struct board board = {0};
    struct reader r[4] = {{&board, "a", 0, 0},
                          {&board, "b", 0, 0},
                          {&board, "c", 0, 0},
                          {&board, "d", 0, 0}};
    struct cg_coro *coros[COUNT(r)];

    (void)arg;
    IS((ssize_t)cg_condition_notify(&board.condition), 0);
    for (size_t i = 0; i < COUNT(r); i++)
        coros[i] = waits(reads, &r[i]);
    IS(cg_condition_destroy(&board.condition), -EBUSY);
    IS(cg_yield(cg_lock(&board.mutex)), 0);
    IS((ssize_t)cg_condition_notify(&board.condition), 1);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "");
    IS(cg_mutex_unlock(&board.mutex), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "a");
    IS((ssize_t)cg_condition_notify_all(&board.condition), 3);
    IS(cg_condition_destroy(&board.condition), -EBUSY); /* two still wait for the mutex */
    for (size_t i = 0; i < COUNT(r); i++)
        test_end(coros[i]);
    ck_assert_str_eq(noted, "abcd");
    IS(cg_condition_destroy(&board.condition), 0);
    IS(cg_mutex_destroy(&board.mutex), 0);
    return 0;
}

/* A wait needs the mutex, and never completes at once. */
static ssize_t condition_misuse(void *arg)
{
    struct board board = {0};

    (void)arg;
    IS(cg_yield(cg_wait_condition(&board.condition, &board.mutex)), -EPERM);
    IS(cg_yield(cg_lock(&board.mutex)), 0);
    IS(cg_yield(
           cg_wait_condition(&board.condition, &board.mutex, .timeout = CG_NOWAIT)),
       -ETIMEDOUT);
    IS(cg_mutex_unlock(&board.mutex), 0);
    return 0;
}

/* A wait that times out completes only when it owns the mutex again. */
static ssize_t condition_times_out(void *arg)
{
    struct board board = {0};
    struct reader late = {&board, "l", MS, -ETIMEDOUT};
    struct cg_coro *coro = waits(reads, &late);

    (void)arg;
    IS(cg_yield(cg_lock(&board.mutex)), 0);
    OK(cg_yield(cg_sleep(3 * MS)));
    ck_assert_str_eq(noted, "");
    IS((ssize_t)cg_condition_notify(&board.condition),
       0); /* it no longer waits for a notification */
    IS(cg_mutex_unlock(&board.mutex), 0);
    test_end(coro);
    ck_assert_str_eq(noted, "l");
    late = (struct reader){&board, "m", MS, -ETIMEDOUT}; /* with the mutex free */
    test_end(test_start(reads, &late));
    IS(cg_mutex_destroy(&board.mutex), 0);
    return 0;
}

/* If a waiter is notified, and cancelled before it owns the mutex, the notification passes
 * to another waiter. */
static ssize_t condition_passes_on(void *arg)
{
    struct board board = {0};
    struct reader gone = {&board, "g", 0, -ECANCELED}, next = {&board, "n", 0, 0};
    struct cg_coro *first = waits(reads, &gone), *second = waits(reads, &next);

    (void)arg;
    IS(cg_yield(cg_lock(&board.mutex)), 0);
    IS((ssize_t)cg_condition_notify(&board.condition), 1);
    IS(cg_coro_cancel(first), 0);
    IS(cg_mutex_unlock(&board.mutex), 0);
    test_end(first);
    test_end(second);
    ck_assert_str_eq(noted, "gn");
    IS(cg_mutex_destroy(&board.mutex), 0);
    return 0;
}

static ssize_t waits_or_sleeps(void *arg)
{
    struct board *board = arg;
    struct cg_op *wait = cg_wait_condition(&board->condition, &board->mutex);
    ssize_t rc;

    IS(cg_yield(cg_lock(&board->mutex)), 0);
    rc = cg_yield(cg_any((wait, cg_sleep(MS))));
    IS(cg_op_result(wait), rc ? -ECANCELED : 0);
    IS(cg_mutex_unlock(&board->mutex), 0);
    return rc;
}

/* When a race with a wait is over, the mutex is owned. */
static ssize_t condition_race(void *arg)
{
    struct board board = {0};
    struct cg_coro *coro = waits(waits_or_sleeps, &board);

    (void)arg;
    IS(cg_yield(cg_lock(&board.mutex)), 0);
    OK(cg_yield(cg_sleep(2 * MS)));
    IS(cg_mutex_unlock(&board.mutex), 0);
    IS(cg_yield(cg_join(coro)), 1);
    cg_coro_unref(coro);
    coro = waits(waits_or_sleeps, &board);
    IS((ssize_t)cg_condition_notify(&board.condition), 1);
    IS(cg_yield(cg_join(coro)), 0);
    cg_coro_unref(coro);
    return 0;
}

struct boards {
    struct cg_mutex first, second;
    struct cg_condition condition;
};

static ssize_t waits_twice(void *arg)
{
    struct boards *boards = arg;
    struct cg_op *wait = cg_wait_condition(&boards->condition, &boards->first, .timeout = 2 * MS);

    IS(cg_yield(cg_lock(&boards->first)), 0);
    IS(cg_yield(cg_lock(&boards->second)), 0);
    IS(cg_yield(cg_any((cg_all((wait, cg_sleep(CG_SECOND))),
                        cg_wait_condition(&boards->condition, &boards->second)))),
       1);
    IS(cg_op_result(wait), -ETIMEDOUT);
    IS(cg_mutex_unlock(&boards->first), 0);
    IS(cg_mutex_unlock(&boards->second), 0);
    return 0;
}

/* A notified waiter that times out inside a branch decides nothing: the notification passes to
 * another branch of its race. */
static ssize_t condition_passes_inside(void *arg)
{
    struct boards boards = {0};
    struct cg_coro *coro = test_start(waits_twice, &boards);

    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_lock(&boards.first)), 0);
    IS((ssize_t)cg_condition_notify(&boards.condition), 1);
    IS(cg_yield(cg_sleep(2 * MS)), 0);
    IS(cg_mutex_unlock(&boards.first), 0);
    IS(test_end(coro), 0);
    return 0;
}

static ssize_t awaits(void *arg)
{
    struct part *part = arg;

    IS(cg_yield(cg_wait_event(part->object, .timeout = part->timeout)), part->wanted);
    note(part->mark);
    return 0;
}

/* Setting an event wakes all its waiters; waits complete at once until it is cleared. */
static ssize_t event(void *arg)
{
    struct cg_event e = {0};
    struct part a = {.mark = "a", .object = &e}, b = {.mark = "b", .object = &e},
                late = {"l", &e, MS, -ETIMEDOUT, 0};
    struct cg_coro *coros[3] = {waits(awaits, &a), waits(awaits, &b),
                                waits(awaits, &late)};
    struct cg_op *x, *y;

    (void)arg;
    OK(cg_yield(cg_sleep(2 * MS)));
    IS(cg_event_destroy(&e), -EBUSY);
    IS((ssize_t)cg_event_set(&e), 2);
    ck_assert(e.set);
    IS((ssize_t)cg_event_set(&e), 0);
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    ck_assert_str_eq(noted, "lab");
    IS(cg_yield(cg_wait_event(&e, .timeout = CG_NOWAIT)), 0);
    x = cg_wait_event(&e);
    y = cg_wait_event(&e);
    IS(cg_yield(cg_any((x, y))), 0);
    cg_event_clear(&e);
    IS(cg_yield(cg_wait_event(&e, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_event_destroy(&e), 0);
    return 0;
}

static ssize_t awaits_twice(void *arg)
{
    struct cg_op *a = cg_wait_event(arg), *b = cg_wait_event(arg);

    IS(cg_yield(cg_any((a, b))), 0);
    IS(cg_op_result(b), -ECANCELED);
    return 0;
}

/* If two branches of a race wait for the same event, one of them wins. */
static ssize_t event_race(void *arg)
{
    struct cg_event e = {0};
    struct cg_coro *coro = waits(awaits_twice, &e);

    (void)arg;
    IS((ssize_t)cg_event_set(&e), 1);
    return test_end(coro);
}

static ssize_t meets(void *arg)
{
    struct part *part = arg;

    IS(cg_yield(cg_wait_barrier(part->object, .timeout = part->timeout)), part->wanted);
    note(part->mark);
    return 0;
}

/* The last coroutine that arrives opens the barrier for all, and the barrier can be used
 * again. Each gets its place in the order; the others run before the last one. */
static ssize_t barrier(void *arg)
{
    struct cg_barrier b = {.parties = 3};
    unsigned prio[] = {CG_PRIO_LAST, CG_PRIO_OP, CG_PRIO_CORO};
    static const char *const order[] = {"xy|", "xy|", "|xy"};

    (void)arg;
    for (size_t round = 0; round < COUNT(prio); round++) {
        struct part x = {"x", &b, 0, 0, 0}, y = {"y", &b, 0, 1, 0};
        struct cg_coro *first = waits(meets, &x), *second = waits(meets, &y);

        note_anew();
        IS(b.waiting, 2);
        IS(cg_yield(cg_wait_barrier(&b, .prio = prio[round])), 2);
        note("|");
        IS(b.waiting, 0);
        test_end(first);
        test_end(second);
        ck_assert_str_eq(noted, order[round]);
    }
    IS(cg_barrier_destroy(&b), 0);
    return 0;
}

/* A wait that gives up does not count as arrived. A coroutine cannot count twice, by two
 * branches of a race. A barrier for one opens at once. */
static ssize_t barrier_gives_up(void *arg)
{
    struct cg_barrier b = {.parties = 2}, none = {0}, one = {.parties = 1};
    struct part late = {"l", &b, MS, -ETIMEDOUT, 0};
    struct cg_op *x = cg_wait_barrier(&b), *y = cg_wait_barrier(&b);

    (void)arg;
    test_end(test_start(meets, &late));
    IS(b.waiting, 0);
    IS(cg_yield(cg_wait_barrier(&b, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_any((x, y))), 1);
    IS(cg_op_result(y), -EBUSY);
    IS(cg_op_result(x), -ECANCELED);
    IS(b.waiting, 0);
    IS(cg_yield(cg_wait_barrier(&none)), -EINVAL);
    IS(cg_yield(cg_wait_barrier(&one)), 0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(condition),
    CORO(condition_misuse),
    CORO(condition_times_out),
    CORO(condition_passes_on),
    CORO(condition_race),
    CORO(condition_passes_inside, .where = ON_SIM),
    CORO(event),
    CORO(event_race),
    CORO(barrier),
    CORO(barrier_gives_up),
};

int main(void)
{
    return test_main("condition", cases, COUNT(cases));
}
