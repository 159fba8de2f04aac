/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/reactors/requests.h"

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct request {
    struct cg_io io;
    ssize_t result; /* of its first completion */
    int completed;
};

struct cg_reactor *reactor;
union addr addr;
socklen_t addrlen;
int a, b;

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

ssize_t call(struct cg_io io)
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

int make(int domain, int type)
{
    return (int)OK(CALL(.code = CG_IO_SOCKET, .domain = domain, .type = type, .fd = -1));
}

void close_fd(int fd)
{
    reactor->type->forget(reactor, fd);
    IS(CALL(.code = CG_IO_CLOSE, .fd = fd), 0);
}

ssize_t shut(int fd, int how)
{
    return CALL(.code = CG_IO_SHUTDOWN, .fd = fd, .how = how);
}

ssize_t send_to(int fd)
{
    return CALL(.code = CG_IO_SEND, .fd = fd, .buf = "hello", .len = 5);
}

ssize_t receive(int fd)
{
    char buf[16];

    return CALL(.code = CG_IO_RECV, .fd = fd, .buf = buf, .len = sizeof buf);
}

ssize_t poll_for(int fd, unsigned events)
{
    return CALL(.code = CG_IO_POLL, .fd = fd, .events = events);
}

ssize_t accept_from(int fd)
{
    return CALL(.code = CG_IO_ACCEPT, .fd = fd);
}

ssize_t connect_to(int fd, const union addr *to)
{
    return CALL(.code = CG_IO_CONNECT, .fd = fd, .addr = &to->sa, .addrlen = addrlen);
}

ssize_t peer_name(int fd)
{
    struct sockaddr_storage name;

    return CALL(.code = CG_IO_PEERNAME, .fd = fd, .value = &name, .size = sizeof name);
}

ssize_t set(int fd, int level, int name, int value)
{
    return CALL(.code = CG_IO_SETOPT, .fd = fd, .level = level, .name = name, .value = &value,
                .size = sizeof value);
}

void settle(int fd, unsigned events)
{
    OK(poll_for(fd, events));
}

void settle_error(int fd)
{
    while (!(OK(poll_for(fd, CG_IN)) & CG_ERR))
        OK(reactor->type->wait(reactor, CG_MILLISECOND));
}

int bound(int domain, int type)
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

int listens(int domain)
{
    int fd = bound(domain, SOCK_STREAM);

    IS(CALL(.code = CG_IO_LISTEN, .fd = fd, .backlog = 4), 0);
    return fd;
}

void open_pair(int domain)
{
    int listener = listens(domain);

    a = make(domain, SOCK_STREAM);
    IS(connect_to(a, &addr), 0);
    b = (int)OK(accept_from(listener));
    close_fd(listener);
}

void close_pair(void)
{
    close_fd(a);
    close_fd(b);
}

void for_both(void (*check)(int domain))
{
    for (int i = 0; i < 2; i++) {
        struct test test = test_open();

        reactor = test.reactor;
        check(i ? AF_UNIX : AF_INET);
        test_close(&test);
    }
}
