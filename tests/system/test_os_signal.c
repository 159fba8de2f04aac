/* SPDX-License-Identifier: MIT */
/* Signals of the operating system as operations: every waiter in every scheduler gets each
 * signal once, the earlier handler comes back, and signals between two waits are counted.
 * They also reach the simulator. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static void (*handler_of(int signo))(int)
{
    struct sigaction now;

    IS(sigaction(signo, NULL, &now), 0);
    return now.sa_handler;
}

static ssize_t waits(void *arg)
{
    return cg_yield(cg_wait_os_signal((int)(intptr_t)arg));
}

/* All coroutines that wait for the signal get it. Those that wait for another signal do
 * not. */
static ssize_t all_are_told(void *arg)
{
    struct cg_coro *coros[4];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        test_until_waiting(
            coros[i] = test_start(waits, (void *)(intptr_t)(i < 3 ? SIGUSR1 : SIGUSR2)));
    OK(cg_yield(cg_cancel(coros[1])));
    IS(raise(SIGUSR1), 0);
    IS(test_end(coros[0]), 1);
    IS(test_end(coros[1]), -ECANCELED);
    IS(test_end(coros[2]), 1);
    ck_assert(cg_coro_state(coros[3]) == CG_CORO_WAITING);
    IS(raise(SIGUSR2), 0);
    IS(test_end(coros[3]), 1);
    return 0;
}

/* The library's handler is installed from the first wait to the last. Then the earlier
 * handler comes back, unless the program has set another one meanwhile. */
static ssize_t gives_back(void *arg)
{
    struct cg_coro *a, *b;

    (void)arg;
    signal(SIGUSR1, SIG_IGN);
    a = test_start(waits, (void *)SIGUSR1);
    b = test_start(waits, (void *)SIGUSR1);
    test_until_waiting(a);
    test_until_waiting(b);
    ck_assert(handler_of(SIGUSR1) != SIG_IGN);
    OK(cg_yield(cg_cancel(a)));
    IS(test_end(a), -ECANCELED);
    ck_assert(handler_of(SIGUSR1) != SIG_IGN);
    IS(raise(SIGUSR1), 0);
    IS(test_end(b), 1);
    ck_assert(handler_of(SIGUSR1) == SIG_IGN);
    a = test_start(waits, (void *)SIGUSR1);
    test_until_waiting(a);
    signal(SIGUSR1, SIG_DFL);
    OK(cg_yield(cg_cancel(a)));
    IS(test_end(a), -ECANCELED);
    ck_assert(handler_of(SIGUSR1) == SIG_DFL);
    return 0;
}

/* Some signals cannot be waited for. */
static ssize_t refused(void *arg)
{
    static const int signals[] = {0, -1, SIGKILL, SIGSTOP, SIGSEGV, 127, 1000};
    struct cg_os_signals *sub;

    (void)arg;
    for (size_t i = 0; i < COUNT(signals); i++) {
        IS(cg_yield(cg_wait_os_signal(signals[i])), -EINVAL);
        IS(cg_os_signals_open(cg_sched_self(), signals[i], &sub), -EINVAL);
    }
    IS(cg_yield(cg_get_os_signal(NULL)), -EINVAL);
    return 0;
}

/* Several deliveries before the waiter runs complete it once, with their number. */
static ssize_t counts(void *arg)
{
    struct cg_coro *coro = test_start(waits, (void *)SIGUSR1);

    (void)arg;
    test_until_waiting(coro);
    for (int i = 0; i < 3; i++)
        IS(raise(SIGUSR1), 0);
    IS(test_end(coro), 3);
    return 0;
}

