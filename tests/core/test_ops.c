/* SPDX-License-Identifier: MIT */
/* What holds for every operation, in virtual time: wrong use, repeated use, priorities,
 * timeouts, printing. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static ssize_t yields_it(void *arg)
{
    return cg_yield(arg);
}

/* An op that waits cannot be yielded a second time; once it has completed it can. */
static ssize_t op_yielded_twice(void *arg)
{
    struct cg_op *op = cg_sleep(CG_SECOND);
    struct cg_coro *coro = test_start(yields_it, op);
    int64_t start = now();

    (void)arg;
    test_until_waiting(coro);
    IS(cg_op_result(op), -EBUSY);
    IS(cg_yield(op), -EBUSY);
    IS(test_end(coro), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    IS(cg_op_result(op), 0);
    start = now();
    IS(cg_yield(op), 0);
    ck_assert_int_ge(now(), start + CG_SECOND);
    return 0;
}

/* An op that timed out or was cancelled can be yielded again. */
static ssize_t op_yielded_again(void *arg)
{
    struct cg_op *op = cg_wait_signal("x", NULL, .timeout = MS);

    (void)arg;
    for (int i = 0; i < 3; i++) {
        int64_t start = now();

        IS(cg_yield(op), -ETIMEDOUT);
        ck_assert_int_ge(now(), start + MS);
        IS(cg_op_result(op), -ETIMEDOUT);
    }
    IS(cg_yield(cg_signal("x", NULL)), 0);
    return 0;
}

static int posted_answer;

static void yields_outside(void *arg)
{
    (void)arg;
    ck_assert_ptr_null(cg_coro_self());
    posted_answer = (int)cg_yield(cg_sleep(CG_SECOND));
}

/* Outside a coroutine a yield returns -EPERM, and nothing happens. */
static void yield_outside(void)
{
    struct test test;

    ck_assert_ptr_null(cg_coro_self());
    ck_assert_ptr_null(cg_sched_self());
    IS(cg_yield(cg_sleep(CG_SECOND)), -EPERM);
    test = test_open(.timeout = 0);
    IS(cg_yield(cg_sleep(CG_SECOND)), -EPERM);
    OK(cg_sched_post(test.sched, yields_outside, NULL));
    test_finish(&test);
    IS(posted_answer, -EPERM);
    IS(cg_sched_start(test.sched, NULL, NULL), -EINVAL);
    test_close(&test);
}

static ssize_t runs_its_own_scheduler(void *arg)
{
    (void)arg;
    IS(cg_sched_run(cg_sched_self()), -EBUSY);
    IS(cg_sched_step(cg_sched_self(), 0), -EBUSY);
    return 0;
}

static ssize_t waits_and_notes(void *arg)
{
    IS(cg_yield(cg_wait_signal("go", NULL, .prio = CG_PRIO_LAST)), 0);
    note(arg);
    return 0;
}

static const char *order_with(uint8_t prio)
{
    struct cg_coro *v = test_start(waits_and_notes, "v");
    struct cg_coro *w = test_start(waits_and_notes, "w"), *x;

    test_until_waiting(v);
    test_until_waiting(w);
    x = test_start(notes, "x");
    note_anew();
    IS(cg_yield(cg_signal("go", NULL, .prio = prio)), 2);
    note("m");
    test_end(v);
    test_end(w);
    test_end(x);
    return noted;
}

/* The four priorities: no coroutine is favoured; the one that yields; those that it wakes;
 * both. */
static ssize_t priorities(void *arg)
{
    (void)arg;
    ck_assert_str_eq(order_with(CG_PRIO_DEFAULT), "xvwm");
    ck_assert_str_eq(order_with(CG_PRIO_LAST), "xvwm");
    ck_assert_str_eq(order_with(CG_PRIO_CORO), "mxvw");
    ck_assert_str_eq(order_with(CG_PRIO_OP), "vwxm");
    ck_assert_str_eq(order_with(CG_PRIO_FIRST), "mvwx");
    return 0;
}

static ssize_t default_is_coro(void *arg)
{
    (void)arg;
    ck_assert_str_eq(order_with(CG_PRIO_DEFAULT), "mxvw");
    ck_assert_str_eq(order_with(CG_PRIO_LAST), "xvwm");
    return 0;
}

/* An op without .prio has the scheduler's priority. */
static void default_priority(void)
{
    struct test test = test_open(.prio = CG_PRIO_CORO);

    OK(cg_sched_start(test.sched, default_is_coro, NULL));
    test_finish(&test);
    test_close(&test);
}

/* A start with CG_PRIO_OP goes to the head of the queue. */
static ssize_t start_at_the_head(void *arg)
{
    struct cg_coro *a = test_start(notes, "a");

    (void)arg;
    note_anew();
    OK(cg_sched_start(cg_sched_self(), notes, "b", .prio = CG_PRIO_OP));
    OK(test_end(a));
    ck_assert_str_eq(noted, "ba");
    return 0;
}

/* The earlier of timeout and deadline counts. CG_NOWAIT takes no time. After its deadline
 * an op does not wait. */
static ssize_t timeouts(void *arg)
{
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_wait_signal("x", NULL, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_suspend(.timeout = CG_NOWAIT)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = 5 * MS, .deadline = start + 3 * MS)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 3 * MS);
    ck_assert_int_lt(now(), start + 4 * MS);
    start = now();
    IS(cg_yield(cg_sleep(CG_HOUR, .timeout = 5 * MS, .deadline = start + 8 * MS)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + 5 * MS);
    ck_assert_int_lt(now(), start + 6 * MS);
    start = now();
    IS(cg_yield(cg_sleep(CG_HOUR, .deadline = start - MS)), -ETIMEDOUT);
    ck_assert_int_eq(now(), start);
    IS(cg_yield(cg_sleep(MS, .deadline = CG_NEVER, .timeout = CG_NEVER)), 0);
    return 0;
}

static ssize_t has_default_timeout(void *arg)
{
    int64_t start = now(), length = 3 * CG_SECOND;
    struct cg_coro *sleeping = test_start(sleeps, &length);

    (void)arg;
    IS(cg_yield(cg_wait_signal("x", NULL)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + CG_SECOND);
    ck_assert_int_lt(now(), start + CG_SECOND + MS);
    IS(cg_yield(cg_wait_signal("x", NULL, .timeout = CG_SECOND / 2)), -ETIMEDOUT);
    ck_assert_int_lt(now(), start + 2 * CG_SECOND);
    IS(test_end(sleeping), 0); /* sleep and join have no default timeout */
    ck_assert_int_ge(now(), start + 3 * CG_SECOND);
    start = now();
    IS(cg_yield(
           cg_wait_signal("x", NULL, .timeout = CG_NEVER, .deadline = start + CG_HOUR)),
       -ETIMEDOUT);
    ck_assert_int_ge(now(), start + CG_HOUR);
    return 0;
}

/* The scheduler's default timeout applies to signals, but not to sleep, call, add and
 * join. A keyword overrides it. */
static void default_timeout(void)
{
    struct test test = test_open(.timeout = CG_SECOND);

    OK(cg_sched_start(test.sched, has_default_timeout, NULL));
    test_finish(&test);
    test_close(&test);
}

/* An op prints its name, and how long it has waited. */
static ssize_t op_prints_itself(void *arg)
{
    struct cg_op *op = cg_sleep(10 * CG_SECOND);
    struct cg_coro *coro = test_start(yields_it, op);
    char text[128];
    int len;

    (void)arg;
    IS(cg_yield(cg_sleep(1200 * MS)), 0);
    len = cg_op_print(op, text, sizeof text);
    ck_assert_int_eq(len, (int)strlen(text));
    ck_assert_msg(!strncmp(text, "sleep", 5), "%s", text);
    ck_assert_msg(strstr(text, "since 1.2 s") != NULL, "%s", text);
    ck_assert_int_eq(cg_op_print(op, text, 3), len); /* as snprintf */
    ck_assert_uint_eq(strlen(text), 2);
    return test_end(coro);
}

/* Each code has its own text; an unknown code is printed as a number. */
static ssize_t errors_have_names(void *arg)
{
    static const ssize_t codes[] = {
        CG_EOF,         CG_EADDR,       CG_EHOST,         CG_EREACTOR,     CG_ELOOKUP,
        CG_EHTTP,       CG_EHTTP_URL,   CG_EHTTP_TLS,     CG_EHTTP_LIMIT,  CG_EHTTP_CODING,
        CG_ETLS,        CG_ETLS_CUT,    CG_EHTTP_REDIRECT, CG_EHTTP_PROXY, CG_ETLS_REFUSED,
        CG_ETLS_CERT,   CG_ETLS_EXPIRED, CG_ETLS_HOST,    CG_ETLS_ISSUER,  CG_ETLS_FILE,
        CG_ETLS_PIN,    CG_EWS,         -ECONNREFUSED,
    };
    char version[32];

    (void)arg;
    ck_assert_str_eq(cg_strerror(CG_EOF), "end of stream");
    ck_assert_str_eq(cg_strerror(0), "success");
    ck_assert_str_eq(cg_strerror(17), "success");
    ck_assert_str_eq(cg_strerror(-ECANCELED), strerror(ECANCELED));
    ck_assert_str_eq(cg_strerror(-ETIMEDOUT), "timed out"); /* also a mutex, or a sleep */
    for (size_t i = 0; i < COUNT(codes); i++) {
        const char *name = cg_strerror(codes[i]);

        ck_assert_ptr_null(strstr(name, "nknown code"));
        ck_assert_ptr_null(strstr(name, "nknown error"));
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(name, cg_strerror(codes[j]));
    }
    ck_assert_str_eq(cg_strerror(-12345), "unknown code -12345");
    ck_assert_str_eq(cg_strerror(-5000), "unknown code -5000");
    ck_assert_ptr_nonnull(strstr(cg_strerror(-3999), "3999"));
    snprintf(version, sizeof version, "%d.%d.%d", CG_VERSION_MAJOR, CG_VERSION_MINOR,
             CG_VERSION_PATCH);
    ck_assert_str_eq(cg_version(), version);
    ck_assert(CG_VERSION_AT_LEAST(0, 1, 0));
    ck_assert(!CG_VERSION_AT_LEAST(CG_VERSION_MAJOR, CG_VERSION_MINOR + 1, 0));
    return 0;
}

static const struct test_case cases[] = {
    CORO(op_yielded_twice, .where = ON_SIM),
    CORO(op_yielded_again, .where = ON_SIM),
    PLAIN(yield_outside, .where = ON_SIM),
    CORO(runs_its_own_scheduler, .where = ON_SIM),
    CORO(priorities, .where = ON_SIM),
    PLAIN(default_priority, .where = ON_SIM),
    CORO(start_at_the_head, .where = ON_SIM),
    CORO(timeouts, .where = ON_SIM),
    PLAIN(default_timeout, .where = ON_SIM),
    CORO(op_prints_itself, .where = ON_SIM),
    CORO(errors_have_names, .where = ON_SIM),
};

int main(void)
{
    return test_main("ops", cases, COUNT(cases));
}
