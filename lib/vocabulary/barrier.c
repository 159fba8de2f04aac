/* SPDX-License-Identifier: MIT */
/* The barrier: the last one to arrive wakes all others in one call, so that the next
 * round can begin before a coroutine of this round has run. */
#include "config.h"

#include "lib/core/coro.h"
#include "lib/vocabulary/waiters.h"

#include <cogen/sync.h>

#include <errno.h>
#include <stdio.h>

/* Whether the coroutine already waits for the barrier: only by another branch of its
 * race. */
static bool waits(const struct cg_barrier *barrier, const struct cg_op *op)
{
    const struct cg_wait *wait = barrier->waiters.first;

    if (!op->branch || wait == NULL)
        return false;
    do {
        const char *other =
            (const char *)wait - offsetof(struct cg_wait_barrier_op, wait);

        if (cg_op_coro((const struct cg_op *)other) == cg_op_coro(op))
            return true;
    } while ((wait = wait->next) != barrier->waiters.first);
    return false;
}

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_barrier *barrier = ((struct cg_wait_barrier_op *)op)->barrier;
    unsigned n = barrier->waiting;
    struct cg_op *other;

    (void)sched;
    if (barrier->parties == 0)
        return cg__op_done(op, -EINVAL);
    if (waits(barrier, op))
        return cg__op_done(op, -EBUSY);
    if (n + 1 < barrier->parties) {
        barrier->waiting++;
        cg__waiters_add(&barrier->waiters, op);
        return CG_PENDING;
    }
    for (unsigned i = 0; (other = cg__waiters_take(&barrier->waiters, op)); i++) {
        barrier->waiting--; /* each by itself: the race that one decides may cancel another */
        cg_op_complete_by(other, i, op);
    }
    return n ? cg_op_after_others(op, n) : cg__op_done(op, 0);
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_barrier *barrier = ((struct cg_wait_barrier_op *)op)->barrier;

    (void)sched;
    barrier->waiting--;
    cg__waiters_remove(&barrier->waiters, op);
    return CG_DONE;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_barrier *barrier = ((const struct cg_wait_barrier_op *)op)->barrier;
    char at[CG__ADDRESS_SIZE];
    const char *name = cg__waiters_name(op, &barrier->name, barrier, at);

    if (op->state <= CG_OP_UNHEARD)
        return snprintf(buf, size, "%s", name);
    return snprintf(buf, size, "%s, %u/%u", name, barrier->waiting, barrier->parties);
}

const struct cg_op_type cg_wait_barrier_type = {
    .name = "wait_barrier",
    .flags = CG_OP_LOCAL,
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
};

int cg_barrier_destroy(struct cg_barrier *barrier)
{
    if (barrier->waiters.first)
        return -EBUSY;
    *barrier = (struct cg_barrier){.parties = 0};
    return 0;
}
