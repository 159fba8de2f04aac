/* SPDX-License-Identifier: MIT */
/* One attempt at a request: makes the call, remembers what its result says about
 * readiness, and pauses where no event will tell when to try again. */
#include "config.h"

#include <errno.h>

#include "reactors/calls.h"
#include "reactors/readiness/fd.h"

enum { STARTED = 1 }; /* flag of a CONNECT that is in progress */

#define ACCEPT_PAUSE (100 * CG_MILLISECOND) /* if cg__calls_accept_pauses */

/* How many bytes the call could have moved; the exact number does not matter beyond n. */
static size_t asked_for(const struct cg_io *io, size_t n)
{
    size_t asked = 0;

    if (io->code == CG_IO_RECV)
        asked = io->chunk ? io->chunk->size : io->len;
    else if (io->code == CG_IO_SEND)
        asked = io->len;
    else if (io->code == CG_IO_SENDV)
        for (int i = 0; i < io->iovcnt && i < CG__PARTS && asked <= n; i++)
            asked += io->iov[i].iov_len;
    /* for SENDFILE a short count may also mean the end of the file, and for datagrams that
     * an error waits behind them */
    return asked;
}

/* Remembers what a result says about readiness. */
static void remember(struct cg__fd *d, const struct cg_io *io, ssize_t n)
{
    if (n > 0)
        cg__fd_moved(d, cg__fd_direction(io), n, asked_for(io, n));
    else if (n == -EAGAIN)
        d->ready &= ~cg__fd_direction(io);
    else if (n == 0 && io->code == CG_IO_RECV)
        cg__fd_end_is_near(d);
}

/* Calls connect: to start it, or to learn the state of one in progress. */
static ssize_t call_connect(struct cg_io *io)
{
    if (connect(io->fd, io->addr, io->addrlen) == 0)
        return 0;
    switch (errno) {
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* connect continues in the background */
        io->flag = STARTED;
        return -EAGAIN;
    case EISCONN:
        return io->flag == STARTED ? 0 : -EISCONN;
    }
    return -errno;
}

static ssize_t connect_result(const struct cg__fd *d, struct cg_io *io)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof(int);
    int error;

    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    if (error || d->error)
        return error ? -error : -d->error;
    size = sizeof addr;
    if (getpeername(io->fd, (struct sockaddr *)&addr, &size) == 0)
        return 0;
    if (errno != ENOTCONN)
        return -errno;
    /* The event was older than the connect, or other code has read the socket's error. */
    return call_connect(io);
}

static ssize_t try_connect(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n;

    if (io->flag == STARTED)
        return connect_result(d, io);
    d->error = 0;
    n = call_connect(io);
    /* The backlog of a UNIX listener is full. poll would report this socket as writable. */
    if (n == -EAGAIN && io->flag != STARTED)
        cg__fd_pause(r, d, CG__RETRY_PAUSE);
    return n;
}

static ssize_t try_accept(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n = cg__calls_attempt(&r->reactor, io, false);

    if (cg__calls_accept_pauses(n))
        cg__fd_pause(r, d, ACCEPT_PAUSE); /* for the next accept */
    if (n == -EAGAIN)
        d->ready &= ~CG_IN;
    if (n >= 0)
        cg__fd_adopt(r, n, d->kind);
    return n;
}

ssize_t cg__fd_try(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n;

    if (io->code >= CG_IO_ACCEPT)
        return io->code == CG_IO_CONNECT ? try_connect(r, d, io) : try_accept(r, d, io);
    n = cg__calls_attempt(&r->reactor, io, d->kind == CG__PLAIN);
    if (n == -ENOTSOCK && d->kind != CG__PLAIN) {
        d->kind = CG__PLAIN;
        n = cg__calls_attempt(&r->reactor, io, true);
    }
    remember(d, io, n);
    if (cg__calls_send_pauses(io, n))
        cg__fd_pause(r, d, CG__FULL_PAUSE);
    return n;
}

ssize_t cg__fd_fell_through(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io,
                            ssize_t n)
{
    int error = n < 0 ? errno : 0;

    if (io->code == CG_IO_RECV && io->chunk) {
        cg_chunk_put(&r->reactor, io->chunk);
        io->chunk = NULL;
    }
    if (error == EINTR || error == ENOTSOCK)
        return cg__fd_try(r, d, io);
    n = error == EWOULDBLOCK ? -EAGAIN : -error;
    remember(d, io, n);
    return n;
}
