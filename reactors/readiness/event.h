/* SPDX-License-Identifier: MIT */
/* What a backend calls for each descriptor that is ready. Inline, because nearly all
 * events are of one kind: bytes arrived for the only request that waits for the
 * descriptor. */
#ifndef COGEN_REACTORS_READINESS_EVENT_H
#define COGEN_REACTORS_READINESS_EVENT_H

#include <errno.h>

#include "reactors/readiness/fd.h"

/* Handle any other event, and one for which the attempt returned -EAGAIN; in
 * readiness.c. */
void cg__readiness_event_any(struct cg__readiness *r, struct cg__fd *d,
                             unsigned events);
void cg__readiness_event_in_vain(struct cg__readiness *r, struct cg__fd *d);

/* The descriptor is ready for these events: completes every request that it can. May call
 * the backend's watch, and callbacks that do anything. */
static inline void cg__event(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    struct cg_io *io = d->in;
    ssize_t n;

    if ((events & ~CG_OUT) != CG_IN || !io || io->code != CG_IO_RECV || d->out ||
        d->polls || d->due) {
        cg__readiness_event_any(r, d, events);
        return;
    }
    d->ready |= events;
    if ((n = cg__fd_receive(r, d, io)) == -EAGAIN) {
        cg__readiness_event_in_vain(r, d);
        return;
    }
    d->in = NULL;
    if (r->watcher->cheap)
        cg__fd_unwatch(r, d); /* no other request waits */
    io->state = CG_IO_IDLE;
    io->complete(io, n);
}

#endif
