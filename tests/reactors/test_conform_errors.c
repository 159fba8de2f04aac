/* SPDX-License-Identifier: MIT */
/* Conformance: errors and ends of streams, as Linux reports them, in requests that are made of a
 * reactor directly. The simulated world must behave as the kernel does. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/reactor.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct request {
    struct cg_io io;
    ssize_t result; /* of its first completion */
    int completed;
};

union addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static struct cg_reactor *reactor;
static union addr addr; /* of what was bound last */
static socklen_t addrlen;

static void completed(struct cg_io *io, ssize_t result)
{
    struct request *request = io->owner;

    if (io->chunk)
        cg_chunk_put(reactor, io->chunk);
    io->chunk = NULL;
    if (request->completed++ == 0)
        request->result = result;
}

static void turn(void)
{
    OK(reactor->type->wait(reactor, 5 * CG_SECOND));
}

/* Makes a request, and waits for its result. A receive that stays armed is cancelled. */
static ssize_t call(struct cg_io io)
{
    struct request request = {.io = io};

    request.io.complete = completed;
    request.io.owner = &request;
    if (cg_reactor_submit(reactor, &request.io) == CG_DONE)
        return request.io.result;
    while (request.completed == 0)
        turn();
    if (request.io.state == CG_IO_PENDING)
        reactor->type->cancel(reactor, &request.io);
    while (request.io.state != CG_IO_IDLE)
        turn();
    return request.result;
}

#define CALL(...) call((struct cg_io){__VA_ARGS__})

static int make(int domain, int type)
{
    return (int)OK(CALL(.code = CG_IO_SOCKET, .domain = domain, .type = type, .fd = -1));
}

static void close_fd(int fd)
{
    reactor->type->forget(reactor, fd);
    IS(CALL(.code = CG_IO_CLOSE, .fd = fd), 0);
}

static ssize_t shut(int fd, int how)
{
    return CALL(.code = CG_IO_SHUTDOWN, .fd = fd, .how = how);
}

static ssize_t send_to(int fd)
{
    return CALL(.code = CG_IO_SEND, .fd = fd, .buf = "hello", .len = 5);
}

static ssize_t receive(int fd)
{
    char buf[16];

    return CALL(.code = CG_IO_RECV, .fd = fd, .buf = buf, .len = sizeof buf);
}

static ssize_t poll_for(int fd, unsigned events)
{
    return CALL(.code = CG_IO_POLL, .fd = fd, .events = events);
}

static ssize_t accept_from(int fd)
{
    return CALL(.code = CG_IO_ACCEPT, .fd = fd);
}

static ssize_t connect_to(int fd, const union addr *to)
{
    return CALL(.code = CG_IO_CONNECT, .fd = fd, .addr = &to->sa, .addrlen = addrlen);
}

static ssize_t peer_name(int fd)
{
    struct sockaddr_storage name;

    return CALL(.code = CG_IO_PEERNAME, .fd = fd, .value = &name, .size = sizeof name);
}

static ssize_t set(int fd, int level, int name, int value)
{
    return CALL(.code = CG_IO_SETOPT, .fd = fd, .level = level, .name = name, .value = &value,
                .size = sizeof value);
}

/* Waits until a socket has learned what was done to it. */
static void settle(int fd, unsigned events)
{
    OK(poll_for(fd, events));
}

/* Waits until a socket has an error. */
static void settle_error(int fd)
{
    while (!(OK(poll_for(fd, CG_IN)) & CG_ERR))
        OK(reactor->type->wait(reactor, CG_MILLISECOND));
}

/* Binds to a new name, which is then in addr. */
static int bound(int domain, int type)
{
    static unsigned names;
    int fd = make(domain, type);

    addr = (union addr){.sa.sa_family = (sa_family_t)domain};
    addrlen = sizeof addr.in;
    addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (domain == AF_UNIX) {
        snprintf(addr.un.sun_path + 1, 64, "cogen-%d-%u", (int)getpid(), names++);
        addrlen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                              strlen(addr.un.sun_path + 1));
    }
    IS(CALL(.code = CG_IO_BIND, .fd = fd, .addr = &addr.sa, .addrlen = addrlen), 0);
    OK(CALL(.code = CG_IO_SOCKNAME, .fd = fd, .value = &addr, .size = sizeof addr));
    return fd;
}

static int listens(int domain)
{
    int fd = bound(domain, SOCK_STREAM);

    IS(CALL(.code = CG_IO_LISTEN, .fd = fd, .backlog = 4), 0);
    return fd;
}

/* The ends of a connection. */
static int a, b;

static void open_pair(int domain)
{
    int listener = listens(domain);

    a = make(domain, SOCK_STREAM);
    IS(connect_to(a, &addr), 0);
    b = (int)OK(accept_from(listener));
    close_fd(listener);
}

static void close_pair(void)
{
    close_fd(a);
    close_fd(b);
}

/* Runs a case in a world of its own for UNIX and for TCP. */
static void for_both(void (*check)(int domain))
{
    for (int i = 0; i < 2; i++) {
        struct test test = test_open();

        reactor = test.reactor;
        check(i ? AF_UNIX : AF_INET);
        test_close(&test);
    }
}

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
