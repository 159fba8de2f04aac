/* SPDX-License-Identifier: MIT */
/* select: on every system, for descriptors below FD_SETSIZE. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>
#include <time.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"

struct selecting {
    struct cg__readiness readiness; /* must be first */
    int count;                      /* every watched descriptor is below this */
    fd_set in, out;                 /* watched */
    fd_set in_now, out_now;         /* what the last select reported and is not handled
                                     * yet */
};

static void put(int fd, fd_set *set, fd_set *now, bool on)
{
    if (on) {
        FD_SET(fd, set);
    } else {
        FD_CLR(fd, set);
        FD_CLR(fd, now);
    }
}

static int watch(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    struct selecting *s = (struct selecting *)r;

    put(d->fd, &s->in, &s->in_now, events & CG_IN);
    put(d->fd, &s->out, &s->out_now, events & CG_OUT);
    if (events && d->fd >= s->count)
        s->count = d->fd + 1;
    while (s->count > 0 && !FD_ISSET(s->count - 1, &s->in) &&
           !FD_ISSET(s->count - 1, &s->out))
        s->count--;
    return 0;
}

static unsigned take(struct selecting *s, int fd)
{
    unsigned events = (FD_ISSET(fd, &s->in_now) ? CG_IN : 0) |
                      (FD_ISSET(fd, &s->out_now) ? CG_OUT : 0);

    FD_CLR(fd, &s->in_now);
    FD_CLR(fd, &s->out_now);
    return events;
}

/* Somebody closed a watched descriptor, and select does not say which. Reports it as
 * failed: its own call will return EBADF, and the others go on. */
static void find_closed(struct cg__readiness *r)
{
    struct selecting *s = (struct selecting *)r;

    for (int fd = 0; fd < s->count; fd++)
        if ((FD_ISSET(fd, &s->in) || FD_ISSET(fd, &s->out)) && fcntl(fd, F_GETFD) < 0)
            cg__event(r, cg__readiness_find(r, fd), CG_ERR);
}

static int wait(struct cg__readiness *r, int64_t timeout)
{
    struct selecting *s = (struct selecting *)r;
    int count = s->count, n;
    struct timespec ts;
    unsigned events;

    s->in_now = s->in;
    s->out_now = s->out;
    n = pselect(count, &s->in_now, &s->out_now, NULL, cg__calls_timespec(timeout, &ts),
                NULL);
    if (n < 0) {
        n = errno;
        FD_ZERO(&s->in_now);
        FD_ZERO(&s->out_now);
        if (n != EBADF)
            return -n;
        find_closed(r);
        return 0;
    }
    for (int fd = 0; n > 0 && fd < count; fd++) {
        if (!(events = take(s, fd)))
            continue;
        n -= (events & CG_IN ? 1 : 0) + (events & CG_OUT ? 1 : 0);
        cg__event(r, cg__readiness_find(r, fd), events);
    }
    return 0;
}

static const struct cg__watcher watcher = {
    .cheap = true,
    .limit = FD_SETSIZE,
    .watch = watch,
    .wait = wait,
};

static int open_select(struct cg_reactor **reactor)
{
    return cg__readiness_new(reactor, &cg__reactor_select, &watcher,
                             sizeof(struct selecting), -1);
}

const struct cg_reactor_type cg__reactor_select = {
    .name = "select",
    .open = open_select,
    CG__READINESS_SLOTS,
};
