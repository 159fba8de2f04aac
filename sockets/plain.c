/* SPDX-License-Identifier: MIT */
/* The transport of plain sockets: it hands requests to the reactor. */
#include "config.h"

#include "sockets/listen/unix_path.h"
#include "sockets/plain.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>

ssize_t cg__plain_call(struct cg_reactor *reactor, struct cg_io *io)
{
    enum cg_verdict verdict = cg_reactor_submit(reactor, io);

    assert(verdict == CG_DONE); /* these never wait */
    return io->result;
}

void cg__plain_close_fd(struct cg_reactor *reactor, int fd)
{
    reactor->type->forget(reactor, fd);
    cg__plain_call(reactor, &(struct cg_io){.code = CG_IO_CLOSE, .fd = fd});
}

static int call_option(struct cg_reactor *reactor, int fd, uint8_t code, int level, int name,
                       int *value)
{
    struct cg_io io = {.code = code, .fd = fd};

    io.level = level;
    io.name = name;
    io.value = value;
    io.size = sizeof *value;
    return (int)cg__plain_call(reactor, &io);
}

int cg__plain_set(struct cg_reactor *reactor, int fd, int level, int name, int value)
{
    return call_option(reactor, fd, CG_IO_SETOPT, level, name, &value);
}

int cg__plain_get(struct cg_reactor *reactor, int fd, int level, int name, int *value)
{
    int rc = call_option(reactor, fd, CG_IO_GETOPT, level, name, value);

    return rc < 0 ? rc : 0;
}

int cg__plain_name(struct cg_reactor *reactor, int fd, uint8_t code, struct cg_addr *name)
{
    struct cg_io io = {.code = code, .fd = fd};
    ssize_t size;

    *name = (struct cg_addr){.len = 0};
    io.value = &name->un; /* the largest kind of address */
    io.size = sizeof name->un;
    size = cg__plain_call(reactor, &io);
    if (size < 0)
        return (int)size;
    /* The kernel counts a NUL also behind a path that leaves no room for one. */
    name->len = (socklen_t)(size < (ssize_t)sizeof name->un ? size : (ssize_t)sizeof name->un);
    return 0;
}

void cg__plain_set_nodelay(struct cg_reactor *reactor, int fd)
{
    cg__plain_set(reactor, fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int cg__plain_socket(struct cg_reactor *reactor, const struct cg_addr *addr)
{
    int family = addr->base.sa_family, fd;
    struct cg_io io = {.code = CG_IO_SOCKET, .fd = -1};

    io.domain = family;
    io.type = SOCK_STREAM;
    fd = (int)cg__plain_call(reactor, &io);
    if (fd >= 0 && family != AF_UNIX)
        cg__plain_set_nodelay(reactor, fd);
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

/* Removes the file of a UNIX path before the descriptor is closed: while the socket
 * bound to it is open, the kernel does not reuse its inode. */
static void plain_close(struct cg_sock *sock)
{
    cg__unix_path_remove(sock->state);
    if (cg__sock_fd(sock) >= 0)
        cg__plain_close_fd(sock->reactor, cg__sock_fd(sock));
}

int cg_sock_set_unlink(struct cg_sock *sock, bool unlink)
{
    if (sock->closing)
        return -EBADF;
    if (sock->transport != &cg__plain_transport || !sock->listener || sock->state == NULL)
        return -EOPNOTSUPP;
    cg__unix_path_set_stays(sock->state, !unlink);
    return 0;
}

const struct cg_transport_type cg__plain_transport = {
    .name = "plain",
    .submit = plain_submit,
    .cancel = plain_cancel,
    .close = plain_close,
};
