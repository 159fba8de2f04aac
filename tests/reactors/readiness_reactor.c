/* SPDX-License-Identifier: MIT */
/* The readiness backends: polls, wakes, signals, thousands of descriptors, and the table of
 * reactors. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/reactors/drive.h"
#include "tests/support/support.h"

/* Several requests may poll one descriptor, for different events. Polling consumes nothing.
 * Readiness is read from the kernel each time, so that nothing stale is reported when a
 * number was closed without the reactor's knowledge. */
START_TEST(polls)
{
    struct ask asks[3] = {0};
    int ends[2], number;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(poll_for(&asks[0], ends[1], CG_OUT), CG_DONE);
    ck_assert_int_eq(asks[0].result, CG_OUT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(poll_for(&asks[i], ends[1], CG_IN), CG_PENDING);
    cancel(&asks[1]);
    put(ends[0], "x");
    ck_assert_int_eq(finish(&asks[0]), CG_IN);
    ck_assert_int_eq(finish(&asks[2]), CG_IN);
    ck_assert_int_eq(asks[1].completed, 0);
    ck_assert_int_eq(poll_for(&asks[1], ends[1], CG_IN | CG_OUT), CG_DONE);
    ck_assert_int_eq(asks[1].result, CG_IN | CG_OUT);
    number = ends[1]; /* closed by its owner; the reactor is not told */
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(poll_for(&asks[0], number, CG_IN), CG_DONE);
    ck_assert_int_eq(asks[0].result, -EBADF);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(poll_for(&asks[0], ends[1], CG_IN), CG_PENDING);
    quiet(&asks[0]);
    close(ends[0]);
    ck_assert_int_ne(finish(&asks[0]) & CG_IN, 0);
    close(ends[1]);
}
END_TEST

/* A file that epoll refuses is always ready. */
START_TEST(regular_file)
{
    struct ask ask = {0};
    FILE *file = tmpfile();

    fputs("text", file);
    fflush(file);
    ck_assert_int_eq(poll_for(&ask, fileno(file), CG_IN | CG_OUT), CG_DONE);
    ck_assert_int_eq(ask.result, CG_IN | CG_OUT);
    rewind(file);
    attach(fileno(file));
    ck_assert_int_eq(receive(&ask, fileno(file)), CG_DONE);
    ck_assert_int_eq(ask.result, 4);
    reactor->type->forget(reactor, fileno(file));
    fclose(file);
}
END_TEST

/* A poll for no event is refused, and so is a second request for a direction that has
 * one. */
START_TEST(requests_that_make_no_sense)
{
    struct ask asks[2] = {0};
    int ends[2];

    connected_pair(UNIX, ends);
    ck_assert_int_eq(poll_for(&asks[0], ends[1], 0), CG_DONE);
    ck_assert_int_eq(asks[0].result, -EINVAL);
    for (int i = 0; i < 4; i++) {
        /* In later rounds the refused request has been used with this descriptor before,
         * which takes the fast path. */
        struct ask *first = &asks[i % 2], *second = &asks[(i + 1) % 2];

        ck_assert_int_eq(receive(first, ends[1]), CG_PENDING);
        ck_assert_int_eq(receive(second, ends[1]), CG_DONE);
        ck_assert_int_eq(second->result, -EBUSY);
        put(ends[0], "x");
        ck_assert_int_eq(finish(first), 1);
    }
    close(ends[0]);
    shut(ends[1]);
}
END_TEST

START_TEST(not_a_descriptor)
{
    struct ask ask = {0};

    ck_assert_int_eq(receive(&ask, -1), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
    ck_assert_int_eq(receive(&ask, 900), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
    ck_assert_int_eq(poll_for(&ask, 900, CG_IN), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
}
END_TEST

static void *wake_soon(void *arg)
{
    (void)arg;
    usleep(20000);
    for (int i = 0; i < 1000; i++)
        reactor->type->wake(reactor);
    return NULL;
}

static void turn_without_time(void *arg)
{
    (void)arg;
    turn(0);
}

/* Another thread wakes a wait that has no limit. Wakes before a wait count as one. */
START_TEST(wake)
{
    pthread_t thread;
    int64_t begun;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_soon, NULL), 0);
        turn(CG_NEVER);
        pthread_join(thread, NULL);
        turn(0);
    }
    reactor->type->wake(reactor);
    reactor->type->wake(reactor);
    turn(CG_NEVER);
    begun = cg__calls_clock(NULL);
    turn(30 * CG_MILLISECOND);
    ck_assert_int_ge(cg__calls_clock(NULL) - begun, 29 * CG_MILLISECOND);
    test_never_waits(turn_without_time, NULL);
}
END_TEST

static void nothing(int number)
{
    (void)number;
}

static void wake_from_handler(int number)
{
    (void)number;
    reactor->type->wake(reactor);
}

/* A signal ends a wait early and is no error. A signal handler may wake the reactor. */
START_TEST(signals)
{
    struct sigaction act = {.sa_handler = nothing};
    struct ask ask = {0};
    int ends[2];

    connected_pair(UNIX, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 20000);
    for (int i = 0; i < 3; i++)
        turn(50 * CG_MILLISECOND);
    ck_assert_int_eq(ask.completed, 0);
    act.sa_handler = wake_from_handler;
    sigaction(SIGALRM, &act, NULL);
    turn(CG_NEVER);
    ualarm(0, 0);
    put(ends[0], "x");
    ck_assert_int_eq(finish(&ask), 1);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

enum { MANY = 1000 }; /* pairs: 2,000 descriptors */

/* With select the limit of descriptors is a clear error. */
START_TEST(thousands)
{
    static struct ask asks[MANY];
    static int pairs[MANY][2];
    int limit = strcmp(name, "select") ? 1 << 30 : 1024;

    memset(asks, 0, sizeof asks);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        attach(pairs[i][1]);
        receive(&asks[i], pairs[i][1]);
        if (pairs[i][1] < limit) {
            ck_assert_int_eq(asks[i].io.state, CG_IO_PENDING);
        } else {
            ck_assert_int_eq(asks[i].completed, 1);
            ck_assert_int_eq(asks[i].result, -EMFILE);
        }
    }
    for (int i = 0; i < MANY; i += 3) /* some are closed again */
        if (!asks[i].completed)
            cancel(&asks[i]);
    for (int i = 0; i < MANY; i++)
        put(pairs[i][0], "x");
    for (int i = 0; i < MANY; i++) {
        if (pairs[i][1] < limit && i % 3)
            ck_assert_int_eq(finish(&asks[i]), 1);
        else if (pairs[i][1] < limit)
            ck_assert_int_eq(asks[i].completed, 0);
    }
    for (int i = 0; i < MANY; i++) {
        shut(pairs[i][1]);
        close(pairs[i][0]);
    }
    ck_assert_uint_eq(reactor->chunks_out, 0);
    ck_assert_uint_le(reactor->chunks_free, 256);
}
END_TEST

START_TEST(table)
{
    struct cg_reactor_info list[16];
    size_t n = cg_reactor_list(list, 16);
    struct cg_reactor *other;
    bool found = false;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i].name, name)) {
            ck_assert_ptr_null(list[i].why);
            found = true;
        }
    ck_assert(found);
    ck_assert_str_eq(cg_reactor_name(reactor), name);
    ck_assert_uint_eq(cg_reactor_list(NULL, 0), n);
    setenv("COGEN_REACTOR", name, 1);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), 0);
    ck_assert_str_eq(cg_reactor_name(other), name);
    cg_reactor_close(other);
    setenv("COGEN_REACTOR", "perpetual", 1);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), CG_EREACTOR);
    ck_assert_ptr_null(other);
    unsetenv("COGEN_REACTOR");
    ck_assert_int_eq(cg_reactor_open("perpetual", &other), CG_EREACTOR);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), 0);
    cg_reactor_close(other);
    cg_reactor_close(NULL);
}
END_TEST

void reactor_cases(TCase *tests)
{
    const TTest *const cases[] = {polls, regular_file, requests_that_make_no_sense,
                                  not_a_descriptor, wake, signals, thousands, table};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        tcase_add_test(tests, cases[i]);
}
