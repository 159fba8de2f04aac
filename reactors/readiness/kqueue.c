/* SPDX-License-Identifier: MIT */
/* kqueue, restricted to what all systems and emulations do alike: one EV_ONESHOT knote per
 * direction with a pending request, EV_DELETE before close, no EV_CLEAR. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <time.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"

enum { EVENTS = 256 }; /* reaped by one wait */

struct queue {
    struct cg__readiness readiness; /* must be first */
    struct kevent events[EVENTS];
};

/* low: sets a low-water mark of INT_MAX bytes, so that a read event reports only the end
 * of the stream. */
static int change(struct cg__readiness *r, struct cg__fd *d, unsigned event, int flags,
                  bool low)
{
    struct kevent change;
    int n;

    EV_SET(&change, d->fd, event == CG_IN ? EVFILT_READ : EVFILT_WRITE, flags,
           low ? NOTE_LOWAT : 0, low ? INT_MAX : 0, (void *)(uintptr_t)d->generation);
    do
        n = kevent(r->reactor.fd, &change, 1, NULL, 0, NULL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* Bytes and the end of the stream share a knote. If both are watched, it reports bytes, and
 * fires at the end, too. */
static int watch(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    unsigned more = events & ~d->watched, less = d->watched & ~events;
    int error = 0;

    /* A deletion may fail: the knote may have fired already. */
    if (d->watched & (CG_IN | CG_HUP) && !(events & (CG_IN | CG_HUP)))
        change(r, d, CG_IN, EV_DELETE, false);
    else if ((more | less) & CG_IN || (more & CG_HUP && !(events & CG_IN)))
        error = change(r, d, CG_IN, EV_ADD | EV_ONESHOT, !(events & CG_IN));
    if (less & CG_OUT)
        change(r, d, CG_OUT, EV_DELETE, false);
    if (more & CG_OUT && !error)
        error = change(r, d, CG_OUT, EV_ADD | EV_ONESHOT, false);
    return error;
}

/* A kqueue is not inherited by a child: its number may be another file's by now. */
static int renew(struct cg__readiness *r)
{
    int fd = kqueue();

    if (fd < 0)
        return -errno;
    r->reactor.fd = fd;
    cg__fd_watch_again(r);
    return 0;
}

static unsigned translate(const struct kevent *event)
{
    bool end = event->flags & EV_EOF;

    if (event->flags & EV_ERROR)
        return CG_ERR;
    if (event->filter == EVFILT_READ)
        return CG_IN | (end ? CG__LAST : 0);
    return CG_OUT | (end ? CG_HUP : 0);
}

static int wait(struct cg__readiness *r, int64_t timeout)
{
    struct queue *q = (struct queue *)r;
    struct timespec ts;
    int n = kevent(r->reactor.fd, NULL, 0, q->events, EVENTS,
                   cg__calls_timespec(timeout, &ts));

    for (int i = 0; i < n; i++) {
        const struct kevent *event = &q->events[i];
        struct cg__fd *d = cg__readiness_find(r, (int)event->ident);

        if (!d || (void *)(uintptr_t)d->generation != (void *)event->udata)
            continue;
        if (event->flags & EV_EOF)
            d->error = event->fflags; /* libkqueue has cleared the socket's error */
        d->watched &= event->filter == EVFILT_READ ? ~(CG_IN | CG_HUP) : ~CG_OUT;
        cg__event(r, d, translate(event));
    }
    return n < 0 ? -errno : 0;
}

static const struct cg__watcher watcher = {
    .ends = true,
    .watch = watch,
    .wait = wait,
    .renew = renew,
};

static int open_kqueue(struct cg_reactor **reactor)
{
    int fd = kqueue();

    return fd < 0 ? -errno
                  : cg__readiness_new(reactor, &cg__reactor_kqueue, &watcher,
                                      sizeof(struct queue), fd);
}

const struct cg_reactor_type cg__reactor_kqueue = {
    .name = "kqueue",
    .open = open_kqueue,
    CG__READINESS_SLOTS,
};
