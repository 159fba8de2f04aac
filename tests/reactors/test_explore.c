/* SPDX-License-Identifier: MIT */
/* cg_sim_explore finds planted faults, says why a world failed, and runs each world once; it can
 * be interrupted. */
#include "config.h"

#include "tests/reactors/explored.h"
#include "tests/support/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static unsigned value;
static bool done; /* never true */

/* A fault: two coroutines read, pass and write. */
static ssize_t adds(void *arg)
{
    unsigned seen;

    for (intptr_t i = 0; i < (intptr_t)arg; i++)
        cg_yield(cg_pass());
    seen = value;
    cg_yield(cg_pass());
    value = seen + 1;
    return 0;
}

static ssize_t lost_update(void *arg)
{
    struct cg_group group;

    (void)arg;
    value = 0;
    cg_group_open(&group);
    cg_group_start(&group, adds, (void *)0, NULL);
    cg_group_start(&group, adds, (void *)4, NULL);
    cg_yield(cg_wait_group(&group));
    return value == 2 ? 0 : -EIO;
}

/* Both planted faults are found within 1,000 seeds, by each order and by both, and need few
 * places where another coroutine than the first runs. */
static void finds_planted_faults(void)
{
    for (int order = CG_ORDER_USUAL; order <= CG_ORDER_PCT; order++) {
        FINDS(lost_wakeup, CG_SIM_STUCK, .order = (enum cg_order_kind)order);
        ck_assert_uint_le(count(found.plan, " run="), 6);
        ck_assert_msg(strstr(found.why, "sleeper"), "%s", found.why);
        FINDS(lost_update, CG_SIM_FAILED, .order = (enum cg_order_kind)order);
        ck_assert_uint_le(count(found.plan, " run="), 6);
        ck_assert_msg(strstr(found.plan, "latency") == NULL, "%s", found.plan);
    }
}

static uint64_t bad_seed(void)
{
    return cg_sim_random(cg_sched_reactor(cg_sched_self()), 10);
}

static ssize_t returns(void *arg)
{
    (void)arg;
    return bad_seed() == 0 ? -EDOM : 0;
}

static ssize_t asserts(void *arg)
{
    (void)arg;
    if (bad_seed() == 0) {
        fprintf(stderr, "something else\n");
        fprintf(stderr, "x.c:7: Assertion `the sky is blue' failed.\n");
        abort();
    }
    return 0;
}

static ssize_t exits(void *arg)
{
    (void)arg;
    if (bad_seed() == 0)
        _exit(7);
    return 0;
}

static ssize_t leaves_open(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    return bad_seed() == 0 ? cg_sock_listen(cg_sched_self(), "10.0.0.1:80", &sock) : 0;
}

static ssize_t spins(void *arg)
{
    (void)arg;
    while (bad_seed() == 0)
        while (!done)
            continue;
    return 0;
}

static ssize_t passes(void *arg)
{
    (void)arg;
    while (bad_seed() < 10)
        cg_yield(cg_pass());
    return 0;
}

static ssize_t sleeps(void *arg)
{
    (void)arg;
    return bad_seed() == 0 ? cg_yield(cg_sleep(25 * CG_HOUR)) : 0;
}

/* Whatever ends a world badly is told apart. */
static void says_why(void)
{
    FINDS(returns, CG_SIM_FAILED);
    ck_assert_msg(strstr(found.why, cg_strerror(-EDOM)), "%s", found.why);
    FINDS(asserts, CG_SIM_CRASHED);
    ck_assert_msg(strstr(found.why, "the sky is blue"), "%s", found.why);
    FINDS(exits, CG_SIM_EXITED);
    ck_assert_msg(strstr(found.why, "7"), "%s", found.why);
    FINDS(leaves_open, CG_SIM_LEFT);
    FINDS(sleeps, CG_SIM_TOO_LONG);
    FINDS(passes, CG_SIM_TOO_LONG, .turn_limit = 1000);
    done = false;
    FINDS(spins, CG_SIM_HANGS, .patience = CG_SECOND / 5);
}

