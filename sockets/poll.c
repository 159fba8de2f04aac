/* SPDX-License-Identifier: MIT */
/* cg_poll: readiness of any descriptor, for adapters to other libraries. An op is too
 * small to hold the request to the reactor, so requests come from a free list of the
 * scheduler. */
#include "config.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct cg_io *take(struct cg_sched *sched)
{
    struct cg_io *io = sched->ios;

    if (io)
        sched->ios = io->next;
    else
        io = malloc(sizeof *io);
    return io;
}

static void give(struct cg_sched *sched, struct cg_poll_op *poll)
{
    poll->io->next = sched->ios;
    sched->ios = poll->io;
    poll->io = NULL;
}

void cg__poll_free_all(struct cg_sched *sched)
{
    while (sched->ios) {
        struct cg_io *next = sched->ios->next;

        free(sched->ios);
        sched->ios = next;
    }
}

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg_poll_op *poll = io->owner;
    struct cg_sched *sched = cg_op_coro(&poll->op)->sched;

    give(sched, poll);
    cg_sched_unhold(sched);
    cg_op_complete(&poll->op, result);
}

static enum cg_verdict poll_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_poll_op *poll = (struct cg_poll_op *)op;

    op->result = -EINVAL;
    if (poll->fd < 0 || !(poll->events & (CG_IN | CG_OUT)))
        return CG_DONE;
    op->result = -ENOMEM;
    if ((poll->io = take(sched)) == NULL)
        return CG_DONE;
    *poll->io = (struct cg_io){
        .code = CG_IO_POLL,
        .fd = poll->fd,
        .events = poll->events,
        .complete = complete,
        .owner = op,
    };
    if (cg_reactor_submit(sched->reactor, poll->io) == CG_PENDING) {
        cg_sched_hold(sched);
        return CG_PENDING;
    }
    op->result = poll->io->result;
    give(sched, poll);
    return CG_DONE;
}

static enum cg_verdict poll_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_poll_op *poll = (struct cg_poll_op *)op;

    if (sched->reactor->type->cancel(sched->reactor, poll->io) == CG_PENDING)
        return CG_PENDING;
    give(sched, poll);
    cg_sched_unhold(sched);
    return CG_DONE;
}

static int poll_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_poll_op *poll = (const struct cg_poll_op *)op;

    return snprintf(buf, size, "fd %d, %s%s", poll->fd, poll->events & CG_IN ? "in" : "",
                    poll->events & CG_OUT ? "out" : "");
}

const struct cg_op_type cg_poll_type = {
    .name = "poll",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = poll_process,
    .cancel = poll_cancel,
    .print = poll_print,
};
