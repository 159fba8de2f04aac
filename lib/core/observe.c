/* SPDX-License-Identifier: MIT */
/* Tells observers what a scheduler does. See observe.h. */
#include "config.h"

#include "lib/core/observe.h"

#include "lib/core/counts.h"
#include "lib/core/sched.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void cg__observe_binds(struct cg_sched *sched)
{
    if (sched->observe == NULL)
        return;
    for (struct cg__observer **at = sched->observe->all.list; *at; at++)
        if ((*at)->binds)
            (*at)->binds(*at);
}

/* One look at the clock serves for the coroutine that was suspended and for the next one,
 * unless the loop ran in between. */
static void time_resumption(struct cg_sched *sched, struct cg__observe *observe)
{
    struct cg__ready *ready = &sched->ready;
    int64_t ended = observe->suspended, now;

    if (sched->ran == 1) { /* one that finished at the end of the last turn is not known */
        now = cg__observe_clock(observe, sched->reactor);
    } else {
        now = ended ? ended : cg__observe_clock(observe, sched->reactor);
        ended = now;
    }
    observe->suspended = 0;
    observe->resumed = now;
    if (observe->counts)
        cg__counts_time(observe->counts, ready, sched->ran == 1, now, ended);
    CG__TELL(&observe->resumes, resumes, ready->ring[ready->head & ready->mask], now, ended);
}

/* Every turn is timed for observers. For the metrics, which stay on, a sample is enough when
 * there is much to do: the clock takes half of the time that they cost. */
static void begin_turn(struct cg_sched *sched, struct cg__observe *observe)
{
    bool timed = observe->counts && cg__counts_turn(observe->counts, &sched->ready, sched->now);

    observe->timed = timed || observe->exact;
    observe->resumed = sched->now;
    if (!observe->timed) {
        observe->suspended = 0;
        observe->counts->runs = false;
    }
}

void cg__observe_resumes(struct cg_sched *sched)
{
    struct cg__observe *observe = sched->observe;
    struct cg__ready *ready = &sched->ready;

    if (ready->burst > 1)
        cg__ready_order(ready);
    ready->burst = 0; /* as taking it does, which follows */
    if (sched->ran == 1)
        begin_turn(sched, observe);
    if (observe->counts)
        cg__counts_resume(observe->counts);
    if (observe->timed)
        time_resumption(sched, observe);
}

void cg__observe_completes(struct cg__observe *observe, const struct cg_io *io, ssize_t result)
{
    if (observe->counts)
        cg__counts_complete(observe->counts, io, result);
}

/* The reactor's functions while it is observed. */

static enum cg_verdict submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__observe *observe = (struct cg__observe *)reactor->type;
    enum cg_verdict verdict = observe->own->submit(reactor, io);

    if (verdict == CG_DONE)
        cg__observe_completes(observe, io, io->result);
    return verdict;
}

/* The wait begins when the last coroutine was suspended, unless that finished: what the loop
 * does in between is short, and a look at the clock costs as much as all else here. */
static int wait_for(struct cg_reactor *reactor, int64_t timeout)
{
    struct cg__observe *observe = (struct cg__observe *)reactor->type;
    int64_t ended = observe->suspended;
    int rc;

    CG__TELL(&observe->all, sleeps, ended ? ended : cg__observe_clock(observe, reactor));
    observe->suspended = 0;
    rc = observe->own->wait(reactor, timeout);
    observe->woke = cg__observe_clock(observe, reactor);
    CG__TELL(&observe->all, wakes, observe->woke);
    return rc;
}

/* The scheduler asks for the time of the turn right after the wait. */
static int64_t now(struct cg_reactor *reactor)
{
    struct cg__observe *observe = (struct cg__observe *)reactor->type;
    int64_t woke = observe->woke;

    observe->woke = 0;
    return woke ? woke : cg__observe_clock(observe, reactor);
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
    observe->type.now = now;
    sched->reactor->type = &observe->type;
    sched->observe = observe;
    return observe;
}

static void append(struct cg__observers *observers, struct cg__observer *observer)
{
    int count = 0;

    while (observers->list[count])
        count++;
    assert(count < CG__OBSERVERS);
    observers->list[count] = observer;
}

int cg__observe_add(struct cg_sched *sched, struct cg__observer *observer)
{
    struct cg__observe *observe = sched->observe ? sched->observe : make(sched);

    if (observe == NULL)
        return -ENOMEM;
    append(&observe->all, observer);
    if (observer->resumes)
        append(&observe->resumes, observer);
    if (observer->begins)
        append(&observe->begins, observer);
    if (observer->ends)
        append(&observe->ends, observer);
    observe->exact = observe->resumes.list[0] || observe->begins.list[0] || observe->ends.list[0];
    sched->unusual |= observe->exact;
    return 0;
}

int cg__observe_count(struct cg_sched *sched, struct cg__counts *counts)
{
    int rc = cg__observe_add(sched, &counts->observer);

    if (rc == 0) {
        sched->observe->counts = counts;
        sched->unusual = true;
    }
    return rc;
}

struct cg__observer *cg__observe_find(const struct cg_sched *sched,
                                      void (*free)(struct cg__observer *observer))
{
    if (sched->observe == NULL)
        return NULL;
    for (struct cg__observer **at = sched->observe->all.list; *at; at++)
        if ((*at)->free == free)
            return *at;
    return NULL;
}

void cg__observe_end(struct cg_sched *sched)
{
    struct cg__observe *observe = sched->observe;

    if (observe == NULL)
        return;
    for (struct cg__observer **at = observe->all.list; *at; at++)
        (*at)->free(*at);
    sched->reactor->type = observe->own;
    free(observe);
}
