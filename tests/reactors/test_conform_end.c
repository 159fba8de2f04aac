/* SPDX-License-Identifier: MIT */
/* How a run ends, on every reactor: the grace period, the list of coroutines that can never
 * wake, and what keeps a run open. */
#include "config.h"

#include "tests/reactors/talks.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS CG_MILLISECOND

static ssize_t outlasts(void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(CG_HOUR, .shield = true));
    return 0;
}

static ssize_t stops_itself(void *arg)
{
    cg_sched_stop(arg);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    return 0;
}

static ssize_t stops_twice(void *arg)
{
    cg_sched_stop(arg);
    IS(cg_yield(cg_sleep(CG_SECOND, .shield = true)), 0);
    cg_sched_stop(arg);
    return 0;
}

/* Coroutines that do not end within the grace period are counted. A second stop ends that
 * period at once. */
static void grace(void)
{
    for (int twice = 0; twice < 2; twice++) {
        struct test test = test_open(.grace = twice ? CG_HOUR : 10 * CG_SECOND);

        OK(cg_sched_start(test.sched, outlasts, NULL, .name = "stubborn"));
        OK(cg_sched_start(test.sched, twice ? stops_twice : stops_itself, test.sched));
        IS(cg_sched_run(test.sched), 1);
        ck_assert_str_eq(cg_coro_name(cg_coro_next(test.sched, NULL)), "stubborn");
        if (twice)
            ck_assert_int_lt(cg_sched_now(test.sched), CG_MINUTE);
        test_close(&test);
    }
}

static int cleaned;

static ssize_t waits_in_vain(void *arg)
{
    IS(cg_yield(cg_wait_signal((const char *)arg, NULL)), -ECANCELED);
    cleaned++;
    return 0;
}

static ssize_t reads_pair(void *arg)
{
    struct cg_sock **pair = arg;
    char byte;

    IS(cg_yield(cg_read(pair[0], &byte, 1)), -ECANCELED);
    cg_sock_close(pair[0]);
    cg_sock_close(pair[1]);
    cleaned++;
    return 0;
}

/* Coroutines that can never wake are counted, and listed with name, op and age. When the
 * scheduler is freed, they can clean up. */
static void deadlock(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_sock *pair[2];
    struct cg_coro *coro = NULL;
    char text[2048] = "", op[128];
    FILE *file;

    OK(cg_sock_pair(test.sched, &pair[0], &pair[1]));
    OK(cg_sched_start(test.sched, waits_in_vain, "godot", .name = "vladimir"));
    OK(cg_sched_start(test.sched, waits_in_vain, "godot", .name = "estragon"));
    OK(cg_sched_start(test.sched, reads_pair, pair, .name = "lucky"));
    OK(cg_sched_start(test.sched, talks, &(int){3}));
    IS(cg_sched_run(test.sched), 3);

    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"vladimir", "estragon", "lucky"};

        coro = cg_coro_next(test.sched, coro);
        ck_assert_ptr_nonnull(coro);
        ck_assert_str_eq(cg_coro_name(coro), names[i]);
        ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
        ck_assert_int_ge(cg_coro_age(coro), 0);
        cg_op_print(cg_coro_op(coro), op, sizeof op);
        ck_assert_msg(strstr(op, i < 2 ? "godot" : "read") != NULL, "%s", op);
    }
    ck_assert_ptr_null(cg_coro_next(test.sched, coro));

    file = fmemopen(text, sizeof text, "w");
    cg_coro_dump(test.sched, file);
    fclose(file);
    ck_assert_msg(strstr(text, "vladimir") && strstr(text, "estragon") &&
                      strstr(text, "lucky") && strstr(text, "godot") &&
                      strstr(text, "since"),
                  "%s", text);
    IS(cg_sched_run(test.sched), 3);
    test_close(&test);
    ck_assert_int_eq(cleaned, 3);
}

struct held {
    struct cg_sched *sched;
    int64_t since;
};

static void *unholds_later(void *arg)
{
    struct held *h = arg;

    nanosleep(&(struct timespec){0, 20 * MS}, NULL);
    OK(cg_sched_post(h->sched, (void (*)(void *))cg_sched_unhold, h->sched));
    return NULL;
}

/* Returns the CPU time of a held run. */
static int64_t run_held(void)
{
    struct test test = test_open(.timeout = 0);
    struct held h = {test.sched, test_clock(CLOCK_MONOTONIC)};
    pthread_t thread;
    int64_t cpu = test_clock(CLOCK_PROCESS_CPUTIME_ID);

    cg_sched_hold(test.sched);
    IS(pthread_create(&thread, NULL, unholds_later, &h), 0);
    test_finish(&test);
    ck_assert_int_ge(test_clock(CLOCK_MONOTONIC) - h.since, 20 * MS);
    cpu = test_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    pthread_join(thread, NULL);
    test_close(&test);
    return cpu;
}

/* A held run stays open, and sleeps. One that spins uses 20 ms each time; one that does not may
 * do so once, where a virtual machine's lost time counts as its own. */
static void held_open(void)
{
    int tries = 1;

    while (run_held() >= 15 * MS)
        ck_assert_int_lt(tries++, 10);
}

static const struct test_case cases[] = {
    PLAIN(grace, .where = ON_SIM),
    PLAIN(deadlock),
    PLAIN(held_open, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("conform_end", cases, COUNT(cases));
}
