/* SPDX-License-Identifier: MIT */
/* The end of an operation, inline for those who complete one on nearly every switch. */
#ifndef COGEN_LIB_COMPLETE_H
#define COGEN_LIB_COMPLETE_H

#include "lib/sched.h"

#include <assert.h>

/* The priority of an op: its own, else the scheduler's. */
static inline unsigned cg__prio_in(const struct cg_op *op, const struct cg_sched *sched)
{
    return op->prio ? op->prio : sched->options.prio;
}

/* Completes an op; `first`: its coroutine goes to the head of the ready queue. */
static inline void cg__op_complete(struct cg_op *op, ssize_t result, bool first)
{
    struct cg_coro *coro = op->owner;

    assert(op->state != CG_OP_IDLE);
    if (op->branch) {
        cg__branch_complete(op, result);
        return;
    }
    op->result = op->state == CG_OP_CANCELLING ? op->reason : result;
    op->state = CG_OP_IDLE;
    if (cg__timer_is_set(&op->timer))
        cg__timer_cancel(&coro->sched->timers, &op->timer);
    coro->op = NULL;
    cg__sched_ready(coro->sched, coro,
                    first || cg__prio_in(op, coro->sched) & CG_PRIO_CORO);
}

/* cg_after_others. */
static inline enum cg_verdict cg__after_others(struct cg_op *op, struct cg_sched *sched,
                                               ssize_t result)
{
    if (cg__prio_in(op, sched) & CG_PRIO_CORO) {
        op->result = result;
        return CG_DONE;
    }
    cg__op_complete(op, result, false);
    return CG_PENDING;
}

#endif
