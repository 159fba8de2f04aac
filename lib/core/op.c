/* SPDX-License-Identifier: MIT */
/* The life of an operation: yielded, started, completed or cancelled, finished. */
#include "config.h"

#include "lib/core/op.h"

#include "lib/base/probe.h"
#include "lib/core/counts.h"
#include "lib/core/scope.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_op) <= 80, "every constructor costs this much stack");
_Static_assert(sizeof(struct cg_add_op) <= 128, "core ops fit in 128 bytes");

static inline struct cg_coro *coro_of(const struct cg_op *op)
{
    while (op->branch)
        op = op->owner;
    return op->owner;
}

static inline ssize_t finish(struct cg_op *op)
{
    if (op->type->finish)
        op->result = op->type->finish(op);
    return op->result;
}

/* Not inline: the scope would enlarge every frame of cg_yield, and each sleeping
 * coroutine has one such frame. */
__attribute__((noinline)) static ssize_t run_here(struct cg_op *op, struct cg_coro *self)
{
    struct cg_scope scope;
    int64_t expiry = cg__op_expiry(op, self->sched);
    ssize_t result;

    self->op = NULL;
    op->state = CG_OP_PENDING;
    op->compound = true;
    op->runs.coro = self;
    op->runs.scope = &scope;
    cg_scope_open(&scope, expiry, op->shield);
    result = op->type->run(op);
    if (cg_scope_close(&scope) == -ETIMEDOUT && result != -EBADF)
        result = -ETIMEDOUT;
    op->compound = false;
    op->state = CG_OP_IDLE;
    op->result = result;
    result = cg__op_finish(op);
    CG__PROBE(op_end, self, op, op->type->name, result);
    return result;
}

/* Charges the budget for an op that completed without a wait: a socket that is always ready
 * must not starve the other coroutines. Returns false if the budget is exhausted. */
static inline bool spend(struct cg_coro *self, const struct cg_op *op)
{
    self->op = NULL;
    self->budget -= CG__BUDGET_STEP;
    if (self->budget > 0)
        return true;
    cg__sched_spent(self->sched, self, op->type->flags & CG_OP_LOCAL);
    return false;
}

/* Whether the op may have a timeout: a quick test before bound(). */
static inline bool bounded(const struct cg_op *op, const struct cg_sched *sched)
{
    return op->timeout | op->deadline | sched->options.timeout ||
           op->timer.expiry != CG__MOMENT_MAX || (op->uses && op->uses->timeout);
}

/* Sets the timer of a pending op that may have a timeout. */
__attribute__((noinline)) static enum cg_verdict bound(struct cg_op *op,
                                                       struct cg_sched *sched)
{
    int64_t expiry;

    if (op->timeout == CG_NOWAIT && op->type->flags & CG_OP_LOCAL) {
        if (op->type->cancel)
            op->type->cancel(op, sched);
        op->state = CG_OP_IDLE;
        op->result = -ETIMEDOUT;
        return CG_DONE;
    }
    expiry = cg__op_expiry(op, sched);
    if ((int64_t)op->timer.expiry < expiry)
        expiry = op->timer.expiry;
    if (expiry < CG__MOMENT_MAX)
        cg__timers_set(&sched->timers, &op->timer, expiry);
    return CG_PENDING;
}

static inline enum cg_verdict start(struct cg_op *op, struct cg_sched *sched)
{
    enum cg_verdict verdict = CG_RUN;

    op->timer = (struct cg_timer){.expiry = CG__MOMENT_MAX};
    op->state = CG_OP_PENDING;
    op->compound = false;
    op->reason = 0;
    op->uses = NULL;
    if (op->deadline && op->deadline < sched->now && !(op->type->flags & CG_OP_ANYHOW)) {
        op->state = CG_OP_IDLE;
        op->timer.expiry = 0; /* read by the finish slot of cg_sleep */
        op->result = -ETIMEDOUT;
        return CG_DONE;
    }
    if (op->type->process)
        verdict = op->type->process(op, sched);
    if (verdict != CG_PENDING) {
        op->state = CG_OP_IDLE;
        return verdict;
    }
    if (op->state >= CG_OP_PENDING && bounded(op, sched)) /* not completed in process */
        return bound(op, sched);
    return CG_PENDING;
}

/* The scope of the op has ended while its process slot ran: see reach_all in scope.c. */
__attribute__((noinline)) static void cancel_late(struct cg_coro *self)
{
    if (!self->op->shield)
        cg__op_cancel(self->op, -ECANCELED);
}

