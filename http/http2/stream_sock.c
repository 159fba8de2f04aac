/* SPDX-License-Identifier: MIT */
/* See stream_sock.h. */
#include "config.h"

#include "http/http2/stream_sock.h"

#include <errno.h>
#include <sys/socket.h>

static enum cg_verdict completed(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

/* To close with SO_LINGER and no time to linger resets the stream, as it does a
 * connection. Other options belong to the connection of all streams. */
static enum cg_verdict set_option(bool *abrupt, struct cg_io *io)
{
    const struct linger *linger = io->value;

    if (io->level != SOL_SOCKET || io->name != SO_LINGER || io->size < sizeof *linger)
        return completed(io, -EOPNOTSUPP);
    *abrupt = linger->l_onoff != 0 && linger->l_linger == 0;
    return completed(io, 0);
}

/* Addresses are those of the connection. */
static enum cg_verdict name(struct cg_sock *below, struct cg_io *io)
{
    if (below == NULL)
        return completed(io, -ENOTCONN);
    io->fd = cg_sock_fd(below);
    return cg_sock_transport(below)->submit(below, io);
}

enum cg_verdict cg__http_stream_sock(struct cg_sock *below, bool *abrupt, struct cg_io *io)
{
    switch ((enum cg_io_code)io->code) {
    case CG_IO_SETOPT:
        return set_option(abrupt, io);
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
        return name(below, io);
    default:
        return completed(io, -EOPNOTSUPP);
    }
}
