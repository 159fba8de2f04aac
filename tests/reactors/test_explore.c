/* SPDX-License-Identifier: MIT */
/* cg_sim_explore: it finds planted faults, says why a world failed, makes the failure small,
 * and its plan shows it again. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <assert.h>
#include <cogen/explore.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct cg_sim_found found;

/* Explores, and checks that the plan of what was found fails in the same way. */
#define FINDS(...) FINDS_(__VA_ARGS__, )
#define FINDS_(fn, how, ...)                                                               \
    finds(fn, how, &(struct cg_sim_explore_options){.quiet = true, .jobs = 2, __VA_ARGS__})
static void finds(cg_fn *fn, enum cg_sim_failure failure,
                  const struct cg_sim_explore_options *options)
{
    struct cg_sim_explore_options again = *options;
    struct cg_sim_found replayed;

    IS(cg_sim_explore_with(fn, NULL, options, &found), 1);
    ck_assert_msg(found.failure == failure, "%d: %s", (int)found.failure, found.why);
    again.plan = found.plan;
    ck_assert_msg(cg_sim_explore_with(fn, NULL, &again, &replayed) == 1, "%s", found.plan);
    ck_assert_int_eq(replayed.failure, found.failure);
    ck_assert_uint_eq(replayed.seed, found.seed);
    ck_assert_str_eq(replayed.plan, found.plan);
}

static unsigned value;
static bool done;

/* A fault: between the look and the wait the signal may come. */
static ssize_t waits(void *arg)
{
    (void)arg;
    if (!done) {
        cg_yield(cg_pass());
        cg_yield(cg_wait_signal("done", NULL));
    }
    return 0;
}

static ssize_t signals(void *arg)
{
    (void)arg;
    cg_yield(cg_pass());
    done = true;
    return cg_yield(cg_signal("done", NULL));
}

static ssize_t lost_wakeup(void *arg)
{
    (void)arg;
    done = false;
    cg_yield(cg_add(waits, NULL, .name = "sleeper"));
    return cg_yield(cg_add(signals, NULL));
}

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

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        n++;
    }
    return n;
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

static ssize_t nothing(void *arg)
{
    atomic_uint *worlds = arg;

    ++*worlds;
    return 0;
}

static void *share(size_t size)
{
    void *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(shared, MAP_FAILED);
    return shared;
}

/* As many worlds are run as were asked for, also with more jobs than seeds. */
static void runs_each_seed_once(void)
{
    atomic_uint *worlds = share(sizeof *worlds);

    IS(cg_sim_explore(nothing, worlds, &found, .quiet = true), 0);
    ck_assert_uint_eq(*worlds, 1000);
    ck_assert_uint_eq(found.worlds, 1000);
    ck_assert_int_eq(found.failure, CG_SIM_NO_FAILURE);
    *worlds = 0;
    IS(cg_sim_explore(nothing, worlds, NULL, .quiet = true, .seeds = 2, .jobs = 8), 0);
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
        IS(cg_sim_explore(nothing, worlds, &found, .quiet = true, .programs = programs,
                          .plan = good[i]),
           0);
        ck_assert_str_eq(found.plan, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (cg_sim_explore(nothing, worlds, NULL, .quiet = true, .programs = programs,
                           .plan = bad[i]) != -EINVAL)
            ck_abort_msg("accepted: '%s'", bad[i]);
}

static void wrong_options(void)
{
    static const struct cg_sim_program many[16] = {
        {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL},
        {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL},
        {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL},
        {"a", nothing, NULL}, {"a", nothing, NULL}, {"a", nothing, NULL}};
    struct cg_sim_program more[17] = {{NULL, NULL, NULL}};

    memcpy(more, many, sizeof many);
    more[15] = more[0];
    IS(cg_sim_explore(NULL, NULL, NULL), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .jobs = 257), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .order = (enum cg_order_kind)9), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .faults = CG_SIM_ALL_FAULTS + 1), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .storm = -1), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .first = UINT64_MAX), -EINVAL);
    IS(cg_sim_explore(nothing, NULL, NULL, .programs = more), -EINVAL);
}

/* Programs on hosts of their own are killed and started again, cut off, paused; the program
 * sees all that, and after the storm everything works. */
struct seen {
    atomic_uint worlds, starts, lost, recovered;
};

