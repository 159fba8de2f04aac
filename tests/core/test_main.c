/* SPDX-License-Identifier: MIT */
/* cg_main: what it returns, and what it reports about coroutines that can never
 * continue. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char said[4096];

static ssize_t waits(void *name)
{
    return cg_yield(cg_wait_signal((const char *)name, NULL));
}

static ssize_t leaves_some(void *answer)
{
    OK(cg_yield(cg_add(waits, "godot", .name = "vladimir")));
    OK(cg_yield(cg_add(waits, "godot", .name = "estragon")));
    return (ssize_t)(intptr_t)answer;
}

/* The reactor's name for cg_main; "sim" for all the simulated worlds. */
static const char *reactor(void)
{
    return test_on_sim() ? "sim" : test_reactor();
}

/* Exits with 0 if cg_main returns the wanted value. */
static void exit_with(cg_fn *fn, void *arg, ssize_t wanted)
{
    ssize_t answer = cg_main(reactor(), fn, arg);

    exit(answer == wanted ? 0 : 1);
}

/* cg_main returns what fn has returned. It lists the coroutines that are left on stderr,
 * with what they wait for. */
static void act_leave(void)
{
    exit_with(leaves_some, (void *)42, 42);
}

static void act_leave_and_fail(void)
{
    exit_with(leaves_some, (void *)-EDEADLK, -EDEADLK);
}

static void tells_who_is_left(void)
{
    void (*const acts[])(void) = {act_leave, act_leave_and_fail};

    for (size_t i = 0; i < COUNT(acts); i++) {
        ck_assert_int_eq(child_run(acts[i], said, sizeof said), 0);
        ck_assert_msg(strstr(said, "cogen: these can never continue and are cancelled\n"
                                   "vladimir: wait_signal \"godot\"") == said,
                      "%s", said);
        ck_assert_ptr_nonnull(strstr(said, "\nestragon: wait_signal \"godot\""));
        ck_assert_ptr_null(strstr(said, "\nmain:"));
    }
}

/* If fn is among those that are left, it is a deadlock. */
static void act_deadlock(void)
{
    exit_with(waits, "godot", -EDEADLK);
}

static void tells_a_deadlock(void)
{
    ck_assert_int_eq(child_run(act_deadlock, said, sizeof said), 0);
    ck_assert_msg(strstr(said, "cogen: deadlock\nmain: wait_signal \"godot\"") == said, "%s",
                  said);
}

/* cg_main returns the result of the first coroutine, so a failure of that is not reported;
 * a failure of another coroutine is reported on stderr. */
static ssize_t fails_too(void *arg)
{
    (void)arg;
    return -EIO;
}

static ssize_t fails(void *arg)
{
    if (arg)
        OK(cg_yield(cg_add(fails_too, NULL, .name = "another")));
    return -EPROTO;
}

static void act_fail(void)
{
    exit_with(fails, NULL, -EPROTO);
}

static void act_both_fail(void)
{
    exit_with(fails, "both", -EPROTO);
}

static void tells_failures_of_others(void)
{
    ck_assert_int_eq(child_run(act_fail, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(child_run(act_both_fail, said, sizeof said), 0);
    ck_assert_msg(strncmp(said, "cogen: coroutine another failed: ", 33) == 0, "%s", said);
    ck_assert_ptr_null(strstr(said, "main"));
}

/* Nothing is reported after a clean end, or after an end by cg_sched_stop. */
static ssize_t ends(void *arg)
{
    struct cg_coro *coro = test_start(waits, "godot");

    (void)arg;
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    OK(cg_yield(cg_cancel(coro)));
    IS(test_end(coro), -ECANCELED);
    return 7;
}

static void act_end(void)
{
    exit_with(ends, NULL, 7);
}

static ssize_t stops(void *arg)
{
    leaves_some(NULL);
    cg_sched_stop(cg_sched_self());
    return waits(arg);
}

static void act_stop(void)
{
    exit_with(stops, "godot", -ECANCELED);
}

static void else_is_silent(void)
{
    ck_assert_int_eq(child_run(act_end, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(child_run(act_stop, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
}

/* If cg_main cannot begin, it returns the error; the reason why a reactor is not available
 * is printed. */
static void act_nonsense(void)
{
    exit(cg_main("nonsense", ends, NULL) == CG_EREACTOR ? 0 : 1);
}

static const char *missing; /* a reactor that is not available here */

static void act_missing(void)
{
    setenv("COGEN_REACTOR", missing, 1);
    exit(cg_main(NULL, ends, NULL) < 0 ? 0 : 1);
}

static void says_why_not(void)
{
    struct cg_reactor_info info[16];
    size_t count = cg_reactor_list(info, COUNT(info));
    char wanted[256];

    IS(cg_main(reactor(), NULL, NULL), -EINVAL);
    ck_assert_int_eq(child_run(act_nonsense, said, sizeof said), 0);
    ck_assert_msg(strstr(said, "cogen: no reactor is called \"nonsense\"; there are ") ==
                      said,
                  "%s", said);
    ck_assert_uint_le(count, COUNT(info));
    for (size_t i = 0; i < count; i++) {
        if (info[i].why == NULL)
            continue;
        missing = info[i].name;
        ck_assert_int_eq(child_run(act_missing, said, sizeof said), 0);
        snprintf(wanted, sizeof wanted, "cogen: reactor %s is not available: %s\n",
                 info[i].name, info[i].why);
        ck_assert_str_eq(said, wanted);
    }
}

/* The text is returned as by snprintf: whole, truncated, or only its length. */
static void why_not_in_a_small_place(void)
{
    char whole[256], small[256];
    int len = cg_reactor_why("nonsense", CG_EREACTOR, whole, sizeof whole);

    ck_assert_uint_eq(strlen(whole), (size_t)len);
    ck_assert_ptr_nonnull(strstr(whole, "no reactor is called \"nonsense\"; there are epoll"));
    ck_assert_ptr_nonnull(strstr(whole, " sim"));
    IS(cg_reactor_why("nonsense", CG_EREACTOR, NULL, 0), len);
    for (int size = 1; size <= len + 1; size++) {
        memset(small, '#', sizeof small);
        IS(cg_reactor_why("nonsense", CG_EREACTOR, small, (size_t)size), len);
        IS((ssize_t)strlen(small), size - 1);
        ck_assert_int_eq(strncmp(small, whole, (size_t)size - 1), 0);
        ck_assert_int_eq(small[size], '#');
    }
    len = cg_reactor_why("sim", -EMFILE, whole, sizeof whole);
    ck_assert_str_eq(whole, "reactor sim is not available: Too many open files");
    IS(len, (ssize_t)strlen(whole));
}

static const struct test_case cases[] = {
    PLAIN(tells_who_is_left),
    PLAIN(tells_a_deadlock),
    PLAIN(tells_failures_of_others),
    PLAIN(else_is_silent),
    PLAIN(says_why_not),
    PLAIN(why_not_in_a_small_place, .where = ON_SIM),
};

int main(void)
{
    return test_main("main", cases, COUNT(cases));
}
