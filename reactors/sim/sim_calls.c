/* SPDX-License-Identifier: MIT */
/* The calls of the simulated world that never wait: sockets and names. Calls that would only be
 * noise are not traced. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/plural.h"
#include "reactors/sim/sim.h"

ssize_t cg__sim_give(const struct cg_io *io, const void *value, size_t size)
{
    if (size > io->size)
        size = io->size;
    memcpy(io->value, value, size);
    return (ssize_t)size;
}

static ssize_t make_socket(struct cg_sim_host *host, const struct cg_io *io)
{
    struct cg_sim *sim = host->sim;
    struct cg_sim_sock *sock;
    int fd;

    if (io->domain != AF_INET && io->domain != AF_INET6 && io->domain != AF_UNIX)
        return -EAFNOSUPPORT;
    if (io->type != SOCK_STREAM && io->type != SOCK_DGRAM)
        return -EPROTONOSUPPORT;
    if (!(sock = cg__sim_sock_new(host, io->domain)))
        return -ENOMEM;
    sock->datagram = io->type == SOCK_DGRAM;
    if ((fd = cg__sim_handle_new(sim, sock, host)) < 0)
        cg__sim_sock_free(sim, sock);
    else
        cg__sim_note(sim, fd, "is a new socket");
    return fd;
}

static ssize_t bind_socket(struct cg_sim *sim, struct cg_sim_sock *sock,
                           const struct cg_io *io)
{
    struct cg_sim_addr addr;
    char text[CG_SIM_TEXT];
    int error = cg__sim_addr_set(&addr, sock->domain, io->addr, io->addrlen);

    if (error == 0 && (sock->bound || sock->state != CG_SIM_FRESH))
        error = -EINVAL;
    if (error == 0)
        error = cg__sim_name(sim, sock, &addr);
    if (error == 0)
        cg__sim_note_v6only(sock);
    if (error == 0)
        cg__sim_note(sim, sock->fd, "is bound to %s", cg__sim_text(&sock->local, text));
    return error;
}

static ssize_t listen_socket(struct cg_sim *sim, struct cg_sim_sock *sock, int backlog)
{
    struct cg_sim_addr any = {.len = sock->domain == AF_INET ? sizeof any.in
                                                             : sizeof any.in6};
    int error;

    if (sock->datagram)
        return -EOPNOTSUPP;
    if (sock->state != CG_SIM_FRESH && sock->state != CG_SIM_LISTENING)
        return -EINVAL;
    if (!sock->bound) {
        if (sock->domain == AF_UNIX)
            return -EINVAL;
        any.sa.sa_family = (sa_family_t)sock->domain;
        if ((error = cg__sim_name(sim, sock, &any)) < 0)
            return error;
    }
    sock->state = CG_SIM_LISTENING;
    sock->limit = backlog > 1 ? (unsigned)backlog : 1;
    cg__sim_note(sim, sock->fd, "listens, backlog %u", sock->limit);
    return 0;
}

static ssize_t own_name(const struct cg_sim_sock *sock, const struct cg_io *io)
{
    struct cg_sim_addr none = {.len = sock->domain == AF_INET ? sizeof none.in
                                      : sock->domain == AF_INET6
                                          ? sizeof none.in6
                                          : sizeof none.sa.sa_family};

    none.sa.sa_family = (sa_family_t)sock->domain;
    return sock->local.len > 0 ? cg__sim_give(io, &sock->local.sa, sock->local.len)
                               : cg__sim_give(io, &none.sa, none.len);
}

static ssize_t peer_name(const struct cg_sim_sock *sock, const struct cg_io *io)
{
    if (!cg__sim_is_connected(sock))
        return -ENOTCONN;
    return cg__sim_give(io, &sock->remote.sa, sock->remote.len);
}

/* All processes of the world are this one. */
static ssize_t credentials(const struct cg_sim_sock *sock, struct cg_credentials *who)
{
    if (sock->domain != AF_UNIX)
        return -EOPNOTSUPP;
    if (sock->state != CG_SIM_CONNECTED)
        return -ENOTCONN;
    *who = (struct cg_credentials){.pid = getpid(), .uid = getuid(), .gid = getgid()};
    return 0;
}

static ssize_t offer(struct cg_sim *sim, struct cg_sim_sock *sock, const struct cg_io *io)
{
    struct cg_io send = {.code = CG_IO_SEND, .fd = io->fd};
    ssize_t result;

    send.buf = io->buf;
    send.len = io->len;
    return cg__sim_send(sim, sock, &send, &result) ? result : 0;
}

/* One of our handles comes back after it was detached, perhaps from another host. */
static ssize_t attach(struct cg_sim_host *host, struct cg_sim_handle *handle)
{
    if (!handle)
        return -EOPNOTSUPP;
    cg__sim_handle_move(handle, host);
    return 0;
}

/* Descriptors of the kernel come here that a peer has passed on. */
static ssize_t close_handle(struct cg_sim *sim, int fd)
{
    struct cg_sim_handle *handle = cg__sim_handle(sim, fd);

    if (!handle)
        return fd < CG_SIM_HANDLE && close(fd) == 0 ? 0 : -EBADF;
    cg__sim_note(sim, fd, "is closed");
    cg__sim_handle_close(sim, handle);
    return 0;
}

ssize_t cg__sim_call(struct cg_sim_host *host, struct cg_io *io)
{
    struct cg_sim *sim = host->sim;
    static const char *const ends[] = {"reading", "writing", "reading and writing"};
    struct cg_sim_sock *sock = cg__sim_find(sim, io->fd);
    ssize_t result;

    if (io->code == CG_IO_SOCKET)
        return make_socket(host, io);
    if (io->code == CG_IO_ATTACH)
        return attach(host, cg__sim_handle(sim, io->fd));
    if (io->code == CG_IO_CLOSE)
        return close_handle(sim, io->fd);
    if (!sock)
        return -EBADF;
    switch (io->code) {
    case CG_IO_BIND:
        return bind_socket(sim, sock, io);
    case CG_IO_SET_PEER:
        return sock->datagram ? cg__sim_set_peer(sim, sock, io) : -EOPNOTSUPP;
    case CG_IO_LISTEN:
        return listen_socket(sim, sock, io->backlog);
    case CG_IO_SETOPT:
        return cg__sim_set_option(sock, io);
    case CG_IO_GETOPT:
        return cg__sim_get_option(sock, io);
    case CG_IO_SOCKNAME:
        return own_name(sock, io);
    case CG_IO_PEERNAME:
        return peer_name(sock, io);
    case CG_IO_SHUTDOWN:
        if ((result = cg__sim_shutdown(sim, sock, io->how)) == 0)
            cg__sim_note(sim, io->fd, "ends %s", ends[io->how]);
        return result;
    case CG_IO_LOOK:
        cg__sim_poll(sim, sock, io, &result);
        return result;
    case CG_IO_QUIET:
        io->events = CG_IN;
        return !cg__sim_poll(sim, sock, io, &result);
    case CG_IO_OFFER:
        cg__sim_note(sim, io->fd, "is offered %zu byte%s", io->len, cg__plural(io->len));
        return offer(sim, sock, io);
    case CG_IO_DUPLICATE:
        return cg__sim_handle_new(sim, sock, host);
    case CG_IO_CREDENTIALS:
        return credentials(sock, io->value);
    }
    return -EINVAL;
}
