/* SPDX-License-Identifier: MIT */
/* The debug mode: planted faults are named in one line each, and nothing else is. */
#include "config.h"

#include "lib/insight/backtrace.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <cogen/transport.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[64 * 1024];

static cg_fn *planted;

static void act_main(cg_fn *fn)
{
    if (cg_main(test_on_sim() ? "sim" : test_reactor(), fn, NULL) < 0)
        _exit(1);
}

/* Not by exit, which would have a sanitizer report the leaks that are planted. */
static void act(void)
{
    act_main(planted);
    _exit(0);
}

/* What the debug mode says about a program. */
static void run(cg_fn *fn, const char *environment)
{
    planted = fn;
    setenv("COGEN_DEBUG", environment, 1);
    ck_assert_int_eq(child_run(act, said, sizeof said), 0);
}

static size_t lines(void)
{
    size_t count = 0;

    for (const char *at = said; (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

/* A line begins with `start`, and goes on with a place if there are any. */
static void says(const char *start)
{
    const char *at = strstr(said, start), *end = at ? strchr(at, '\n') : NULL, *plus;

    ck_assert_msg(end != NULL, "no \"%s\" in:\n%s", start, said);
    ck_assert_msg(at == said || at[-1] == '\n', "%s", said);
    plus = strstr(at, cg__backtrace_works() ? "+0x" : "at an unknown place");
    ck_assert_msg(plus && plus < end, "%s", said);
}

static struct cg_mutex rooms = {.name = "rooms"};

static ssize_t locks(void *arg)
{
    (void)arg;
    return cg_yield(cg_lock(&rooms));
}

/* The second one gets the mutex from a third, which unlocks it as it should. */
static ssize_t locks_twice(void *arg)
{
    static struct cg_mutex unnamed;
    struct cg_coro *coro;

    OK(cg_yield(cg_lock(&rooms)));
    OK(cg_yield(cg_lock(&unnamed)));
    coro = test_start(locks, arg);
    OK(cg_yield(cg_pass()));
    OK(cg_mutex_unlock(&unnamed));
    OK(cg_mutex_unlock(&rooms));
    return test_end(coro);
}

static void names_locked_mutexes(void)
{
    run(locks, "1");
    says("cogen: coroutine main ended without unlocking the mutex rooms, locked by #1 main at ");
    ck_assert_uint_eq(lines(), 1);
    run(locks_twice, "1");
    says("cogen: coroutine helper ended without unlocking the mutex rooms, "
         "locked by #2 helper at ");
    ck_assert_uint_eq(lines(), 1);
}

static ssize_t locks_its_own(void *arg)
{
    struct cg_mutex *mutex = arg;

    return cg_yield(cg_lock(mutex));
}

static ssize_t unlocks_its_own(void *arg)
{
    OK(locks_its_own(arg));
    return cg_mutex_unlock((struct cg_mutex *)arg);
}

/* The repetitions of a place are told at the end. */
static ssize_t locks_often(void *arg)
{
    static struct cg_mutex mutex[10];

    (void)arg;
    for (size_t i = 0; i < COUNT(mutex); i++)
        OK(test_end(test_start(locks_its_own, &mutex[i])));
    return 0;
}

static void counts_repetitions(void)
{
    run(locks_often, "1");
    says("cogen: coroutine helper ended without unlocking the mutex 0x");
    says("cogen: 9 times more a coroutine ended without unlocking a mutex, locked at ");
    ck_assert_uint_eq(lines(), 2);
}

static ssize_t opens(void *arg)
{
    struct cg_sock *pair[2], *listener, *often[2];

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener));
    OK(cg_sock_pair(cg_sched_self(), &pair[0], &pair[1]));
    cg_sock_close(pair[0]);
    cg_sock_close(pair[1]);
    for (int i = 0; i < 3; i++)
        OK(cg_sock_pair(cg_sched_self(), &often[0], &often[1]));
    return 0;
}

static void names_open_sockets(void)
{
    run(opens, "1");
    says("cogen: a socket was not closed (fd ");
    says("cogen: 3 sockets were not closed (the first: pair), opened by #1 main at ");
    ck_assert_uint_eq(lines(), 3);
}

static ssize_t ends(void *arg)
{
    (void)arg;
    return 0;
}

static ssize_t refers(void *arg)
{
    struct cg_coro *coro, *other;
    struct cg_sock *pair[2];

    (void)arg;
    OK(cg_yield(cg_add(ends, NULL, .name = "ended", .coro = &coro)));
    OK(cg_yield(cg_add(ends, NULL, .name = "other", .coro = &other)));
    cg_coro_ref(other);
    cg_coro_unref(other);
    cg_coro_unref(other);
    OK(cg_sock_pair(cg_sched_self(), &pair[0], &pair[1]));
    cg_sock_keep(pair[0]);
    cg_sock_keep(pair[1]);
    cg_sock_close(pair[0]);
    cg_sock_close(pair[1]);
    IS(cg_sock_unkeep(pair[1]), -EBADF);
    return 0;
}

static void names_references(void)
{
    run(refers, "1");
    says("cogen: a reference to a coroutine was not released (ended), taken by #1 main at ");
    says("cogen: the memory of a socket was kept by cg_sock_keep and not released, kept by #1 ");
    ck_assert_uint_eq(lines(), 2);
}

static void never_called(void *arg)
{
    (void)arg;
}

/* One of each kind is left; the others are released, one of them when all is over. */
static struct cg_future *late;

static ssize_t makes_futures(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_handle *handle;
    struct cg_future *task;

    cg_future_unref(cg_future_new(sched));
    task = cg_task_new(sched, unlocks_its_own, arg);
    ck_assert_ptr_nonnull(task);
    OK(cg_yield(cg_await(task)));
    cg_future_unref(task);
    OK(cg_sched_call_soon(sched, never_called, NULL, NULL));
    OK(cg_sched_call_later(sched, CG_SECOND, never_called, NULL, &handle));
    OK(cg_handle_cancel(handle));
    cg_handle_unref(handle);
    late = cg_future_new(sched);
    OK(cg_sched_call_later(sched, CG_SECOND, never_called, NULL, &handle));
    return cg_handle_cancel(handle);
}

static ssize_t leaves_futures(void *arg)
{
    static struct cg_mutex mutex;

    (void)arg;
    return makes_futures(&mutex);
}

static void act_futures(void)
{
    act_main(leaves_futures);
    cg_future_unref(late);
    _exit(0);
}

static void names_futures(void)
{
    setenv("COGEN_DEBUG", "1", 1);
    IS(child_run(act_futures, said, sizeof said), 0);
    says("cogen: a future was not released, made by #1 main at ");
    says("cogen: a handle of a call was not released, made by #1 main at ");
    ck_assert_uint_eq(lines(), 2);
}

/* A signal comes between a look and the wait; another one was heard, one came long ago. */
static ssize_t looks_and_waits(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_sleep(50 * CG_MILLISECOND))); /* after it has looked */
    return cg_yield(cg_any((cg_sleep(CG_SECOND), cg_wait_signal("news", NULL))));
}