static ssize_t serve_echo(struct cg_sock *conn, void *arg)
{
    char buf[16];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_read(conn, buf, sizeof buf))) > 0)
        if (cg_yield(cg_writeall(conn, buf, (size_t)n)) < 0)
            break;
    cg_sock_close(conn);
    return 0;
}

static ssize_t echo_server(void *arg)
{
    struct seen *seen = arg;
    struct cg_sock *listener;
    ssize_t n;

    seen->starts++;
    while ((n = cg_sock_listen(cg_sched_self(), "10.0.0.1:7", &listener)) < 0)
        if (cg_yield(cg_sleep(CG_SECOND)) < 0)
            return n;
    n = cg_yield(cg_serve(listener, serve_echo));
    cg_sock_close(listener);
    return n;
}

static ssize_t ask(void)
{
    struct cg_sock *conn;
    char buf[16];
    ssize_t n = cg_yield(cg_connect("10.0.0.1:7", &conn, .timeout = CG_SECOND));

    if (n < 0)
        return n;
    n = cg_yield(cg_writeall(conn, "hello", 5, .timeout = CG_SECOND));
    if (n >= 0)
        n = cg_yield(cg_readall(conn, buf, 5, .timeout = CG_SECOND));
    cg_sock_close(conn);
    return n;
}

static ssize_t asker(void *arg)
{
    struct seen *seen = arg;
    int64_t storm = cg_sched_now(cg_sched_self()) + 11 * CG_SECOND;
    unsigned lost = 0;
    ssize_t n;

    seen->worlds++;
    while (cg_sched_now(cg_sched_self()) < storm) {
        lost += ask() < 0;
        cg_yield(cg_sleep(CG_SECOND / 10));
    }
    seen->lost += lost;
    while ((n = ask()) < 0 && cg_sched_now(cg_sched_self()) < storm + CG_MINUTE)
        cg_yield(cg_sleep(CG_SECOND));
    seen->recovered += n == 5 && lost > 0;
    return n == 5 ? 0 : -EIO;
}

static void programs_survive_faults(void)
{
    struct seen *seen = share(sizeof *seen);
    const struct cg_sim_program programs[] = {{"server", echo_server, seen}, {NULL, NULL, NULL}};

    IS(cg_sim_explore(asker, seen, &found, .programs = programs, .seeds = 300, .quiet = true,
                      .faults = CG_SIM_ALL_FAULTS & ~CG_SIM_RESETS),
       0);
    ck_assert_uint_eq(seen->worlds, 300);
    ck_assert_uint_gt(seen->starts, 310);
    ck_assert_uint_gt(seen->lost, 100);
    ck_assert_uint_gt(seen->recovered, 30);
}

/* A fault that needs a fault: its plan has that one, and nothing else. */
static ssize_t impatient(void *arg)
{
    ssize_t n;

    (void)arg;
    cg_yield(cg_sleep(1));
    for (int i = 0; i < 100; i++) {
        if ((n = ask()) < 0)
            return n;
        cg_yield(cg_sleep(CG_SECOND / 10));
    }
    return 0;
}

static void faults_are_reduced(void)
{
    struct seen *seen = share(sizeof *seen);
    const struct cg_sim_program programs[] = {{"server", echo_server, seen}, {NULL, NULL, NULL}};

    FINDS(impatient, CG_SIM_FAILED, .programs = programs, .faults = CG_SIM_KILLS,
          .order = CG_ORDER_RANDOM, .first = 1000);
    ck_assert_uint_eq(count(found.plan, "="), 3);
    ck_assert_uint_eq(count(found.plan, "kill="), 1);
}

/* What a world may lack: each lack reaches the program, and is over with the storm. */
static ssize_t nothing_to_do(void *arg)
{
    return (ssize_t)(intptr_t)arg;
}

struct lacking {
    atomic_uint coroutines, sockets, threads, failed, unknown, wrong, late;
};

static void try_names(struct lacking *lacking)
{
    int64_t before = cg_sched_now(cg_sched_self());
    struct cg_addr_list list;
    char text[CG_ADDR_SIZE];
    ssize_t n = cg_yield(cg_resolve("host", NULL, &list));

    lacking->failed += n == CG_ELOOKUP;
    lacking->unknown += n == CG_EHOST;
    lacking->late += cg_sched_now(cg_sched_self()) > before + CG_SECOND / 1000;
    if (n > 0 && cg_addr_print(&list.addrs[0], text, sizeof text) >= 0)
        lacking->wrong += strncmp(text, "192.0.2.1:", 10) == 0;
}

