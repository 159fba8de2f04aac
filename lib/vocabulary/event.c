/* SPDX-License-Identifier: MIT */
/* The event: a flag that coroutines can wait for. */
#include "config.h"

#include "lib/vocabulary/waiters.h"

#include <cogen/sync.h>

#include <errno.h>
#include <stdio.h>

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_event *event = ((struct cg_wait_event_op *)op)->event;

    (void)sched;
    if (event->set)
        return cg__op_done(op, 0);
    cg__waiters_add(&event->waiters, op);
    return CG_PENDING;
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_wait_event_op *)op)->event->waiters, op);
    return CG_DONE;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_event *event = ((const struct cg_wait_event_op *)op)->event;
    char at[CG__ADDRESS_SIZE];

    return snprintf(buf, size, "%s", cg__waiters_name(op, &event->name, event, at));
}

const struct cg_op_type cg_wait_event_type = {
    .name = "wait_event",
    .flags = CG_OP_LOCAL,
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
};

size_t cg_event_set(struct cg_event *event)
{
    event->set = true;
    return cg__waiters_wake(&event->waiters, 0, NULL);
}

void cg_event_clear(struct cg_event *event)
{
    event->set = false;
}

int cg_event_destroy(struct cg_event *event)
{
    if (event->waiters.first)
        return -EBUSY;
    *event = (struct cg_event){.set = false};
    return 0;
}
