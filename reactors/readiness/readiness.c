/* SPDX-License-Identifier: MIT */
/* Makes completions out of readiness: tries the call, watches the descriptor, tries again.
 * What is known about a descriptor is remembered, so that in the steady state a request
 * and its response cost one receive, one send and a share of a wait. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "reactors/readiness/event.h"

static void complete(struct cg_io *io, ssize_t result)
{
    io->state = CG_IO_IDLE;
    io->complete(io, result);
}

static enum cg_verdict done(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

/* Whether the descriptor's record proves that there is nothing to report of these events. An
 * edge-triggered kernel reports every change of a descriptor that we own, and the report sets
 * `ready`, or changes `kind` at the end of a stream. If it did neither, nothing has happened up
 * to the last wait. Reads and writes rely on the same. */
static bool is_quiet(const struct cg__readiness *r, const struct cg__fd *d,
                     unsigned events)
{
    return r->watcher->edge && d->owned && d->watched & CG_IN &&
           !(events & CG_OUT & ~d->watched) && d->kind == CG__TCP &&
           !(d->ready & events) && r->forks == cg__fork_count();
}

static enum cg_verdict submit_poll(struct cg__readiness *r, struct cg__fd *d,
                                   struct cg_io *io)
{
    int result;

    if (!(io->events & (CG__BOTH | CG_HUP)))
        return done(io, -EINVAL);
    if (cg__fd_polls_end(io) && !CG__PEER_ENDED)
        return done(io, -EOPNOTSUPP);
    /* Asks the kernel: what is remembered of a descriptor that is not ours may concern another
     * file with this number. */
    if (!is_quiet(r, d, io->events) && (result = cg__calls_ready_events(d->fd, io->events)))
        return done(io, result);
    io->flag = 0;
    cg__fd_add_poll(d, io);
    if ((result = cg__fd_watch(r, d))) {
        cg__fd_remove_poll(d, io);
        return done(io, result);
    }
    if (cg__fd_polls_end(io) && !r->watcher->ends && !r->watcher->edge)
        cg__fd_check_later(r);
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

/* A completion may close the descriptor, and its number may be reused. That costs at most
 * an extra attempt at the new descriptor's requests: none of its POLLs is chosen here. */
static void finish_polls(struct cg__readiness *r, struct cg__fd *d)
{
    struct cg_io *io;
    int result;

    cg__fd_choose_polls(d);
    while ((io = cg__fd_chosen_poll(d))) {
        /* Asks the kernel and does not trust the event: select has no HUP, and others
         * report events that are out of date. */
        if (!(result = cg__calls_ready_events(d->fd, io->events)))
            continue;
        cg__fd_remove_poll(d, io);
        cg__fd_slacken(r, d);
        complete(io, result);
    }
}

static void finish(struct cg__readiness *r, struct cg__fd *d, struct cg_io **slot)
{
    struct cg_io *io = *slot;
    ssize_t result;

    if (!io || (result = cg__fd_try(r, d, io)) == -EAGAIN)
        return;
    *slot = NULL;
    cg__fd_slacken(r, d);
    complete(io, result);
}

/* The descriptor cannot be watched any more. The first completion may close it, and its
 * number may be reused; the new descriptor has not failed. */
static void fail(struct cg__fd *d, int error)
{
    uint32_t generation = d->generation;
    struct cg_io *io;

    cg__fd_choose_polls(d);
    if ((io = d->in)) {
        d->in = NULL;
        complete(io, error);
    }
    if (d->generation == generation && (io = d->out)) {
        d->out = NULL;
        complete(io, error);
    }
    while ((io = cg__fd_chosen_poll(d))) {
        cg__fd_remove_poll(d, io);
        complete(io, error);
    }
}

void cg__readiness_event_in_vain(struct cg__readiness *r, struct cg__fd *d)
{
    int error;

    if ((error = cg__fd_watch(r, d))) /* ask again for one-shot events */
        fail(d, error);
}

static void try_all(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    finish_polls(r, d);
    if (events & CG_IN)
        finish(r, d, &d->in);
    if (events & CG_OUT)
        finish(r, d, &d->out);
    if (d->polls && !r->watcher->edge)
        cg__fd_watch_less(r, d); /* the event may be one that the POLLs do not need */
    cg__readiness_event_in_vain(r, d);
}

static void drain_wake(struct cg__readiness *r, struct cg__fd *d)
{
    uint64_t count;

    while (read(r->wake_in, &count, sizeof count) < 0 && errno == EINTR)
        ;
    atomic_exchange(&r->woken, false);
    if (!(d->watched & CG_IN) && cg__fd_tell(r, d, CG_IN) == 0)
        d->watched = CG_IN;
}

void cg__readiness_event_any(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    if (d->fd == r->wake_in) {
        drain_wake(r, d);
        return;
    }
    if (events & (CG_ERR | CG_HUP | CG__LAST)) {
        cg__fd_end_is_near(d);
        events |= events & (CG_ERR | CG_HUP) ? CG__BOTH : CG_IN;
    }
    d->ready |= events & CG__BOTH;
    if (d->due) /* requests that move data wait for the end of the pause */
        events = 0;
    if (d->polls || (events & CG_IN && d->in) || (events & CG_OUT && d->out))
        try_all(r, d, events);
    else if (!r->watcher->edge)
        cg__fd_watch_less(r, d); /* otherwise the level-triggered event would repeat */
}

static bool has_poll_for_end(const struct cg__fd *d)
{
    const struct cg_io *io = d->polls;

    while (io && !cg__fd_polls_end(io))
        io = io->next;
    return io != NULL;
}

/* Goes through all records, which is cheap for the backends that need it: select has few,
 * and libevent needs it only over select and poll. */
static void check_ends(struct cg__readiness *r)
{
    bool again = false;
    struct cg__fd *d;

    r->check = 0;
    for (size_t fd = 0; fd < r->page_count * CG__FD_PAGE; fd++) {
        if (!(d = cg__readiness_find(r, (int)fd)) || !has_poll_for_end(d))
            continue;
        finish_polls(r, d);
        again = again || has_poll_for_end(d);
    }
    if (again)
        cg__fd_check_later(r);
}

static void resume(struct cg__readiness *r)
{
    int64_t now = cg__calls_clock(&r->reactor);
    struct cg__fd *d;

    if (r->check && r->check <= now) {
        check_ends(r);
        cg__fd_set_due(r);
    }
    while (r->reactor.due && r->reactor.due <= now) {
        for (d = r->paused; d->due != r->reactor.due;)
            d = d->next_paused;
        cg__fd_unpause(r, d);
        try_all(r, d, CG__BOTH);
    }
}

int cg__readiness_wait(struct cg_reactor *reactor, int64_t timeout)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    int64_t left;
    int error;

