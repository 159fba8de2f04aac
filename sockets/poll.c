/* SPDX-License-Identifier: MIT */
/* cg_poll: readiness of any descriptor, for adapters to other libraries. An op is too
 * small to hold the request to the reactor, so requests come from a free list of the
 * scheduler. */
#include "config.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_poll_op) <= 128, "core ops fit in 128 bytes");

/* The requests of a scheduler that are free. */
struct polls {
    struct cg__part part;
    struct cg_io *free;
};

static void part_free(struct cg__part *part)
{
    struct polls *polls = (struct polls *)part;
    struct cg_io *io, *next;

    for (io = polls->free; io; io = next) {
        next = io->next;
        free(io);
    }
    free(polls);
}

/* Returns NULL if there is no memory. */
static struct polls *polls_of(struct cg_sched *sched)
{
    struct polls *polls = (struct polls *)sched->parts[CG__PART_POLLS];

    if (polls == NULL && (polls = malloc(sizeof *polls)) != NULL) {
        *polls = (struct polls){.part.free = part_free};
        sched->parts[CG__PART_POLLS] = &polls->part;
    }
    return polls;
}

static struct cg_io *take(struct cg_sched *sched)
{
    struct polls *polls = polls_of(sched);
    struct cg_io *io = polls ? polls->free : NULL;

    if (io)
        polls->free = io->next;
    else if (polls)
        io = malloc(sizeof *io);
    return io;
}

static void give(struct cg_sched *sched, struct cg_poll_op *poll)
{
    struct polls *polls = (struct polls *)sched->parts[CG__PART_POLLS];

    poll->io->next = polls->free;
    polls->free = poll->io;
    poll->io = NULL;
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
    if (poll->fd < 0 || !(poll->events & (CG_IN | CG_OUT | CG_HUP)))
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

    return snprintf(buf, size, "fd %d, %s%s%s", poll->fd, poll->events & CG_IN ? "in" : "",
                    poll->events & CG_OUT ? "out" : "", poll->events & CG_HUP ? "hup" : "");
}

const struct cg_op_type cg_poll_type = {
    .name = "poll",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = poll_process,
    .cancel = poll_cancel,
    .print = poll_print,
};
