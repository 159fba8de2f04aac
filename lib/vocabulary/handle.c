/* SPDX-License-Identifier: MIT */
/* Handles: calls that the loop makes in its next turn, or at a moment. A handle waits on a
 * timer, then in the queue of deferred calls. It cannot be removed from that queue, so a
 * cancelled handle stays there and does nothing when it is called. */
#include "config.h"

#include "lib/base/moment.h"
#include "lib/core/debug.h"

#include <cogen/future.h>

#include <errno.h>
#include <stdlib.h>

enum handle_state {
    WAITING, /* for its moment */
    QUEUED,
    CALLED,
    CANCELLED,
};

struct cg_handle {
    struct cg__call call;
    struct cg__alarm alarm;
    struct cg_sched *sched;
    void (*fn)(void *arg);
    void *arg;
    int64_t when;
    struct cg__debug *noted; /* by the debug mode of the scheduler; NULL: by none */
    unsigned refs; /* one belongs to the timer or the queue */
    enum handle_state state;
};

static void run(struct cg_deferred *deferred)
{
    struct cg_handle *handle = (struct cg_handle *)deferred;

    if (handle->state == QUEUED) {
        handle->state = CALLED;
        handle->fn(handle->arg);
    }
    cg_handle_unref(handle);
}

static void queue(struct cg_handle *handle)
{
    handle->state = QUEUED;
    cg_sched_defer(handle->sched, &handle->call.deferred);
}

/* Called when the scheduler is freed: the call will not be made, so the handle is
 * cancelled. */
static void drop(struct cg_handle *handle)
{
    handle->state = CANCELLED;
    cg_handle_unref(handle);
}

static void drop_queued(struct cg__call *call)
{
    drop((struct cg_handle *)call);
}

static void expired(struct cg__alarm *alarm, bool dropped)
{
    struct cg_handle *handle =
        (struct cg_handle *)((char *)alarm - offsetof(struct cg_handle, alarm));

    if (dropped)
        drop(handle);
    else
        queue(handle);
}

static int call(struct cg_sched *sched, int64_t moment, void (*fn)(void *arg),
                void *arg, struct cg_handle **out)
{
    struct cg_handle *handle = malloc(sizeof *handle);

    if (handle == NULL)
        return -ENOMEM;
    *handle = (struct cg_handle){
        .call = {.deferred = {.fn = run, .droppable = true}, .drop = drop_queued},
        .alarm = {.timer.kind = CG__TIMER_ALARM, .fn = expired},
        .sched = sched,
        .fn = fn,
        .arg = arg,
        .when = moment,
        .refs = out ? 2 : 1,
    };
    if (out) {
        *out = handle;
        cg__debug_made_late(sched, CG__DEBUG_HANDLE, handle, &handle->noted);
    }
    if (moment <= sched->now) {
        queue(handle);
        return 0;
    }
    cg__timers_set(&sched->timers, &handle->alarm.timer,
                   moment < CG__MOMENT_MAX ? moment : CG__MOMENT_MAX);
    return 0;
}

int cg_sched_call_soon(struct cg_sched *sched, void (*fn)(void *arg), void *arg,
                       struct cg_handle **handle)
{
    return call(sched, sched->now, fn, arg, handle);
}

/* Reads the clock. If the delay was counted from the start of the turn, the call would
 * come too early after a long computation. */
int cg_sched_call_later(struct cg_sched *sched, int64_t delay, void (*fn)(void *arg),
                        void *arg, struct cg_handle **handle)
{
    int64_t now = cg__sched_clock(sched);

    if (delay <= 0)
        return cg_sched_call_soon(sched, fn, arg, handle);
    return call(sched, cg__moment_after(now, delay), fn, arg, handle);
}

int cg_sched_call_at(struct cg_sched *sched, int64_t moment, void (*fn)(void *arg),
                     void *arg, struct cg_handle **handle)
{
    return call(sched, moment, fn, arg, handle);
}

int cg_handle_cancel(struct cg_handle *handle)
{
    enum handle_state was = handle->state;

    if (was == CALLED || was == CANCELLED)
        return -EALREADY;
    handle->state = CANCELLED;
    if (was == WAITING) {
        cg__timers_cancel(&handle->sched->timers, &handle->alarm.timer);
        cg_handle_unref(handle);
    }
    return 0;
}

bool cg_handle_cancelled(const struct cg_handle *handle)
{
    return handle->state == CANCELLED;
}

int64_t cg_handle_when(const struct cg_handle *handle)
{
    return handle->when;
}

void cg_handle_unref(struct cg_handle *handle)
{
    if (handle == NULL || --handle->refs > 0)
        return;
    cg__debug_gone_late(handle->noted, CG__DEBUG_HANDLE, handle);
    free(handle);
}
