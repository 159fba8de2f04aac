/* SPDX-License-Identifier: MIT */
/* One attempt at what a request asks of a descriptor, and what its outcome teaches: what is
 * remembered about readiness, and what is tried again after a pause. */
#include "config.h"

#include <errno.h>

#include "reactors/calls.h"
#include "reactors/fd.h"

enum { STARTED = 1 }; /* mark of a CONNECT that is under way */

#define ACCEPT_PAUSE (100 * CG_MILLISECOND) /* out of descriptors or memory */

/* Was less moved than asked for? Counts what the kernel was asked for in one call. */
static inline bool fell_short(const struct cg_io *io, ssize_t n)
{
    size_t asked = 0;

    if (io->code == CG_IO_RECV)
        asked = io->chunk ? io->chunk->size : io->len;
    else if (io->code == CG_IO_SEND)
        asked = io->len;
    else if (io->code == CG_IO_SENDV)
        for (int i = 0; i < io->iovcnt && i < CG__PARTS && asked <= (size_t)n; i++)
            asked += io->iov[i].iov_len;
    /* SENDFILE: may also be the end of the file. */
    if (asked > CG__AT_ONCE)
        asked = CG__AT_ONCE;
    return (size_t)n < asked;
}

/* Remembers what a result says about readiness. After a short count the kernel will tell of
 * more (another edge), so it need not be asked again until then. That holds for TCP alone
 * (a UNIX socket reads short where descriptors were passed), and not once the end is near:
 * data and FIN can come as one edge, after which no other follows. */
static inline void remember(struct cg__fd *d, const struct cg_io *io, ssize_t n)
{
    if (n > 0) {
        if (d->kind == CG__TCP && !d->last && fell_short(io, n))
            d->ready &= ~cg__direction(io);
    } else if (n == -EAGAIN) {
        d->ready &= ~cg__direction(io);
    } else if (n == 0 && io->code == CG_IO_RECV) {
        d->last = true;
    }
}

/* Calls connect, for the first time or to learn how an attempt under way stands. */
static ssize_t call_connect(struct cg_io *io)
{
    if (connect(io->fd, io->addr, io->addrlen) == 0)
        return 0;
    switch (errno) {
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* goes on in the background */
        io->mark = STARTED;
        return -EAGAIN;
    case EISCONN:
        return io->mark == STARTED ? 0 : -EISCONN;
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
    /* An event from before the connect, or somebody else has taken the error away. */
    return call_connect(io);
}

/* Not inline, nor is accepting: their frames would be set up for every receive and send. */
__attribute__((noinline)) static ssize_t
try_connect(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n;

    if (io->mark == STARTED)
        return connect_result(d, io);
    d->error = 0;
    n = call_connect(io);
    /* A UNIX listener's backlog is full. poll would call this socket writable. */
    if (n == -EAGAIN && io->mark != STARTED)
        cg__fd_pause(r, d, CG__RETRY_PAUSE);
    return n;
}

static bool exhausted(ssize_t error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

__attribute__((noinline)) static ssize_t
try_accept(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n = cg__attempt(&r->reactor, io, false);

    if (exhausted(n)) {
        cg__fd_pause(r, d, ACCEPT_PAUSE);
        return -EAGAIN;
    }
    if (n == -EAGAIN)
        d->ready &= ~CG_IN;
    if (n >= 0)
        cg__fd_adopt(r, n, d->kind);
    return n;
}

ssize_t cg__fd_try(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n;

    if (io->code > CG_IO_SENDFILE)
        return io->code == CG_IO_CONNECT ? try_connect(r, d, io) : try_accept(r, d, io);
    n = cg__attempt(&r->reactor, io, d->kind == CG__PLAIN);
    if (n == -ENOTSOCK && d->kind != CG__PLAIN) {
        d->kind = CG__PLAIN;
        n = cg__attempt(&r->reactor, io, true);
    }
    remember(d, io, n);
    return n;
}
