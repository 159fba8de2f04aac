/* SPDX-License-Identifier: MIT */
/* epoll, edge-triggered: a descriptor is registered once, and a second time when a request
 * first waits for room to send, so that operations need no epoll_ctl. */
#include "config.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"

enum { EVENTS = 32 }; /* reaped by one wait: few enough that the processor's caches still
                       * hold them when their coroutines run */

struct epoll {
    struct cg__readiness readiness; /* must be first */
    bool milliseconds;              /* the kernel has no epoll_pwait2 */
    struct epoll_event events[EVENTS];
};

/* What an event carries: the descriptor and its generation, and no address. The event may
 * come from a registration that a duplicate keeps alive after its descriptor was closed,
 * or it was reaped by the same wait as the event whose completion closed the descriptor. */
static uint64_t label(const struct cg__fd *d)
{
    return (uint64_t)d->generation << 32 | (uint32_t)d->fd;
}

/* EPOLLPRI is included because a receive stops short at urgent data. Only the descriptor
 * of wake is watched for less: reading an eventfd is an edge for its writers. */
static int watch(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    struct epoll_event event = {
        .events = EPOLLET | (events & CG_IN ? EPOLLIN | EPOLLRDHUP | EPOLLPRI : 0) |
                  (events & CG_OUT ? EPOLLOUT : 0),
        .data.u64 = label(d),
    };
    int op = !events ? EPOLL_CTL_DEL : d->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(r->reactor.fd, op, d->fd, &event) == 0)
        return 0;
    /* Its owner closed it without telling us. EEXIST: a duplicate keeps the registration
     * alive. ENOENT: the number belongs to another file. */
    if (errno == EEXIST)
        op = EPOLL_CTL_MOD;
    else if (errno == ENOENT && events)
        op = EPOLL_CTL_ADD;
    else
        return -errno;
    return epoll_ctl(r->reactor.fd, op, d->fd, &event) < 0 ? -errno : 0;
}

static int renew(struct cg__readiness *r)
{
    int error = cg__calls_replace_fd(r->reactor.fd, epoll_create1(EPOLL_CLOEXEC));

    if (!error)
        cg__fd_watch_again(r);
    return error;
}

static unsigned translate(uint32_t events)
{
    return (events & EPOLLIN ? CG_IN : 0) | (events & EPOLLOUT ? CG_OUT : 0) |
           (events & EPOLLERR ? CG_ERR : 0) | (events & EPOLLHUP ? CG_HUP : 0) |
           (events & (EPOLLRDHUP | EPOLLPRI) ? CG__LAST : 0);
}

static int fetch(struct epoll *e, int64_t timeout)
{
    int fd = e->readiness.reactor.fd;
#ifdef HAVE_EPOLL_PWAIT2
    struct timespec ts;
    int n;

    if (!e->milliseconds && timeout != 0) {
        n = epoll_pwait2(fd, e->events, EVENTS, cg__calls_timespec(timeout, &ts), NULL);
        if (n >= 0 || !cg__calls_is_missing(-errno))
            return n;
        e->milliseconds = true;
    }
#endif
    return epoll_wait(fd, e->events, EVENTS, cg__calls_milliseconds(timeout));
}

/* Every descriptor that is or was watched has a record. */
static struct cg__fd *whose(struct epoll *e, int i)
{
    unsigned fd = (uint32_t)e->events[i].data.u64;

    return &e->readiness.pages[fd / CG__FD_PAGE][fd % CG__FD_PAGE];
}

/* With many connections the memory that the next events need is not in the caches. While
 * earlier events are handled, this prefetches first the record, then its request, then
 * what the request points to. Always inline, because gcc drops calls of a function that
 * only prefetches. */
static inline __attribute__((always_inline)) void look_ahead(struct epoll *e, int i, int n)
{
    struct cg__fd *d;

    if (i + 3 < n)
        __builtin_prefetch(whose(e, i + 3));
    if (i + 2 < n && (d = whose(e, i + 2))->in) {
        __builtin_prefetch(d->in);
        __builtin_prefetch((char *)d->in + CG__LINE);
    }
    if (i + 1 < n && (d = whose(e, i + 1))->in) {
        __builtin_prefetch(d->in->owner);
        __builtin_prefetch((char *)d->in->owner + CG__LINE);
        __builtin_prefetch(d->in->buf, 1);
    }
}

static int wait(struct cg__readiness *r, int64_t timeout)
{
    struct epoll *e = (struct epoll *)r;
    int n = fetch(e, timeout);

    for (int i = 0; i < n; i++) {
        struct cg__fd *d = whose(e, i);

        look_ahead(e, i, n);
        if (label(d) == e->events[i].data.u64)
            cg__event(r, d, translate(e->events[i].events));
    }
    return n < 0 ? -errno : 0;
}

static const struct cg__watcher watcher = {
    .edge = true,
    .watch = watch,
    .wait = wait,
    .renew = renew,
};

static int open_epoll(struct cg_reactor **reactor)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    return fd < 0 ? -errno
                  : cg__readiness_new(reactor, &cg__reactor_epoll, &watcher,
                                      sizeof(struct epoll), fd);
}

const struct cg_reactor_type cg__reactor_epoll = {
    .name = "epoll",
    .open = open_epoll,
    CG__READINESS_SLOTS,
};
