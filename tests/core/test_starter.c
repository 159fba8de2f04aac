/* SPDX-License-Identifier: MIT */
/* Operations for which no coroutine waits: which coroutines are started for them, and when. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/starter.h>

#include <errno.h>
#include <string.h>

#define MS CG_MILLISECOND

enum { MANY = 1000 };

/* A wait for bytes, and what the coroutine that was started for it has seen. */
struct guest {
    struct cg_borrow_op wait;
    struct cg_view view;
    ssize_t result;
    char got[8];
    unsigned starts;
};

static struct cg_starter *starter;

static ssize_t welcome(void *arg)
{
    struct guest *guest = arg;

    guest->starts++;
    guest->result = cg_op_result(arg);
    if (guest->result > 0) {
        memcpy(guest->got, guest->view.data, guest->view.len);
        cg_view_release(&guest->view, guest->view.len);
    }
    return 0;
}

static struct cg_borrow_op borrow_of(struct guest *guest, struct cg_sock *sock, int64_t timeout)
{
    return *(struct cg_borrow_op *)cg_borrow(sock, &guest->view, .timeout = timeout);
}

static void open_starter(cg_fn *fn)
{
    starter = cg_starter_new(cg_sched_self(), fn, .name = "guest");
    ck_assert_ptr_nonnull(starter);
}

/* Lets others run until all operations of the starter have completed and their coroutines
 * have ended. */
static void close_starter(void)
{
    while (cg_starter_count(starter) > 0)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_pass()), 0);
    cg_starter_free(starter);
}

/* While the operation waits there is no coroutine for it. When bytes come, one is started,
 * and it can wait for more in the same way. */
static void starts_when_bytes_come(struct cg_sock *a, struct cg_sock *b)
{
    struct guest guest = {.result = 1};
    size_t before = test_count("");

    open_starter(welcome);
    for (unsigned round = 1; round <= 3; round++) {
        guest.wait = borrow_of(&guest, a, 0);
        IS(cg_starter_await(starter, &guest.wait.op), 0);
        IS(cg_starter_await(starter, &guest.wait.op), -EBUSY);
        IS(cg_yield(cg_sleep(MS)), 0);
        ck_assert_uint_eq(test_count(""), before);
        ck_assert_uint_eq(cg_starter_count(starter), 1);
        IS(cg_yield(cg_writeall(b, "hello", 5)), 5);
        while (guest.starts < round)
            IS(cg_yield(cg_sleep(MS)), 0);
        IS(guest.result, 5);
        ck_assert_str_eq(guest.got, "hello");
    }
    ck_assert_uint_eq(cg_starter_count(starter), 0);
    close_starter();
    cg_sock_close(a);
    cg_sock_close(b);
}

/* An operation that is done at once starts its coroutine all the same. */
static void starts_for_unread_bytes(struct cg_sock *a, struct cg_sock *b)
{
    struct guest guest = {.result = 1};
    struct cg_view view;

    open_starter(welcome);
    IS(cg_yield(cg_writeall(b, "early", 5)), 5);
    IS(cg_yield(cg_borrow(a, &view, .least = 5)), 5);
    cg_view_release(&view, 0);
    guest.wait = borrow_of(&guest, a, 0);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    ck_assert_uint_eq(guest.starts, 0);
    close_starter();
    ck_assert_uint_eq(guest.starts, 1);
    ck_assert_str_eq(guest.got, "early");
    cg_sock_close(a);
    cg_sock_close(b);
}

/* The end of the stream, a timeout, a cancel and the end of the socket are results. A
 * timeout and a cancel lose no byte. */
static void every_end_is_a_result(struct cg_sock *a, struct cg_sock *b)
{
    struct guest guest = {.result = 1};
    char byte;

    open_starter(welcome);
    guest.wait = borrow_of(&guest, a, MS);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    while (guest.starts < 1)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(guest.result, -ETIMEDOUT);

    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    cg_starter_cancel(starter, &guest.wait.op);
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    while (guest.starts < 2)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(guest.result, -ECANCELED);
    IS(cg_yield(cg_read(a, &byte, 1)), 1);
    cg_starter_cancel(starter, &guest.wait.op); /* it has completed: no effect */

    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    cg_sock_close(b);
    while (guest.starts < 3)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(guest.result, 0);
    close_starter();
    cg_sock_close(a);
}

/* A socket that is closed completes the operation with -EBADF, also if it had completed
 * otherwise and its coroutine had not run yet. */