static ssize_t waits_for_another(void *arg)
{
    (void)arg;
    return cg_yield(cg_wait_signal("others", NULL, .timeout = CG_SECOND));
}

/* It has heard the last signal. */
static ssize_t waits_again(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_wait_signal("served", NULL)));
    return cg_yield(cg_wait_signal("served", NULL));
}

/* The signal that came just before had an integer of the same value as its name. */
static ssize_t waits_for_a_pointer(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_sleep(50 * CG_MILLISECOND)));
    return cg_yield(cg_wait_signal((void *)1, NULL));
}

static ssize_t signals(void *arg)
{
    struct cg_coro *coro[5];

    IS(cg_yield(cg_signal("others", 1)), 0);
    for (int i = 0; i < 3000; i++) /* more than are remembered */
        IS(cg_yield(cg_signal(i, 1)), 0);
    OK(cg_yield(cg_sleep(1500 * CG_MILLISECOND)));
    coro[0] = test_start(looks_and_waits, arg);
    coro[1] = test_start(waits_for_another, arg);
    coro[2] = test_start(looks_and_waits, arg);
    coro[3] = test_start(waits_again, arg);
    coro[4] = test_start(waits_for_a_pointer, arg);
    IS(cg_yield(cg_signal("served", 1)), 0);
    OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
    IS(cg_yield(cg_signal("news", 1)), 0);
    IS(cg_yield(cg_signal(1, 1)), 0);
    IS(cg_yield(cg_signal("served", 1)), 1);
    OK(cg_yield(cg_sleep(60 * CG_MILLISECOND)));
    OK(cg_sched_dump(cg_sched_self(), stderr));
    for (int i = 0; i < 5; i++) {
        cg_coro_cancel(coro[i]);
        test_end(coro[i]);
    }
    return 0;
}

static void names_lost_wakeups(void)
{
    static const char why[] = ", but the signal came ";
    const char *line;

    run(signals, "1");
    says("lost wake-up? #2 helper: any");
    says("lost wake-up? #4 helper: any");
    ck_assert_ptr_null(strstr(said, "lost wake-up? #3"));
    ck_assert_ptr_null(strstr(said, "lost wake-up? #5"));
    ck_assert_ptr_null(strstr(said, "lost wake-up? #6"));
    line = strstr(strstr(said, "lost wake-up? #2"), why);
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_nonnull(strstr(line, " ms before by #1 main at "));
    ck_assert_ptr_nonnull(strstr(line, ", when nobody waited\n"));
    run(signals, "0");
    ck_assert_ptr_null(strstr(said, "lost wake-up"));
}

