/* SPDX-License-Identifier: MIT */
/* The reactor as a transport. */
#include "config.h"

#include "sockets/plain.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

int cg__socket(struct cg_reactor *reactor, const struct cg__addr *addr)
{
    int family = addr->base.sa_family, one = 1, fd;
    struct cg_io io = {.code = CG_IO_SOCKET, .fd = -1};

    io.domain = family;
    io.type = SOCK_STREAM;
    fd = (int)cg__call_reactor(reactor, &io);
    if (fd < 0 || family == AF_UNIX)
        return fd;
    /* A coroutine that writes an answer in two pieces must not wait for a delayed ACK, and
     * one that writes many small pieces has cg_writev. Set on a listener it is inherited by
     * what it accepts, which costs no call a connection. It may fail: no harm is done. */
    io = (struct cg_io){.code = CG_IO_SETOPT, .fd = fd};
    io.level = IPPROTO_TCP;
    io.name = TCP_NODELAY;
    io.value = &one;
    io.size = sizeof one;
    cg__call_reactor(reactor, &io);
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

static void plain_close(struct cg_sock *sock)
{
    if (sock->fd >= 0)
        cg__close_fd(sock->reactor, sock->fd);
    if (sock->spare >= 0)
        cg__close_fd(sock->reactor, sock->spare);
    if (sock->listener && sock->state != NULL) {
        struct cg__path *path = sock->state;
        struct stat now;

        /* Somebody may have put another listener in its place. */
        if (lstat(path->text, &now) == 0 && now.st_dev == path->dev &&
            now.st_ino == path->ino)
            unlink(path->text);
    }
    free(sock->state);
}

const struct cg_transport_type cg__plain_transport = {
    .name = "plain",
    .submit = plain_submit,
    .cancel = plain_cancel,
    .close = plain_close,
};
