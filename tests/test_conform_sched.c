/* SPDX-License-Identifier: MIT */
/* The scheduler on every reactor: its place among other loops, threads and signals, how it
 * ends, what it says of those who can never wake, and that nobody starves and nothing
 * spins. */
#include "config.h"

#include "tests/support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static int64_t clock_of(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * CG_SECOND + ts.tv_nsec;
}

static ssize_t echoes(void *arg)
{
    char buf[256];
    ssize_t n;

    while ((n = cg_yield(cg_read(arg, buf, sizeof buf))) > 0)
        IS(cg_yield(cg_writeall(arg, buf, (size_t)n)), n);
    cg_close(arg);
    return n;
}

struct rounds {
    int count;
    struct cg_sock *sock;
};

/* Talks to an echo for so many rounds, with pauses. */
static ssize_t talks(void *arg)
{
    struct rounds *r = arg;
    struct cg_sock *a, *b;
    struct cg_coro *echo;
    char out[100], in[100];

    test_tcp(&a, &b);
    echo = test_start(echoes, b);
    for (int i = 0; i < r->count; i++) {
        test_fill(out, sizeof out, (size_t)i);
        IS(cg_yield(cg_writeall(a, out, sizeof out)), sizeof out);
        IS(cg_yield(cg_readall(a, in, sizeof in)), sizeof in);
        test_verify(in, sizeof in, (size_t)i);
        if (i % 10 == 0)
            IS(cg_yield(cg_sleep(MS / 10)), 0);
    }
    cg_close(a);
    return test_end(echo);
}

/* ---- In a foreign loop --------------------------------------------------------------------- */

/* A poll(2) loop that only calls cg_step when it is told to gets everything done. */
static void embedded(void)
{
    struct test test = test_open(.timeout = 0);
    int fd = cg_sched_fd(test.sched), more;
    int64_t start = clock_of(CLOCK_MONOTONIC);

    if (fd < 0)
        IS(fd, -EOPNOTSUPP);
    OK(cg_start(test.sched, talks, &(struct rounds){.count = 50}));
    while ((more = cg_step(test.sched, 0)) == 1) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        int64_t sleep = cg_sched_timeout(test.sched);

        ck_assert_int_ge(sleep, 0);
        if (test_on_sim()) {
            OK(cg_step(test.sched, CG_NEVER));
            continue;
        }
        sleep = sleep > 10 * CG_SECOND ? 10 * CG_SECOND : sleep;
        if (fd < 0)
            poll(NULL, 0, sleep > MS ? 1 : 0);
        else
            poll(&pfd, 1, (int)((sleep + MS - 1) / MS));
    }
    IS(more, 0);
    ck_assert_int_lt(clock_of(CLOCK_MONOTONIC) - start, 9 * CG_SECOND);
    IS(cg_step(test.sched, CG_NEVER), 0);
    test_close(&test);
}

