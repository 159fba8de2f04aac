/* SPDX-License-Identifier: MIT */
/* What a backend calls for each descriptor that is ready. Inline, because nearly every
 * event is one and the same: bytes have come for the only request that waits there. */
#ifndef COGEN_REACTORS_READINESS_EVENT_H
#define COGEN_REACTORS_READINESS_EVENT_H

#include <errno.h>

#include "reactors/readiness/fd.h"

/* Any other event, and one that has come to nothing: readiness.c. */
void cg__readiness_event_any(struct cg__readiness *r, struct cg__fd *d,
                             unsigned events);
void cg__readiness_event_in_vain(struct cg__readiness *r, struct cg__fd *d);

/* A descriptor is ready for these; completes what can be. It may call watch, and everything
 * that a completion may do. */
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
        cg__fd_unwatch(r, d); /* nobody else waits */
    io->state = CG_IO_IDLE;
    io->complete(io, n);
}

#endif
