/* SPDX-License-Identifier: MIT */
/* The faults of the worlds that cg_sim_explore makes: programs survive them, or fail by a plan that
 * has only those which are needed. */
#include "config.h"

#include "tests/reactors/explored.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

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

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(programs_survive_faults, .where = ON_SIM),
        PLAIN(faults_are_reduced, .where = ON_SIM),
        PLAIN(worlds_lack_things, .where = ON_SIM),
        PLAIN(lacks_are_reduced, .where = ON_SIM),
    };

    return test_main("explore faults", cases, COUNT(cases));
}
