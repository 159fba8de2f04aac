/* SPDX-License-Identifier: MIT */
/* Scopes: each bounds all waits inside it. Cancellation is level-triggered: it is a
 * state of the scopes, from which the state of their coroutine is derived. */
#include "config.h"

#include "lib/core/op.h"
#include "lib/core/scope.h"

#include <assert.h>
#include <errno.h>

/* A coroutine is cancelled if one of its scopes has ended and no scope further inside is
 * shielded. */
static void derive(struct cg_coro *coro)
{
    struct cg_scope *scope = coro->scope;

    while (scope->reason == 0 && !scope->shield && scope->parent)
        scope = scope->parent;
    if (scope->reason)
        coro->unusual |= CG__CORO_CANCELLED;
    else
        coro->unusual &= (uint8_t)~CG__CORO_CANCELLED;
}

void cg_scope_open(struct cg_scope *scope, int64_t deadline, bool shield)
{
    struct cg_coro *self = cg__coro_self;

    assert(self != NULL); /* a scope belongs to a coroutine */
    *scope = (struct cg_scope){.parent = self->scope, .coro = self, .shield = shield};
    self->scope = scope;
    if (deadline < self->sched->now)
        scope->reason = -ETIMEDOUT;
    if (shield || scope->reason)
        derive(self);
    if (scope->reason == 0 && deadline < CG__MOMENT_MAX) {
        scope->timer.kind = CG__TIMER_SCOPE;
        cg__timers_set(&self->sched->timers, &scope->timer, deadline);
    }
}

int cg_scope_close(struct cg_scope *scope)
{
    struct cg_coro *self = scope->coro;

    assert(self == cg__coro_self &&
           self->scope == scope); /* closed by its opener, in order */
    cg__timers_cancel(&self->sched->timers, &scope->timer);
    self->scope = scope->parent;
    derive(self);
    return scope->reason;
}

/* Calls `ended` of a scope that has ended and of the scopes inside it up to a shield, the
 * innermost first. */
static void tell(struct cg_scope *scope)
{
    struct cg_scope *from = scope->coro->scope, *inner = from;

    for (; inner && inner != scope; inner = inner->parent)
        if (inner->shield)
            from = inner->parent;
    if (inner == NULL) /* not open in the coroutine: the scope of a group's members */
        from = scope;
    for (inner = from; inner; inner = inner == scope ? NULL : inner->parent)
        if (inner->ended)
            inner->ended(inner);
}

/* Whether the coroutine waits for an op that its scopes cancel. The coroutine that runs does
 * not wait yet: it may have an op whose process slot has called us, for example a signal that
 * decides the race in which it is sent. No slot expects to be cancelled halfway, so cg_yield
 * looks at the scopes again once process has returned. */
static bool is_reached(const struct cg_coro *coro)
{
    return coro->unusual & CG__CORO_CANCELLED && coro->op && !coro->op->shield &&
           coro->state != CG_CORO_RUNNING;
}

/* Cancels what waits inside scopes that have ended. That ends other scopes: of groups,
 * of their members, of compound branches. They are queued, not handled by recursion,
 * which could overflow the stack where a program nests them deeply. */
static void reach_all(struct cg_sched *sched)
{
    struct cg_scope *scope;

    sched->reaching = true;
    while ((scope = sched->ended)) {
        struct cg_coro *coro = scope->coro;

        sched->ended = scope->next_ended;
        if (sched->ended == NULL)
            sched->ended_tail = &sched->ended;
        if (is_reached(coro))
            cg__op_cancel(coro->op, -ECANCELED);
        tell(scope);
    }
    sched->reaching = false;
}

void cg__scope_end(struct cg_scope *scope, int reason)
{
    struct cg_coro *coro = scope->coro;

    if (scope->reason)
        return;
    scope->reason = reason;
    cg__timers_cancel(&coro->sched->timers, &scope->timer);
    derive(coro);
    scope->next_ended = NULL;
    *coro->sched->ended_tail = scope;
    coro->sched->ended_tail = &scope->next_ended;
    if (!coro->sched->reaching)
        reach_all(coro->sched);
}

void cg_scope_cancel(struct cg_scope *scope)
{
    cg__scope_end(scope, -ECANCELED);
}
