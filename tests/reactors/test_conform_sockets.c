/* SPDX-License-Identifier: MIT */
/* Conformance: options, names, datagram sockets and what is ready, as in Linux, in requests that
 * are made of a reactor directly. The simulated world must behave as the kernel does. */
#include "config.h"

#include "tests/reactors/requests.h"

#include "tests/support/support.h"

#include <cogen/datagram.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int get(int fd, int level, int name)
{
    int value = -1;
    ssize_t size = CALL(.code = CG_IO_GETOPT, .fd = fd, .level = level, .name = name,
                        .value = &value, .size = sizeof value);

    return size < 0 ? (int)size : value;
}

static ssize_t look(int fd, unsigned events)
{
    return CALL(.code = CG_IO_LOOK, .fd = fd, .events = events);
}

static ssize_t bind_to(int fd, const union addr *to)
{
    return CALL(.code = CG_IO_BIND, .fd = fd, .addr = &to->sa, .addrlen = addrlen);
}

static ssize_t set_peer(int fd, const union addr *to)
{
    return CALL(.code = CG_IO_SET_PEER, .fd = fd, .addr = &to->sa, .addrlen = addrlen);
}

/* Sends a datagram; to NULL: to the socket's peer. */
static ssize_t post(int fd, const union addr *to)
{
    struct cg_addr there = {.len = addrlen};
    struct cg_datagram one = {.buf = (void *)"hello", .len = 5, .addr = to ? &there : NULL};
    struct cg_io io = {.code = CG_IO_SEND_DATAGRAMS, .fd = fd};

    if (to)
        memcpy(&there.un, to, addrlen);
    io.datagrams = &one;
    io.most = 1;
    return call(io);
}

static bool has_name(int fd)
{
    union addr name = {.sa.sa_family = 0};

    OK(CALL(.code = CG_IO_SOCKNAME, .fd = fd, .value = &name, .size = sizeof name));
    return name.in.sin_port != 0;
}

static void check_kind(int domain)
{
    int fd = make(domain, SOCK_STREAM), datagrams = make(domain, SOCK_DGRAM);

    IS(get(fd, SOL_SOCKET, SO_DOMAIN), domain);
    IS(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    IS(get(fd, SOL_SOCKET, SO_PROTOCOL), domain == AF_UNIX ? 0 : IPPROTO_TCP);
    IS(get(datagrams, SOL_SOCKET, SO_PROTOCOL), domain == AF_UNIX ? 0 : IPPROTO_UDP);
    IS(get(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), -EOPNOTSUPP);
    IS(set(fd, SOL_SOCKET, SO_KEEPALIVE, 2), 0);
    IS(get(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    close_fd(fd);
    close_fd(datagrams);
}

/* A socket tells what it is. */
static void kind(void)
{
    for_both(check_kind);
}

static void check_values(int domain)
{
    int fd;

    if (domain == AF_UNIX)
        return;
    fd = make(domain, SOCK_STREAM);
    IS(get(fd, IPPROTO_IP, IP_TTL), 64);
    IS(set(fd, IPPROTO_IP, IP_TTL, 0), -EINVAL);
    IS(set(fd, IPPROTO_IP, IP_TTL, 256), -EINVAL);
    IS(set(fd, IPPROTO_IP, IP_TTL, 3), 0);
    IS(get(fd, IPPROTO_IP, IP_TTL), 3);
    IS(set(fd, IPPROTO_IP, IP_TTL, -1), 0);
    IS(get(fd, IPPROTO_IP, IP_TTL), 64);
    IS(get(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
    IS(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 0), -EINVAL);
    IS(set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 32768), -EINVAL);
    close_fd(fd);
}

/* Options have the values and the limits of Linux. */
static void values(void)
{
    for_both(check_values);
}

static void check_family(int domain)
{
    union addr wrong = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)}};
    int fd = make(domain, SOCK_STREAM);

    addrlen = sizeof wrong.in6;
    IS(connect_to(fd, &wrong), domain == AF_UNIX ? -EINVAL : -EAFNOSUPPORT);
    addrlen = sizeof wrong.sa.sa_family;
    IS(connect_to(fd, &wrong), -EINVAL);
    close_fd(fd);
}

/* An address of another family is an error of its own, but over UNIX just invalid. */
static void family(void)
{
    for_both(check_family);
}

/* UNIX streams and datagrams have abstract names of their own. */
static void abstract_names(void)
{
    struct test test = test_open();
    int datagrams, fd, client;

    reactor = test.reactor;
    datagrams = bound(AF_UNIX, SOCK_DGRAM);
    client = make(AF_UNIX, SOCK_STREAM);
    IS(connect_to(client, &addr), -ECONNREFUSED);
    fd = make(AF_UNIX, SOCK_STREAM);
    IS(bind_to(fd, &addr), 0);
    IS(CALL(.code = CG_IO_LISTEN, .fd = fd, .backlog = 4), 0);
    IS(connect_to(client, &addr), 0);
    close_fd(datagrams);
    close_fd(fd);
    close_fd(client);
    test_close(&test);
}

static void check_hangup(int domain)
{
    open_pair(domain);
    IS(shut(a, SHUT_RDWR), 0);
    settle(b, CG_IN);
    IS(look(a, CG_OUT), CG_OUT | CG_HUP);
    IS(look(b, CG_OUT), domain == AF_UNIX ? CG_OUT | CG_HUP : CG_OUT);
    close_pair();
}

