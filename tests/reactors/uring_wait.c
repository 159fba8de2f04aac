/* SPDX-License-Identifier: MIT */
/* Waiting with io_uring: readiness, time, wakes, the ring's descriptor, other threads, and
 * what callbacks may do. */
#include "config.h"

#ifdef HAVE_LIBURING
#include "reactors/io_uring/uring.h"
#endif
#include "tests/reactors/uring_asked.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

START_TEST(poll_events)
{
    char name[] = "/tmp/cogen-test-XXXXXX";
    int fd[2], file = mkstemp(name);

    unlink(name);
    pair(fd);
    struct asked in = ASK(CG_IO_POLL, fd[0], .events = CG_IN);
    struct asked out = ASK(CG_IO_POLL, fd[0], .events = CG_OUT);
    struct asked of_file = ASK(CG_IO_POLL, file, .events = CG_IN | CG_OUT);
    submit(&in);
    submit(&out);
    submit(&of_file);
    await(&out, 1);
    await(&of_file, 1);
    ck_assert_int_eq(out.last, CG_OUT);
    ck_assert_int_eq(of_file.last, CG_IN | CG_OUT);
    cancel(&in);
    ck_assert_int_eq(in.last, -ECANCELED);
    submit(&in);
    put(fd[1], "x");
    await(&in, 2);
    ck_assert_int_eq(in.last, CG_IN);
    shut(fd[1]);
    submit(&in);
    await(&in, 3);
    ck_assert_int_eq(in.last, CG_IN | CG_HUP);
    shut(fd[0]);
    shut(file);
}
END_TEST

static void turn_without_time(void *arg)
{
    (void)arg;
    turn(0);
}

START_TEST(timeouts)
{
    int64_t start;

    test_never_waits(turn_without_time, NULL);
    start = ring->type->now(ring);
    turn(20 * CG_MILLISECOND);
    ck_assert_int_ge(ring->type->now(ring) - start, 20 * CG_MILLISECOND);
}
END_TEST

static void *wake_late(void *arg)
{
    usleep(20000);
    ring->type->wake(arg);
    return NULL;
}

static void wake_on_signal(int number)
{
    (void)number;
    ring->type->wake(ring);
}

/* A wake from a thread or a signal handler ends the current wait, or the next one. */
START_TEST(wakes)
{
    struct sigaction action = {.sa_handler = wake_on_signal, .sa_flags = SA_RESTART};
    struct itimerval soon = {.it_value.tv_usec = 20000};
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, wake_late, ring);
        turn(CG_NEVER);
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < 3; i++) {
        ring->type->wake(ring);
        ring->type->wake(ring);
        turn(CG_NEVER);
    }
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 3; i++) {
        setitimer(ITIMER_REAL, &soon, NULL);
        turn(CG_NEVER);
    }
    raise(SIGALRM);
    turn(CG_NEVER);
}
END_TEST

static bool readable(int ms)
{
    struct pollfd pollfd = {.fd = ring->fd, .events = POLLIN};

    return poll(&pollfd, 1, ms) == 1;
}

/* The ring's descriptor polls readable if, and only if, a wait has work. */
START_TEST(descriptor_tells)
{
    struct sockaddr_in addr;
    int fd[2], listener = listening(&addr);
    pthread_t thread;

    pair(fd);
    ring->embedded = true;
    turn(0);
    ck_assert(!readable(0));
    struct asked a = ASK(CG_IO_RECV, fd[0]), b = ASK(CG_IO_ACCEPT, listener);
    submit(&a);
    submit(&b);
    turn(0);
    ck_assert(!readable(10));
    for (unsigned i = 1; i <= 3; i++) {
        put(fd[1], "x");
        ck_assert(readable(1000));
        turn(0);
        ck_assert_uint_eq(a.answers, i);
        ck_assert(!readable(0));
    }
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    ck_assert(readable(1000));
    turn(0);
    ck_assert_uint_eq(b.answers, 1);
    pthread_create(&thread, NULL, wake_late, ring);
    ck_assert(readable(1000));
    pthread_join(thread, NULL);
    turn(0);
    ck_assert(!readable(0));
    ring->type->wake(ring);
    ck_assert(readable(1000));
    cancel(&a);
    shut((int)b.last);
    shut(client);
    shut(listener);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

enum { MANY = 100 };

static unsigned answers(const struct asked *asked)
{
    unsigned n = 0;

    for (int i = 0; i < MANY; i++)
        n += asked[i].answers;
    return n;
}

/* When many requests complete at once, a wait reports some of them, and the next waits
 * report the rest without sleeping, together with what is queued meanwhile. With timeout 0,
 * or in a foreign loop, a wait reports all, and nothing stays unsubmitted. */
START_TEST(many_complete)
{
    static const struct {
        int64_t timeout;
        bool stepped, all;
    } way[] = {{CG_NEVER, false, false}, {0, false, true}, {CG_NEVER, true, true}};
    struct asked asked[MANY];
    int fd[2];
    char byte;

    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        pair(fd);
        ring->stepped = way[i].stepped;
        for (int k = 0; k < MANY; k++) {
            asked[k] = (struct asked)ASK(CG_IO_POLL, fd[0], .events = CG_OUT);
            submit(&asked[k]);
        }
        struct asked in = ASK(CG_IO_RECV, fd[0]), out = ASK(CG_IO_SEND, fd[0], .buf = "x");
        submit(&in);
        turn(way[i].timeout);
        ck_assert_uint_gt(answers(asked), 0);
        ck_assert_int_eq(answers(asked) == MANY, way[i].all);
        out.io.len = 1;
        submit(&out);
        turn(way[i].timeout);
        ck_assert_int_eq(read(fd[1], &byte, 1), way[i].all ? 1 : -1);
        while (answers(asked) < MANY)
            turn(CG_NEVER);
        await(&out, 1);
        cancel(&in);
        shut(fd[0]);
        shut(fd[1]);
    }
}
END_TEST

