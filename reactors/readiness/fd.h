/* SPDX-License-Identifier: MIT */
/* What the files behind readiness.h share: the records of descriptors (fd.c), the POLLs
 * that wait for one (fd_polls.c), one attempt at a request (fd_try.c), of which the usual
 * ones are here, inline: bytes from or to a socket. */
#ifndef COGEN_REACTORS_READINESS_FD_H
#define COGEN_REACTORS_READINESS_FD_H

#include <sys/socket.h>

#include "reactors/calls.h"
#include "reactors/readiness/readiness.h"

enum { CG__BOTH = CG_IN | CG_OUT };

#define CG__RETRY_PAUSE (10 * CG_MILLISECOND) /* where no event tells when */

enum cg__kind {
    CG__UNKNOWN,
    CG__TCP,   /* a short count proves that nothing is left, or no room */
    CG__OTHER, /* sockets of which only EAGAIN proves it */
    CG__PLAIN, /* no socket: read and write */
};

/* Its end is near, or urgent data: data and FIN can come as one edge, after which no other
 * follows, so that from now on a short count proves nothing. */
static inline void cg__fd_end_is_near(struct cg__fd *d)
{
    if (d->kind != CG__PLAIN)
        d->kind = CG__OTHER;
}

static inline unsigned cg__fd_direction(const struct cg_io *io)
{
    return io->code == CG_IO_RECV || io->code == CG_IO_ACCEPT ? CG_IN : CG_OUT;
}

/* Finds a record or makes it; NULL: no memory. */
struct cg__fd *cg__fd_make(struct cg__readiness *r, int fd);

static inline struct cg__fd *cg__fd_get(struct cg__readiness *r, int fd)
{
    struct cg__fd *d = cg__readiness_find(r, fd);

    return d ? d : cg__fd_make(r, fd);
}

void cg__fd_free_all(struct cg__readiness *r);

/* A new descriptor of ours. */
void cg__fd_adopt(struct cg__readiness *r, int fd, enum cg__kind kind);

/* Ends this life of a number: drops all that is known and watched. What waits stays. */
void cg__fd_clear(struct cg__readiness *r, struct cg__fd *d);

/* Watches for all that is wanted (perhaps after a pause): 0 or -errno. */
int cg__fd_watch_more(struct cg__readiness *r, struct cg__fd *d);

static inline int cg__fd_watch(struct cg__readiness *r, struct cg__fd *d)
{
    return d->watched == CG__BOTH ? 0 : cg__fd_watch_more(r, d);
}

/* Watches no more than is wanted. */
void cg__fd_watch_less(struct cg__readiness *r, struct cg__fd *d);

/* The backend's watch. */
static inline int cg__fd_tell(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    int error = cg__readiness_own(r);

    return error ? error : r->watcher->watch(r, d, events);
}

/* For the renew of backends: watches once more for all that is watched. */
void cg__fd_watch_again(struct cg__readiness *r);

/* Watches for nothing any more. */
static inline void cg__fd_unwatch(struct cg__readiness *r, struct cg__fd *d)
{
    if (d->watched)
        cg__fd_tell(r, d, 0);
    d->watched = 0;
}

/* An op no longer waits. Our own descriptors stay watched until an event comes that nobody
 * wants: most likely the same will be wanted again by then. Not where watching is cheap;
 * and one that was only polled is let go at once, since it may be closed, and its number be
 * given to another file, unseen by us. */
static inline void cg__fd_slacken(struct cg__readiness *r, struct cg__fd *d)
{
    if (r->watcher->cheap || !d->owned)
        cg__fd_watch_less(r, d);
}

/* Looks at it again after a pause, whatever the kernel says or does not say till then. */
void cg__fd_pause(struct cg__readiness *r, struct cg__fd *d, int64_t length);
void cg__fd_unpause(struct cg__readiness *r, struct cg__fd *d);

void cg__fd_add_poll(struct cg__fd *d, struct cg_io *io);
void cg__fd_remove_poll(struct cg__fd *d, struct cg_io *io);

/* A completion may add and remove others, so those to look at are chosen first, and then
 * given one by one; NULL: no more. */
void cg__fd_choose_polls(struct cg__fd *d);
struct cg_io *cg__fd_chosen_poll(struct cg__fd *d);

/* One attempt: the result, or -EAGAIN: to be watched, or paused. */
ssize_t cg__fd_try(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io);

/* What becomes of an attempt at bytes that brought n <= 0 (negative: errno says why). */
ssize_t cg__fd_fell_through(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io,
                            ssize_t n);

/* Remembers that n bytes were moved where `asked` might have been. After a short count the
 * kernel will tell of more (another edge), so it need not be asked again until then. That
 * holds for TCP alone (a UNIX socket reads short where descriptors were passed). */
static inline void cg__fd_moved(struct cg__fd *d, unsigned direction, size_t n,
                                size_t asked)
{
    if (n < asked && n != CG__CALL_MOST && d->kind == CG__TCP)
        d->ready &= ~direction;
}

/* cg__fd_try for a RECV and for a SEND. */
static inline ssize_t cg__fd_receive(struct cg__readiness *r, struct cg__fd *d,
                                     struct cg_io *io)
{
    struct cg_chunk *chunk = NULL;
    void *to = io->buf;
    size_t room = io->len;
    ssize_t n;

    if (d->kind == CG__PLAIN)
        return cg__fd_try(r, d, io);
    if (room == 0) {
        if (!(chunk = cg_chunk_get(&r->reactor)))
            return -ENOMEM;
        to = chunk->data;
        room = chunk->size;
    }
    io->chunk = chunk;
    if ((n = recv(d->fd, to, room, MSG_DONTWAIT)) <= 0)
        return cg__fd_fell_through(r, d, io, n);
    if (chunk)
        chunk->end = n;
    cg__fd_moved(d, CG_IN, n, room);
    return n;
}

static inline ssize_t cg__fd_send(struct cg__readiness *r, struct cg__fd *d,
                                  struct cg_io *io)
{
    ssize_t n;

    if (d->kind == CG__PLAIN)
        return cg__fd_try(r, d, io);
    if ((n = send(d->fd, io->buf, io->len, MSG_DONTWAIT | MSG_NOSIGNAL)) <= 0)
        return cg__fd_fell_through(r, d, io, n);
    cg__fd_moved(d, CG_OUT, n, io->len);
    return n;
}

#endif