/* Switches to the next ready coroutine, or to the loop if there is none. */
static inline __attribute__((always_inline)) void suspend(struct cg_coro *self)
{
    struct cg_sched *sched = self->sched;
    struct cg_coro *next;

    if (self->state == CG_CORO_RUNNING) {
        self->state = CG_CORO_WAITING;
        if (__builtin_expect(self->unusual & CG__CORO_CANCELLED, 0))
            cancel_late(self);
    }
    self->since = sched->now;
    sched->left_fn = self->fn;
    CG__PROBE(suspend, self);
    next = cg__sched_next(sched);
    if (next == self)
        return;
    cg__coro_self = next;
    cg__context_switch_alike(cg__coro_context(self),
                             next ? cg__coro_context(next) : &sched->ctx);
    cg__sched_bury(sched);
}

/* The end of an op that is observed. */
static inline __attribute__((always_inline)) void
tell_end(struct cg__observe *observe, struct cg_op *op, ssize_t result, int64_t length)
{
    if (observe->counts)
        cg__counts_end(observe->counts, op, result, length);
    CG__TELL(&observe->ends, ends, op, result, length);
}

/* A compound op that is observed. Its length is that of its run, since it may wait many
 * times. */
__attribute__((noinline)) static ssize_t run_observed(struct cg_op *op, struct cg_coro *self)
{
    struct cg_sched *sched = self->sched;
    struct cg__observe *observe = sched->observe;
    int64_t began = cg__observe_clock(observe, sched->reactor);
    ssize_t result;

    CG__TELL(&observe->begins, begins, op, began);
    result = run_here(op, self);
    op->compound = true; /* the observers ask for it */
    tell_end(observe, op, result, cg__observe_clock(observe, sched->reactor) - began);
    op->compound = false;
    return result;
}

/* The coroutine that runs is about to be suspended. Returns when. */
static inline int64_t look_at_clock(struct cg_sched *sched)
{
    struct cg__observe *observe = sched->observe;

    if (!observe->timed)
        return sched->now;
    return observe->suspended = cg__observe_clock(observe, sched->reactor);
}

/* Starts the op and waits for its end. Inline, so that `observed` is a constant. */
static inline __attribute__((always_inline)) ssize_t
do_op(struct cg_coro *self, struct cg_op *op, bool observed)
{
    int64_t suspended = 0, length = -1;
    ssize_t result;
    bool other = false;

    self->op = op;
    CG__PROBE(op_begin, self, op, op->type->name);
    switch (start(op, self->sched)) {
    case CG_DONE:
        if (spend(self, op))
            break;
        if (op->uses)
            cg__op_list(op);
        /* fall through */
    case CG_PENDING:
        if (observed)
            suspended = look_at_clock(self->sched);
        suspend(self);
        cg__op_heard(op);
        if (observed)
            length = self->sched->observe->resumed - suspended;
        /* The processor predicts the return address of the coroutine that was suspended
         * last. Coroutines with the same function mostly wait in the same place, so after
         * one of them the prediction is right, and a return is used; after another
         * function it is wrong, and a jump is used. If a return was always used, a signal
         * between two functions would take a quarter more CPU time. If a jump was always
         * used, a yield four calls deep would take twice the time, since a jump unbalances
         * the predictor's stack for the callers. */
        other = self->sched->left_fn != self->fn;
        break;
    case CG_RUN:
        return observed ? run_observed(op, self) : run_here(op, self);
    }
    result = finish(op);
    CG__PROBE(op_end, self, op, op->type->name, result);
    if (observed)
        tell_end(self->sched->observe, op, result, length);
    return other ? cg__context_return(result) : result;
}

/* Not inline, so that cg_yield keeps its small frame. */
__attribute__((noinline)) static ssize_t yield_unusual(struct cg_coro *self, struct cg_op *op)
{
    if (self->unusual & CG__CORO_CANCELLED && !op->shield) {
        op->result = -ECANCELED;
        return finish(op);
    }
    return self->unusual & CG__CORO_OBSERVED ? do_op(self, op, true) : do_op(self, op, false);
}

ssize_t cg_yield(struct cg_op *op)
{
    struct cg_coro *self = cg__coro_self;

    if (self == NULL)
        return -EPERM;
    if (op->state != CG_OP_IDLE)
        return -EBUSY;
    op->owner = self;
    op->branch = false;
    return self->unusual ? yield_unusual(self, op) : do_op(self, op, false);
}

enum cg_verdict cg__op_start(struct cg_op *op, struct cg_sched *sched)
{
    return start(op, sched);
}

/* Reads the clock: measured from the start of the turn, a timeout that is set after a long
 * computation would fire early. Only an op that waits with a timeout pays for it. */
int64_t cg__op_expiry(const struct cg_op *op, struct cg_sched *sched)
{
    int64_t timeout = op->timeout, expiry = op->deadline ? op->deadline : CG_NEVER;

    if (timeout == 0 && op->type->flags & CG_OP_DEFAULT_TIMEOUT)
        timeout = op->uses && op->uses->timeout ? op->uses->timeout : sched->options.timeout;
    if (timeout == 0 || timeout == CG_NEVER)
        return expiry;
    if (timeout < 0)
        return sched->now; /* the reactor is polled once */

    int64_t now = cg__sched_clock(sched);

    return expiry > now && timeout < expiry - now ? now + timeout : expiry;
}