static ssize_t opens_many(void *arg)
{
    enum { N = 1000 };
    static struct cg_sock *pair[N][2];

    (void)arg;
    for (int i = 0; i < N; i++)
        OK(cg_sock_pair(cg_sched_self(), &pair[i][0], &pair[i][1]));
    for (int i = 0; i < N; i++)
        if (i % 100)
            for (int k = 0; k < 2; k++)
                cg_sock_close(pair[i][k]);
    return 0;
}

/* What is made in the same place is one line for each of its two ends. */
static void finds_some_among_many(void)
{
    run(opens_many, "1");
    says("cogen: 10 sockets were not closed (the first: pair), ");
    ck_assert_uint_eq(lines(), 2);
}

static ssize_t locks_and_opens(void *arg)
{
    return opens(arg) + locks(arg);
}

/* Off: it says nothing. */
static void is_off(void)
{
    run(locks_and_opens, "");
    ck_assert_str_eq(said, "");
    run(locks_and_opens, "0");
    ck_assert_str_eq(said, "");
}

static ssize_t is_cancelled(void *arg)
{
    ssize_t rc;

    OK(cg_yield(cg_lock((struct cg_mutex *)arg)));
    rc = cg_yield(cg_wait_signal("never", NULL));
    cg_mutex_unlock((struct cg_mutex *)arg);
    return rc;
}

static ssize_t echoes(struct cg_sock *conn, void *arg)
{
    char byte;

    (void)arg;
    while (cg_yield(cg_read(conn, &byte, 1)) == 1)
        OK(cg_yield(cg_writeall(conn, &byte, 1)));
    cg_sock_close(conn);
    return 0;
}

static ssize_t serves(void *listener)
{
    return cg_yield(cg_serve((struct cg_sock *)listener, echoes));
}

/* A program that tidies up: mutexes, conditions, a server, what is cancelled at the end. */
static ssize_t is_clean(void *arg)
{
    struct cg_condition condition = {.name = "none"};
    struct cg_mutex mutex = {.name = "mine"};
    struct cg_sock *listener, *conn;
    struct cg_coro *server, *waiter;
    char addr[CG_ADDR_SIZE], byte = 'x';

    (void)arg;
    waiter = test_start(is_cancelled, &rooms);
    OK(cg_yield(cg_lock(&mutex)));
    IS(cg_yield(cg_wait_condition(&condition, &mutex, .timeout = CG_MILLISECOND)),
       -ETIMEDOUT);
    OK(cg_mutex_unlock(&mutex));
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    server = test_start(serves, listener);
    OK(cg_yield(cg_connect(addr, &conn)));
    OK(cg_yield(cg_writeall(conn, &byte, 1)));
    OK(cg_yield(cg_readall(conn, &byte, 1)));
    cg_sock_close(conn);
    OK(cg_coro_cancel(server));
    IS(test_end(server), -ECANCELED);
    cg_sock_close(listener);
    OK(cg_coro_cancel(waiter));
    IS(test_end(waiter), -ECANCELED);
    return 0;
}

static void says_nothing_of_a_clean_program(void)
{
    run(is_clean, "1");
    ck_assert_str_eq(said, "");
}

static ssize_t works(void *arg)
{
    return cg_worker_id() == 1 ? locks(arg) : 0;
}

static void act_crew(void)
{
    exit(cg_crew_main(works, NULL, .workers = 2, .debug = true,
                      .reactor = test_on_sim() ? "sim" : test_reactor()) != 0);
}

/* The option turns it on for the workers of a crew. */
static void is_an_option(void)
{
    unsetenv("COGEN_DEBUG");
    ck_assert_int_eq(child_run(act_crew, said, sizeof said), 0);
    says("cogen: coroutine worker 1 ended without unlocking the mutex rooms, ");
    ck_assert_uint_eq(lines(), 1);
}

static const struct test_case cases[] = {
    PLAIN(names_locked_mutexes),  PLAIN(counts_repetitions), PLAIN(names_open_sockets),
    PLAIN(names_references),      PLAIN(is_off),             PLAIN(says_nothing_of_a_clean_program),
    PLAIN(finds_some_among_many), PLAIN(is_an_option),       PLAIN(names_futures),
    PLAIN(names_lost_wakeups),
};

int main(void)
{
    return test_main("debug", cases, COUNT(cases));
}
