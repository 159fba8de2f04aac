/* SPDX-License-Identifier: MIT */
/* Conformance: errors and ends of streams, as Linux reports them, in requests that are made of a
 * reactor directly. The simulated world must behave as the kernel does. */
#include "config.h"

#include "tests/reactors/requests.h"

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>

static void check_no_reading(int domain)
{
    open_pair(domain);
    IS(shut(b, SHUT_RD), 0);
    IS(poll_for(b, CG_IN), CG_IN | CG_HUP);
    IS(receive(b), 0);
    IS(send_to(a), domain == AF_UNIX ? -EPIPE : 5);
    close_pair();
}

/* Whoever ends reading reads the end. Only a UNIX socket tells its peer. */
static void no_reading(void)
{
    for_both(check_no_reading);
}

static void check_neither_way(int domain)
{
    open_pair(domain);
    IS(shut(b, SHUT_RDWR), 0);
    settle(a, CG_IN);
    if (domain == AF_INET) {
        IS(send_to(a), 5);
        settle_error(b);
        settle_error(a);
        IS(receive(b), -ECONNRESET);
    }
    IS(send_to(a), -EPIPE);
    IS(receive(a), 0);
    close_pair();
}

/* Nobody can read what is sent to a socket that was shut down in both directions. */
static void neither_way(void)
{
    for_both(check_neither_way);
}

static void check_linger(int domain)
{
    struct linger linger = {.l_onoff = 1};

    open_pair(domain);
    IS(CALL(.code = CG_IO_SETOPT, .fd = b, .level = SOL_SOCKET, .name = SO_LINGER,
            .value = &linger, .size = sizeof linger),
       0);
    close_fd(b);
    IS(receive(a), domain == AF_UNIX ? 0 : -ECONNRESET);
    IS(receive(a), 0);
    close_fd(a);
}

/* SO_LINGER resets TCP connections only. */
static void linger(void)
{
    for_both(check_linger);
}

static void check_unread(int domain)
{
    bool local = domain == AF_UNIX;

    open_pair(domain);
    IS(send_to(a), 5);
    settle(b, CG_IN);
    close_fd(b);
    settle_error(a);
    IS(send_to(a), local ? -EPIPE : -ECONNRESET);
    IS(send_to(a), -EPIPE);
    IS(receive(a), local ? -ECONNRESET : 0);
    IS(receive(a), 0);
    close_fd(a);

    open_pair(domain);
    IS(send_to(a), 5);
    settle(b, CG_IN);
    IS(shut(b, SHUT_WR), 0);
    settle(a, CG_IN);
    close_fd(b);
    settle_error(a);
    IS(receive(a), local ? -ECONNRESET : 0);
    IS(receive(a), 0);
    close_fd(a);
}

/* A close with unread bytes is an error for the peer: one that a send returns over TCP, unless
 * the stream has ended before, and a receive over UNIX. */
static void unread(void)
{
    for_both(check_unread);
}

static void check_ended(int domain)
{
    bool local = domain == AF_UNIX;

    open_pair(domain);
    IS(shut(a, SHUT_WR), 0);
    settle(b, CG_IN);
    IS(shut(b, SHUT_WR), 0);
    settle(a, CG_IN);
    IS(shut(a, SHUT_RDWR), local ? 0 : -ENOTCONN);
    IS(shut(b, SHUT_RDWR), local ? 0 : -ENOTCONN);
    if (!local)
        IS(peer_name(a), -ENOTCONN);
    close_pair();
}

/* A TCP connection that has ended in both directions is none any more. */
static void ended(void)
{
    for_both(check_ended);
}

static void check_unconnected(int domain)
{
    bool local = domain == AF_UNIX;
    int fd = make(domain, SOCK_STREAM), datagrams = make(domain, SOCK_DGRAM);

    IS(send_to(fd), local ? -ENOTCONN : -EPIPE);
    IS(receive(fd), local ? -EINVAL : -ENOTCONN);
    IS(accept_from(fd), -EINVAL);
    IS(accept_from(datagrams), -EOPNOTSUPP);
    IS(shut(fd, SHUT_WR), local ? 0 : -ENOTCONN);
    IS(shut(datagrams, SHUT_WR), local ? 0 : -ENOTCONN);
    close_fd(fd);
    close_fd(datagrams);
}

/* What a socket without a connection can be asked in vain. */
static void unconnected(void)
{
    for_both(check_unconnected);
}

static void check_shut_listener(int domain)
{
    int listener = listens(domain), early = make(domain, SOCK_STREAM),
        late = make(domain, SOCK_STREAM);

    IS(shut(listener, SHUT_WR), 0);
    IS(connect_to(early, &addr), 0);
    IS(shut(listener, SHUT_RD), 0);
    if (domain == AF_INET)
        IS(accept_from(listener), -EINVAL);
    IS(connect_to(late, &addr), -ECONNREFUSED);
    close_fd(listener);
    settle_error(early);
    IS(receive(early), -ECONNRESET);
    close_fd(early);
    close_fd(late);
}

/* A listener that was shut down for reading listens no more. */
static void shut_listener(void)
{
    for_both(check_shut_listener);
}

static void check_options(int domain)
{
    bool local = domain == AF_UNIX;
    int fd = make(domain, SOCK_STREAM), datagrams = make(domain, SOCK_DGRAM);

    IS(set(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    IS(set(fd, IPPROTO_TCP, TCP_NODELAY, 1), local ? -EOPNOTSUPP : 0);
    IS(set(datagrams, IPPROTO_TCP, TCP_NODELAY, 1), local ? -EOPNOTSUPP : -ENOPROTOOPT);
    IS(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), local ? -EOPNOTSUPP : -ENOPROTOOPT);
    close_fd(fd);
    close_fd(datagrams);
}

/* Sockets have the options of their own protocols only. */
static void options(void)
{
    for_both(check_options);
}

/* A stream has one peer, so it cannot connect to many. */
static void groups(void)
{
    static const char *const hosts[] = {"224.0.0.5", "255.255.255.255"};
    struct test test = test_open();
    union addr to = {.in = {.sin_family = AF_INET, .sin_port = htons(9)}};
    int fd;

    reactor = test.reactor;
    fd = make(AF_INET, SOCK_STREAM);
    addrlen = sizeof to.in;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        to.in.sin_addr.s_addr = inet_addr(hosts[i]);
        IS(connect_to(fd, &to), -ENETUNREACH);
    }
    close_fd(fd);
    test_close(&test);
}

static const struct test_case cases[] = {
    PLAIN(no_reading),  PLAIN(neither_way),   PLAIN(linger),  PLAIN(unread), PLAIN(ended),
    PLAIN(unconnected), PLAIN(shut_listener), PLAIN(options), PLAIN(groups),
};

int main(void)
{
    return test_main("conform_errors", cases, COUNT(cases));
}
