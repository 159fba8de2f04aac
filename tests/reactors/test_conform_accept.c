/* SPDX-License-Identifier: MIT */
/* Making connections, on every reactor: addresses, backlogs, refusals, and running out of
 * descriptors. */
#include "config.h"

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MS CG_MILLISECOND

/* Addresses */

/* listen and connect refuse text that is not an address. */
static ssize_t bad_addresses(void *arg)
{
    char too_long[200] = "unix:/";
    const char *const bad[] = {
        "", ":", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1",
        "127.0.0.1:8x", "[::1", "[::1]", "[::1]80", "unix:",
        too_long};
    struct cg_sock *sock;

    (void)arg;
    memset(too_long + 6, 'x', sizeof too_long - 7);
    for (size_t i = 0; i < COUNT(bad); i++) {
        ssize_t answer = cg_sock_listen(cg_sched_self(), bad[i], &sock);

        ck_assert_msg(answer == CG_EADDR, "listen on '%s': %zd", bad[i], answer);
        answer = cg_yield(cg_connect(bad[i], &sock));
        ck_assert_msg(answer == CG_EADDR, "connect to '%s': %zd", bad[i], answer);
    }
    return 0;
}

/* Both ends report the same two addresses. */
static ssize_t addresses_as_text(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1:", "[::1]:"};

    (void)arg;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char one[CG_ADDR_SIZE], two[CG_ADDR_SIZE];
        struct cg_sock *a, *b;

        if (!test_connect(i ? OVER_TCP6 : OVER_TCP, &a, &b))
            continue;
        OK(cg_sock_local_addr(a, one, sizeof one));
        OK(cg_sock_peer_addr(b, two, sizeof two));
        ck_assert_str_eq(one, two);
        ck_assert(!strncmp(one, hosts[i], strlen(hosts[i])));
        OK(cg_sock_peer_addr(a, one, sizeof one));
        OK(cg_sock_local_addr(b, two, sizeof two));
        ck_assert_str_eq(one, two);
        ck_assert_int_gt(atoi(strrchr(one, ':') + 1), 0);
        cg_sock_close(a);
        cg_sock_close(b);
    }
    return 0;
}

/* Listening on a port in use is an error. The port is free once the listener is closed. */
static ssize_t port_in_use(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *second;

    (void)arg;
    IS(cg_sock_listen(cg_sched_self(), addr, &second), -EADDRINUSE);
    cg_sock_close(listener);
    OK(cg_sock_listen(cg_sched_self(), addr, &second));
    cg_sock_close(second);
    return 0;
}

