/* SPDX-License-Identifier: MIT */
/* Ports stay open when their listeners are closed. Inherited ports are tested with several
 * processes, in tests/system/test_restart.c. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

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
    OK(cg_ports_open(addr, &other, .name = "b")); /* it shares the group */
    cg_ports_close(other);
    cg_ports_close(ports);
    test_unix_path(path);
    OK(cg_ports_open(path, &ports, .name = "a"));
    IS(cg_ports_open(path, &other, .name = "b"), -EADDRINUSE);
    cg_ports_close(ports);
    cg_ports_close(NULL);
    cg_ports_close_unclaimed();
    return 0;
}

/* Leaves `spare` descriptors to open. */
static void limit_descriptors(int spare)
{
    struct rlimit limit;
    int next = dup(0);

    close(next);
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = spare < 0 ? limit.rlim_max : (rlim_t)(next + spare);
    OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Without a descriptor nothing is lost. */
static ssize_t without_descriptors(void *arg)
{
    struct cg_ports *ports;
    struct cg_sock *listener;
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
    fds = test_count_fds();
    limit_descriptors(0);
    IS(cg_ports_listen(ports, 0, cg_sched_self(), &listener), -EMFILE);
    limit_descriptors(-1);
    IS(test_count_fds(), fds);
    cg_sock_close(listen_on(ports, 0));
    cg_ports_close(ports);
    return 0;
}

static ssize_t not_simulated(void *arg)
{
    struct cg_ports *ports;
    struct cg_sock *listener;

    (void)arg;
    OK(cg_ports_open("127.0.0.1:0", &ports, .name = "a"));
    IS(cg_ports_listen(ports, 0, cg_sched_self(), &listener), -EOPNOTSUPP);
    cg_ports_close(ports);
    return 0;
}

static const struct test_case cases[] = {
    CORO(stays, .where = ON_KERNEL),
    CORO(members, .where = ON_KERNEL),
    CORO(refuses, .where = ON_KERNEL),
    CORO(without_descriptors, .where = ON_KERNEL),
    CORO(not_simulated, .where = ON_SIM),
};

int main(void)
{
    return test_main("ports", cases, COUNT(cases));
}
