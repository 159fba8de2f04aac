/* SPDX-License-Identifier: MIT */
/* Options of streams: what is asked for is set before the socket listens or connects, and
 * what cannot be set is told. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int option(struct cg_sock *sock, int level, int name)
{
    int value = -1;
    size_t size = sizeof value;

    OK(cg_sock_getopt(sock, level, name, &value, &size));
    return value;
}

static void check_all(struct cg_sock *sock)
{
    IS(option(sock, SOL_SOCKET, SO_KEEPALIVE), 1);
    IS(option(sock, IPPROTO_TCP, TCP_KEEPIDLE), 31);
    IS(option(sock, IPPROTO_TCP, TCP_KEEPINTVL), 5);
    IS(option(sock, IPPROTO_TCP, TCP_KEEPCNT), 3);
    IS(option(sock, IPPROTO_TCP, TCP_USER_TIMEOUT), 1501);
    IS(option(sock, IPPROTO_IP, IP_TOS), 16);
    IS(option(sock, IPPROTO_TCP, TCP_NODELAY), 0);
}

/* All options that any user may set are set. Connections inherit them from their
 * listener. */
static ssize_t all_of_them(void *arg)
{
    struct cg_sock *listener, *conn, *peer;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .keepalive = 30 * CG_SECOND + 1,
                      .keepalive_interval = 5 * CG_SECOND, .keepalive_count = 3,
                      .user_timeout = 1500 * CG_MILLISECOND + 1, .tos = 16, .priority = 3,
                      .nagle = true, .receive_buffer = 30000));
    check_all(listener);
    IS(option(listener, SOL_SOCKET, SO_PRIORITY), 3);
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    OK(cg_yield(cg_connect(
        addr, &conn,
        .options = cg_connect_options(.keepalive = 30 * CG_SECOND + 1,
                                      .keepalive_interval = 5 * CG_SECOND, .tos = 16,
                                      .keepalive_count = 3, .priority = 3, .nagle = true,
                                      .user_timeout = 1500 * CG_MILLISECOND + 1,
                                      .send_buffer = 20000))));
    check_all(conn);
    IS(option(conn, SOL_SOCKET, SO_PRIORITY), 3);
    ck_assert_int_ge(option(conn, SOL_SOCKET, SO_SNDBUF), 20000);
    OK(cg_yield(cg_accept(listener, &peer)));
    if (!test_on_sim())
        check_all(peer);
    cg_sock_close(peer);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

/* A socket connects from the address that was asked for. If it connects to a name, only
 * the addresses of the same family are tried. */
static ssize_t local(void *arg)
{
    struct cg_sock *listener, *conn, *peer;
    char addr[CG_ADDR_SIZE], from[CG_ADDR_SIZE];
    unsigned port;

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "localhost:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    port = (unsigned)atoi(strrchr(addr, ':') + 1);
    snprintf(addr, sizeof addr, "localhost:%u", port);
    for (int i = 0; i < 2; i++) {
        OK(cg_yield(cg_connect(addr, &conn,
                               .options = cg_connect_options(.local = "127.0.0.2:0"))));
        OK(cg_yield(cg_accept(listener, &peer)));
        OK(cg_sock_peer_addr(peer, from, sizeof from));
        ck_assert_mem_eq(from, "127.0.0.2:", 10);
        cg_sock_close(conn);
        cg_sock_close(peer);
        snprintf(addr, sizeof addr, "127.0.0.1:%u", port);
    }
    IS(cg_yield(cg_connect(addr, &conn, .options = cg_connect_options(.local = "[::1]:0"))),
       -EAFNOSUPPORT);
    IS(cg_yield(cg_connect(addr, &conn, .options = cg_connect_options(.local = "host:0"))),
       CG_EADDR);
    IS(cg_yield(cg_connect(addr, &conn, .options = cg_connect_options(.local = "nonsense"))),
       CG_EADDR);
    cg_sock_close(listener);
    return 0;
}

