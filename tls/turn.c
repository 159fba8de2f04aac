/* SPDX-License-Identifier: MIT */
/* Handshakes take turns (turn.h). */
#include "config.h"

#include "tls/tls.h"

#include <stdlib.h>

/* Called with the lock. */
static struct cg__tls_turns *find(const struct cg_tls *tls, const struct cg_sched *sched)
{
    struct cg__tls_turns *turns = tls->turns;

    while (turns != NULL && turns->sched != sched)
        turns = turns->beside;
    return turns;
}

static struct cg__tls_turns *make(struct cg_tls *tls, struct cg_sched *sched)
{
    struct cg__tls_turns *turns = calloc(1, sizeof *turns);

    if (turns == NULL)
        return NULL;
    turns->tls = cg__tls_ref(tls);
    turns->sched = sched;
    turns->taken = -1;
    pthread_mutex_lock(&tls->lock);
    turns->beside = tls->turns;
    tls->turns = turns;
    pthread_mutex_unlock(&tls->lock);
    return turns;
}

/* Between looking and making nobody else makes one for this scheduler: this is its
 * thread. */
struct cg__tls_turns *cg__tls_turn_ref(struct cg_tls *tls, struct cg_sched *sched)
{
    struct cg__tls_turns *turns;

    pthread_mutex_lock(&tls->lock);
    turns = find(tls, sched);
    pthread_mutex_unlock(&tls->lock);
    if (turns == NULL)
        turns = make(tls, sched);
    if (turns != NULL)
        turns->refs++;
    return turns;
}

void cg__tls_turn_unref(struct cg__tls_turns *turns)
{
    struct cg__tls_turns **link;

    if (turns == NULL || --turns->refs > 0)
        return;
    pthread_mutex_lock(&turns->tls->lock);
    link = &turns->tls->turns;
    while (*link != turns)
        link = &(*link)->beside;
    *link = turns->beside;
    pthread_mutex_unlock(&turns->tls->lock);
    cg_tls_free(turns->tls);
    free(turns);
}

/* The next turn has begun: gives it to the first waiting handshake, if any. */
static void begin(struct cg_deferred *deferred)
{
    struct cg__tls_turns *turns = (struct cg__tls_turns *)deferred;
    struct cg__tls_turn_op *op = turns->first;

    if (op == NULL) {
        cg__tls_turn_unref(turns); /* the reference that take has made */
        return;
    }
    turns->taken = cg_sched_now(turns->sched);
    turns->first = op->after;
    if (op->after != NULL)
        op->after->before = NULL;
    else
        turns->last = NULL;
    cg_sched_defer(turns->sched, deferred);
    cg_op_complete(&op->op, 0);
}

/* The clock stands still within a turn. A step that nobody waits behind defers nothing, because
 * a scheduler with a deferred call does not sleep: it polls the reactor once more. */
static enum cg_verdict take(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__tls_turn_op *turn = (struct cg__tls_turn_op *)op;
    struct cg__tls_turns *turns = turn->turns;

    op->result = 0;
    if (!turns->next.queued && turns->taken != cg_sched_now(sched)) {
        turns->taken = cg_sched_now(sched);
        return CG_DONE;
    }
    if (!turns->next.queued) {
        turns->next.fn = begin;
        turns->refs++;
        cg_sched_defer(sched, &turns->next);
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
    struct cg__tls_turns *turns = turn->turns;

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
