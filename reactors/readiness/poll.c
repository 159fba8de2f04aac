/* SPDX-License-Identifier: MIT */
/* poll, with one dense array of what is watched. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"

struct polling {
    struct cg__readiness readiness; /* must be first */
    struct pollfd *fds;             /* what is watched; d->own.index is a record's place */
    size_t count, room;
};

static int grow(struct polling *p)
{
    size_t room = p->room ? p->room * 2 : 64;
    struct pollfd *fds = realloc(p->fds, room * sizeof *fds);

    if (!fds)
        return -ENOMEM;
    p->fds = fds;
    p->room = room;
    return 0;
}

/* The last entry moves into the free place, with an event that may not have been handled
 * yet. */
static void take_out(struct polling *p, struct cg__fd *d)
{
    size_t index = d->own.index;

    p->fds[index] = p->fds[--p->count];
    cg__readiness_find(&p->readiness, p->fds[index].fd)->own.index = index;
}

static int watch(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    struct polling *p = (struct polling *)r;
    int error;

    if (!events) {
        take_out(p, d);
        return 0;
    }
    if (!d->watched) {
        if (p->count == p->room && (error = grow(p)))
            return error;
        d->own.index = p->count++;
        p->fds[d->own.index] = (struct pollfd){.fd = d->fd};
    }
    p->fds[d->own.index].events =
        (events & CG_IN ? POLLIN : 0) | (events & CG_OUT ? POLLOUT : 0) |
        (events & CG_HUP ? CG__PEER_ENDED : 0);
    return 0;
}

/* POLLNVAL, for a descriptor that was closed, is an error, too: the call that follows
 * returns EBADF. */
static unsigned translate(short events)
{
    return (events & POLLIN ? CG_IN : 0) | (events & POLLOUT ? CG_OUT : 0) |
           (events & (POLLERR | POLLNVAL) ? CG_ERR : 0) |
           (events & POLLHUP ? CG_HUP : 0) | (events & CG__PEER_ENDED ? CG__LAST : 0);
}

static int fetch(struct polling *p, int64_t timeout)
{
#ifdef HAVE_PPOLL
    struct timespec ts;

    return ppoll(p->fds, p->count, cg__calls_timespec(timeout, &ts), NULL);
#else
    return poll(p->fds, p->count, cg__calls_milliseconds(timeout));
#endif
}

static int wait(struct cg__readiness *r, int64_t timeout)
{
    struct polling *p = (struct polling *)r;
    int n = fetch(p, timeout);

    if (n < 0)
        return -errno;
    /* From the end, and each event is cleared before it is handled. Completions remove
     * entries and add others: an entry that moves to a place behind us has been handled
     * already, one that moves to a place before us has not. */
    for (size_t i = p->count; n > 0 && i-- > 0;) {
        short events;

        if (i >= p->count || !(events = p->fds[i].revents))
            continue;
        p->fds[i].revents = 0;
        n--;
        cg__event(r, cg__readiness_find(r, p->fds[i].fd), translate(events));
    }
    return 0;
}

static void release(struct cg__readiness *r)
{
    free(((struct polling *)r)->fds);
}

static const struct cg__watcher watcher = {
    .cheap = true,
    .ends = true,
    .watch = watch,
    .wait = wait,
    .release = release,
};

static int open_poll(struct cg_reactor **reactor)
{
    return cg__readiness_new(reactor, &cg__reactor_poll, &watcher,
                             sizeof(struct polling), -1);
}

const struct cg_reactor_type cg__reactor_poll = {
    .name = "poll",
    .open = open_poll,
    CG__READINESS_SLOTS,
};