/* What has been delivered is there at once, for those who do not wait, and is told once. */
static ssize_t without_waiting(void *arg)
{
    struct cg_os_signals *one, *other;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &one));
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &other));
    IS(cg_yield(cg_get_os_signal(one, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        IS(raise(SIGUSR1), 0);
    IS(cg_yield(cg_get_os_signal(one, .timeout = CG_NOWAIT)), 2);
    IS(cg_yield(cg_get_os_signal(one, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    OK(cg_yield(cg_sleep(MS)));
    IS(cg_yield(cg_get_os_signal(other, .timeout = CG_NOWAIT)), 2);
    IS(cg_yield(cg_get_os_signal(one, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    cg_os_signals_close(one);
    cg_os_signals_close(other);
    return 0;
}

/* A race between two signals, one of them twice, and a timeout. */
static ssize_t raced(void *arg)
{
    struct cg_op *usr1 = cg_wait_os_signal(SIGUSR1),
                 *again = cg_wait_os_signal(SIGUSR1);
    struct cg_op *usr2 = cg_wait_os_signal(SIGUSR2);

    (void)arg;
    IS(cg_yield(cg_any((usr1, again, usr2), .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_wait_os_signal(SIGUSR1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert(handler_of(SIGUSR1) == SIG_DFL);
    for (int i = 0; i < 3; i++) {
        struct cg_os_signals *sub;
        ssize_t n;

        OK(cg_os_signals_open(cg_sched_self(), SIGUSR2, &sub));
        IS(raise(SIGUSR2), 0); /* before any coroutine waits */
        n = cg_yield(cg_any((usr1, again, cg_get_os_signal(sub))));
        IS(n, 2);
        IS(cg_op_result(usr1), -ECANCELED);
        cg_os_signals_close(sub);
    }
    ck_assert(handler_of(SIGUSR2) == SIG_DFL);
    return 0;
}

/* Two ops of one race wait for the same signal: the first wins, the other is released. */
static ssize_t twice_in_one_race(void *arg)
{
    struct cg_op *first = cg_wait_os_signal(SIGUSR1),
                 *second = cg_wait_os_signal(SIGUSR1);
    struct cg_os_signals *sub;

    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &sub));
    IS(raise(SIGUSR1), 0);
    OK(cg_yield(cg_get_os_signal(sub)));
    arg = test_start(waits, (void *)SIGUSR1);
    test_until_waiting(arg);
    IS(cg_yield(cg_any((first, second, cg_get_os_signal(sub)), .timeout = MS)),
       -ETIMEDOUT);
    IS(raise(SIGUSR1), 0); /* only recorded: no coroutine runs in between */
    ck_assert_int_ge(cg_yield(cg_any((cg_sleep(1000 * CG_SECOND), first, second))), 1);
    IS(cg_op_result(first) + cg_op_result(second), 1 - ECANCELED);
    IS(test_end(arg), 1);
    IS(cg_yield(cg_get_os_signal(sub)), 1);
    cg_os_signals_close(sub);
    return 0;
}

static enum cg_verdict raise_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)op;
    (void)sched;
    IS(raise(SIGUSR1), 0);
    IS(raise(SIGUSR2), 0);
    return CG_PENDING;
}

static enum cg_verdict raise_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)op;
    (void)sched;
    return CG_DONE;
}

/* Two signals come while a race of both is being started: the first branch wins, the other one
 * leaves its signal to the next wait. */
static ssize_t both_in_the_middle(void *arg)
{
    static const struct cg_op_type raises = {
        .name = "raises", .process = raise_process, .cancel = raise_cancel};
    struct cg_op both = {.type = &raises, .timeout = CG_NEVER};
    struct cg_os_signals *first, *second;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &first));
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR2, &second));
    IS(cg_yield(cg_any((cg_get_os_signal(first), &both, cg_get_os_signal(second)))), 0);
    IS(cg_yield(cg_get_os_signal(second, .timeout = CG_NOWAIT)), 1);
    IS(cg_yield(cg_get_os_signal(first, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    cg_os_signals_close(first);
    cg_os_signals_close(second);
    return 0;
}

/* A subscription loses no signal between two waits, nor in a wait that is cancelled. */
static ssize_t subscribed(void *arg)
{
    struct cg_os_signals *sub, *other;
    struct cg_op *next;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &sub));
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &other));
    next = cg_get_os_signal(sub);
    IS(cg_yield(cg_get_os_signal(sub, .timeout = MS)), -ETIMEDOUT);
    IS(raise(SIGUSR1), 0);
    IS(raise(SIGUSR1), 0);
    OK(cg_yield(cg_sleep(MS)));
    IS(raise(SIGUSR1), 0);
    OK(cg_yield(cg_sleep(MS)));
    IS(cg_yield(cg_any((cg_sleep_until(1), next))), 1);
    IS(cg_op_result(next), 3);
    IS(cg_yield(cg_get_os_signal(sub, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_get_os_signal(sub), cg_get_os_signal(sub)))),
       1); /* -EBUSY */
    IS(raise(SIGUSR1), 0);
    IS(cg_yield(next), 1);
    IS(cg_yield(cg_get_os_signal(other)), 4);
    cg_os_signals_close(sub);
    ck_assert(handler_of(SIGUSR1) != SIG_DFL);
    cg_os_signals_close(other);
    cg_os_signals_close(NULL);
    ck_assert(handler_of(SIGUSR1) == SIG_DFL);
    return 0;
}