/* As many worlds are run as were asked for, also with more jobs than seeds. */
static void runs_each_seed_once(void)
{
    atomic_uint *worlds = share(sizeof *worlds);

    IS(cg_sim_explore(counts_worlds, worlds, &found, .quiet = true), 0);
    ck_assert_uint_eq(*worlds, 1000);
    ck_assert_uint_eq(found.worlds, 1000);
    ck_assert_int_eq(found.failure, CG_SIM_NO_FAILURE);
    *worlds = 0;
    IS(cg_sim_explore(counts_worlds, worlds, NULL, .quiet = true, .seeds = 2, .jobs = 8), 0);
    ck_assert_uint_eq(*worlds, 2);
}

/* The smallest seed is found, whichever job finds one first: those of the other jobs take
 * longer here. */
static ssize_t fails_often(void *arg)
{
    uint64_t number = bad_seed();

    (void)arg;
    for (uint64_t i = 0; i < number * 1000; i++)
        cg_yield(cg_pass());
    return number < 5 ? -EIO : 0;
}

static void smallest_seed_is_found(void)
{
    uint64_t first = 0;

    while (cg_sim_explore(fails_often, NULL, NULL, .quiet = true, .first = first, .seeds = 1) == 0)
        first++;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        IS(cg_sim_explore(fails_often, NULL, &found, .quiet = true, .jobs = jobs), 1);
        ck_assert_uint_eq(found.seed, first);
    }
}

/* A failure that comes from what earlier worlds have left is said to be one. */
static ssize_t remembers(void *arg)
{
    (void)arg;
    return ++value > 100 ? -EIO : 0;
}

static void leftovers_are_noticed(void)
{
    value = 0;
    IS(cg_sim_explore(remembers, NULL, &found, .quiet = true), 1);
    ck_assert_msg(strstr(found.why, "earlier worlds"), "%s", found.why);
}

/* Worlds may print much: what a failing one says last is still its reason. */
static ssize_t chatters(void *arg)
{
    static char text[300 * 1024];

    (void)arg;
    if (++value < 10) {
        memset(text, 'x', sizeof text);
        fwrite(text, 1, sizeof text, stderr);
        return 0;
    }
    fprintf(stderr, "too much was said\n");
    abort();
}

static void long_output(void)
{
    value = 0;
    IS(cg_sim_explore(chatters, NULL, &found, .quiet = true, .jobs = 1), 1);
    ck_assert_msg(strstr(found.why, "too much was said"), "%s", found.why);
}

/* Ctrl-C ends the exploration, and all its processes. */
static ssize_t forever(void *arg)
{
    ++*(atomic_uint *)arg;
    while (!done)
        continue;
    return 0;
}

static void act(void)
{
    atomic_uint *worlds = share(sizeof *worlds);
    pid_t self = getpid(), interrupter = fork();

    done = false;
    if (interrupter == 0) {
        while (*worlds < 2)
            poll(NULL, 0, 1);
        kill(self, SIGINT);
        _exit(0);
    }
    if (cg_sim_explore(forever, worlds, &found, .quiet = true, .jobs = 2) != -EINTR)
        fprintf(stderr, "it was not interrupted");
    waitpid(interrupter, NULL, 0);
    if (waitpid(-1, NULL, 0) >= 0 || errno != ECHILD)
        fprintf(stderr, "a process is left");
}

static void can_be_interrupted(void)
{
    char said[256];

    ck_assert_int_eq(child_run(act, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(finds_planted_faults, .where = ON_SIM),
        PLAIN(says_why, .where = ON_SIM),
        PLAIN(runs_each_seed_once, .where = ON_SIM),
        PLAIN(smallest_seed_is_found, .where = ON_SIM),
        PLAIN(long_output, .where = ON_SIM),
        PLAIN(leftovers_are_noticed, .where = ON_SIM),
        PLAIN(can_be_interrupted, .where = ON_SIM),
    };

    return test_main("explore", cases, COUNT(cases));
}
