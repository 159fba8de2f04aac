/* SPDX-License-Identifier: MIT */
/* Handshakes take turns (turn.h). */
#include "config.h"

#include "tls/tls.h"

#include <stddef.h>

/* The next turn has begun: gives it to the first waiting handshake, if any. */
static void begin(struct cg_deferred *deferred)
{
    struct cg_tls *tls =
        (struct cg_tls *)((char *)deferred - offsetof(struct cg_tls, turns.next));
    struct cg__tls_turn_op *op = tls->turns.first;

    if (op == NULL) {
        cg_tls_free(tls); /* the reference that take has made */
        return;
    }
    tls->turns.first = op->after;
    if (op->after != NULL)
        op->after->before = NULL;
    else
        tls->turns.last = NULL;
    cg_sched_defer(tls->turns.sched, deferred);
    cg_op_complete(&op->op, 0);
}

static enum cg_verdict take(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__tls_turn_op *turn = (struct cg__tls_turn_op *)op;
    struct cg__tls_turns *turns = &turn->tls->turns;

    op->result = 0;
    if (!turns->next.queued) {
        turns->next.fn = begin;
        turns->sched = sched;
        cg__tls_ref(turn->tls);
        cg_sched_defer(sched, &turns->next);
        return CG_DONE;
    }
    turn->after = NULL;
    turn->before = turns->last;
    if (turns->last != NULL)
        turns->last->after = turn;
    else
        turns->first = turn;
    turns->last = turn;
    return CG_PENDING;
}

static enum cg_verdict leave(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__tls_turn_op *turn = (struct cg__tls_turn_op *)op;
    struct cg__tls_turns *turns = &turn->tls->turns;

    (void)sched;
    if (turn->after != NULL)
        turn->after->before = turn->before;
    else
        turns->last = turn->before;
    if (turn->before != NULL)
        turn->before->after = turn->after;
    else
        turns->first = turn->after;
    return CG_DONE;
}

const struct cg_op_type cg__tls_turn_type = {
    .name = "tls turn",
    .flags = CG_OP_LOCAL,
    .process = take,
    .cancel = leave,
};
