/* SPDX-License-Identifier: MIT */
/* Sockets over sockets: what passes through them unchanged. */
#include "config.h"

#include "sockets/layers/layer.h"

#include <errno.h>
#include <string.h>

int cg__layer_put(const struct cg_transport_type *type, struct cg__layer *layer,
                  struct cg_sock *inner, struct cg_sock **sock)
{
    struct cg_sock *made;

    if (inner->closing)
        return -EBADF;
    if (inner->listener || inner->datagrams)
        return -EINVAL;
    layer->inner = inner;
    made = cg_sock_open(inner->sched, type, layer, -1);
    if (made == NULL)
        return -ENOMEM;
    *sock = made;
    return 0;
}

/* Unread input of the socket below is to be seen, too. */
static ssize_t look(struct cg_sock *inner, struct cg_io *io)
{
    ssize_t found = cg__sock_call(inner, io);

    if (found >= 0 && io->events & CG_IN && inner->input.first != NULL)
        found |= CG_IN;
    return found;
}

enum cg_verdict cg__layer_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = cg__layer_inner(sock);

    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_POLL:
    case CG_IO_SHUTDOWN:
        return CG_RUN;
    case CG_IO_SETOPT:
    case CG_IO_GETOPT:
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
    case CG_IO_OFFER:
        io->result = cg__sock_call(inner, io);
        return CG_DONE;
    case CG_IO_LOOK:
        io->result = look(inner, io);
        return CG_DONE;
    default:
        io->result = -EOPNOTSUPP;
        return CG_DONE;
    }
}

size_t cg__layer_sendable(const struct cg_io *io)
{
    switch (io->code) {
    case CG_IO_SENDV:
        return io->iov->iov_len;
    case CG_IO_SENDFILE:
        return io->count;
    default:
        return io->len;
    }
}

ssize_t cg__layer_send(struct cg_sock *inner, const struct cg_io *io, size_t most)
{
    size_t moved = 0, sendable = cg__layer_sendable(io), len = sendable < most ? sendable : most;
    const void *from = io->code == CG_IO_SENDV ? io->iov->iov_base : io->buf;
    ssize_t n;

    if (io->code == CG_IO_SENDFILE)
        n = cg_yield(cg_sendfile(inner, io->file, io->offset, len, .moved = &moved,
                                 .timeout = CG_NEVER));
    else
        n = cg_yield(cg_write(inner, from, len, .moved = &moved, .timeout = CG_NEVER));
    return moved > 0 ? (ssize_t)moved : n;
}

ssize_t cg__layer_fill(struct cg_reactor *reactor, struct cg_io *io, const void *from,
                       size_t len)
{
    if (io->len > 0) {
        memcpy(io->buf, from, len);
        return (ssize_t)len;
    }
    io->chunk = cg_chunk_get(reactor);
    if (io->chunk == NULL)
        return -ENOMEM;
    memcpy(io->chunk->data, from, len);
    io->chunk->end = (uint32_t)len;
    return (ssize_t)len;
}

static ssize_t receive(struct cg_sock *inner, struct cg_io *io)
{
    struct cg_chunk *chunk;
    ssize_t n;

    if (io->len > 0)
        return cg_yield(cg_read(inner, io->buf, io->len, .timeout = CG_NEVER));
    chunk = cg_chunk_get(inner->reactor);
    if (chunk == NULL)
        return -ENOMEM;
    n = cg_yield(cg_read(inner, chunk->data, chunk->size, .timeout = CG_NEVER));
    if (n <= 0) {
        cg_chunk_put(inner->reactor, chunk);
        return n;
    }
    chunk->end = (uint32_t)n;
    io->chunk = chunk;
    return n;
}

ssize_t cg__layer_run(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = cg__layer_inner(sock);

    switch (io->code) {
    case CG_IO_RECV:
        return receive(inner, io);
    case CG_IO_POLL:
        return cg_yield(cg_poll_sock(inner, io->events, .timeout = CG_NEVER));
    case CG_IO_SHUTDOWN:
        return cg_yield(cg_shutdown(inner, io->how, .timeout = CG_NEVER));
    default:
        return cg__layer_send(inner, io, SIZE_MAX);
    }
}

void cg__layer_close(struct cg_sock *sock)
{
    cg_sock_close(cg__layer_inner(sock));
}

struct cg_sock *cg__layer_below(const struct cg_sock *sock)
{
    return cg__layer_inner(sock);
}
