/* SPDX-License-Identifier: MIT */
/* What the files behind readiness.h share: the records of descriptors (fd.c), pending
 * POLLs (fd_polls.c), and one attempt at a request (fd_try.c). The most frequent attempts,
 * at moving bytes from or to a socket, are here and inline. */
#ifndef COGEN_REACTORS_READINESS_FD_H
#define COGEN_REACTORS_READINESS_FD_H

#include <sys/socket.h>

#include "reactors/calls.h"
#include "reactors/readiness/readiness.h"

enum { CG__BOTH = CG_IN | CG_OUT };

#define CG__RETRY_PAUSE (10 * CG_MILLISECOND) /* when no event tells the time for the
                                               * next attempt */
#define CG__FULL_PAUSE CG_MILLISECOND /* while a UNIX receiver has no room */
#define CG__CHECK_PAUSE (20 * CG_MILLISECOND) /* between two checks of POLLs of which no
                                               * event tells */

enum cg__kind {
    CG__UNKNOWN,
    CG__TCP,   /* a short count proves that no input, or no room, is left */
    CG__OTHER, /* sockets for which only EAGAIN proves that */
    CG__PLAIN, /* not a socket: read and write */
};

/* The stream ends soon, or has urgent data. Data and FIN may come as one edge with no edge
 * after it, so a short count proves nothing from now on. */
static inline void cg__fd_end_is_near(struct cg__fd *d)
{
    if (d->kind != CG__PLAIN)
        d->kind = CG__OTHER;
}

static inline unsigned cg__fd_direction(const struct cg_io *io)
{
    switch (io->code) {
    case CG_IO_RECV:
    case CG_IO_RECV_DATAGRAMS:
    case CG_IO_RECV_FDS:
    case CG_IO_SPLICE_IN:
    case CG_IO_ACCEPT:
        return CG_IN;
    }
    return CG_OUT;
}

/* Finds or makes a record. Returns NULL if there is no memory. */
struct cg__fd *cg__fd_make(struct cg__readiness *r, int fd);

static inline struct cg__fd *cg__fd_get(struct cg__readiness *r, int fd)
{
    struct cg__fd *d = cg__readiness_find(r, fd);

    return d ? d : cg__fd_make(r, fd);
}

void cg__fd_free_all(struct cg__readiness *r);

/* A descriptor that we have just made. */
void cg__fd_adopt(struct cg__readiness *r, int fd, enum cg__kind kind);

/* Ends this use of a descriptor number: drops what is known and watched. Pending requests
 * stay. */
void cg__fd_clear(struct cg__readiness *r, struct cg__fd *d);

/* Watches for everything that requests need, or pauses if that fails. Returns 0 or
 * -errno. */
int cg__fd_watch_more(struct cg__readiness *r, struct cg__fd *d);

static inline int cg__fd_watch(struct cg__readiness *r, struct cg__fd *d)
{
    return d->watched == CG__BOTH && !d->polls ? 0 : cg__fd_watch_more(r, d);
}

/* Stops watching for what no request needs. */
void cg__fd_watch_less(struct cg__readiness *r, struct cg__fd *d);

/* Calls the backend's watch. */
static inline int cg__fd_tell(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    int error = cg__readiness_own(r);

    return error ? error : r->watcher->watch(r, d, events);
}

/* For a backend's renew: watches again for everything that is watched. */
void cg__fd_watch_again(struct cg__readiness *r);

/* Stops watching altogether. */
static inline void cg__fd_unwatch(struct cg__readiness *r, struct cg__fd *d)
{
    if (d->watched)
        cg__fd_tell(r, d, 0);
    d->watched = 0;
}

/* A request no longer waits. A descriptor of ours stays watched until an event comes that
 * no request needs, because most likely the next request needs the same. Backends with
 * cheap watches stop at once, and so do we for a descriptor that was only polled: its
 * owner may close it, and the number may then belong to another file. */
static inline void cg__fd_slacken(struct cg__readiness *r, struct cg__fd *d)
{
    if (r->watcher->cheap || !d->owned)
        cg__fd_watch_less(r, d);
}

/* Tries the requests again after a pause, with or without an event. Until then events
 * complete only POLLs. */
void cg__fd_pause(struct cg__readiness *r, struct cg__fd *d, int64_t length);
void cg__fd_unpause(struct cg__readiness *r, struct cg__fd *d);

/* Whether a POLL waits only for the end of the peer's stream. */
static inline bool cg__fd_polls_end(const struct cg_io *io)
{
    return !(io->events & CG__BOTH);
}

/* Checks POLLs again after a pause: no event will tell. */
void cg__fd_check_later(struct cg__readiness *r);

/* Finds out when wait itself has something to do next. */
void cg__fd_set_due(struct cg__readiness *r);

void cg__fd_add_poll(struct cg__fd *d, struct cg_io *io);
void cg__fd_remove_poll(struct cg__fd *d, struct cg_io *io);

/* A completion may add and remove POLLs. So the POLLs to check are chosen first, and then
 * returned one by one; NULL: all were returned. */
void cg__fd_choose_polls(struct cg__fd *d);
struct cg_io *cg__fd_chosen_poll(struct cg__fd *d);

/* Makes one attempt. Returns its result; -EAGAIN: watch the descriptor, or wait for the
 * end of a pause. */
ssize_t cg__fd_try(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io);

/* The rest of an attempt at bytes that returned n <= 0 (negative: errno holds the
 * error). */
ssize_t cg__fd_fell_through(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io,
                            ssize_t n);

/* Remembers that a call moved n of `asked` bytes. After a short count the kernel reports
 * more bytes or room by another edge, so until then calls are not tried. That holds for
 * TCP only: a UNIX socket also reads short when descriptors were passed. */
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
    if ((n = send(d->fd, io->buf, io->len, MSG_DONTWAIT | CG__NOSIGNAL)) <= 0)
        return cg__fd_fell_through(r, d, io, n);
    cg__fd_moved(d, CG_OUT, n, io->len);
    return n;
}

#endif
