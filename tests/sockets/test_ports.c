/* SPDX-License-Identifier: MIT */
/* Ports stay open when their listeners are closed. Inherited ports are tested with several
 * processes, in tests/system/test_restart.c. */
#include "config.h"

#include "sockets/listen/ports.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int most_collected = -1; /* >= 0: each listen collects all ports first */

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
    int fds[16], count;
    char *names;

    if (most_collected >= 0) {
        count = cg__ports_collect(fds, COUNT(fds), &names);
        most_collected = count > most_collected ? count : most_collected;
        while (count > 0)
            close(fds[--count]);
        free(names);
    }
    return __real_listen(fd, backlog);
}

static struct cg_sock *listen_on(struct cg_ports *ports, unsigned member)
{
    struct cg_sock *listener;

    OK(cg_ports_listen(ports, member, cg_sched_self(), &listener));
    return listener;
}

static struct cg_sock *dial(const struct cg_ports *ports)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *conn;

    OK(cg_ports_addr(ports, addr, sizeof addr));
    OK(cg_yield(cg_connect(addr, &conn)));
    return conn;
}

/* Connections that were not accepted stay in the backlog for the next listener. */
static void check_stays(const char *addr)
{
    struct cg_ports *ports;
    struct cg_sock *listener, *conns[4], *accepted;
    char byte;

    OK(cg_ports_open(addr, &ports, .name = "stays"));
    ck_assert(!cg_ports_inherited(ports));
    cg_sock_close(listen_on(ports, 0));
    for (int i = 0; i < 4; i++) {
        conns[i] = dial(ports);
        if (i % 2 == 0)
            continue;
        listener = listen_on(ports, 0);
        IS(cg_yield(cg_accept(listener, &accepted)), 0);
        cg_sock_close(accepted);
        cg_sock_close(listener);
    }
    listener = listen_on(ports, 0);
    for (int i = 0; i < 2; i++) {
        IS(cg_yield(cg_accept(listener, &accepted)), 0);
        cg_sock_close(accepted);
    }
    for (int i = 0; i < 4; i++) {
        IS(cg_yield(cg_read(conns[i], &byte, 1)), 0);
        cg_sock_close(conns[i]);
    }
    cg_sock_close(listener);
    cg_ports_close(ports);
}

static ssize_t stays(void *arg)
{
    char path[CG_ADDR_SIZE];

    (void)arg;
    check_stays("127.0.0.1:0");
    test_unix_path(path);
    check_stays(path);
    IS(access(path + 5, F_OK), -1);
    return 0;
}

/* Each member gets some of the connections; together they get all. */
static ssize_t members(void *arg)
{
    enum { MEMBERS = 3, CONNS = 30 };
    struct cg_ports *ports;
    struct cg_sock *listeners[MEMBERS], *conns[CONNS], *accepted;
    int count = 0;

    (void)arg;
    OK(cg_ports_open("localhost:0", &ports, .name = "members", .members = MEMBERS));
    for (unsigned i = 0; i < MEMBERS; i++)
        listeners[i] = listen_on(ports, i);
    IS(cg_ports_listen(ports, MEMBERS, cg_sched_self(), &accepted), -EINVAL);
    for (int i = 0; i < CONNS; i++)
        conns[i] = dial(ports);
    for (unsigned i = 0; i < MEMBERS; i++)
        while (cg_yield(cg_drain_listener(listeners[i], &accepted)) == 0) {
            cg_sock_close(accepted);
            count++;
        }
    IS(count, CONNS);
    for (int i = 0; i < CONNS; i++)
        cg_sock_close(conns[i]);
    for (int i = 0; i < MEMBERS; i++)
        cg_sock_close(listeners[i]);
    cg_ports_close(ports);
    return 0;
}

static ssize_t refuses(void *arg)
{
    struct cg_ports *ports, *other;
    char addr[CG_ADDR_SIZE], path[CG_ADDR_SIZE];

    (void)arg;
    IS(cg_ports_open("127.0.0.1:0", &ports), -EINVAL);
    IS(cg_ports_open("127.0.0.1:0", &ports, .name = ""), -EINVAL);
    IS(cg_ports_open("127.0.0.1:0", &ports, .name = "a:b"), -EINVAL);
    IS(cg_ports_open("nowhere", &ports, .name = "a"), CG_EADDR);
    OK(cg_ports_open("127.0.0.1:0", &ports, .name = "a"));
    IS(cg_ports_open("127.0.0.1:0", &other, .name = "a"), -EEXIST);
    OK(cg_ports_addr(ports, addr, sizeof addr));
    /* Two programs must not share a port without knowing it, although SO_REUSEPORT is set. */
    IS(cg_ports_open(addr, &other, .name = "b"), -EADDRINUSE);
    cg_ports_close(ports);
    test_unix_path(path);
    OK(cg_ports_open(path, &ports, .name = "a"));
    IS(cg_ports_open(path, &other, .name = "b"), -EADDRINUSE);
    cg_ports_close(ports);
    cg_ports_close(NULL);
    cg_ports_close_unclaimed();
    return 0;
}

static int count_descriptors(void)
{
    return test_on_sim() ? (int)cg_sim_handles(cg_sched_reactor(cg_sched_self()))
                         : test_count_fds();
}

