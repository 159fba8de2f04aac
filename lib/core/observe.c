/* SPDX-License-Identifier: MIT */
/* Tells observers what a scheduler does. See observe.h. */
#include "config.h"

#include "lib/core/observe.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <stdlib.h>

/* Calls a function of all observers; the first argument is always `each`. */
#define TELL(observe, what, ...)                                                           \
    for (struct cg__observer *each = (observe)->first; each; each = each->next)            \
        if (each->what)                                                                    \
    each->what(__VA_ARGS__)

void cg__observe_binds(struct cg_sched *sched)
{
    if (sched->observe)
        TELL(sched->observe, binds, each);
}

/* One look at the clock serves for the coroutine that was suspended and for the next one,
 * unless the loop ran in between. */
void cg__observe_resumes(struct cg_sched *sched)
{
    struct cg__observe *observe = sched->observe;
    struct cg__ready *ready = &sched->ready;

    observe->resumed = observe->suspended && sched->ran > 1
                           ? observe->suspended
                           : cg__observe_clock(observe, sched->reactor);
    observe->suspended = 0;
    if (ready->burst > 1)
        cg__ready_order(ready);
    ready->burst = 0; /* as taking it does, which follows */
    TELL(observe, resumes, each, ready->ring[ready->head & ready->mask], observe->resumed);
}

void cg__observe_begins(struct cg_sched *sched, struct cg_op *op)
{
    TELL(sched->observe, begins, each, op);
}

int64_t cg__observe_waits(struct cg_sched *sched, struct cg_op *op)
{
    struct cg__observe *observe = sched->observe;

    observe->suspended = cg__observe_clock(observe, sched->reactor);
    TELL(observe, waits, each, op, observe->suspended);
    return observe->suspended;
}

void cg__observe_ends(struct cg_sched *sched, struct cg_op *op, ssize_t result,
                      int64_t length)
{
    TELL(sched->observe, ends, each, op, result, length);
}

void cg__observe_completes(struct cg_sched *sched, const struct cg_io *io, ssize_t result)
{
    TELL(sched->observe, completes, each, io, result);
}

/* The reactor's functions while it is observed. */

static enum cg_verdict submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__observe *observe = (struct cg__observe *)reactor->type;
    enum cg_verdict verdict = observe->own->submit(reactor, io);

    if (verdict == CG_DONE)
        cg__observe_completes(observe->sched, io, io->result);
    return verdict;
}

static int wait_for(struct cg_reactor *reactor, int64_t timeout)
{
    struct cg__observe *observe = (struct cg__observe *)reactor->type;
    int64_t now = cg__observe_clock(observe, reactor);
    int rc;

    TELL(observe, sleeps, each, now);
    rc = observe->own->wait(reactor, timeout);
    now = cg__observe_clock(observe, reactor);
    TELL(observe, wakes, each, now);
    return rc;
}

static struct cg__observe *make(struct cg_sched *sched)
{
    struct cg__observe *observe = calloc(1, sizeof *observe);

    if (observe == NULL)
        return NULL;
    observe->sched = sched;
    observe->own = sched->reactor->type;
    observe->type = *observe->own;
    observe->type.submit = submit;
    observe->type.wait = wait_for;
    sched->reactor->type = &observe->type;
    sched->observe = observe;
    return observe;
}

int cg__observe_add(struct cg_sched *sched, struct cg__observer *observer)
{
    struct cg__observe *observe = sched->observe ? sched->observe : make(sched);

    if (observe == NULL)
        return -ENOMEM;
    observer->next = observe->first;
    observe->first = observer;
    observe->coros |= observer->resumes || observer->begins || observer->waits ||
                      observer->ends;
    sched->unusual |= observe->coros;
    return 0;
}

struct cg__observer *cg__observe_find(const struct cg_sched *sched,
                                      void (*free)(struct cg__observer *observer))
{
    struct cg__observer *observer = sched->observe ? sched->observe->first : NULL;

    while (observer && observer->free != free)
        observer = observer->next;
    return observer;
}

void cg__observe_end(struct cg_sched *sched)
{
    struct cg__observe *observe = sched->observe;
    struct cg__observer *observer;

    if (observe == NULL)
        return;
    while ((observer = observe->first)) {
        observe->first = observer->next;
        observer->free(observer);
    }
    sched->reactor->type = observe->own;
    free(observe);
}
