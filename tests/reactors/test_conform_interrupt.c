/* SPDX-License-Identifier: MIT */
/* The scheduler and signals, on every reactor of a kernel: interrupted system calls, and a
 * stop from a signal handler. */
#include "config.h"

#include "tests/reactors/talks.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define MS CG_MILLISECOND

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
    (void)sig;
    ticks++;
}

static ssize_t everything(void *arg)
{
    struct cg_coro *a, *b;
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;
    int64_t start = cg_sched_now(cg_sched_self());

    a = test_start(talks, arg);
    b = test_start(talks, arg);
    listener = test_listen(addr);
    for (int i = 0; i < 20; i++) {
        IS(cg_yield(cg_accept(listener, &conn, .timeout = MS)), -ETIMEDOUT);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    ck_assert_int_ge(cg_sched_now(cg_sched_self()), start + 40 * MS);
    cg_sock_close(listener);
    IS(test_end(a), 0);
    return test_end(b);
}

/* Thousands of signals a second interrupt every system call, and change nothing. */
static void interrupted(void)
{
    struct sigaction action = {.sa_handler = tick}; /* without SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {{0, 100000}, {0, 100000}};
    struct test test = test_open(.timeout = 0);
    timer_t timer;

    sigaction(SIGUSR1, &action, NULL);
    IS(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    IS(timer_settime(timer, 0, &every, NULL), 0);
    OK(cg_sched_start(test.sched, everything, &(int){100}));
    test_finish(&test);
    timer_delete(timer);
    ck_assert_int_gt(ticks, 20);
    test_close(&test);
}

static struct cg_sched *to_stop;

static void stops(int sig)
{
    (void)sig;
    cg_sched_stop(to_stop);
}

struct stopping {
    timer_t timer;
    int waiting, ended;
};

static ssize_t waits_until_stopped(void *arg)
{
    struct stopping *stopping = arg;
    struct cg_sock *a, *b;
    const struct itimerspec once = {{0, 0}, {0, 5 * MS}};
    char byte;

    test_tcp(&a, &b);
    if (++stopping->waiting == 5)
        IS(timer_settime(stopping->timer, 0, &once, NULL), 0);
    IS(cg_yield(cg_read(a, &byte, 1)), -ECANCELED);
    IS(cg_yield(cg_sleep(MS, .shield = true)), 0);
    cg_sock_close(a);
    cg_sock_close(b);
    stopping->ended++;
    return 0;
}

/* cg_sched_stop in a signal handler ends a run that sleeps in the kernel: every coroutine
 * is cancelled and cleans up, and the run returns without an error. */
static void stopped_by_signal(void)
{
    struct sigaction action = {.sa_handler = stops};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct test test = test_open(.timeout = 0);
    struct stopping stopping = {0};

    to_stop = test.sched;
    sigaction(SIGUSR1, &action, NULL);
    IS(timer_create(CLOCK_MONOTONIC, &event, &stopping.timer), 0);
    for (int i = 0; i < 5; i++)
        OK(cg_sched_start(test.sched, waits_until_stopped, &stopping));
    test_finish(&test);
    ck_assert_int_eq(stopping.ended, 5);
    timer_delete(stopping.timer);
    test_close(&test);
}

static const struct test_case cases[] = {
    PLAIN(interrupted, .where = ON_KERNEL),
    PLAIN(stopped_by_signal, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("conform_interrupt", cases, COUNT(cases));
}
