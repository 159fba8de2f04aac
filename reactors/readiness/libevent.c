/* SPDX-License-Identifier: MIT */
/* libevent, over the kernel interface that it chooses, or over a caller's event_base,
 * whose other events our wait then dispatches. Level-triggered, because not all of its
 * methods have edges. Events are persistent and live until their descriptor is
 * forgotten. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"

#define NAP (10 * CG_MILLISECOND) /* without memory for a timer */

struct evented {
    struct cg__readiness readiness; /* must be first */
    struct event_base *base;
    struct event *timer;
    bool borrowed; /* the base is the caller's */
};

static void happened(evutil_socket_t fd, short what, void *arg)
{
    struct evented *e = arg;
    struct cg__fd *d = cg__readiness_find(&e->readiness, fd);

    cg__event(&e->readiness, d,
              (what & EV_READ ? CG_IN : 0) | (what & EV_WRITE ? CG_OUT : 0));
}

static void timed_out(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg; /* the active event has already ended the wait */
}

/* One event per direction: to watch for less, one of them is removed, which needs no memory.
 * There is none for the end of the peer's stream (EV_CLOSED): libevent reports a connection
 * that was reset as readable and writable only, and spins where neither is watched. */
struct both {
    struct event *in, *out;
};

static void free_both(struct both *both)
{
    if (both->in)
        event_free(both->in);
    if (both->out)
        event_free(both->out);
    free(both);
}

static struct both *new_both(struct evented *e, int fd)
{
    struct both *both = calloc(1, sizeof *both);

    if (!both)
        return NULL;
    both->in = event_new(e->base, fd, EV_PERSIST | EV_READ, happened, e);
    both->out = event_new(e->base, fd, EV_PERSIST | EV_WRITE, happened, e);
    if (both->in && both->out)
        return both;
    free_both(both);
    return NULL;
}

/* libevent does not always set errno. */
static int add(struct event *event, const struct timeval *timeout)
{
    errno = 0;
    if (event_add(event, timeout) == 0)
        return 0;
    return errno ? -errno : -ENOMEM;
}

static int watch(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    struct evented *e = (struct evented *)r;
    struct both *both = d->own.pointer;
    unsigned more = events & ~d->watched, less = d->watched & ~events;
    int error = 0;

    if (!both && !(both = d->own.pointer = new_both(e, d->fd)))
        return -ENOMEM;
    /* libevent removes the event even if its kernel interface returns an error. */
    if (less & CG_IN)
        event_del(both->in);
    if (less & CG_OUT)
        event_del(both->out);
    if (more & CG_IN)
        error = add(both->in, NULL);
    if (more & CG_OUT && !error)
        error = add(both->out, NULL);
    if (error && more & CG_IN)
        event_del(both->in);
    if (error && more & CG_OUT)
        event_del(both->out);
    return error;
}

static void drop(struct cg__readiness *r, struct cg__fd *d)
{
    (void)r;
    if (d->own.pointer)
        free_both(d->own.pointer);
    d->own.pointer = NULL;
}

/* For events that belong to no descriptor, including those of a caller's base. */
static int renew(struct cg__readiness *r)
{
    errno = 0;
    if (event_reinit(((struct evented *)r)->base) == 0)
        return 0;
    return errno ? -errno : -ENOMEM;
}

/* Polls and sleeps a little, if there is no memory for a timer. */
static int nap(struct evented *e, int64_t timeout)
{
    struct timespec ts;
    int n = event_base_loop(e->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);

    cg__calls_timespec(timeout < NAP ? timeout : NAP, &ts);
    if (n >= 0)
        nanosleep(&ts, NULL);
    return n;
}

static int loop(struct evented *e, int64_t timeout)
{
    int64_t microseconds = timeout / CG_MICROSECOND + (timeout % CG_MICROSECOND != 0);
    struct timeval tv = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};
    int n, error, deleted;

    if (timeout <= 0)
        return event_base_loop(e->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    if (timeout == CG_NEVER)
        return event_base_loop(e->base, EVLOOP_ONCE);
    if (add(e->timer, &tv) < 0)
        return nap(e, timeout);
    n = event_base_loop(e->base, EVLOOP_ONCE);
    error = errno;
    deleted = event_del(e->timer);
    if (n < 0)
        errno = error; /* of event_base_loop */
    return deleted < 0 ? -1 : n;
}

static int wait(struct cg__readiness *r, int64_t timeout)
{
    errno = 0;
    if (loop((struct evented *)r, timeout) >= 0)
        return 0;
    return errno ? -errno : -EIO;
}

static void release(struct cg__readiness *r)
{
    struct evented *e = (struct evented *)r;

    event_free(e->timer);
    if (!e->borrowed)
        event_base_free(e->base);
}

static const struct cg__watcher watcher = {
    .watch = watch,
    .wait = wait,
    .renew = renew,
    .drop = drop,
    .release = release,
};

/* Without the descriptors that it needs (a queue, a timer, a socket pair) libevent does
 * not fail but ends the process. So check first that enough descriptors are free. */
static bool descriptors_to_be_had(void)
{
    int one[2], two[2];
    bool first = pipe(one) == 0, second = first && pipe(two) == 0;

    if (second) {
        close(two[0]);
        close(two[1]);
    }
    if (first) {
        close(one[0]);
        close(one[1]);
    }
    return second;
}

/* Makes a base without locks, for one thread, whose timers are exact to the
 * microsecond. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK |
                                                    EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

int cg__libevent_open(struct cg_reactor **reactor, void *event_base)
{
    struct evented *e = calloc(1, sizeof *e);
    int error = -ENOMEM;

    if (!e)
        return -ENOMEM;
    e->borrowed = event_base;
    if (!event_base && !descriptors_to_be_had()) {
        error = -EMFILE;
        goto freeing;
    }
    e->base = event_base ? event_base : new_base();
    if (!e->base)
        goto freeing;
    if (!(e->timer = event_new(e->base, -1, 0, timed_out, NULL)))
        goto freeing_base;
    e->readiness.reactor.fd = -1;
    error = cg__readiness_open(&e->readiness, &cg__reactor_libevent, &watcher);
    if (error)
        goto freeing; /* release has freed the others */
    *reactor = &e->readiness.reactor;
    return 0;
freeing_base:
    if (!e->borrowed)
        event_base_free(e->base);
freeing:
    free(e);
    return error;
}

static int open_libevent(struct cg_reactor **reactor)
{
    return cg__libevent_open(reactor, NULL);
}

const struct cg_reactor_type cg__reactor_libevent = {
    .name = "libevent",
    .open = open_libevent,
    CG__READINESS_SLOTS,
};