/* Socket options reach the socket. */
static ssize_t options(void *arg)
{
    struct cg_sock *a, *b;
    int value = 1;
    size_t size = sizeof value;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_sock_setopt(a, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value), 0);
    value = 0;
    IS(cg_sock_getopt(a, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
    ck_assert_int_ne(value, 0);
    ck_assert_uint_eq(size, sizeof value);
    ck_assert_int_lt(cg_sock_setopt(a, -1, -1, &value, sizeof value), 0);
    if (test_on_sim())
        cg_sock_fd(a);
    else
        ck_assert_int_ge(cg_sock_fd(a), 0);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Refusals */

/* A connect to an address without a listener completes with -ECONNREFUSED, and to a path
 * that does not exist with -ENOENT. The scheduler goes on as before. */
static ssize_t refused(void *arg)
{
    char addr[CG_ADDR_SIZE], path[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;

    (void)arg;
    cg_sock_close(listener);
    test_unix_path(path);
    for (int i = 0; i < 20; i++) {
        IS(cg_yield(cg_connect(addr, &conn)), -ECONNREFUSED);
        IS(cg_yield(cg_connect(path, &conn)), -ENOENT);
    }
    return 0;
}

static ssize_t connects_to(void *arg)
{
    struct cg_sock *conn;
    char byte;
    ssize_t n = cg_yield(cg_connect(arg, &conn, .timeout = 20 * CG_SECOND));

    if (n < 0)
        return n;
    n = cg_yield(cg_readall(conn, &byte, 1));
    cg_sock_close(conn);
    return n;
}

/* A connection that the client closes before the accept is accepted, and is at its end. */
static ssize_t gone_before_accept(void *arg)
{
    char addr[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = test_listen(addr), *conn;

    (void)arg;
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_connect(addr, &conn)), 0);
        cg_sock_close(conn);
    }
    for (int i = 0; i < 10; i++) {
        IS(cg_yield(cg_accept(listener, &conn)), 0);
        IS(cg_yield(cg_read(conn, &byte, 1)), 0);
        cg_sock_close(conn);
    }
    cg_sock_close(listener);
    return 0;
}

/* UNIX sockets */

/* The path exists while a socket listens on it, and it is the listener's address. A second
 * listener on it is refused. */
static ssize_t unix_paths(void *arg)
{
    char path[CG_ADDR_SIZE], addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *second, *a, *b;

    (void)arg;
    test_unix_path(path);
    OK(cg_sock_listen(cg_sched_self(), path, &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    ck_assert_str_eq(addr, path);
    IS(cg_sock_listen(cg_sched_self(), path, &second), -EADDRINUSE);
    if (!test_on_sim())
        IS(access(path + strlen("unix:"), F_OK), 0);
    IS(cg_yield(cg_connect(path, &a)), 0);
    IS(cg_yield(cg_accept(listener, &b)), 0);
    OK(cg_sock_peer_addr(a, addr, sizeof addr));
    ck_assert_str_eq(addr, path);
    cg_sock_close(listener);
    IS(access(path + strlen("unix:"), F_OK), -1);
    OK(cg_sock_listen(cg_sched_self(), path, &listener));
    cg_sock_close(listener);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Abstract names leave nothing in the file system. */
static ssize_t unix_abstract(void *arg)
{
    char name[CG_ADDR_SIZE], addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *second, *a, *b;

    (void)arg;
    snprintf(name, sizeof name, "unix:@cogen-test-%ld", (long)getpid());
    OK(cg_sock_listen(cg_sched_self(), name, &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    ck_assert_str_eq(addr, name);
    IS(cg_sock_listen(cg_sched_self(), name, &second), -EADDRINUSE);
    IS(cg_yield(cg_connect(name, &a)), 0);
    IS(cg_yield(cg_accept(listener, &b)), 0);
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(listener);
    IS(cg_yield(cg_connect(name, &a)), -ECONNREFUSED);
    return 0;
}

/* With a full backlog further connects wait, without spinning, until there is room. All
 * succeed, except one that times out. */
static ssize_t full_backlog(void *arg)
{
    enum { CLIENTS = 20 };
    static char addrs[2][CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;
    struct cg_coro *clients[CLIENTS];

    (void)arg;
    for (int kind = 0; kind < 2; kind++) {
        char *addr = addrs[kind];

        if (kind)
            strcpy(addr, "127.0.0.1:0");
        else
            test_unix_path(addr);
        OK(cg_sock_listen(cg_sched_self(), addr, &listener, .backlog = 1));
        OK(cg_sock_local_addr(listener, addr, CG_ADDR_SIZE));
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = test_start(connects_to, addr);
        IS(cg_yield(cg_sleep(20 * MS)), 0);
        if (kind == 0)
            IS(cg_yield(cg_connect(addr, &conn, .timeout = 10 * MS)), -ETIMEDOUT);
        for (int i = 0; i < (kind ? 2 : CLIENTS); i++) {
            IS(cg_yield(cg_accept(listener, &conn)), 0);
            IS(cg_yield(cg_writeall(conn, "x", 1)), 1);
            cg_sock_close(conn);
        }
        /* TCP tries again only after a second: those connects are cancelled. */
        for (int i = 0; i < CLIENTS; i++) {
            if (kind)
                cg_coro_cancel(clients[i]);
            else
                IS(cg_yield(cg_join(clients[i])), 1);
            test_end(clients[i]);
        }
        cg_sock_close(listener);
    }
    return 0;
}

/* Many connections */

struct crowd {
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];
    size_t count; /* connections wanted */
};

static ssize_t echoes_one(void *arg)
{
    char byte;
    ssize_t n = cg_yield(cg_readall(arg, &byte, 1));

    if (n == 1)
        n = cg_yield(cg_writeall(arg, &byte, 1));
    cg_sock_close(arg);
    return n;
}

static ssize_t serves(void *arg)
{
    struct crowd *crowd = arg;

    for (;;) {
        struct cg_sock *conn;

        if (cg_yield(cg_accept(crowd->listener, &conn)) < 0)
            return 0;
        IS(cg_yield(cg_add(echoes_one, conn, .prio = CG_PRIO_CORO)), 0);
    }
}

static size_t descriptors_at_hand(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max > 100000 ? 100000 : (size_t)limit.rlim_max;
}

/* Thousands of connections at once, with a waiting coroutine for each. With select, which
 * is limited, the op that exceeds the limit completes with -EMFILE, and the open
 * connections go on. */
static ssize_t thousands(void *arg)
{
    enum { PAIRS = 2000 };
    static struct cg_sock *conns[PAIRS];
    struct crowd crowd = {.count = PAIRS};
    struct cg_coro *server;
    size_t count = 0, refused = 0;
    bool select = !strcmp(test_reactor(), "select");

    (void)arg;
    if (descriptors_at_hand() < 2 * PAIRS + 100)
        crowd.count = (descriptors_at_hand() - 100) / 2;
    crowd.listener = test_listen(crowd.addr);
    server = test_start(serves, &crowd);
    for (size_t i = 0; i < crowd.count; i++) {
        ssize_t n = cg_yield(cg_connect(crowd.addr, &conns[count], .timeout = CG_SECOND));

        if (n < 0) {
            ck_assert(select);
            IS(n, -EMFILE);
            break;
        }
        count++;
    }
    for (size_t i = 0; i < count; i++) { /* from the last, which has the largest number */
        char byte = (char)i, answer = 0;
        struct cg_sock *conn = conns[count - 1 - i];
        ssize_t n = cg_yield(cg_writeall(conn, &byte, 1));

        if (n > 0)
            n = cg_yield(cg_readall(conn, &answer, 1));
        if (n == 1) {
            ck_assert_int_eq(answer, byte);
            continue;
        }
        ck_assert(select);
        ck_assert_msg(n == -EMFILE || n == CG_EOF || n == -ECONNRESET, "%zd", n);
        refused++;
    }
    if (select)
        ck_assert_uint_ge(count - refused, 400);
    for (size_t i = 0; i < count; i++)
        cg_sock_close(conns[i]);
    cg_sock_close(crowd.listener);
    return test_end(server);
}

/* Out of descriptors */

/* A client socket that the library does not know. */
static int raw_client(const char *addr)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(strrchr(addr, ':') + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    IS(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

struct acceptor {
    struct cg_sock *listener;
    struct cg_sock *conns[16];
    size_t count;
};

static ssize_t accepts(void *arg)
{
    struct acceptor *a = arg;

    for (; a->count < COUNT(a->conns); a->count++)
        IS(cg_yield(cg_accept(a->listener, &a->conns[a->count])), 0);
    return 0;
}

/* With no descriptor left an accept waits. It does not spin meanwhile, and other operations
 * go on. It completes once descriptors are available. */
static ssize_t accept_without_descriptors(void *arg)
{
    enum { SPARE = 3 };
    char addr[CG_ADDR_SIZE], byte;
    struct acceptor a = {.listener = test_listen(addr)};
    int clients[COUNT(a.conns)];
    struct cg_sock *left, *right;
    struct cg_coro *coro;
    struct rlimit limit, before;
    size_t closed = 0;

    (void)arg;
    test_tcp(&left, &right);
    for (size_t i = 0; i < COUNT(clients); i++)
        clients[i] = raw_client(addr);
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)clients[COUNT(clients) - 1] + 1 + SPARE;
    IS(setrlimit(RLIMIT_NOFILE, &limit), 0);

    coro = test_start(accepts, &a);
    for (int i = 0; i < 50; i++) {
        IS(cg_yield(cg_writeall(left, "x", 1)), 1);
        IS(cg_yield(cg_readall(right, &byte, 1)), 1);
    }
    test_never_spins(300 * MS);
    ck_assert_uint_ge(a.count, 1);
    ck_assert_uint_lt(a.count, COUNT(a.conns));
    while (closed < COUNT(a.conns)) {
        while (closed < a.count)
            cg_sock_close(a.conns[closed++]);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    IS(test_end(coro), 0);
    setrlimit(RLIMIT_NOFILE, &before);
    for (size_t i = 0; i < COUNT(clients); i++)
        close(clients[i]);
    cg_sock_close(a.listener);
    cg_sock_close(left);
    cg_sock_close(right);
    return 0;
}

/* A socket that cannot be made because no descriptor is left is an error, and leaks
 * nothing. */
static ssize_t connect_without_descriptors(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;
    struct rlimit limit, before;
    int lowest = dup(STDIN_FILENO);

    (void)arg;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)lowest; /* all lower numbers are in use */
    IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
    IS(cg_yield(cg_connect(addr, &conn)), -EMFILE);
    IS(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &conn), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    IS(cg_yield(cg_connect(addr, &conn)), 0);
    IS(cg_yield(cg_accept(listener, &peer)), 0);
    cg_sock_close(conn);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(bad_addresses),
    CORO(addresses_as_text),
    CORO(port_in_use),
    CORO(options),
    CORO(refused),
    CORO(gone_before_accept),
    CORO(unix_paths),
    CORO(unix_abstract),
    CORO(full_backlog),
    CORO(thousands),
    CORO(accept_without_descriptors, .where = ON_KERNEL),
    CORO(connect_without_descriptors, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("accept", cases, COUNT(cases));
}