/* Nothing moves in either direction: the connection is gone. */
static void hangup(void)
{
    for_both(check_hangup);
}

static void check_lost_name(int domain)
{
    open_pair(domain);
    IS(send_to(a), 5);
    settle(b, CG_IN);
    close_fd(b);
    settle_error(a);
    if (domain == AF_UNIX)
        OK(peer_name(a));
    else
        IS(peer_name(a), -ENOTCONN);
    close_fd(a);
}

/* A UNIX socket remembers its peer, even if that was closed with unread input. */
static void lost_name(void)
{
    for_both(check_lost_name);
}

static void check_shut_early(int domain)
{
    bool local = domain == AF_UNIX;
    int fd = make(domain, SOCK_STREAM), datagrams;

    IS(shut(fd, SHUT_RDWR), local ? 0 : -ENOTCONN);
    IS(receive(fd), local ? -EINVAL : 0);
    close_fd(fd);
    datagrams = bound(domain, SOCK_DGRAM);
    IS(look(datagrams, CG_IN | CG_OUT), CG_OUT);
    IS(shut(datagrams, SHUT_RDWR), local ? 0 : -ENOTCONN);
    IS(look(datagrams, CG_IN | CG_OUT), CG_IN | CG_OUT | CG_HUP);
    IS(post(datagrams, &addr), -EPIPE);
    close_fd(datagrams);
}

/* A socket that is not connected is shut down, although that returns an error over TCP and
 * UDP. */
static void shut_early(void)
{
    for_both(check_shut_early);
}

/* A UNIX socket cannot have a peer that has another one. */
static void taken_peer(void)
{
    struct test test = test_open();
    union addr first, second;
    int one, two;

    reactor = test.reactor;
    one = bound(AF_UNIX, SOCK_DGRAM);
    first = addr;
    two = bound(AF_UNIX, SOCK_DGRAM);
    second = addr;
    IS(set_peer(one, &second), 0);
    IS(set_peer(one, &first), -EPERM);
    IS(set_peer(two, &first), 0);
    IS(post(two, NULL), 1);
    close_fd(one);
    close_fd(two);
    test_close(&test);
}

/* A socket hears that its peer does not exist, and nothing of others to which it has sent. It is
 * bound by the first send, even one that fails. */
static void nobody(void)
{
    struct test test = test_open();
    union addr gone, other;
    int fd, lost;

    reactor = test.reactor;
    lost = bound(AF_INET, SOCK_DGRAM);
    gone = addr;
    close_fd(lost);
    lost = bound(AF_INET, SOCK_DGRAM);
    other = addr;
    fd = make(AF_INET, SOCK_DGRAM);
    ck_assert(!has_name(fd));
    IS(post(fd, NULL), -EDESTADDRREQ);
    ck_assert(has_name(fd));
    IS(set_peer(fd, &other), 0);
    IS(post(fd, &gone), 1);
    IS(post(fd, NULL), 1);
    settle(lost, CG_IN);
    IS(look(fd, CG_IN), 0);
    close_fd(lost);
    IS(post(fd, NULL), 1);
    while (look(fd, CG_IN) == 0)
        OK(reactor->type->wait(reactor, CG_MILLISECOND));
    IS(look(fd, CG_IN), CG_ERR);
    IS(get(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    close_fd(fd);
    test_close(&test);
}

/* Whoever has an address of IPv6 does not reach IPv4. */
static void one_protocol(void)
{
    struct test test = test_open();
    union addr here = {.in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback}};
    union addr there;
    int fd, other;

    reactor = test.reactor;
    other = bound(AF_INET, SOCK_DGRAM);
    there = addr;
    fd = make(AF_INET6, SOCK_DGRAM);
    IS(get(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    addrlen = sizeof here.in6;
    if (bind_to(fd, &here) == 0) { /* this machine has IPv6 */
        IS(get(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        IS(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0), -EINVAL);
        addrlen = sizeof there.in;
        IS(post(fd, &there), -ENETUNREACH);
    }
    close_fd(fd);
    close_fd(other);
    test_close(&test);
}

static void check_file(int domain)
{
    int fd = make(domain, SOCK_STREAM);
    char name[] = "/tmp/cogen-sockets-XXXXXX";
    int file = OK(mkstemp(name));
    struct cg_io io = {.code = CG_IO_SENDFILE, .fd = fd};

    IS(unlink(name), 0);
    io.file = file;
    io.count = 5;
    IS(call(io), 0);
    IS(write(file, "hello", 5), 5);
    IS(call(io), domain == AF_UNIX ? -ENOTCONN : -EPIPE);
    close_fd(fd);
    close(file);
}

/* The end of a file comes before the errors of the socket. */
static void ended_file(void)
{
    for_both(check_file);
}

static const struct test_case cases[] = {
    PLAIN(kind),       PLAIN(values),     PLAIN(family), PLAIN(abstract_names),
    PLAIN(hangup),     PLAIN(lost_name),  PLAIN(nobody), PLAIN(shut_early),
    PLAIN(taken_peer), PLAIN(one_protocol), PLAIN(ended_file),
};

int main(void)
{
    return test_main("conform_sockets", cases, COUNT(cases));
}