void cg_op_expire_at(struct cg_op *op, int64_t moment)
{
    assert(op->state == CG_OP_PENDING && !cg__timers_is_set(&op->timer));
    if (moment < (int64_t)op->timer.expiry)
        op->timer.expiry = moment < 0 ? 0 : moment;
}

void cg_op_progress(struct cg_op *op)
{
    struct cg_sched *sched = cg_op_coro(op)->sched;
    struct cg_timer *timer = op->compound ? &op->runs.scope->timer : &op->timer;

    if (!op->weak_timeout || op->state != CG_OP_PENDING || !cg__timers_is_set(timer))
        return;
    cg__timers_cancel(&sched->timers, timer);
    cg__timers_set(&sched->timers, timer, cg__op_expiry(op, sched));
}

void cg_sched_charge(struct cg_sched *sched, size_t bytes)
{
    struct cg_coro *self = cg__coro_self;

    if (self && self->sched == sched && bytes > CG__BUDGET_STEP)
        self->budget -= (bytes < CG__BUDGET ? bytes : CG__BUDGET) - CG__BUDGET_STEP;
}

unsigned cg__op_prio(const struct cg_op *op)
{
    return cg__op_prio_in(op, coro_of(op)->sched);
}

void cg__op_branch_complete(struct cg_op *op, ssize_t result)
{
    struct cg_op *parent = op->owner;

    op->result = cg__op_final_result(op, result);
    op->state = CG_OP_IDLE;
    cg__timers_cancel(&coro_of(op)->sched->timers, &op->timer);
    if (op->uses)
        cg__op_list(op);
    parent->type->settled(parent, op);
}

void cg_op_complete(struct cg_op *op, ssize_t result)
{
    cg__op_complete(op, result, false);
}

void cg_op_complete_by(struct cg_op *op, ssize_t result, const struct cg_op *by)
{
    cg__op_complete(op, result, cg__op_prio(by) & CG_PRIO_OP);
}

enum cg_verdict cg_op_after_others(struct cg_op *op, ssize_t result)
{
    return cg__op_after_others(op, coro_of(op)->sched, result);
}

void cg__op_cancel(struct cg_op *op, int reason)
{
    if (op->state != CG_OP_PENDING) /* a branch that was never started has no owner */
        return;

    struct cg_sched *sched = coro_of(op)->sched;

    op->state = CG_OP_CANCELLING;
    op->reason = reason;
    if (op->compound)
        cg__scope_end(&op->runs.coro->base, -ECANCELED);
    else if (op->type->cancel == NULL || op->type->cancel(op, sched) == CG_DONE)
        cg_op_complete(op, reason);
}

bool cg_object_close(struct cg_object *object)
{
    struct cg_op *op;

    object->closed = true;
    while ((op = object->unheard)) {
        cg__op_heard(op);
        if (op->result >= 0 && op->type->withdraw)
            op->type->withdraw(op);
        op->result = -EBADF;
        op->uses = NULL;
    }
    return object->running == 0;
}

enum cg_verdict cg_object_enter(struct cg_object *object, struct cg_op *op)
{
    op->uses = object;
    object->running++;
    return CG_RUN;
}

int cg_object_leave(struct cg_object *object, struct cg_op *op)
{
    object->running--;
    if (!object->closed)
        return 0;
    op->uses = NULL;
    return -EBADF;
}

ssize_t cg__op_finish(struct cg_op *op)
{
    return finish(op);
}

ssize_t cg_op_result(const struct cg_op *op)
{
    return op->state <= CG_OP_UNHEARD ? op->result : -EBUSY;
}

struct cg_coro *cg_op_coro(const struct cg_op *op)
{
    return coro_of(op);
}

/* Adds what snprintf has written: moves on in the buffer, and counts what did not fit. */
static void advance(char **at, size_t *room, int *sum, int written)
{
    if (written < 0)
        return;
    *sum += written;
    if ((size_t)written >= *room)
        written = *room ? *room - 1 : 0;
    *at += written;
    *room -= written;
}

int cg_op_print(const struct cg_op *op, char *buf, size_t size)
{
    int sum = 0;

    advance(&buf, &size, &sum, snprintf(buf, size, "%s", op->type->name));
    if (op->type->print) {
        advance(&buf, &size, &sum, snprintf(buf, size, " "));
        advance(&buf, &size, &sum, op->type->print(op, buf, size));
    }
    if (op->state >= CG_OP_PENDING && !op->branch) {
        int64_t tenths = cg_coro_age(op->owner) / (CG_SECOND / 10);

        advance(&buf, &size, &sum,
                snprintf(buf, size, ", since %" PRId64 ".%" PRId64 " s", tenths / 10,
                         tenths % 10));
    }
    return sum;
}
