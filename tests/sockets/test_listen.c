/* SPDX-License-Identifier: MIT */
/* Listeners on a name: one socket that accepts on all addresses of the name. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/serve.h>
#include <cogen/sim.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MS CG_MILLISECOND
#define ONE "127.0.0.1"
#define TWO "127.0.0.2"

/* This program's getaddrinfo replaces that of libc. "two" has two addresses, each listed
 * twice. "absent" has one more, which this machine does not have. */
int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    static const char *const addrs[] = {"192.0.2.1", ONE, ONE, TWO, ONE, TWO};
    static struct sockaddr_in in[COUNT(addrs)];
    static struct addrinfo infos[COUNT(addrs)];
    size_t first = strcmp(host, "absent") != 0;

    (void)service;
    (void)hints;
    ck_assert_str_ne(host, "localhost"); /* needs no look-up */
    for (size_t i = 0; i < COUNT(addrs); i++) {
        in[i] = (struct sockaddr_in){.sin_family = AF_INET};
        inet_pton(AF_INET, addrs[i], &in[i].sin_addr);
        infos[i] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_addrlen = sizeof in[i],
                                     .ai_addr = (struct sockaddr *)&in[i],
                                     .ai_next = i + 1 < COUNT(addrs) ? &infos[i + 1] : NULL};
    }
    *found = &infos[first];
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    (void)info;
}

/* Listens, and returns the port as text, ":1234". */
static struct cg_sock *listen_at(const char *addr, char port[static CG_ADDR_SIZE])
{
    struct cg_sock *listener;
    char text[CG_ADDR_SIZE];

    OK(cg_sock_listen(cg_sched_self(), addr, &listener));
    OK(cg_sock_local_addr(listener, text, sizeof text));
    strcpy(port, strrchr(text, ':'));
    return listener;
}

static ssize_t connect_to(const char *host, const char *port, struct cg_sock **conn)
{
    char addr[2 * CG_ADDR_SIZE];

    snprintf(addr, sizeof addr, "%s%s", host, port);
    return cg_yield(cg_connect(addr, conn));
}

/* Checks that a connection to this host is accepted. */
static void check_accepts(struct cg_sock *listener, const char *host, const char *port)
{
    char addr[CG_ADDR_SIZE], want[2 * CG_ADDR_SIZE];
    struct cg_sock *conn, *accepted;

    OK(connect_to(host, port, &conn));
    OK(cg_yield(cg_accept(listener, &accepted)));
    OK(cg_sock_local_addr(accepted, addr, sizeof addr));
    snprintf(want, sizeof want, "%s%s", host, port);
    ck_assert_str_eq(addr, want);
    IS(cg_yield(cg_writeall(conn, "x", 1)), 1);
    IS(cg_yield(cg_read(accepted, addr, 1)), 1);
    cg_sock_close(conn);
    cg_sock_close(accepted);
}

static void check_refuses(const char *host, const char *port)
{
    struct cg_sock *conn;

    IS(connect_to(host, port, &conn), -ECONNREFUSED);
}

