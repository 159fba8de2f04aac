/* SPDX-License-Identifier: MIT */
/* Crews whose workers are hosts of a simulated world, by seeds: functions on other workers
 * that are cancelled at any moment, connections that are moved, and stops. */
#include "config.h"

#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

#define MS CG_MILLISECOND

enum { WORKERS = 3, SEEDS = 300, ROUNDS = 10, LINES = 20 };

static struct hosts hosts; /* those that are not of the crew */
static uint64_t seed;

static uint64_t below(uint64_t n)
{
    return cg_sim_random(hosts.reactor[0], n);
}

static void open_world(void)
{
    struct cg_sim_options options = {.seed = seed,
                                     .latency = seed % 3 * MS,
                                     .jitter = seed % 2 * MS,
                                     .short_permille = 300,
                                     .completion = seed % 2,
                                     .multishot = seed % 4 > 1,
                                     .late_cancel = seed % 5 > 1};

    hosts_open(&hosts, 1, &options);
}

static void run_crew(cg_fn *fn, ssize_t want)
{
    ssize_t rc = cg_crew_main(fn, NULL, .workers = WORKERS, .world = hosts.reactor[0]);

    if (rc != want)
        ck_abort_msg("seed %d: %zd", (int)seed, rc);
    hosts_close(&hosts);
}

/* A function that is run elsewhere, and what has become of it. */
struct visit {
    unsigned worker;
    bool began, ended;
};

static ssize_t visits(void *arg)
{
    struct visit *visit = arg;
    ssize_t rc;

    MUST_HOLD(!visit->began && cg_worker_id() == visit->worker);
    visit->began = true;
    rc = cg_yield(cg_sleep((int64_t)below(4) * MS));
    visit->ended = true;
    return rc < 0 ? rc : (ssize_t)visit->worker + 1;
}

static ssize_t sends_visitors(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct visit visit = {.worker = (unsigned)below(WORKERS)};
        ssize_t rc = cg_yield(cg_run_on(cg_crew_worker(visit.worker), visits, &visit,
                                        .timeout = (int64_t)below(4) * MS));

        MUST_HOLD(rc == -ETIMEDOUT || (rc == (ssize_t)visit.worker + 1 && visit.began));
        MUST_HOLD(visit.began == visit.ended); /* nothing of it is left behind */
        if (below(3) == 0)
            IS(cg_yield(cg_sleep(MS)), 0);
    }
    return arg ? 0 : 0;
}

/* A function on another worker runs once or not at all, and has ended when the operation
 * completes, at whatever moment that is cancelled. */
static void visitors(void)
{
    for (seed = 1; seed <= SEEDS; seed++) {
        open_world();
        run_crew(sends_visitors, 0);
    }
}

static ssize_t greets(void *arg)
{
    intptr_t sum = 0, word;
    ssize_t woken;

    if (cg_worker_id() != 0) {
        for (int i = 0; i < ROUNDS; i++) {
            IS(cg_yield(cg_wait_signal("news", &word)), 0);
            sum += word;
        }
        IS(sum, ROUNDS * (ROUNDS - 1) / 2);
        return 0;
    }
    for (int i = 0; i < ROUNDS; i++) {
        IS(cg_yield(cg_sleep(MS)), 0); /* all wait again */
        OK(woken = cg_yield(cg_signal_crew("news", i)));
        IS(woken, WORKERS - 1);
    }
    return arg ? 0 : 0;
}

/* A signal to the crew reaches each worker's coroutines once. */
static void signals(void)
{
    for (seed = 1; seed <= SEEDS; seed++) {
        open_world();
        run_crew(greets, 0);
    }
}

/* Serves some lines, then moves the connection on. */
static ssize_t serves(struct cg_sock *conn, void *arg)
{
    char line[64];
    ssize_t n;

    for (uint64_t left = 1 + below(3); left > 0; left--) {
        n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = 20 * MS));
        if (n == -ETIMEDOUT && left > 1)
            continue;
        if (n == -ETIMEDOUT)
            break;
        if (n <= 0 || (n = cg_yield(cg_writeall(conn, line, (size_t)n))) < 0) {
            cg_sock_close(conn);
            return 0;
        }
    }
    if ((n = cg_sock_move(conn, cg_crew_worker((unsigned)below(WORKERS)), serves, arg)) == 0)
        return 0;
    MUST_HOLD(n == -ESRCH || n == -EBUSY);
    cg_sock_close(conn);
    return 0;
}

static ssize_t accepts(void *arg)
{
    struct cg_sock *listener, *conn;

    if (cg_worker_id() != 0)
        return cg_yield(cg_wait_signal("end", NULL));
    OK(cg_sock_listen(cg_sched_self(), "10.0.0.1:80", &listener));
    for (int i = 0; i < 3; i++) {
        if (cg_yield(cg_accept(listener, &conn)) < 0)
            break;
        serves(conn, arg);
    }
    cg_sock_close(listener);
    return 0;
}

/* How the run ends: when the clients have ended; or the crew is stopped in the midst. */
static bool stops;
static int clients;

static ssize_t writes_and_reads(void *arg)
{
    char line[64], sent[64];
    struct cg_sock *conn;
    ssize_t n;

    IS(cg_yield(cg_sleep(MS)), 0);
    n = cg_yield(cg_connect("10.0.0.1:80", &conn));
    MUST_HOLD(n == 0 || stops);
    if (n < 0)
        return 0;
    for (int i = 0; i < LINES; i++) {
        int len = snprintf(sent, sizeof sent, "line %d of client %d\n", i, *(int *)arg);

        n = cg_yield(cg_writeall(conn, sent, (size_t)len));
        if (n > 0)
            n = cg_yield(cg_readline(conn, line, sizeof line));
        if (n <= 0)
            break;
        MUST_HOLD(n == len && memcmp(line, sent, (size_t)n) == 0);
    }
    MUST_HOLD(n > 0 || stops);
    cg_sock_close(conn);
    if (--clients == 0)
        cg_crew_post_signal("end", 0);
    return 0;
}

static ssize_t stops_the_crew(void *arg)
{
    IS(cg_yield(cg_sleep((int64_t)below(60) * MS)), 0);
    cg_crew_stop();
    return arg ? 0 : 0;
}

static void moved_until(bool stopped)
{
    static int names[] = {1, 2, 3};

    stops = stopped;
    for (seed = 1; seed <= SEEDS; seed++) {
        open_world();
        clients = (int)COUNT(names);
        for (unsigned i = 0; i < COUNT(names); i++)
            hosts_start(&hosts, 0, writes_and_reads, &names[i]);
        if (stops)
            hosts_start(&hosts, 0, stops_the_crew, NULL);
        run_crew(accepts, 0);
    }
}

/* A connection that moves from worker to worker loses, doubles and mixes up no byte. */
static void moved(void)
{
    moved_until(false);
}

/* If the crew is stopped, all connections are closed, also those on their way. */
static void moved_and_stopped(void)
{
    moved_until(true);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(visitors, .where = ON_SIM),
        PLAIN(signals, .where = ON_SIM),
        PLAIN(moved, .where = ON_SIM),
        PLAIN(moved_and_stopped, .where = ON_SIM),
    };

    return test_main("crew_sim", cases, COUNT(cases));
}