    if ((error = cg__readiness_own(r)))
        return error;
    if (reactor->due && timeout != 0) {
        left = reactor->due - cg__calls_clock(reactor);
        if (left < timeout)
            timeout = left > 0 ? left : 0;
    }
    error = r->watcher->wait(r, timeout);
    if (reactor->due)
        resume(r);
    return error == -EINTR ? 0 : error;
}

void cg__readiness_forget(struct cg_reactor *reactor, int fd)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__fd *d = cg__readiness_find(r, fd);
    struct cg_io *io;

    if (!d)
        return;
    assert(!d->in && !d->out);
    cg__fd_clear(r, d);
    /* Its owner closes a descriptor while somebody polls it: a mistake, which the poll
     * reports. */
    cg__fd_choose_polls(d);
    while ((io = cg__fd_chosen_poll(d))) {
        cg__fd_remove_poll(d, io);
        complete(io, -EBADF);
    }
}

static enum cg_verdict call(struct cg__readiness *r, struct cg_io *io)
{
    if (io->code == CG_IO_QUIET) {
        struct cg__fd *d = cg__readiness_find(r, io->fd);

        return done(io, d != NULL && is_quiet(r, d, CG_IN));
    }
    cg__calls_do(io);
    if (io->code == CG_IO_SOCKET && io->result >= 0) {
        bool tcp = (io->domain == AF_INET || io->domain == AF_INET6) &&
                   io->type == SOCK_STREAM &&
                   (io->protocol == 0 || io->protocol == IPPROTO_TCP);
        cg__fd_adopt(r, io->result, tcp ? CG__TCP : CG__OTHER);
    } else if (io->code == CG_IO_ATTACH && io->result >= 0) {
        cg__fd_adopt(r, io->fd, CG__UNKNOWN);
    }
    return done(io, io->result);
}