/* Every address of a name is listened on, once, on one port, and none after the close. */
static ssize_t all_addresses(void *arg)
{
    char port[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at("two:0", port);

    (void)arg;
    for (int i = 0; i < 2; i++) {
        check_accepts(listener, ONE, port);
        check_accepts(listener, TWO, port);
    }
    IS(cg_sock_fd(listener), -EOPNOTSUPP);
    cg_sock_close(listener);
    IS(cg_yield(cg_sleep(MS)), 0); /* io_uring's accepts have been cancelled */
    check_refuses(ONE, port);
    check_refuses(TWO, port);
    return 0;
}

/* "localhost" is the loopback of both families, as far as the machine has them. */
static ssize_t localhost(void *arg)
{
    char port[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at("LocalHost:0", port), *other;

    (void)arg;
    check_accepts(listener, ONE, port);
    if (cg_sock_listen(cg_sched_self(), "[::1]:0", &other) == 0) {
        check_accepts(listener, "[::1]", port);
        cg_sock_close(other);
    }
    cg_sock_close(listener);
    return 0;
}

/* Addresses that the machine does not have are skipped. */
static ssize_t absent(void *arg)
{
    char port[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at("absent:0", port);

    (void)arg;
    check_accepts(listener, ONE, port);
    check_accepts(listener, TWO, port);
    cg_sock_close(listener);
    return 0;
}

/* If the port is taken on one address, the listener is refused and listens on none. */
static ssize_t taken(void *arg)
{
    char port[CG_ADDR_SIZE], addr[2 * CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at(TWO ":0", port), *other;

    (void)arg;
    snprintf(addr, sizeof addr, "two%s", port);
    IS(cg_sock_listen(cg_sched_self(), addr, &other), -EADDRINUSE);
    check_refuses(ONE, port);
    cg_sock_close(listener);
    IS(cg_yield(cg_sleep(MS)), 0);
    listener = listen_at(addr, port);
    check_accepts(listener, ONE, port);
    cg_sock_close(listener);
    return 0;
}

/* Connections of one address do not delay those of another. */
static ssize_t in_turn(void *arg)
{
    char port[CG_ADDR_SIZE], first[CG_ADDR_SIZE], second[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at("two:0", port), *conns[6], *accepted[6];

    (void)arg;
    for (int i = 0; i < 6; i++)
        OK(connect_to(i < 3 ? ONE : TWO, port, &conns[i]));
    for (int i = 0; i < 6; i++) {
        IS(cg_yield(cg_poll_sock(listener, CG_IN)), CG_IN);
        IS(cg_yield(cg_sleep(MS)), 0); /* until both have a connection */
        OK(cg_yield(cg_accept(listener, &accepted[i])));
    }
    OK(cg_sock_local_addr(accepted[0], first, sizeof first));
    OK(cg_sock_local_addr(accepted[1], second, sizeof second));
    ck_assert_str_ne(first, second);
    for (int i = 0; i < 6; i++) {
        cg_sock_close(conns[i]);
        cg_sock_close(accepted[i]);
    }
    cg_sock_close(listener);
    return 0;
}

static ssize_t accepts(void *listener)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_accept(listener, &conn));

    if (n == 0)
        cg_sock_close(conn);
    return n;
}

/* An accept that is cancelled loses no connection. An accept that waits when the listener
 * is closed completes with -EBADF. */
static ssize_t given_up(void *arg)
{
    char port[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = listen_at("two:0", port), *conn;
    struct cg_coro *waits;

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_poll_sock(listener, CG_IN, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_read(listener, &byte, 1)), -ENOTCONN);
    check_accepts(listener, TWO, port);
    check_accepts(listener, ONE, port);
    waits = test_start(accepts, listener);
    test_until_waiting(waits);
    cg_sock_close(listener);
    IS(test_end(waits), -EBADF);
    return 0;
}

static unsigned served;

static ssize_t serves_one(struct cg_sock *conn, void *arg)
{
    (void)arg;
    served++;
    cg_sock_close(conn);
    return 0;
}

static ssize_t serves(void *listener)
{
    return cg_yield(cg_serve(listener, serves_one, .limit = 1));
}

/* One cg_serve serves all addresses. Connections that have not been accepted end with the
 * listener. */
static ssize_t is_served(void *arg)
{
    char port[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = listen_at("two:0", port), *conns[6];
    struct cg_coro *server = test_start(serves, listener);

    (void)arg;
    for (int i = 0; i < 6; i++) {
        OK(connect_to(i % 2 ? ONE : TWO, port, &conns[i]));
        IS(cg_yield(cg_read(conns[i], &byte, 1)), 0);
        cg_sock_close(conns[i]);
    }
    IS(served, 6);
    OK(cg_yield(cg_cancel(server)));
    IS(test_end(server), -ECANCELED);
    OK(connect_to(TWO, port, &conns[0]));
    IS(cg_yield(cg_sleep(MS)), 0);
    cg_sock_close(listener);
    ck_assert_int_le(cg_yield(cg_read(conns[0], &byte, 1)), 0);
    cg_sock_close(conns[0]);
    return 0;
}

static ssize_t accepts_one(void *listener)
{
    struct cg_sock *conn;

    return cg_yield(cg_accept(listener, &conn));
}

/* Starts an accept, which the kernel has then. */
static struct cg_coro *begin_accept(struct cg_sock *listener)
{
    struct cg_coro *acceptor = test_start(accepts_one, listener);

    test_until_waiting(acceptor);
    IS(cg_yield(cg_sleep(MS)), 0);
    return acceptor;
}

/* Drains the listener. Returns how many connections came, and closes them. */
static int drain(struct cg_sock *listener)
{
    struct cg_sock *conn;
    int count = 0;
    ssize_t n;

    while ((n = cg_yield(cg_drain_listener(listener, &conn))) == 0) {
        cg_sock_close(conn);
        count++;
    }
    IS(n, CG_EOF);
    return count;
}

/* A drain returns every connection that has come on each address, those of the backlog and
 * the one that came after its accept was cancelled, and then the end. A connection that
 * comes later can be accepted as before. */
static void check_drains(const char *addr, const char *second)
{
    char port[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at(addr, port), *conns[8], *conn;
    struct cg_coro *acceptor = begin_accept(listener);

    cg_coro_cancel(acceptor);
    for (int i = 0; i < 6; i++)
        OK(connect_to(i % 2 ? second : ONE, port, &conns[i]));
    IS(drain(listener), 6);
    IS(test_end(acceptor), -ECANCELED);
    IS(drain(listener), 0);
    for (int i = 6; i < 8; i++)
        OK(connect_to(i % 2 ? second : ONE, port, &conns[i]));
    for (int i = 6; i < 8; i++) {
        IS(cg_yield(cg_accept(listener, &conn)), 0);
        cg_sock_close(conn);
    }
    acceptor = begin_accept(listener);
    IS(cg_yield(cg_drain_listener(listener, &conn)), -EBUSY);
    cg_coro_cancel(acceptor);
    IS(test_end(acceptor), -ECANCELED);
    IS(drain(listener), 0);
    cg_sock_close(listener);
    for (int i = 0; i < 8; i++)
        cg_sock_close(conns[i]);
}

static ssize_t drains(void *arg)
{
    struct cg_sock *a, *b;

    (void)arg;
    check_drains(ONE ":0", ONE);
    check_drains("two:0", TWO);
    IS(cg_yield(cg_drain_listener(NULL, &a)), -EBADF);
    test_tcp(&a, &b);
    IS(cg_yield(cg_drain_listener(a, &b)), -EINVAL);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Clients connect while an accept is cancelled and the listener is drained: no connection
 * is lost. */
static ssize_t many_connect(void *arg)
{
    const char *port = arg;
    struct cg_sock *conn;

    for (int i = 0; i < 50; i++) {
        OK(connect_to(ONE, port, &conn));
        cg_sock_close(conn);
        cg_yield(cg_pass());
    }
    return 0;
}

static ssize_t loses_none(void *arg)
{
    char port[CG_ADDR_SIZE];
    struct cg_sock *listener = listen_at(ONE ":0", port), *conn;
    struct cg_coro *clients = test_start(many_connect, port);
    int count = 0;

    (void)arg;
    for (int i = 0; count < 50; i++) {
        if (cg_yield(cg_accept(listener, &conn, .timeout = i % 2 ? CG_NOWAIT : MS / 50)) == 0) {
            cg_sock_close(conn);
            count++;
        } else {
            count += drain(listener);
        }
    }
    IS(count, 50);
    IS(test_end(clients), 0);
    IS(drain(listener), 0);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(all_addresses), CORO(localhost), CORO(absent),    CORO(taken),
    CORO(in_turn),       CORO(given_up),  CORO(is_served), CORO(drains),
    CORO(loses_none),
};

int main(void)
{
    return test_main("listen", cases, COUNT(cases));
}