static ssize_t reads_one(void *arg)
{
    char byte;

    IS(cg_yield(cg_read(arg, &byte, 1)), 1);
    cg_close(arg);
    return 0;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* So it does to an epoll that holds it, and for a post of the loop's own thread. */
static void loop_tells(struct test *test, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int ep = epoll_create1(0);

    cg_hold(test->sched);
    IS(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
    for (int i = 0; i < 3; i++) {
        while (cg_sched_timeout(test->sched) == 0)
            IS(cg_step(test->sched, 0), 1);
        IS(cg_step(test->sched, 0), 1);
        while (epoll_wait(ep, &event, 1, 0) != 0)
            IS(cg_step(test->sched, 0), 1); /* the last wake may still echo */
        OK(cg_post(test->sched, nothing, NULL));
        while (epoll_wait(ep, &event, 1, 5000) < 0)
            IS(-errno, -EINTR);
        IS(event.events, EPOLLIN);
        event.events = 0;
    }
    cg_unhold(test->sched);
    close(ep);
}

/* The descriptor is quiet while there is nothing to do, and readable once there is. */
static void descriptor_tells(void)
{
    struct test test = test_open(.timeout = 0);
    struct pollfd pfd = {.fd = cg_sched_fd(test.sched), .events = POLLIN};
    struct cg_sock *sock;
    int fds[2];

    if (pfd.fd >= 0) {
        IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        OK(cg_attach(test.sched, fds[0], &sock));
        OK(cg_start(test.sched, reads_one, sock));
        for (int i = 0; i < 10; i++)
            IS(cg_step(test.sched, 0), 1);
        ck_assert(cg_sched_timeout(test.sched) > CG_SECOND);
        IS(poll(&pfd, 1, 0), 0);
        IS(write(fds[1], "x", 1), 1);
        IS(poll(&pfd, 1, 5000), 1);
        while (cg_step(test.sched, 0) == 1)
            ;
        loop_tells(&test, pfd.fd);
        close(fds[1]);
    }
    test_close(&test);
}

/* A step waits no longer than it is told, and not at all with 0. */
static void step_waits(void)
{
    struct test test = test_open(.timeout = 0);
    int64_t start;

    IS(cg_step(test.sched, CG_NEVER), 0);
    cg_hold(test.sched);
    start = clock_of(CLOCK_MONOTONIC);
    IS(cg_step(test.sched, 20 * MS), 1);
    ck_assert_int_ge(clock_of(CLOCK_MONOTONIC) - start, 19 * MS);
    start = clock_of(CLOCK_MONOTONIC);
    IS(cg_step(test.sched, 0), 1);
    ck_assert_int_lt(clock_of(CLOCK_MONOTONIC) - start, CG_SECOND);
    cg_unhold(test.sched);
    IS(cg_step(test.sched, CG_NEVER), 0);
    test_close(&test);
}

/* A scheduler runs again and again. */
static void run_again(void)
{
    struct test test = test_open(.timeout = 0);

    for (int i = 0; i < 3; i++) {
        IS(cg_run(test.sched), 0);
        OK(cg_start(test.sched, talks, &(struct rounds){.count = 3}));
        test_finish(&test);
    }
    test_close(&test);
}

/* ---- Threads -------------------------------------------------------------------------------- */

enum { POSTS = 2000 };

struct posting {
    struct cg_sched *sched;
    int next;
};

static void posted(void *arg)
{
    struct posting *p = arg;

    ck_assert_ptr_null(cg_self());
    if (++p->next == POSTS)
        cg_unhold(p->sched);
}

static void *posts(void *arg)
{
    struct posting *p = arg;

    for (int i = 0; i < POSTS; i++) {
        OK(cg_post(p->sched, posted, p));
        if (i % 200 == 0)
            nanosleep(&(struct timespec){0, 500000}, NULL); /* it falls asleep meanwhile */
    }
    return NULL;
}

/* Posts from a thread wake the scheduler, all of them, while it is held open for them. */
static void post_from_thread(void)
{
    struct test test = test_open(.timeout = 0);
    struct posting p = {.sched = test.sched};
    pthread_t thread;

    cg_hold(test.sched);
    OK(cg_start(test.sched, talks, &(struct rounds){.count = 20}));
    IS(pthread_create(&thread, NULL, posts, &p), 0);
    test_finish(&test);
    ck_assert_int_eq(p.next, POSTS);
    pthread_join(thread, NULL);
    test_close(&test);
}

struct numbered {
    struct numbered_list *list;
    int number;
};

struct numbered_list {
    struct numbered items[100];
    int next;
};

static void in_order(void *arg)
{
    struct numbered *n = arg;

    ck_assert_int_eq(n->number, n->list->next++);
}

/* Posts of one thread run in order. */
static void posts_in_order(void)
{
    struct test test = test_open(.timeout = 0);
    static struct numbered_list list;

    for (int i = 0; i < 100; i++) {
        list.items[i] = (struct numbered){&list, i};
        OK(cg_post(test.sched, in_order, &list.items[i]));
    }
    test_finish(&test);
    ck_assert_int_eq(list.next, 100);
    test_close(&test);
}

/* A post that the scheduler does not live to run is dropped, without a leak. */
static void posts_dropped(void)
{
    struct test test = test_open(.timeout = 0);

    OK(cg_post(test.sched, in_order, NULL));
    test_close(&test);
}

static void *runs_one(void *arg)
{
    struct rounds rounds = {.count = 200};
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    OK(cg_reactor_open(arg, &reactor));
    sched = cg_sched_new(reactor);
    OK(cg_start(sched, talks, &rounds));
    OK(cg_start(sched, talks, &rounds));
    IS(cg_run(sched), 0);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return NULL;
}

/* Several threads, each with a scheduler of its own, do not know of each other. */
static void threads_apart(void)
{
    pthread_t threads[4];

    test_watch(NULL, 30);
    for (size_t i = 0; i < COUNT(threads); i++)
        IS(pthread_create(&threads[i], NULL, runs_one, (void *)test_reactor()), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}

static void *runs_foreign(void *arg)
{
    IS(cg_run(arg), -EPERM);
    IS(cg_step(arg, 0), -EPERM);
    return NULL;
}

/* Only the thread that ran it first may run a scheduler. */
static void belongs_to_thread(void)
{
    struct test test = test_open(.timeout = 0);
    pthread_t thread;

    OK(cg_start(test.sched, talks, &(struct rounds){.count = 1}));
    test_finish(&test);
    IS(pthread_create(&thread, NULL, runs_foreign, test.sched), 0);
    pthread_join(thread, NULL);
    test_close(&test);
}

/* ---- Signals of the system --------------------------------------------------------------------- */

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
    int64_t start = cg_now(cg_sched_self());

    a = test_start(talks, arg);
    b = test_start(talks, arg);
    listener = test_listen(addr);
    for (int i = 0; i < 20; i++) {
        IS(cg_yield(cg_accept(listener, &conn, .timeout = MS)), -ETIMEDOUT);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    ck_assert_int_ge(cg_now(cg_sched_self()), start + 40 * MS);
    cg_close(listener);
    IS(test_end(a), 0);
    return test_end(b);
}

/* Signals that interrupt every system call, thousands a second, are not noticed. */
static void interrupted(void)
{
    struct sigaction action = {.sa_handler = tick}; /* no SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {{0, 100000}, {0, 100000}};
    struct test test = test_open(.timeout = 0);
    timer_t timer;

    sigaction(SIGUSR1, &action, NULL);
    IS(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    IS(timer_settime(timer, 0, &every, NULL), 0);
    OK(cg_start(test.sched, everything, &(struct rounds){.count = 100}));
    test_finish(&test);
    timer_delete(timer);
    ck_assert_int_gt(ticks, 20);
    test_close(&test);
}

static struct cg_sched *to_stop;

static void stops(int sig)
{
    (void)sig;
    cg_stop(to_stop);
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
    cg_close(a);
    cg_close(b);
    stopping->ended++;
    return 0;
}

/* cg_stop in a signal handler ends a run that sleeps in the kernel: every coroutine is
 * cancelled, cleans up, and the run ends well. */
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
        OK(cg_start(test.sched, waits_until_stopped, &stopping));
    test_finish(&test);
    ck_assert_int_eq(stopping.ended, 5);
    timer_delete(stopping.timer);
    test_close(&test);
}

/* ---- Ends ---------------------------------------------------------------------------------------- */

static ssize_t outlasts(void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(CG_HOUR, .shield = true));
    return 0;
}

static ssize_t stops_itself(void *arg)
{
    cg_stop(arg);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    return 0;
}

static ssize_t stops_twice(void *arg)
{
    cg_stop(arg);
    IS(cg_yield(cg_sleep(CG_SECOND, .shield = true)), 0);
    cg_stop(arg);
    return 0;
}

/* Who does not end in the grace period is counted; a second stop ends the grace at once. */
static void grace(void)
{
    for (int twice = 0; twice < 2; twice++) {
        struct test test = test_open(.grace = twice ? CG_HOUR : 10 * CG_SECOND);

        OK(cg_start(test.sched, outlasts, NULL, .name = "stubborn"));
        OK(cg_start(test.sched, twice ? stops_twice : stops_itself, test.sched));
        IS(cg_run(test.sched), 1);
        ck_assert_str_eq(cg_coro_name(cg_coro_next(test.sched, NULL)), "stubborn");
        if (twice)
            ck_assert_int_lt(cg_now(test.sched), CG_MINUTE);
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
    cg_close(pair[0]);
    cg_close(pair[1]);
    cleaned++;
    return 0;
}

/* Coroutines that can never wake are counted, and listed by name, op and age; freeing the
 * scheduler lets them clean up. */
static void deadlock(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_sock *pair[2];
    struct cg_coro *coro = NULL;
    char text[2048] = "", op[128];
    FILE *file;

    OK(cg_pair(test.sched, &pair[0], &pair[1]));
    OK(cg_start(test.sched, waits_in_vain, "godot", .name = "vladimir"));
    OK(cg_start(test.sched, waits_in_vain, "godot", .name = "estragon"));
    OK(cg_start(test.sched, reads_pair, pair, .name = "lucky"));
    OK(cg_start(test.sched, talks, &(struct rounds){.count = 3}));
    IS(cg_run(test.sched), 3);

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
    IS(cg_run(test.sched), 3);
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
    OK(cg_post(h->sched, (void (*)(void *))cg_unhold, h->sched));
    return NULL;
}

/* A held run stays open, asleep. */
static void held_open(void)
{
    struct test test = test_open(.timeout = 0);
    struct held h = {test.sched, clock_of(CLOCK_MONOTONIC)};
    pthread_t thread;
    int64_t cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);

    cg_hold(test.sched);
    IS(pthread_create(&thread, NULL, unholds_later, &h), 0);
    test_finish(&test);
    ck_assert_int_ge(clock_of(CLOCK_MONOTONIC) - h.since, 20 * MS);
    ck_assert_int_lt(clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, 15 * MS);
    pthread_join(thread, NULL);
    test_close(&test);
}

/* ---- Nobody starves, nothing spins ----------------------------------------------------------------- */

struct race {
    long busy, idle, ticks;
    bool stop;
};

/* A socket that is always ready: what is written to it can be read at once. */
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
    cg_close(a);
    cg_close(b);
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

/* An always-ready socket does not keep the others from running, nor the timers. */
static ssize_t nobody_starves(void *arg)
{
    struct race race = {0};
    struct cg_coro *coros[3];
    int64_t start = clock_of(CLOCK_PROCESS_CPUTIME_ID), length; /* what we had of it */

    (void)arg;
    if (test_on_late_sim())
        return 0; /* time stands still while somebody runs: its messages would never come */
    coros[0] = test_start(greedy, &race);
    coros[1] = test_start(modest, &race);
    coros[2] = test_start(punctual, &race);
    for (int i = 0; i < 3; i++)
        IS(test_end(coros[i]), 0);
    length = clock_of(CLOCK_PROCESS_CPUTIME_ID) - start;
    ck_assert_int_ge(race.idle, race.busy / 10);
    if (!test_on_sim() && length > 20 * MS)
        ck_assert_int_ge(race.ticks, length / (10 * MS));
    return 0;
}

enum { BUDGET = 16, OTHERS = 3 };

struct other {
    struct cg_sock *here, *there;
    struct cg_coro *coro;
    bool waits; /* for what has been written to it */
};

static ssize_t is_served(void *arg)
{
    struct other *other = arg;
    char byte;

    while (cg_yield(cg_read(other->there, &byte, 1)) == 1)
        other->waits = false;
    cg_close(other->there);
    return 0;
}

static bool one_waits(const struct other *others)
{
    for (int i = 0; i < OTHERS; i++)
        if (others[i].waits)
            return true;
    return false;
}

/* Two ends between which what is written is there at once: the system's loopback may take
 * its time. */
static void prompt_pair(struct cg_sock **a, struct cg_sock **b)
{
    int fds[2];

    if (test_on_sim()) {
        test_tcp(a, b);
        return;
    }
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    OK(cg_attach(cg_sched_self(), fds[0], a));
    OK(cg_attach(cg_sched_self(), fds[1], b));
}

/* With an always-ready socket one goes on for a budget, and for another after the reactor
 * was looked at: then all the others run whose sockets are ready. */
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
        cg_close(others[i].here);
        IS(test_end(others[i].coro), 0);
    }
    cg_close(pair[0]);
    cg_close(pair[1]);
    return 0;
}