__attribute__((noinline)) static enum cg_verdict
watch_and_park(struct cg__readiness *r, struct cg__fd *d, struct cg_io **slot, struct cg_io *io)
{
    int error = cg__fd_watch_more(r, d);

    if (!error)
        return CG_PENDING;
    *slot = NULL;
    io->state = CG_IO_IDLE;
    if (io->code == CG_IO_ACCEPT) /* its caller tries again at once */
        cg__fd_pause(r, d, CG__RETRY_PAUSE);
    return done(io, error);
}

/* The request waits until its descriptor is ready. */
static inline enum cg_verdict park(struct cg__readiness *r, struct cg__fd *d,
                                   struct cg_io **slot, struct cg_io *io)
{
    *slot = io;
    io->state = CG_IO_PENDING;
    return d->watched & (slot == &d->in ? CG_IN : CG_OUT) ? CG_PENDING
                                                          : watch_and_park(r, d, slot, io);
}

/* Not inline: its stack frame would slow the fast path down. */
__attribute__((noinline)) static enum cg_verdict submit_any(struct cg__readiness *r,
                                                            struct cg_io *io)
{
    struct cg_io **slot;
    struct cg__fd *d;
    ssize_t n;

    if (io->code >= CG_IO_SOCKET)
        return call(r, io);
    if ((unsigned)io->fd >= r->limit) /* negative, or too large for this reactor */
        return done(io, io->fd < 0 ? -EBADF : -EMFILE);
    if (!(d = cg__fd_get(r, io->fd)))
        return done(io, -ENOMEM);
    if (io->code == CG_IO_POLL)
        return submit_poll(r, d, io);
    slot = cg__fd_direction(io) == CG_IN ? &d->in : &d->out;
    if (*slot)
        return done(io, -EBUSY);
    d->owned = true;
    io->flag = 0;
    io->mark = (uintptr_t)d;
    if (io->code == CG_IO_ACCEPT && d->due)
        return park(r, d, slot, io); /* an earlier request failed; wait for the end of
                                      * the pause */
    if (d->ready & cg__fd_direction(io) || io->code == CG_IO_CONNECT) {
        if ((n = cg__fd_try(r, d, io)) != -EAGAIN)
            return done(io, n);
    }
    return park(r, d, slot, io);
}

__attribute__((noinline)) static enum cg_verdict submit_receive(struct cg__readiness *r,
                                                                struct cg__fd *d,
                                                                struct cg_io *io)
{
    ssize_t n = cg__fd_receive(r, d, io);

    return n == -EAGAIN ? park(r, d, &d->in, io) : done(io, n);
}

__attribute__((noinline)) static enum cg_verdict submit_send(struct cg__readiness *r,
                                                             struct cg__fd *d,
                                                             struct cg_io *io)
{
    ssize_t n = cg__fd_send(r, d, io);

    return n == -EAGAIN ? park(r, d, &d->out, io) : done(io, n);
}

/* Fast path for bytes: from a socket's second request on, io->mark caches the descriptor's
 * record. */
enum cg_verdict cg__readiness_submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__fd *d = (struct cg__fd *)io->mark;

    if (io->code > CG_IO_SEND || !d || d->fd != io->fd)
        return submit_any(r, io);
    if (io->code == CG_IO_RECV) {
        if (d->in)
            return done(io, -EBUSY);
        return d->ready & CG_IN ? submit_receive(r, d, io) : park(r, d, &d->in, io);
    }
    if (d->out)
        return done(io, -EBUSY);
    return d->ready & CG_OUT ? submit_send(r, d, io) : park(r, d, &d->out, io);
}

enum cg_verdict cg__readiness_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__fd *d = cg__readiness_find(r, io->fd);

    assert(d && io->state == CG_IO_PENDING);
    if (io->code == CG_IO_POLL)
        cg__fd_remove_poll(d, io);
    else if (cg__fd_direction(io) == CG_IN)
        d->in = NULL;
    else
        d->out = NULL;
    if (!d->in && !d->out && !d->polls)
        cg__fd_unpause(r, d);
    cg__fd_slacken(r, d);
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

void cg__readiness_wake(struct cg_reactor *reactor)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    uint64_t one = 1;
    int kept = errno;

    if (r->forks == cg__fork_count() && !atomic_exchange(&r->woken, true))
        while (write(r->wake_out, &one, sizeof one) < 0 && errno == EINTR)
            ;
    errno = kept;
}
