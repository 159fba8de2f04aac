/* SPDX-License-Identifier: MIT */
/* What cg_sim_explore is told: plans, options, the command line. */
#include "config.h"

#include "tests/reactors/explored.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static ssize_t idles(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_HOUR));
}

/* A plan is read as it was written, and a wrong one is refused. */
static void plans_are_text(void)
{
    static const struct cg_sim_program programs[] = {{"a", idles, NULL}, {NULL, NULL, NULL}};
    static const char *const good[] = {
        "seed=0 order=usual",
        "seed=18446744073709551615 order=pct,8,1",
        "seed=1 order=random latency=3ms jitter=1us window=7 short=1000 completion multishot late "
        "reset=1 refuse=2 abort=3 lose=4 double=5 reorder=6 cut=1s,0,1,2ms pause=3ns,1,4us "
        "kill=5s,1,6s slow=7s,1,0,8s,9ms handles=10s,11s jump=12s,13s listed run=0,1,2 run=1,2,3",
    };
    static const char *const bad[] = {
        "",
        "seed=",
        "seed=1",
        "seed=1 order=",
        "seed=1 order=pct",
        "seed=1 order=pct,0,1",
        "seed=1 order=pct,9,1",
        "seed=1 order=pct,3,0",
        "seed=1 order=randomly",
        "seed=1 order=random ",
        "seed=1 order=random  late",
        "seed=1 order=random later",
        "seed=1 order=random late=1",
        "seed=1 order=random latency=3",
        "seed=1 order=random latency=-3ms",
        "seed=1 order=random latency=99999999999999999999s",
        "seed=1 order=random short=1001",
        "seed=1 order=random cut=1s,0,1",
        "seed=1 order=random cut=1s,0,2,1s",
        "seed=1 order=random kill=1s,0,1s",
        "seed=1 order=random kill=1s,1,1s,1s",
    };
    atomic_uint *worlds = share(sizeof *worlds);

    for (size_t i = 0; i < COUNT(good); i++) {
        IS(cg_sim_explore(counts_worlds, worlds, &found, .quiet = true, .programs = programs,
                          .plan = good[i]),
           0);
        ck_assert_str_eq(found.plan, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (cg_sim_explore(counts_worlds, worlds, NULL, .quiet = true, .programs = programs,
                           .plan = bad[i]) != -EINVAL)
            ck_abort_msg("accepted: '%s'", bad[i]);
}

static void wrong_options(void)
{
    const struct cg_sim_program one = {"a", counts_worlds, NULL};
    const struct cg_sim_program hollow[] = {one, {"b", NULL, NULL}, {NULL, NULL, NULL}};
    const struct cg_sim_options odd = {.latency = -1};
    struct cg_sim_program more[17] = {{NULL, NULL, NULL}};

    for (int i = 0; i < 16; i++)
        more[i] = one;
    IS(cg_sim_explore(NULL, NULL, NULL), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .jobs = 257), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .order = (enum cg_order_kind)9), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .faults = CG_SIM_ALL_FAULTS + 1), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .storm = -1), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .first = UINT64_MAX), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .programs = more), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .programs = hollow), -EINVAL);
    IS(cg_sim_explore(counts_worlds, NULL, NULL, .world = &odd), -EINVAL);
}

/* However short a storm is, faults can be drawn for it. */
static void short_storms(void)
{
    atomic_uint *worlds = share(sizeof *worlds);

    for (int64_t storm = 1; storm <= 2 * CG_MICROSECOND; storm = 2 * storm + 1)
        IS(cg_sim_explore(counts_worlds, worlds, NULL, .quiet = true, .seeds = 20,
                          .faults = CG_SIM_ALL_FAULTS, .storm = storm),
           0);
}

/* The command line. */
static int call(const char *first, const char *second, const char *third)
{
    char *argv[] = {(char *)"explore", (char *)first, (char *)second, (char *)third, NULL};
    int argc = 1;

    while (argv[argc])
        argc++;
    optind = 0;
    return cg_sim_explore_main(argc, argv, lost_wakeup, NULL, .quiet = true);
}

static void command_line(void)
{
    ck_assert_int_eq(freopen("/dev/null", "w", stdout) != NULL, 1);
    ck_assert_int_eq(freopen("/dev/null", "w", stderr) != NULL, 1);
    ck_assert_int_eq(call(NULL, NULL, NULL), 1);
    ck_assert_int_eq(call("--help", NULL, NULL), 0);
    ck_assert_int_eq(call("--replay", "seed=0 order=usual", NULL), 0);
    ck_assert_int_eq(call("--replay=seed=0 order=usual listed", "--quiet", NULL), 0);
    ck_assert_int_eq(call("--replay", "seed=0", NULL), 2);
    ck_assert_int_eq(call("--order=pct", "--faults=all", "--seeds=1000"), 1);
    ck_assert_int_eq(call("--order=both", "--faults=resets,jumps", "--jobs=1"), 1);
    ck_assert_int_eq(call("--order=none", NULL, NULL), 2);
    ck_assert_int_eq(call("--faults=resets,jump", NULL, NULL), 2);
    ck_assert_int_eq(call("--seeds=0", NULL, NULL), 2);
    ck_assert_int_eq(call("--seeds=1x", NULL, NULL), 2);
    ck_assert_int_eq(call("--jobs=0", NULL, NULL), 2);
    ck_assert_int_eq(call("--what", NULL, NULL), 2);
    ck_assert_int_eq(call("what", NULL, NULL), 2);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(plans_are_text, .where = ON_SIM),
        PLAIN(wrong_options, .where = ON_SIM),
        PLAIN(short_storms, .where = ON_SIM),
        PLAIN(command_line, .where = ON_SIM),
    };

    return test_main("explore plans", cases, COUNT(cases));
}
