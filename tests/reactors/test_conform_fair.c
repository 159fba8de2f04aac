/* SPDX-License-Identifier: MIT */
/* No coroutine starves and nothing spins, on every reactor: with sockets that are always
 * ready, with idle ones, and with sleeps. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <sys/socket.h>

#define MS CG_MILLISECOND

struct race {
    long busy, idle, ticks;
    bool stop;
};

/* Uses a socket that is always ready: what is written to it can be read at once. */
static ssize_t greedy(void *arg)
{
    struct race *race = arg;
    struct cg_sock *a, *b;
    char byte;

    test_tcp(&a, &b);
    for (; race->busy < 20000; race->busy++) {
        IS(cg_yield(cg_write(a, "x", 1)), 1);
        IS(cg_yield(cg_read(b, &byte, 1)), 1);
    }
    race->stop = true;
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

static ssize_t modest(void *arg)
{
    struct race *race = arg;

    while (!race->stop) {
        race->idle++;
        IS(cg_yield(cg_pass()), 0);
    }
    return 0;
}

static ssize_t punctual(void *arg)
{
    struct race *race = arg;

    while (!race->stop) {
        IS(cg_yield(cg_sleep(MS)), 0);
        race->ticks++;
    }
    return 0;
}

/* A socket that is always ready does not keep other coroutines or timers from running. */
static ssize_t nobody_starves(void *arg)
{
    struct race race = {0};
    struct cg_coro *coros[3];
    int64_t start = test_clock(CLOCK_PROCESS_CPUTIME_ID), length; /* of this process */

    (void)arg;
    if (test_on_late_sim())
        return 0; /* in the sim the clock stands still meanwhile: the messages would never
                   * come */
    coros[0] = test_start(greedy, &race);
    coros[1] = test_start(modest, &race);
    coros[2] = test_start(punctual, &race);
    for (int i = 0; i < 3; i++)
        IS(test_end(coros[i]), 0);
    length = test_clock(CLOCK_PROCESS_CPUTIME_ID) - start;
    ck_assert_int_ge(race.idle, race.busy / 10);
    if (!test_on_sim() && length > 20 * MS)
        ck_assert_int_ge(race.ticks, length / (10 * MS));
    return 0;
}

enum { BUDGET = 16, OTHERS = 3 };

struct other {
    struct cg_sock *here, *there;
    struct cg_coro *coro;
    bool waits; /* for the bytes that have been written to it */
};

static ssize_t is_served(void *arg)
{
    struct other *other = arg;
    char byte;

    while (cg_yield(cg_read(other->there, &byte, 1)) == 1)
        other->waits = false;
    cg_sock_close(other->there);
    return 0;
}

static bool one_waits(const struct other *others)
{
    for (int i = 0; i < OTHERS; i++)
        if (others[i].waits)
            return true;
    return false;
}

/* Connects two sockets between which bytes arrive at once. Over the system's loopback they
 * may take time. */
static void prompt_pair(struct cg_sock **a, struct cg_sock **b)
{
    int fds[2];

    if (test_on_sim()) {
        test_tcp(a, b);
        return;
    }
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    OK(cg_sock_attach(cg_sched_self(), fds[0], a));
    OK(cg_sock_attach(cg_sched_self(), fds[1], b));
}

/* A coroutine on an always-ready socket runs for a budget, and for another one after the
 * reactor was polled. Then all other coroutines run whose sockets are ready. */
static ssize_t budgets_bound(void *arg)
{
    struct other others[OTHERS] = {0};
    struct cg_sock *pair[2];
    char byte;

    (void)arg;
    if (test_on_late_sim())
        return 0;
    prompt_pair(&pair[0], &pair[1]);
    for (int i = 0; i < OTHERS; i++) {
        prompt_pair(&others[i].here, &others[i].there);
        others[i].coro = test_start(is_served, &others[i]);
    }
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < OTHERS; i++) {
            others[i].waits = true;
            IS(cg_yield(cg_write(others[i].here, "x", 1)), 1);
        }
        for (int done = OTHERS; one_waits(others); done += 2) {
            ck_assert_int_le(done, 2 * BUDGET);
            IS(cg_yield(cg_write(pair[0], "x", 1)), 1);
            IS(cg_yield(cg_read(pair[1], &byte, 1)), 1);
        }
    }
    for (int i = 0; i < OTHERS; i++) {
        cg_sock_close(others[i].here);
        IS(test_end(others[i].coro), 0);
    }
    cg_sock_close(pair[0]);
    cg_sock_close(pair[1]);
    return 0;
}

static ssize_t waits_long(void *arg)
{
    return cg_yield(cg_read(arg, &(char){0}, 1));
}

/* With idle connections, unread data, a closed peer and a timer the scheduler sleeps: it
 * uses no processor time. */
static ssize_t nothing_spins(void *arg)
{
    static char big[300000];
    struct cg_sock *pairs[4][2];
    struct cg_coro *waiter;
    char byte;

    (void)arg;
    for (size_t i = 0; i < COUNT(pairs); i++)
        test_tcp(&pairs[i][0], &pairs[i][1]);
    waiter = test_start(waits_long, pairs[0][0]);
    IS(cg_yield(cg_writeall(pairs[1][1], "abc", 3)), 3); /* one byte is read */
    IS(cg_yield(cg_read(pairs[1][0], &byte, 1)), 1);
    cg_yield(cg_writeall(pairs[2][1], big, sizeof big, .timeout = 10 * MS));
    IS(cg_yield(cg_read(pairs[2][0], &byte, 1)), 1);
    IS(cg_yield(cg_read(pairs[3][0], &byte, 1, .timeout = MS)), -ETIMEDOUT);
    cg_sock_close(pairs[3][1]);
    pairs[3][1] = NULL;
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    test_never_spins(150 * MS);
    IS(cg_yield(cg_write(pairs[0][1], "x", 1)), 1);
    IS(test_end(waiter), 1);
    for (size_t i = 0; i < 8; i++)
        cg_sock_close(pairs[i / 2][i % 2]);
    return 0;
}

/* Sleeps on the real clock last as long as they should, and end in order. */
static ssize_t real_sleep(void *arg)
{
    int64_t start = test_clock(CLOCK_MONOTONIC);

    (void)arg;
    for (int64_t us = 0; us < 3000; us += 137) {
        int64_t before = test_clock(CLOCK_MONOTONIC);

        IS(cg_yield(cg_sleep(us * CG_MICROSECOND)), 0);
        if (us)
            ck_assert_int_ge(test_clock(CLOCK_MONOTONIC) - before, us * CG_MICROSECOND);
    }
    ck_assert_int_ge(test_clock(CLOCK_MONOTONIC), start);
    return 0;
}

static const struct test_case cases[] = {
    CORO(nobody_starves),
    CORO(budgets_bound),
    CORO(nothing_spins, .where = ON_KERNEL),
    CORO(real_sleep, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("conform_fair", cases, COUNT(cases));
}