/* A wait that loses in the turn of the delivery leaves the count to the next wait. */
static ssize_t race_keeps_count(void *arg)
{
    struct cg_os_signals *sub;
    struct cg_op *next;
    ssize_t got = 0, n;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &sub));
    next = cg_get_os_signal(sub);
    for (int i = 0; i < 50; i++) {
        IS(raise(SIGUSR1), 0);
        n = cg_yield(cg_any((cg_sleep(1 + i), next)));
        got += n == 1 ? cg_op_result(next) : 0;
    }
    while ((n = cg_yield(cg_get_os_signal(sub, .timeout = MS))) > 0)
        got += n;
    IS(n, -ETIMEDOUT);
    IS(got, 50);
    cg_os_signals_close(sub);
    return 0;
}

/* A wait keeps the run open. A subscription alone does not. */
static void holds(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_os_signals *sub;

    OK(cg_os_signals_open(test.sched, SIGUSR1, &sub));
    IS(cg_sched_step(test.sched, 0), 0);
    OK(cg_sched_start(test.sched, waits, (void *)SIGUSR1));
    IS(cg_sched_step(test.sched, 0), 1);
    raise(SIGUSR1);
    test_finish(&test);
    cg_os_signals_close(sub);
    test_close(&test);
}

/* A subscription is closed, and the scheduler freed, after a delivery and without a run. */
static void freed_with_news(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_os_signals *sub;

    OK(cg_os_signals_open(test.sched, SIGUSR1, &sub));
    raise(SIGUSR1);
    cg_os_signals_close(sub);
    ck_assert(handler_of(SIGUSR1) == SIG_DFL);
    test_close(&test);
}

/* Several schedulers */

enum { THREADS = 3, ROUNDS = 50 };

struct thread {
    struct test test;
    pthread_t thread;
    atomic_int ready;
    int got;
};

static ssize_t counts_all(void *arg)
{
    struct thread *thread = arg;
    struct cg_os_signals *sub;

    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &sub));
    atomic_store(&thread->ready, 1);
    while (thread->got < ROUNDS)
        thread->got += (int)OK(cg_yield(cg_get_os_signal(sub)));
    cg_os_signals_close(sub);
    return 0;
}

/* Starts and ends waits all the time, while other schedulers get the signals. */
static ssize_t comes_and_goes(void *arg)
{
    struct thread *thread = arg;

    while (thread->got < ROUNDS)
        cg_yield(cg_wait_os_signal(SIGUSR1, .timeout = 50 * CG_MICROSECOND));
    return 0;
}

static void *run_thread(void *arg)
{
    struct thread *thread = arg;

    IS(cg_sched_run(thread->test.sched), 0);
    return NULL;
}

