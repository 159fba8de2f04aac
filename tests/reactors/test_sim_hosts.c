/* SPDX-License-Identifier: MIT */
/* Several hosts in one simulated world: one clock, one network, and an order that the seed
 * decides. */
#include "config.h"

#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

#define S CG_SECOND

static struct hosts hosts;

static const struct cg_sim_options late = {.seed = 3,
                                           .latency = 20 * CG_MILLISECOND,
                                           .jitter = CG_MILLISECOND,
                                           .short_permille = 200,
                                           .completion = true,
                                           .late_cancel = true};

static ssize_t echoes(void *arg)
{
    char line[64];
    struct cg_sock *listener, *conn;
    ssize_t n;

    OK(cg_sock_listen(cg_sched_self(), arg, &listener));
    OK(cg_yield(cg_accept(listener, &conn)));
    while ((n = cg_yield(cg_read(conn, line, sizeof line))) > 0)
        IS(cg_yield(cg_writeall(conn, line, (size_t)n)), n);
    IS(n, 0);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

static ssize_t asks(void *arg)
{
    char line[64];
    struct cg_sock *conn;
    ssize_t n;

    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0); /* until somebody listens */
    OK(cg_yield(cg_connect(arg, &conn)));
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_writeall(conn, "are you there?\n", 15)), 15);
        OK(n = cg_yield(cg_readline(conn, line, sizeof line)));
        IS(memcmp(line, "are you there?\n", 15), 0);
    }
    cg_sock_close(conn);
    return 0;
}

/* Hosts connect to each other by address. */
static void talk(void)
{
    char *addrs[] = {"10.0.0.1:80", "[fd00::1]:80", "unix:/run/sock"};

    for (unsigned i = 0; i < COUNT(addrs); i++) {
        hosts_open(&hosts, 2, i % 2 ? NULL : &late);
        hosts_start(&hosts, 0, echoes, addrs[i]);
        hosts_start(&hosts, 1, asks, addrs[i]);
        hosts_run(&hosts);
        hosts_close(&hosts);
    }
}

static struct {
    char text[256];
    size_t len;
} notes;

static void note(char c)
{
    notes.text[notes.len++] = c;
    notes.text[notes.len] = '\0';
}

static ssize_t sleeps(void *arg)
{
    char name = *(char *)arg;
    int64_t length = name == 'a' ? 2 * S : 3 * S, begin = cg_sched_now(cg_sched_self());

    for (int i = 1; i <= 3; i++) {
        IS(cg_yield(cg_sleep(length)), 0);
        IS(cg_sched_now(cg_sched_self()), begin + i * length);
        note(name);
    }
    return 0;
}

/* One clock for all: nobody oversleeps because another host waits longer. */
static void share_the_clock(void)
{
    notes.len = 0;
    hosts_open(&hosts, 2, NULL);
    hosts_start(&hosts, 0, sleeps, "a");
    hosts_start(&hosts, 1, sleeps, "b");
    hosts_run(&hosts);
    notes.text[3] = notes.text[4] = '='; /* both at 6 s, in any order */
    ck_assert_str_eq(notes.text, "aba==b");
    hosts_close(&hosts);
}

static ssize_t computes(void *arg)
{
    char name = *(char *)arg;

    for (int i = 0; i < 8; i++) {
        note(name);
        IS(cg_yield(cg_sleep(0)), 0);
    }
    return 0;
}

static void run_in_order(uint64_t seed, char *order)
{
    notes.len = 0;
    hosts_open(&hosts, 3, &(struct cg_sim_options){.seed = seed});
    hosts_start(&hosts, 0, computes, "a");
    hosts_start(&hosts, 1, computes, "b");
    hosts_start(&hosts, 2, computes, "c");
    hosts_run(&hosts);
    hosts_close(&hosts);
    strcpy(order, notes.text);
}

/* The seed picks whose turn it is: the same seed gives the same order, another one another. */
static void order_by_seed(void)
{
    char first[64], again[64], other[64];
    int differ = 0;

    run_in_order(1, first);
    run_in_order(1, again);
    ck_assert_str_eq(first, again);
    for (uint64_t seed = 2; seed < 12; seed++) {
        run_in_order(seed, other);
        differ += strcmp(first, other) != 0;
    }
    ck_assert_int_ge(differ, 9);
}

static ssize_t accepts(void *arg)
{
    struct cg_sock *listener, *conn;
    ssize_t rc;

    OK(cg_sock_listen(cg_sched_self(), arg, &listener));
    rc = cg_yield(cg_accept(listener, &conn));
    cg_sock_close(listener);
    return rc;
}