static void closed_beneath(struct cg_sock *a, struct cg_sock *b)
{
    struct guest guest = {.result = 1};

    open_starter(welcome);
    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    cg_sock_close(a);
    close_starter();
    IS(guest.result, -EBADF);

    open_starter(welcome);
    guest = (struct guest){.result = 1};
    guest.wait = borrow_of(&guest, b, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    cg_starter_cancel(starter, &guest.wait.op);
    cg_sock_close(b);
    close_starter();
    IS(guest.result, -EBADF);
    ck_assert_uint_eq(guest.starts, 1);
}

/* An operation that is taken back completes, and starts no coroutine. Afterwards its bytes
 * are still there. What has completed already cannot be taken back. */
static void taken_back(struct cg_sock *a, struct cg_sock *b)
{
    struct guest guest = {.result = 1};
    char byte;

    open_starter(welcome);
    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    if (!cg_starter_withdraw(starter, &guest.wait.op)) { /* the kernel holds it */
        while (guest.starts < 1)
            IS(cg_yield(cg_sleep(MS)), 0);
        guest.starts = 0;
    }
    IS(cg_op_result(&guest.wait.op), -ECANCELED);
    ck_assert_uint_eq(cg_starter_count(starter), 0);
    ck_assert(!cg_starter_withdraw(starter, &guest.wait.op));
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(cg_yield(cg_read(a, &byte, 1)), 1);
    ck_assert_uint_eq(guest.starts, 0);

    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    cg_starter_cancel(starter, &guest.wait.op);
    ck_assert(!cg_starter_withdraw(starter, &guest.wait.op));
    close_starter();
    ck_assert_uint_eq(guest.starts, 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* A compound operation is refused, and may be yielded afterwards. */
static ssize_t compound_is_refused(void *arg)
{
    struct cg_call_op call = *(struct cg_call_op *)cg_call(nothing, arg);

    open_starter(welcome);
    IS(cg_starter_await(starter, &call.op), -EOPNOTSUPP);
    ck_assert_uint_eq(cg_starter_count(starter), 0);
    IS(cg_yield(&call.op), 0);
    close_starter();
    return 0;
}

struct sleeper {
    struct cg_sleep_op wait;
    bool woken;
};

static struct sleeper sleepers[MANY];
static size_t woken, most;

static ssize_t wake(void *arg)
{
    struct sleeper *sleeper = arg;
    size_t n = test_count("");

    IS(cg_op_result(arg), 0);
    ck_assert_ptr_eq(sleeper, &sleepers[woken]); /* in the order in which they completed */
    sleeper->woken = true;
    woken++;
    most = n > most ? n : most;
    return 0;
}

/* Many that complete at one moment are started in their order, a few at a time. */
static ssize_t starts_a_few_at_a_time(void *arg)
{
    (void)arg;
    woken = most = 0;
    open_starter(wake);
    for (size_t i = 0; i < MANY; i++) {
        sleepers[i].wait = *(struct cg_sleep_op *)cg_sleep(5 * MS);
        IS(cg_starter_await(starter, &sleepers[i].wait.op), 0);
    }
    close_starter();
    ck_assert_uint_eq(woken, MANY);
    ck_assert_uint_le(most, 64 + 1);
    return 0;
}

static ssize_t counts_at_that_moment(void *arg)
{
    IS(cg_yield(cg_sleep_until(*(int64_t *)arg)), 0);
    return (ssize_t)cg_starter_count(starter);
}

/* An operation counts until its coroutine has run, which needs the starter: another coroutine
 * that wakes at the same moment, and runs before, must not find 0 and free it. */
static ssize_t counts_until_it_has_run(void *arg)
{
    int64_t moment = cg_sched_now(cg_sched_self()) + MS;
    struct cg_coro *other;

    (void)arg;
    woken = 0;
    open_starter(wake);
    sleepers[0].wait = *(struct cg_sleep_op *)cg_sleep_until(moment);
    IS(cg_starter_await(starter, &sleepers[0].wait.op), 0);
    other = test_start(counts_at_that_moment, &moment);
    IS(test_end(other), 1);
    close_starter();
    ck_assert_uint_eq(woken, 1);
    return 0;
}

static ssize_t cancelled_with_its_owner(void *arg)
{
    struct guest *guest = arg;

    IS(cg_yield(cg_suspend()), -ECANCELED);
    cg_starter_cancel(starter, &guest->wait.op);
    return 0;
}

/* A run that is stopped goes on until the coroutine of a cancelled operation has run; it is
 * started as a cancelled one. */
static void stopped_run(void)
{
    struct test test = test_open();
    struct guest guest = {.result = 1};
    struct cg_sock *a, *b;

    ck_assert_int_eq(cg_sock_pair(test.sched, &a, &b), 0);
    starter = cg_starter_new(test.sched, welcome);
    guest.wait = borrow_of(&guest, a, CG_NEVER);
    IS(cg_starter_await(starter, &guest.wait.op), 0);
    IS(cg_sched_start(test.sched, cancelled_with_its_owner, &guest), 0);
    cg_sched_stop(test.sched);
    test_finish(&test);
    ck_assert_uint_eq(guest.starts, 1);
    IS(guest.result, -ECANCELED);
    cg_starter_free(starter);
    cg_sock_close(a);
    cg_sock_close(b);
    test_close(&test);
}

int main(void)
{
    static const struct test_case cases[] = {
        LINK(starts_when_bytes_come),
        LINK(starts_for_unread_bytes),
        LINK(every_end_is_a_result),
        LINK(closed_beneath),
        LINK(taken_back),
        CORO(compound_is_refused),
        CORO(starts_a_few_at_a_time),
        CORO(counts_until_it_has_run, .where = ON_SIM),
        PLAIN(stopped_run),
    };

    return test_main("starter", cases, COUNT(cases));
}
