/* SPDX-License-Identifier: MIT */
/* cg_wait_os_signal, and subscriptions, which also count deliveries between two waits. */
#include "config.h"

#include "system/os_infos.h"
#include "system/os_listener.h"

#include "lib/core/branches.h"
#include "lib/core/sched.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_wait_os_signal_op) <= 128, "core ops fit in 128 bytes");

static void delivered(struct cg_os_listener *listener, unsigned deliveries)
{
    struct cg_wait_os_signal_op *wait =
        (void *)((char *)listener - offsetof(struct cg_wait_os_signal_op, listener));

    cg__os_listener_remove(listener);
    cg_sched_unhold(cg_op_coro(&wait->op)->sched);
    cg_op_complete(&wait->op, deliveries);
}

static enum cg_verdict signal_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_os_signal_op *wait = (struct cg_wait_os_signal_op *)op;

    wait->listener.fn = delivered;
    if ((op->result = cg__os_listener_add(&wait->listener, sched)) < 0)
        return CG_DONE;
    cg_sched_hold(sched);
    return CG_PENDING;
}

static enum cg_verdict signal_cancel(struct cg_op *op, struct cg_sched *sched)
{
    cg__os_listener_remove(&((struct cg_wait_os_signal_op *)op)->listener);
    cg_sched_unhold(sched);
    return CG_DONE;
}

static int signal_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_wait_os_signal_op *wait = (const struct cg_wait_os_signal_op *)op;

    return snprintf(buf, size, "%d", wait->listener.signo);
}

const struct cg_op_type cg_wait_os_signal_type = {
    .name = "wait_os_signal",
    .process = signal_process,
    .cancel = signal_cancel,
    .print = signal_print,
};

struct cg_os_signals {
    struct cg_os_listener listener;
    struct cg_sched *sched;
    struct cg_op *waiter; /* from process to finish */
    bool waiting;         /* the waiter is pending */
    struct cg_object object;
    unsigned count;       /* deliveries that no op has returned yet */
    struct cg__os_infos infos; /* of the oldest of them */
};

static void noted(struct cg_os_listener *listener, const struct cg_os_signal_info *info)
{
    cg__os_infos_put(&((struct cg_os_signals *)listener)->infos, info);
}

static void counted(struct cg_os_listener *listener, unsigned deliveries)
{
    struct cg_os_signals *signals = (struct cg_os_signals *)listener;

    signals->count += deliveries < INT_MAX - signals->count ? deliveries : 0;
    if (!signals->waiting)
        return;
    signals->waiting = false;
    cg_sched_unhold(signals->sched);
    cg_op_complete(signals->waiter,
                   0); /* finish takes the count */
}

int cg_os_signals_open(struct cg_sched *sched, int signo, struct cg_os_signals **signals)
{
    struct cg_os_signals *made = calloc(1, sizeof *made);
    int rc;

    if (made == NULL)
        return -ENOMEM;
    made->listener.signo = signo;
    made->listener.fn = counted;
    made->listener.note = noted;
    made->sched = sched;
    if ((rc = cg__os_listener_add(&made->listener, sched)) < 0) {
        free(made);
        return rc;
    }
    *signals = made;
    return 0;
}

void cg_os_signals_close(struct cg_os_signals *signals)
{
    if (signals == NULL)
        return;
    if (signals->waiting) {
        cg_sched_unhold(signals->sched);
        cg_op_complete(signals->waiter, -EBADF);
    }
    cg_object_close(&signals->object);
    cg__os_listener_remove(&signals->listener);
    free(signals);
}

static enum cg_verdict next_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_os_signals *signals = ((struct cg_get_os_signal_op *)op)->signals;

    op->result = -EINVAL;
    if (signals == NULL || signals->sched != sched)
        return CG_DONE;
    op->result = -EBUSY;
    if (signals->waiter)
        return CG_DONE;
    if (signals->count == 0)
        cg__os_listener_hear(&signals->listener); /* for CG_NOWAIT: do not wait for the post */
    op->result = 0;
    op->uses = &signals->object;
    signals->waiter = op;
    if (signals->count > 0 && !cg__any_has_lost(op)) /* another branch may have heard, too */
        return CG_DONE;
    signals->waiting = true;
    cg_sched_hold(sched);
    return CG_PENDING;
}

static enum cg_verdict next_cancel(struct cg_op *op, struct cg_sched *sched)
{
    ((struct cg_get_os_signal_op *)op)->signals->waiting = false;
    cg_sched_unhold(sched);
    return CG_DONE;
}

/* Takes the oldest delivery, or those without details. Returns how many. */
static unsigned take_one(struct cg_os_signals *signals, struct cg_os_signal_info *info)
{
    unsigned position, count = signals->count;

    *info = (struct cg_os_signal_info){.signo = 0};
    if (cg__os_infos_take(&signals->infos, info, &position))
        count = 1;
    signals->count -= count;
    return count;
}

static unsigned take_all(struct cg_os_signals *signals)
{
    struct cg_os_signal_info info;
    unsigned position, count = signals->count;

    while (cg__os_infos_take(&signals->infos, &info, &position))
        continue;
    signals->count = 0;
    return count;
}

/* Deliveries are taken only here, so that an op that has lost its race leaves them. */
static ssize_t next_finish(struct cg_op *op)
{
    struct cg_get_os_signal_op *next = (struct cg_get_os_signal_op *)op;
    struct cg_os_signals *signals = next->signals;

    if (op->uses == NULL || signals->waiter != op)
        return op->result; /* it was refused, or the subscription was closed */
    signals->waiter = NULL;
    if (op->result < 0)
        return op->result;
    return next->info != NULL ? take_one(signals, next->info) : take_all(signals);
}

static int next_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_os_signals *signals =
        ((const struct cg_get_os_signal_op *)op)->signals;

    return snprintf(buf, size, "%d", signals ? signals->listener.signo : 0);
}

const struct cg_op_type cg_get_os_signal_type = {
    .name = "get_os_signal",
    .process = next_process,
    .cancel = next_cancel,
    .finish = next_finish,
    .print = next_print,
};
