/* SPDX-License-Identifier: MIT */
/* A monitor whose function is not called, and a monitor in a dump. The rest is in
 * test_sync.c. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

static struct cg_mutex mutex;
static int calls;

static ssize_t owns(void *arg)
{
    calls++;
    return arg ? 0 : cg_yield(cg_sleep(CG_HOUR));
}

static ssize_t monitors(void *arg)
{
    return cg_yield(cg_call_locked(&mutex, owns, arg));
}

/* A cg_call_locked that is cancelled while it waits for the mutex does not call its
 * function, and does not affect the owner of the mutex. */
static ssize_t given_up(void *arg)
{
    struct cg_coro *owner, *waiter;

    (void)arg;
    mutex = (struct cg_mutex){.name = "desk"};
    calls = 0;
    test_until_waiting(owner = test_start(monitors, NULL));
    test_until_waiting(waiter = test_start(monitors, &calls));
    IS(cg_yield(cg_call_locked(&mutex, owns, &calls, .timeout = 1)), -ETIMEDOUT);
    OK(cg_yield(cg_cancel(waiter)));
    IS(test_end(waiter), -ECANCELED);
    ck_assert_int_eq(calls, 1);
    IS(cg_mutex_destroy(&mutex), -EBUSY);
    OK(cg_yield(cg_cancel(owner)));
    IS(test_end(owner), -ECANCELED);
    IS(monitors(&calls), 0);
    ck_assert_int_eq(calls, 2);
    OK(cg_mutex_destroy(&mutex));
    return 0;
}

static ssize_t prints(void *arg)
{
    char text[128];

    cg_op_print(arg, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "call_locked desk"));
    return 5;
}

/* While it runs, its line in a dump names the mutex. */
static ssize_t printed(void *arg)
{
    struct cg_call_locked_op *monitor =
        (struct cg_call_locked_op *)cg_call_locked(&mutex, prints, arg);

    mutex = (struct cg_mutex){.name = "desk"};
    monitor->arg = monitor;
    IS(cg_yield(&monitor->op), 5);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(given_up, .where = ON_SIM),
        CORO(printed, .where = ON_SIM),
    };

    return test_main("monitor", cases, COUNT(cases));
}