/* A UNIX client has a name, if it is an abstract one. */
static ssize_t local_unix(void *arg)
{
    struct cg_sock *listener, *conn, *peer;
    char addr[CG_ADDR_SIZE], from[CG_ADDR_SIZE];

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .send_buffer = 10000));
    OK(cg_yield(cg_connect(addr, &conn,
                           .options = cg_connect_options(.local = "unix:@cogen-test-client"))));
    OK(cg_yield(cg_accept(listener, &peer)));
    OK(cg_sock_peer_addr(peer, from, sizeof from));
    ck_assert_str_eq(from, "unix:@cogen-test-client");
    cg_sock_close(conn);
    cg_sock_close(peer);
    IS(cg_yield(cg_connect(addr, &conn,
                           .options = cg_connect_options(.local = "unix:/tmp/cogen-no"))),
       -EINVAL);
    IS(cg_yield(cg_connect(addr, &conn, .options = cg_connect_options(.nagle = true))),
       -EINVAL);
    cg_sock_close(listener);
    IS(cg_sock_listen(cg_sched_self(), addr, &listener, .keepalive = CG_SECOND), -EINVAL);
    return 0;
}

/* Fast open at both ends: the first bytes arrive, whether or not they came with the SYN. */
static ssize_t fast_open(void *arg)
{
    struct cg_sock *listener, *conn, *peer;
    char addr[CG_ADDR_SIZE], buf[8];

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .fast_open = true));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    for (int i = 0; i < 3; i++) {
        OK(cg_yield(cg_connect(addr, &conn, .options = cg_connect_options(.fast_open = true))));
        IS(cg_yield(cg_writeall(conn, "first", 5)), 5);
        OK(cg_yield(cg_accept(listener, &peer)));
        IS(cg_yield(cg_readall(peer, buf, 5)), 5);
        IS(cg_yield(cg_writeall(peer, "reply", 5)), 5);
        IS(cg_yield(cg_readall(conn, buf, 5)), 5);
        cg_sock_close(conn);
        cg_sock_close(peer);
    }
    cg_sock_close(listener);
    return 0;
}

/* An option that needs privileges is set, or refused with -EPERM. */
static void may_be_refused(ssize_t rc, struct cg_sock **sock)
{
    if (rc < 0)
        IS(rc, -EPERM);
    else
        cg_sock_close(*sock);
}

static ssize_t privileged(void *arg)
{
    struct cg_sock *listener;

    (void)arg;
    may_be_refused(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .mark = 7), &listener);
    may_be_refused(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .transparent = true),
                   &listener);
    may_be_refused(cg_sock_listen(cg_sched_self(), "[::1]:0", &listener, .transparent = true),
                   &listener);
    may_be_refused(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .device = "lo"),
                   &listener);
    return 0;
}

/* A refused option leaves no descriptor and no socket behind. */
static ssize_t refused(void *arg)
{
    struct cg_sock *sock;
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);

    (void)arg;
    IS(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &sock, .keepalive = -1), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &sock, .tos = 256), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &sock, .send_buffer = -1), -EINVAL);
    IS(cg_yield(cg_connect(addr, &sock, .options = cg_connect_options(.priority = -1))), -EINVAL);
    if (!test_on_sim()) {
        IS(cg_yield(cg_connect(addr, &sock, .options = cg_connect_options(.device = "none"))),
           -ENODEV);
        IS(cg_sock_listen(cg_sched_self(), addr, &sock, .keepalive = 100000 * CG_SECOND), -EINVAL);
    } else {
        IS(cg_yield(cg_connect(addr, &sock, .options = cg_connect_options(.transparent = true))),
           -ENOPROTOOPT);
    }
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(all_of_them),
    CORO(local),
    CORO(local_unix),
    CORO(fast_open, .where = ON_KERNEL),
    CORO(privileged, .where = ON_KERNEL),
    CORO(refused),
};

int main(void)
{
    return test_main("options", cases, COUNT(cases));
}