static ssize_t waits_long(void *arg)
{
    return cg_yield(cg_read(arg, &(char){0}, 1));
}

/* With idle connections, unread data, a peer that has hung up, and a timer, the scheduler
 * sleeps: it burns no processor time. */
static ssize_t nothing_spins(void *arg)
{
    static char big[300000];
    struct cg_sock *pairs[4][2];
    struct cg_coro *waiter;
    int64_t cpu;
    char byte;

    (void)arg;
    for (size_t i = 0; i < COUNT(pairs); i++)
        test_tcp(&pairs[i][0], &pairs[i][1]);
    waiter = test_start(waits_long, pairs[0][0]);
    IS(cg_yield(cg_writeall(pairs[1][1], "abc", 3)), 3); /* one byte of it is read */
    IS(cg_yield(cg_read(pairs[1][0], &byte, 1)), 1);
    cg_yield(cg_writeall(pairs[2][1], big, sizeof big, .timeout = 10 * MS));
    IS(cg_yield(cg_read(pairs[2][0], &byte, 1)), 1);
    IS(cg_yield(cg_read(pairs[3][0], &byte, 1, .timeout = MS)), -ETIMEDOUT);
    cg_close(pairs[3][1]);
    pairs[3][1] = NULL;
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    IS(cg_yield(cg_sleep(150 * MS)), 0);
    ck_assert_int_lt(clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, 60 * MS);
    IS(cg_yield(cg_write(pairs[0][1], "x", 1)), 1);
    IS(test_end(waiter), 1);
    for (size_t i = 0; i < 8; i++)
        cg_close(pairs[i / 2][i % 2]);
    return 0;
}