/* Only when all hosts are stuck do their waits end. */
static void stuck(void)
{
    hosts_open(&hosts, 3, NULL);
    hosts_start(&hosts, 0, accepts, "10.0.0.1:80");
    hosts_start(&hosts, 1, accepts, "10.0.0.1:81");
    hosts_start(&hosts, 2, sleeps, "a");
    IS(cg_sim_run(hosts.reactor[1]), 2);
    IS(cg_sched_now(hosts.sched[2]), 7 * S); /* it began at 1 s */
    IS(cg_sim_run(hosts.reactor[0]), 2);     /* nothing has changed */
    for (unsigned i = 0; i < 2; i++)
        cg_sched_stop(hosts.sched[i]);
    hosts_run(&hosts);
    hosts_close(&hosts);
}

static ssize_t hears(void *arg)
{
    intptr_t word;

    for (int i = 0; i < 5; i++) {
        IS(cg_yield(cg_wait_signal("news", &word)), 0);
        IS(word, i);
        note(*(char *)arg);
    }
    return 0;
}

static ssize_t tells(void *arg)
{
    for (int i = 0; i < 5; i++) {
        IS(cg_yield(cg_sleep(S)), 0);
        IS(cg_yield(cg_signal_remote(hosts.sched[1], "news", i)), 1);
        IS(cg_sched_post_signal(hosts.sched[2], "news", i), 0);
    }
    return arg ? 0 : 0;
}

/* A host with nothing to do stays available to the others' posts. */
static void idle_hosts_are_available(void)
{
    notes.len = 0;
    hosts_open(&hosts, 3, &late);
    hosts_start(&hosts, 0, tells, NULL);
    hosts_start(&hosts, 1, hears, "b");
    hosts_start(&hosts, 2, hears, "c");
    hosts_run(&hosts);
    ck_assert_uint_eq(notes.len, 10);
    hosts_close(&hosts);
}

static ssize_t adds_hosts(void *arg)
{
    for (unsigned i = 1; i < 4; i++) {
        hosts_add(&hosts, i);
        hosts_start(&hosts, i, sleeps, "b");
        IS(cg_yield(cg_sleep(S)), 0);
    }
    IS(cg_sim_run(hosts.reactor[0]), -EBUSY);
    return arg ? 0 : 0;
}

/* Hosts may be added while a world runs. */
static void added_later(void)
{
    notes.len = 0;
    hosts_open(&hosts, 1, NULL);
    hosts_start(&hosts, 0, adds_hosts, NULL);
    hosts_run(&hosts);
    ck_assert_str_eq(notes.text, "bbbbbbbbb");
    hosts_close(&hosts);
}

static void too_many(void)
{
    struct cg_reactor *reactors[64], *extra;

    IS(cg_sim_open(NULL, &reactors[0]), 0);
    IS(cg_sim_run(reactors[0]), 0); /* nobody has a scheduler */
    for (int i = 1; i < 64; i++)
        IS(cg_sim_host(reactors[i - 1], &reactors[i]), 0);
    IS(cg_sim_host(reactors[0], &extra), -EMFILE);
    cg_reactor_close(reactors[5]);
    IS(cg_sim_host(reactors[0], &reactors[5]), 0);
    for (int i = 0; i < 64; i++)
        cg_reactor_close(reactors[i]);
}

static ssize_t hands_over(void *arg)
{
    struct cg_sock *conn;
    void *rest;
    size_t len;

    OK(cg_yield(cg_connect("10.0.0.1:80", &conn)));
    *(int *)arg = cg_sock_detach(conn, &rest, &len);
    IS(len, 0);
    while (cg_yield(cg_signal_remote(hosts.sched[2], "taken", 0)) == 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    return 0;
}

static ssize_t takes_over(void *arg)
{
    struct cg_sock *conn;
    char line[64];

    IS(cg_yield(cg_wait_signal("taken", NULL)), 0);
    OK(cg_sock_attach(cg_sched_self(), *(int *)arg, &conn));
    IS(cg_yield(cg_writeall(conn, "hello\n", 6)), 6);
    OK(cg_yield(cg_readline(conn, line, sizeof line)));
    cg_sock_close(conn);
    return 0;
}

/* A connection that was detached on one host may be attached on another. */
static void handed_over(void)
{
    int handle;

    for (int i = 0; i < 2; i++) {
        hosts_open(&hosts, 3, i ? &late : NULL);
        hosts_start(&hosts, 0, echoes, "10.0.0.1:80");
        IS(cg_sched_step(hosts.sched[0], 0), 1); /* it listens */
        hosts_start(&hosts, 1, hands_over, &handle);
        hosts_start(&hosts, 2, takes_over, &handle);
        hosts_run(&hosts);
        hosts_close(&hosts);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(talk, .where = ON_SIM),
        PLAIN(share_the_clock, .where = ON_SIM),
        PLAIN(order_by_seed, .where = ON_SIM),
        PLAIN(stuck, .where = ON_SIM),
        PLAIN(idle_hosts_are_available, .where = ON_SIM),
        PLAIN(added_later, .where = ON_SIM),
        PLAIN(too_many, .where = ON_SIM),
        PLAIN(handed_over, .where = ON_SIM),
    };

    return test_main("sim_hosts", cases, COUNT(cases));
}