static ssize_t note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return 0;
}

/* No thread runs the function, so that a seed repeats it. */
static ssize_t try_thread(void)
{
    pthread_t thread;
    ssize_t n = cg_yield(cg_offload(note_thread, &thread));

    assert(n < 0 || pthread_equal(thread, pthread_self()));
    return n;
}

static ssize_t tries(void *arg)
{
    struct lacking *lacking = arg;
    int64_t storm = cg_sched_now(cg_sched_self()) + 11 * CG_SECOND;
    struct cg_resolver *names;
    struct cg_addr_list list;
    struct cg_sock *sock;
    ssize_t n = cg_resolver_open("fixed", NULL, &names);

    n = n < 0 ? n : cg_resolver_set_host(names, "host", "10.0.0.1");
    n = n < 0 ? n : cg_sched_set_resolver(cg_sched_self(), names);
    while (n == 0 && cg_sched_now(cg_sched_self()) < storm) {
        lacking->coroutines += cg_yield(cg_add(nothing_to_do, NULL)) == -ENOMEM;
        lacking->threads += try_thread() == -EAGAIN;
        if ((n = cg_sock_listen(cg_sched_self(), "10.0.0.1:9", &sock)) == 0)
            cg_sock_close(sock);
        lacking->sockets += n == -ENOMEM;
        try_names(lacking);
        n = cg_yield(cg_sleep(CG_SECOND / 20));
    }
    if (n == 0)
        n = cg_yield(cg_resolve("host", NULL, &list));
    return n < 0 ? n : cg_yield(cg_add(nothing_to_do, NULL)) < 0 ? -EIO : 0;
}

static void worlds_lack_things(void)
{
    struct lacking *lacking = share(sizeof *lacking);

    IS(cg_sim_explore(tries, lacking, &found, .seeds = 4000, .quiet = true,
                      .faults = CG_SIM_MEMORY | CG_SIM_THREADS | CG_SIM_NAMES),
       0);
    ck_assert_uint_gt(lacking->coroutines, 10);
    ck_assert_uint_gt(lacking->sockets, 10);
    ck_assert_uint_gt(lacking->threads, 10);
    ck_assert_uint_gt(lacking->failed, 2);
    ck_assert_uint_gt(lacking->unknown, 2);
    ck_assert_uint_gt(lacking->wrong, 2);
    ck_assert_uint_gt(lacking->late, 2);
}

/* A program that cannot do without memory: its plan has that fault, and nothing else. */
static ssize_t greedy(void *arg)
{
    ssize_t n = 0;

    (void)arg;
    for (int i = 0; i < 100 && n >= 0; i++)
        if ((n = cg_yield(cg_add(nothing_to_do, NULL))) >= 0)
            n = cg_yield(cg_sleep(CG_SECOND / 10));
    return n;
}

static void lacks_are_reduced(void)
{
    FINDS(greedy, CG_SIM_FAILED, .faults = CG_SIM_ALL_FAULTS, .order = CG_ORDER_RANDOM);
    ck_assert_uint_eq(count(found.plan, "="), 3);
    ck_assert_uint_eq(count(found.plan, "memory="), 1);
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
        PLAIN(finds_planted_faults, .where = ON_SIM),
        PLAIN(says_why, .where = ON_SIM),
        PLAIN(runs_each_seed_once, .where = ON_SIM),
        PLAIN(smallest_seed_is_found, .where = ON_SIM),
        PLAIN(leftovers_are_noticed, .where = ON_SIM),
        PLAIN(plans_are_text, .where = ON_SIM),
        PLAIN(wrong_options, .where = ON_SIM),
        PLAIN(programs_survive_faults, .where = ON_SIM),
        PLAIN(faults_are_reduced, .where = ON_SIM),
        PLAIN(worlds_lack_things, .where = ON_SIM),
        PLAIN(lacks_are_reduced, .where = ON_SIM),
        PLAIN(can_be_interrupted, .where = ON_SIM),
        PLAIN(command_line, .where = ON_SIM),
    };

    return test_main("explore", cases, COUNT(cases));
}
