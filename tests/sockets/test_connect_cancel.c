/* SPDX-License-Identifier: MIT */
/* cg_connect to host names, cancelled, timed out or freed at every stage: no attempt stays
 * open. */
#include "config.h"

#include "tests/sockets/web.h"

#include <errno.h>

#define MS CG_MILLISECOND

static size_t accepted, ended;

/* Reads until the end of the stream. */
static ssize_t sink(void *arg)
{
    char byte;
    ssize_t n;

    while ((n = cg_yield(cg_read(arg, &byte, 1))) > 0)
        continue;
    ended++;
    cg_sock_close(arg);
    return n;
}

static ssize_t server(void *arg)
{
    struct cg_sock *conn;

    while (cg_yield(cg_accept(arg, &conn)) >= 0) {
        accepted++;
        OK(cg_yield(cg_add(sink, conn)));
    }
    return 0;
}

static void check_settled(size_t handles)
{
    OK(cg_yield(cg_sleep(CG_SECOND)));
    ck_assert_uint_eq(accepted, ended);
    ck_assert_uint_eq(cg_sim_handles(cg_sched_reactor(cg_sched_self())), handles);
}

/* Ends a connect at many moments, in three ways. It has a look-up of 30 ms, with the
 * families apart in some worlds; an attempt at an address that does not respond; and 250 ms
 * later a slow attempt that wins. */
static ssize_t cancels_everywhere(void *arg)
{
    struct hole hole = dig(V6_1);
    const struct cg_host_options *delays = arg;
    struct cg_sock *listener = serve(V4_1), *conn;
    struct cg_coro *serving = test_start(server, listener), *connecting;
    unsigned won = 0, lost = 0;
    size_t handles;

    accepted = ended = 0;
    OK(cg_resolver_set_host_with(names_for(cg_sched_self()), "web.test",
                                 "2001:db8::1 10.0.0.1", delays));
    OK(cg_yield(cg_sleep(CG_SECOND)));
    handles = cg_sim_handles(cg_sched_reactor(cg_sched_self()));
    for (int64_t t = 0; t < 420 * MS; t += 5 * MS + 17 * CG_MICROSECOND) {
        struct cg_op *connect = cg_connect("web.test:80", &conn);
        ssize_t n;

        /* The connect loses a race. */
        OK(cg_yield(cg_any((connect, cg_sleep(t)))));
        won += cg_op_result(connect) >= 0;
        lost += cg_op_result(connect) == -ECANCELED;
        if (cg_op_result(connect) >= 0)
            cg_sock_close(conn);
        check_settled(handles);
        /* The connect times out. */
        n = cg_yield(cg_connect("web.test:80", &conn, .timeout = t + 1));
        won += n >= 0;
        lost += n == -ETIMEDOUT;
        if (n >= 0)
            cg_sock_close(conn);
        check_settled(handles);
        /* The connect is cancelled with its coroutine. */
        connecting = test_start(connects, "web.test:80");
        OK(cg_yield(cg_sleep(t)));
        cg_yield(cg_cancel(connecting));
        n = test_end(connecting);
        won += n >= 0;
        lost += n == -ECANCELED;
        check_settled(handles);
    }
    ck_assert_uint_eq(won + lost, 3 * 84);
    ck_assert_uint_gt(won, 20);
    ck_assert_uint_gt(lost, 100);
    fill_in(&hole);
    OK(cg_yield(cg_cancel(serving)));
    IS(test_end(serving), 0);
    cg_sock_close(listener);
    return 0;
}

static void cancel_in_worlds(void)
{
    struct cg_host_options delays[] = {
        {.delay = 30 * MS},
        {.delay_ipv4 = 10 * MS, .delay_ipv6 = 30 * MS},
    };

    for (uint64_t seed = 0; seed < 12; seed++) {
        const struct cg_sim_options options = {
            .seed = seed,
            .latency = 20 * MS,
            .jitter = 40 * MS,
            .completion = seed % 2,
            .late_cancel = seed != 0,
        };
        struct test test;
        struct cg_coro *coro;

        OK(cg_sim_open(&options, &test.reactor));
        ck_assert_ptr_nonnull(test.sched = cg_sched_new(test.reactor));
        OK(cg_sched_start(test.sched, cancels_everywhere, &delays[seed / 6],
                          .coro = &coro));
        test_finish(&test);
        IS(cg_coro_result(coro), 0);
        cg_coro_unref(coro);
        test_close(&test);
    }
}

/* A connection that is made at the moment of the timeout is closed: connect times out. */
static ssize_t comes_too_late(void *arg)
{
    struct cg_sock *listener = serve(V4_1), *conn = NULL;
    struct cg_coro *serving = test_start(server, listener);
    size_t handles = cg_sim_handles(cg_sched_reactor(cg_sched_self()));

    (void)arg;
    accepted = ended = 0;
    web_is("10.0.0.1");
    IS(cg_yield(cg_connect("web.test:80", &conn, .timeout = 40 * MS)), -ETIMEDOUT);
    ck_assert_ptr_null(conn);
    check_settled(handles);
    ck_assert_uint_eq(accepted, 1);
    IS(cg_yield(cg_connect("web.test:80", &conn, .timeout = 40 * MS + 1)), 0);
    cg_sock_close(conn);
    check_settled(handles);
    OK(cg_yield(cg_cancel(serving)));
    IS(test_end(serving), 0);
    cg_sock_close(listener);
    return 0;
}

static void too_late_by_nothing(void)
{
    struct test test;
    struct cg_coro *coro;

    OK(cg_sim_open(&(struct cg_sim_options){.latency = 20 * MS}, &test.reactor));
    ck_assert_ptr_nonnull(test.sched = cg_sched_new(test.reactor));
    OK(cg_sched_start(test.sched, comes_too_late, NULL, .coro = &coro));
    test_finish(&test);
    IS(cg_coro_result(coro), 0);
    cg_coro_unref(coro);
    test_close(&test);
}

static ssize_t connects_for_ever(void *arg)
{
    struct hole first = dig(V6_1), second = dig(V4_1);
    ssize_t n = connects("web.test:80");

    (void)arg;
    fill_in(&first);
    fill_in(&second);
    return n;
}

static void free_in_between(int64_t delay_ipv6)
{
    for (int64_t t = 0; t < 600 * MS; t += 50 * MS) {
        struct test test = test_open(.timeout = 0);
        int64_t until = cg_sched_now(test.sched) + t;

        OK(cg_resolver_set_host(names_for(test.sched), "web.test", ALL_FOUR,
                                .delay = 100 * MS, .delay_ipv6 = delay_ipv6));
        OK(cg_sched_start(test.sched, connects_for_ever, NULL));
        do
            IS(cg_sched_step(test.sched, 10 * MS), 1);
        while (cg_sched_now(test.sched) < until);
        test_close(&test);
    }
}

/* A scheduler that is freed during a connect leaves nothing open. */
static void freed_in_between(void)
{
    free_in_between(0);
    free_in_between(120 * MS);
}

static const struct test_case cases[] = {
    PLAIN(cancel_in_worlds, .where = ON_SIM),
    PLAIN(too_late_by_nothing, .where = ON_SIM),
    PLAIN(freed_in_between, .where = ON_SIM),
};

int main(void)
{
    return test_main("connect cancel", cases, COUNT(cases));
}