/* Sleeps on the real clock last their time, and end in order. */
static ssize_t real_sleep(void *arg)
{
    int64_t start = clock_of(CLOCK_MONOTONIC);

    (void)arg;
    for (int64_t us = 0; us < 3000; us += 137) {
        int64_t before = clock_of(CLOCK_MONOTONIC);

        IS(cg_yield(cg_sleep(us * CG_MICROSECOND)), 0);
        if (us)
            ck_assert_int_ge(clock_of(CLOCK_MONOTONIC) - before, us * CG_MICROSECOND);
    }
    ck_assert_int_ge(clock_of(CLOCK_MONOTONIC), start);
    return 0;
}

static void tells(void *arg)
{
    *(bool *)arg = true;
}

static ssize_t sleeps_long(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_HOUR));
}

/* A step that had something to do does not sleep after it: its caller may have been waiting
 * for just that. */
static void step_returns(void)
{
    struct test test = test_open();
    bool told = false;

    OK(cg_start(test.sched, sleeps_long, NULL));
    IS(cg_step(test.sched, CG_NEVER), 1); /* starts it */
    OK(cg_post(test.sched, tells, &told));
    IS(cg_step(test.sched, CG_NEVER), 1);
    ck_assert(told);
    test_close(&test);
}

static const struct test_case cases[] = {
    PLAIN(step_returns),
    PLAIN(embedded),
    PLAIN(descriptor_tells, .where = ON_KERNEL),
    PLAIN(step_waits, .where = ON_KERNEL),
    PLAIN(run_again),
    PLAIN(post_from_thread, .where = ON_KERNEL),
    PLAIN(posts_in_order),
    PLAIN(posts_dropped),
    PLAIN(threads_apart, .where = ON_KERNEL),
    PLAIN(belongs_to_thread),
    PLAIN(interrupted, .where = ON_KERNEL),
    PLAIN(stopped_by_signal, .where = ON_KERNEL),
    PLAIN(grace, .where = ON_SIM),
    PLAIN(deadlock),
    PLAIN(held_open, .where = ON_KERNEL),
    CORO(nobody_starves),
    CORO(budgets_bound),
    CORO(nothing_spins, .where = ON_KERNEL),
    CORO(real_sleep, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("sched", cases, COUNT(cases));
}
