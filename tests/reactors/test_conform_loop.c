/* SPDX-License-Identifier: MIT */
/* The scheduler in a foreign event loop, on every reactor: steps, and when the descriptor
 * and the timeout say that there is work. */
#include "config.h"

#include "tests/reactors/talks.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

/* A poll(2) loop that calls cg_sched_step only when the descriptor or the timeout says so
 * completes all work. */
static void embedded(void)
{
    struct test test = test_open(.timeout = 0);
    int fd = cg_sched_fd(test.sched), more;

    if (fd < 0)
        IS(fd, -EOPNOTSUPP);
    OK(cg_sched_start(test.sched, talks, &(int){50}));
    while ((more = cg_sched_step(test.sched, 0)) == 1) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        int64_t sleep = cg_sched_timeout(test.sched);

        ck_assert_int_ge(sleep, 0);
        if (test_on_sim()) {
            OK(cg_sched_step(test.sched, CG_NEVER));
            continue;
        }
        sleep = sleep > 10 * CG_SECOND ? 10 * CG_SECOND : sleep;
        if (fd < 0)
            poll(NULL, 0, sleep > MS ? 1 : 0);
        else if (poll(&pfd, 1, (int)((sleep + MS - 1) / MS)) == 0)
            ck_assert_int_lt(sleep, 10 * CG_SECOND); /* or else it has said nothing */
    }
    IS(more, 0);
    IS(cg_sched_step(test.sched, CG_NEVER), 0);
    test_close(&test);
}

static ssize_t reads_one(void *arg)
{
    char byte;

    IS(cg_yield(cg_read(arg, &byte, 1)), 1);
    cg_sock_close(arg);
    return 0;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* A post wakes an epoll set that holds the scheduler's descriptor, also a post of the
 * thread that runs the loop. */
static void loop_tells(struct test *test, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int ep = epoll_create1(0);

    cg_sched_hold(test->sched);
    IS(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
    for (int i = 0; i < 3; i++) {
        while (cg_sched_timeout(test->sched) == 0)
            IS(cg_sched_step(test->sched, 0), 1);
        IS(cg_sched_step(test->sched, 0), 1);
        while (epoll_wait(ep, &event, 1, 0) != 0)
            IS(cg_sched_step(test->sched, 0), 1); /* the last wake may still be pending */
        OK(cg_sched_post(test->sched, nothing, NULL));
        while (epoll_wait(ep, &event, 1, 5000) < 0)
            IS(-errno, -EINTR);
        IS(event.events, EPOLLIN);
        event.events = 0;
    }
    cg_sched_unhold(test->sched);
    close(ep);
}

/* The descriptor is not readable while there is no work, and is readable when there is. */
static void descriptor_tells(void)
{
    struct test test = test_open(.timeout = 0);
    struct pollfd pfd = {.fd = cg_sched_fd(test.sched), .events = POLLIN};
    struct cg_sock *sock;
    int fds[2];

    if (pfd.fd >= 0) {
        IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        OK(cg_sock_attach(test.sched, fds[0], &sock));
        OK(cg_sched_start(test.sched, reads_one, sock));
        for (int i = 0; i < 10; i++)
            IS(cg_sched_step(test.sched, 0), 1);
        ck_assert(cg_sched_timeout(test.sched) > CG_SECOND);
        IS(poll(&pfd, 1, 0), 0);
        IS(write(fds[1], "x", 1), 1);
        IS(poll(&pfd, 1, 5000), 1);
        while (cg_sched_step(test.sched, 0) == 1)
            ;
        loop_tells(&test, pfd.fd);
        close(fds[1]);
    }
    test_close(&test);
}

static void step_without_time(void *sched)
{
    IS(cg_sched_step(sched, 0), 1);
}

/* A step waits at most for its timeout, and with 0 not at all. */
static void step_waits(void)
{
    struct test test = test_open(.timeout = 0);
    int64_t start;

    IS(cg_sched_step(test.sched, CG_NEVER), 0);
    cg_sched_hold(test.sched);
    start = test_clock(CLOCK_MONOTONIC);
    IS(cg_sched_step(test.sched, 20 * MS), 1);
    ck_assert_int_ge(test_clock(CLOCK_MONOTONIC) - start, 19 * MS);
    test_never_waits(step_without_time, test.sched);
    cg_sched_unhold(test.sched);
    IS(cg_sched_step(test.sched, CG_NEVER), 0);
    test_close(&test);
}

/* A scheduler can be run again and again. */
static void run_again(void)
{
    struct test test = test_open(.timeout = 0);

    for (int i = 0; i < 3; i++) {
        IS(cg_sched_run(test.sched), 0);
        OK(cg_sched_start(test.sched, talks, &(int){3}));
        test_finish(&test);
    }
    test_close(&test);
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

/* A step that has done work does not sleep after it: its caller may be waiting for that
 * work. */
static void step_returns(void)
{
    struct test test = test_open();
    bool told = false;

    OK(cg_sched_start(test.sched, sleeps_long, NULL));
    IS(cg_sched_step(test.sched, CG_NEVER), 1); /* starts the coroutine */
    OK(cg_sched_post(test.sched, tells, &told));
    IS(cg_sched_step(test.sched, CG_NEVER), 1);
    ck_assert(told);
    test_close(&test);
}

static const struct test_case cases[] = {
    PLAIN(step_returns),
    PLAIN(embedded),
    PLAIN(descriptor_tells, .where = ON_KERNEL),
    PLAIN(step_waits, .where = ON_KERNEL),
    PLAIN(run_again),
};

int main(void)
{
    return test_main("conform_loop", cases, COUNT(cases));
}
