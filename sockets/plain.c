/* SPDX-License-Identifier: MIT */
/* The reactor as a transport. */
#include "config.h"

#include "sockets/listen.h"
#include "sockets/plain.h"

#include <assert.h>
#include <netinet/tcp.h>

ssize_t cg__call_reactor(struct cg_reactor *reactor, struct cg_io *io)
{
    enum cg_verdict verdict = cg_reactor_submit(reactor, io);

    assert(verdict == CG_DONE); /* these never wait */
    return io->result;
}

void cg__close_fd(struct cg_reactor *reactor, int fd)
{
    reactor->type->forget(reactor, fd);
    cg__call_reactor(reactor, &(struct cg_io){.code = CG_IO_CLOSE, .fd = fd});
}

void cg__set_nodelay(struct cg_reactor *reactor, int fd)
{
    struct cg_io io = {.code = CG_IO_SETOPT, .fd = fd};
    int one = 1;

    io.level = IPPROTO_TCP;
    io.name = TCP_NODELAY;
    io.value = &one;
    io.size = sizeof one;
    cg__call_reactor(reactor, &io);
}

int cg__socket(struct cg_reactor *reactor, const struct cg__addr *addr)
{
    int family = addr->base.sa_family, fd;
    struct cg_io io = {.code = CG_IO_SOCKET, .fd = -1};

    io.domain = family;
    io.type = SOCK_STREAM;
    fd = (int)cg__call_reactor(reactor, &io);
    if (fd >= 0 && family != AF_UNIX)
        cg__set_nodelay(reactor, fd);
    return fd;
}

static enum cg_verdict plain_submit(struct cg_sock *sock, struct cg_io *io)
{
    return cg_reactor_submit(sock->reactor, io);
}

static enum cg_verdict plain_cancel(struct cg_sock *sock, struct cg_io *io)
{
    return sock->reactor->type->cancel(sock->reactor, io);
}

/* The file of a UNIX path goes first: its inode is not used anew while the socket bound to it
 * is open. */
static void plain_close(struct cg_sock *sock)
{
    cg__path_remove(sock->state);
    if (sock->fd >= 0)
        cg__close_fd(sock->reactor, sock->fd);
}

const struct cg_transport_type cg__plain_transport = {
    .name = "plain",
    .submit = plain_submit,
    .cancel = plain_cancel,
    .close = plain_close,
};