/* Every scheduler gets every delivery, whatever thread the signal comes in. */
static void in_threads(void)
{
    struct thread threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        threads[i].got = 0;
        atomic_init(&threads[i].ready, 0);
        threads[i].test = test_open(.timeout = 0);
        OK(cg_sched_start(threads[i].test.sched, counts_all, &threads[i]));
        OK(cg_sched_start(threads[i].test.sched, comes_and_goes, &threads[i]));
        IS(pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        while (!atomic_load(&threads[i].ready))
            usleep(100);
    for (int i = 0; i < ROUNDS; i++) /* to this thread: each is delivered alone */
        raise(SIGUSR1);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        ck_assert_int_eq(threads[i].got, ROUNDS);
        test_close(&threads[i].test);
    }
    ck_assert(handler_of(SIGUSR1) == SIG_DFL);
}

static ssize_t waits_shielded(void *arg)
{
    return cg_yield(cg_wait_os_signal((int)(intptr_t)arg, .shield = true));
}

/* A scheduler that is freed although a coroutine still waits, since the grace period is
 * over, gives the handler back, and the signal does not reach it any more. */
static void freed_while_waiting(void)
{
    struct test test = test_open(.grace = 1);

    signal(SIGUSR1, SIG_IGN);
    OK(cg_sched_start(test.sched, waits_shielded, (void *)SIGUSR1, .name = "shielded"));
    IS(cg_sched_step(test.sched, 0), 1);
    IS(raise(SIGUSR1), 0); /* its post is dropped */
    test_close(&test);
    ck_assert(handler_of(SIGUSR1) == SIG_IGN);
    IS(raise(SIGUSR1), 0);
    signal(SIGUSR1, SIG_DFL);
}

static void send_value(int value)
{
    IS(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = value}), 0);
}

/* With .info each delivery is taken alone, with what came with it, in their order. What is
 * beyond the room is counted. */
static ssize_t details(void *arg)
{
    struct cg_os_signals *sub, *later;
    struct cg_os_signal_info info;
    unsigned more = 0;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &sub));
    send_value(41);
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &later));
    send_value(42);
    for (int i = 41; i <= 42; i++) {
        IS(cg_yield(cg_get_os_signal(sub, .info = &info)), 1);
        IS(info.signo, SIGUSR1);
        IS(info.code, SI_QUEUE);
        IS(info.pid, getpid());
        IS((int)info.value, i);
    }
    IS(cg_yield(cg_get_os_signal(sub, .info = &info, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_get_os_signal(later, .info = &info)), 1);
    IS((int)info.value, 42); /* not the one before it subscribed */
    cg_os_signals_close(later);

    for (int i = 0; i < CG_OS_SIGNAL_INFOS + 10; i++) {
        send_value(i);
        if (i % 8 == 0)
            OK(cg_yield(cg_sleep(MS)));
    }
    OK(cg_yield(cg_sleep(MS)));
    for (int i = 0; i < CG_OS_SIGNAL_INFOS; i++) {
        IS(cg_yield(cg_get_os_signal(sub, .info = &info)), 1);
        IS((int)info.value, i);
    }
    more = (unsigned)cg_yield(cg_get_os_signal(sub, .info = &info));
    IS(info.signo, 0);
    ck_assert_uint_eq(more, 10);

    send_value(7);
    IS(cg_yield(cg_get_os_signal(sub)), 1); /* without .info it takes all */
    IS(cg_yield(cg_get_os_signal(sub, .info = &info, .timeout = MS)), -ETIMEDOUT);
    cg_os_signals_close(sub);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(all_are_told),
        CORO(gives_back),
        CORO(refused),
        CORO(counts),
        CORO(without_waiting),
        CORO(raced),
        CORO(twice_in_one_race),
        CORO(both_in_the_middle),
        CORO(subscribed),
        CORO(race_keeps_count),
        CORO(details),
        PLAIN(holds),
        PLAIN(freed_with_news),
        PLAIN(freed_while_waiting),
        PLAIN(in_threads, .where = ON_KERNEL),
    };

    return test_main("os_signal", cases, COUNT(cases));
}
