/* SPDX-License-Identifier: MIT */
/* Operations from their start to their completion. Completing is inline, for callers that
 * complete an op at nearly every switch. */
#ifndef COGEN_LIB_CORE_OP_H
#define COGEN_LIB_CORE_OP_H

#include "lib/core/sched.h"

#include <assert.h>
#include <errno.h>

/* Starts an op on behalf of op->owner: process, and the timer if it is pending. Sets the
 * raw result if DONE. A compound op (RUN) is left to the caller. */
enum cg_verdict cg__op_start(struct cg_op *op, struct cg_sched *sched);

/* Cancels a pending op. Does nothing if it is already cancelled: the first reason
 * stands. */
void cg__op_cancel(struct cg_op *op, int reason);

/* For a holder that has taken a pending op to complete it, but completes others before. They
 * may decide races and so end the scope of this op, which must not be cancelled any more. */
static inline void cg__op_claim(struct cg_op *op)
{
    assert(op->state == CG_OP_PENDING);
    op->state = CG_OP_CLAIMED;
}

/* Completes an op that is a branch of another op. */
void cg__op_branch_complete(struct cg_op *op, ssize_t result);

/* Turns an op's raw result into the caller's result (finish slot), stores and returns
 * it. */
ssize_t cg__op_finish(struct cg_op *op);

/* The moment at which an op times out; CG_NEVER: it has no timeout. */
int64_t cg__op_expiry(const struct cg_op *op, struct cg_sched *sched);

/* The priority of an op: its own, else the scheduler's. */
unsigned cg__op_prio(const struct cg_op *op);

static inline unsigned cg__op_prio_in(const struct cg_op *op,
                                      const struct cg_sched *sched)
{
    return op->prio ? op->prio : sched->options.prio;
}

/* The result of an op that is completed with `result`. A cancelled op completes with the
 * reason of its cancellation, except that -EBADF (its object is gone) takes precedence. */
static inline ssize_t cg__op_final_result(const struct cg_op *op, ssize_t result)
{
    return op->state == CG_OP_CANCELLING && result != -EBADF ? op->reason : result;
}

/* Adds a completed op to the list of the object that it uses, until its coroutine runs. */
static inline void cg__op_list(struct cg_op *op)
{
    struct cg_op *next = op->uses->unheard;

    op->state = CG_OP_UNHEARD;
    op->unheard.next = next;
    op->unheard.link = &op->uses->unheard;
    if (next)
        next->unheard.link = &op->unheard.next;
    op->uses->unheard = op;
}

/* Removes the op from that list, when its coroutine runs. */
static inline void cg__op_heard(struct cg_op *op)
{
    if (op->state != CG_OP_UNHEARD)
        return;
    op->state = CG_OP_IDLE;
    *op->unheard.link = op->unheard.next;
    if (op->unheard.next)
        op->unheard.next->unheard.link = op->unheard.link;
}

/* Completes an op; `first`: its coroutine goes to the head of the ready queue. */
static inline void cg__op_complete(struct cg_op *op, ssize_t result, bool first)
{
    struct cg_coro *coro = op->owner;

    assert(op->state >= CG_OP_PENDING);
    if (op->branch) {
        cg__op_branch_complete(op, result);
        return;
    }
    op->result = cg__op_final_result(op, result);
    op->state = CG_OP_IDLE;
    if (cg__timers_is_set(&op->timer))
        cg__timers_cancel(&coro->sched->timers, &op->timer);
    if (op->uses)
        cg__op_list(op);
    coro->op = NULL;
    cg__sched_ready(coro->sched, coro,
                    first || cg__op_prio_in(op, coro->sched) & CG_PRIO_CORO);
}

/* Returned by a process slot whose op is done at once. */
static inline enum cg_verdict cg__op_done(struct cg_op *op, ssize_t result)
{
    op->result = result;
    return CG_DONE;
}

/* The inline form of cg_op_after_others. */
static inline enum cg_verdict
cg__op_after_others(struct cg_op *op, struct cg_sched *sched, ssize_t result)
{
    if (cg__op_prio_in(op, sched) & CG_PRIO_CORO) {
        op->result = result;
        return CG_DONE;
    }
    cg__op_complete(op, result, false);
    return CG_PENDING;
}

#endif
