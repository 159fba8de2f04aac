/* SPDX-License-Identifier: MIT */
/* The libevent reactor on an event_base of the caller. */
#include "config.h"

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactors/reactors.h"

static struct event_base *base;
static struct cg_reactor *reactor;
static int ends[2];
static ssize_t received;
static char buf[16];

static void completed(struct cg_io *io, ssize_t result)
{
    (void)io;
    received = result;
}

static struct cg_io ask;

static void count(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    ++*(int *)arg;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(base = event_base_new());
    ck_assert_int_eq(cg_reactor_open_libevent(base, &reactor), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ask = (struct cg_io){.code = CG_IO_RECV, .fd = ends[1], .complete = completed};
    ask.buf = buf;
    ask.len = sizeof buf;
    received = 0;
    ck_assert_int_eq(cg_reactor_submit(reactor, &ask), CG_PENDING);
}

static void tear_down(void)
{
    reactor->type->forget(reactor, ends[1]);
    cg_reactor_close(reactor);
    close(ends[0]);
    close(ends[1]);
    event_base_free(base); /* it still belongs to the caller */
}

/* The reactor's wait also dispatches the caller's events. */
START_TEST(wait_dispatches)
{
    struct event *event;
    int calls = 0;

    event = evtimer_new(base, count, &calls);
    evtimer_add(event, &(struct timeval){.tv_usec = 1000});
    for (int i = 0; i < 5 && !calls; i++)
        ck_assert_int_eq(reactor->type->wait(reactor, CG_SECOND), 0);
    ck_assert_int_eq(calls, 1);
    event_free(event);
    ck_assert_int_eq(write(ends[0], "abc", 3), 3);
    ck_assert_int_eq(reactor->type->wait(reactor, CG_SECOND), 0);
    ck_assert_int_eq(received, 3);
}
END_TEST

/* The caller's loop completes our requests, and does not spin on events that no request
 * waits for. */
START_TEST(loop_completes)
{
    struct event *end;
    int turns = 0, ended = 0;

    ck_assert_int_eq(write(ends[0], "abc", 3), 3);
    ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    ck_assert_int_eq(received, 3);
    ck_assert_int_eq(write(ends[0], "def", 3), 3);
    end = evtimer_new(base, count, &ended);
    evtimer_add(end, &(struct timeval){.tv_usec = 20000});
    while (!ended) {
        event_base_loop(base, EVLOOP_ONCE);
        turns++;
    }
    ck_assert_int_le(turns, 2);
    event_free(end);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("libevent base");
    TCase *tests = tcase_create("base");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, wait_dispatches);
    tcase_add_test(tests, loop_completes);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