static void *run_elsewhere(void *arg)
{
    struct asked *a = arg;

    await(a, 1);
    return NULL;
}

/* A reactor may be opened, and given requests, in another thread than the one that runs
 * it. */
START_TEST(opened_in_another_thread)
{
    int fd[2];
    pthread_t thread;

    pair(fd);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    submit(&a);
    shut(fd[1]);
    pthread_create(&thread, NULL, run_elsewhere, &a);
    pthread_join(thread, NULL);
    ck_assert_int_eq(a.last, 0);
    shut(fd[0]);
}
END_TEST

static struct asked *others;

static void cancel_other(struct asked *a)
{
    struct asked *other = &others[a == others];

    if (other->io.state == CG_IO_PENDING && a->last >= 0)
        ring->type->cancel(ring, &other->io);
    if (a->last == -ECANCELED && a->answers < 100)
        submit(a);
}

/* Callbacks may submit and cancel, even when a completion of the other request is in the
 * same batch. */
START_TEST(callbacks_submit_and_cancel)
{
    int fd[2][2];

    for (int round = 0; round < 50; round++) {
        pair(fd[0]);
        pair(fd[1]);
        struct asked a[2] = {ASK(CG_IO_RECV, fd[0][0]), ASK(CG_IO_RECV, fd[1][0])};
        others = a;
        for (int i = 0; i < 2; i++) {
            a[i].then = cancel_other;
            submit(&a[i]);
        }
        if (round % 2)
            turn(0);
        put(fd[0][1], "spam");
        put(fd[1][1], "eggs");
        while (a[0].size < 4 || a[1].size < 4)
            turn(CG_SECOND);
        for (int i = 0; i < 2; i++) {
            a[i].then = NULL;
            cancel(&a[i]);
            ck_assert_uint_eq(a[i].size, 4);
            shut(fd[i][0]);
            shut(fd[i][1]);
        }
    }
}
END_TEST

/* Once a cancel has been reported nothing holds the descriptor: closing it hangs up. */
START_TEST(close_after_cancel)
{
    struct sockaddr_in addr;
    int listener = listening(&addr);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct asked a = ASK(CG_IO_RECV, fd);
    submit(&a);
    turn(0);
    cancel(&a);
    shut(fd);
    ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
    shut(client);
    shut(listener);
}

#ifdef HAVE_LIBURING
/* A poll that has seen its change is settled before the kernel has handled the entry that
 * cancels it, which names the request by its address. */
START_TEST(cancelled_while_cancelling)
{
    int fd[2];

    pair(fd);
    struct asked a = ASK(CG_IO_POLL, fd[0], .events = CG_IN);
    submit(&a);
    turn(0);
    cg__uring_arm_cancel((struct uring *)ring, &a.io);
    a.io.mark = (a.io.mark & ~(uintptr_t)URING_IN_KERNEL) | URING_SETTLED;
    ck_assert_int_eq(ring->type->cancel(ring, &a.io), CG_PENDING);
    await_idle(&a);
    turn(0);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST
#endif

void wait_cases(TCase *tests)
{
    tcase_add_test(tests, poll_events);
    tcase_add_test(tests, timeouts);
    tcase_add_test(tests, wakes);
    tcase_add_test(tests, descriptor_tells);
    tcase_add_test(tests, many_complete);
    tcase_add_test(tests, opened_in_another_thread);
    tcase_add_test(tests, callbacks_submit_and_cancel);
    tcase_add_test(tests, close_after_cancel);
#ifdef HAVE_LIBURING
    tcase_add_test(tests, cancelled_while_cancelling);
#endif
}