/* Leaves `spare` descriptors to open; -1: as many as there can be. */
static void limit_descriptors(int spare)
{
    struct rlimit limit;
    int next;

    if (test_on_sim()) {
        cg_sim_set_handles(cg_sched_reactor(cg_sched_self()),
                           spare < 0 ? 0 : (unsigned)(count_descriptors() + spare));
        return;
    }
    next = dup(0);
    close(next);
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = spare < 0 ? limit.rlim_max : (rlim_t)(next + spare);
    OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Without a descriptor nothing is lost. */
static ssize_t without_descriptors(void *arg)
{
    struct cg_ports *ports;
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *other = test_listen(addr);
    int spare = 0, fds, rc;

    (void)arg;
    do {
        limit_descriptors(spare++);
        rc = cg_ports_open("127.0.0.1:0", &ports, .name = "few", .members = 3);
        limit_descriptors(-1);
    } while (rc == -EMFILE);
    OK(rc);
    ck_assert_int_gt(spare, 3);
    cg_sock_close(listen_on(ports, 0));
    fds = count_descriptors();
    limit_descriptors(0);
    IS(cg_ports_listen(ports, 0, cg_sched_self(), &listener), -EMFILE);
    limit_descriptors(-1);
    IS(count_descriptors(), fds);
    cg_sock_close(listen_on(ports, 0));
    cg_ports_close(ports);
    cg_sock_close(other);
    return 0;
}

/* Ports of this process are none of a world. */
static void worlds_apart(void)
{
    struct test test;
    struct cg_ports *ports;
    struct cg_sock *listener;

    OK(cg_ports_open("127.0.0.1:0", &ports, .name = "a"));
    test = test_open();
    IS(cg_ports_listen(ports, 0, test.sched, &listener), -EOPNOTSUPP);
    test_close(&test);
    cg_ports_close(ports);
}

struct shared {
    struct cg_reactor *hosts[2];
    struct cg_ports *ports;
    int accepted[2];
};

static ssize_t accept_two(void *arg)
{
    struct shared *shared = arg;
    int me = cg_sched_reactor(cg_sched_self()) == shared->hosts[1];
    struct cg_sock *listener, *conn;

    if (me == 0)
        OK(cg_ports_open("unix:@shared", &shared->ports, .name = "shared"));
    while (shared->ports == NULL)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    OK(cg_ports_listen(shared->ports, 0, cg_sched_self(), &listener));
    while (cg_yield(cg_accept(listener, &conn, .timeout = CG_SECOND)) == 0) {
        shared->accepted[me]++;
        cg_sock_close(conn);
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    }
    cg_sock_close(listener);
    if (me == 0)
        OK(cg_yield(cg_sleep(CG_SECOND)));
    return 0;
}

static ssize_t dial_some(void *arg)
{
    struct cg_sock *conns[20];

    (void)arg;
    OK(cg_yield(cg_sleep(100 * CG_MILLISECOND)));
    for (size_t i = 0; i < COUNT(conns); i++)
        OK(cg_yield(cg_connect("unix:@shared", &conns[i])));
    for (size_t i = 0; i < COUNT(conns); i++)
        cg_sock_close(conns[i]);
    return 0;
}

/* Two hosts that share a queue serve its connections together. */
static void hosts(void)
{
    struct shared shared = {.ports = NULL};
    struct cg_sched *scheds[2];

    OK(cg_sim_open(&(struct cg_sim_options){.seed = 3}, &shared.hosts[0]));
    OK(cg_sim_host(shared.hosts[0], &shared.hosts[1]));
    for (int i = 0; i < 2; i++) {
        scheds[i] = cg_sched_new(shared.hosts[i]);
        OK(cg_sched_start(scheds[i], accept_two, &shared));
    }
    OK(cg_sched_start(scheds[1], dial_some, NULL));
    OK(cg_sim_run(shared.hosts[0]));
    cg_ports_close(shared.ports);
    IS(shared.accepted[0] + shared.accepted[1], 20);
    ck_assert_int_gt(shared.accepted[0], 0);
    ck_assert_int_gt(shared.accepted[1], 0);
    IS((ssize_t)cg_sim_handles(shared.hosts[0]), 0);
    for (int i = 0; i < 2; i++) {
        cg_sched_free(scheds[i]);
        cg_reactor_close(shared.hosts[i]);
    }
}

/* A restart in another thread leaves out ports that are not open yet. */
static ssize_t opening(void *arg)
{
    struct cg_ports *ports;
    char *names;
    int fds[2];

    (void)arg;
    most_collected = 0;
    OK(cg_ports_open("127.0.0.1:0", &ports, .name = "opening", .members = 2));
    IS(most_collected, 0);
    most_collected = -1;
    IS(cg__ports_collect(fds, 2, &names), 2);
    for (int i = 0; i < 2; i++)
        close(fds[i]);
    free(names);
    cg_ports_close(ports);
    return 0;
}

static const struct test_case cases[] = {
    CORO(stays),
    CORO(members),
    CORO(refuses),
    CORO(opening, .where = ON_KERNEL),
    CORO(without_descriptors),
    PLAIN(worlds_apart, .where = ON_SIM),
    PLAIN(hosts, .where = ON_SIM),
};

int main(void)
{
    return test_main("ports", cases, COUNT(cases));
}
