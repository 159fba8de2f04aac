/* SPDX-License-Identifier: MIT */
/* Groups. Two scopes make one: the owner's, which ends when the group is cancelled, and one
 * for the members, which ends when their grace period is over. The end of any scope around
 * the owner's is passed on to the group (cg_scope.ended), so that the members are
 * cancelled wherever the owner is at that moment. */
#include "config.h"

#include "lib/vocabulary/group.h"

#include "lib/core/scope.h"
#include "lib/vocabulary/waiters.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* Cancels the group: nothing can be added, and the grace period of its members begins. */
static void end(struct cg_group *group, int reason)
{
    struct cg_sched *sched = group->scope.coro->sched;
    int64_t now;

    if (group->reason)
        return;
    group->reason = reason;
    if (group->grace <= 0) {
        cg__scope_end(&group->members, -ECANCELED);
        return;
    }
    now = cg__sched_clock(sched);
    if (group->grace < CG__MOMENT_MAX - now)
        cg__timers_set(&sched->timers, &group->members.timer, now + group->grace);
}

/* The owner's scope has ended, or one around it. */
static void owner_ended(struct cg_scope *scope)
{
    struct cg_group *group = (struct cg_group *)scope;

    end(group, scope->reason ? scope->reason : -ECANCELED);
}

/* The grace period is over. */
static void members_ended(struct cg_scope *scope)
{
    struct cg_group *group =
        (struct cg_group *)((char *)scope - offsetof(struct cg_group, members));

    for (struct cg_coro *coro = group->first; coro; coro = coro->owned_next)
        cg__scope_end(&coro->base, -ECANCELED);
}

struct cg_group *cg_group_open_with(struct cg_group *group,
                                    const struct cg_group_options *options)
{
    static const struct cg_group_options none;
    struct cg_coro *self = cg__coro_self;
    int64_t deadline, now;

    assert(self != NULL); /* a group belongs to a coroutine */
    if (options == NULL)
        options = &none;
    deadline = options->deadline ? options->deadline : CG_NEVER;
    now = cg__sched_clock(self->sched);
    if (options->timeout < 0)
        deadline = -1; /* has passed */
    else if (options->timeout > 0 && deadline > now && options->timeout < deadline - now)
        deadline = now + options->timeout;
    *group = (struct cg_group){
        .members = {.coro = self,
                    .ended = members_ended,
                    .timer = {.kind = CG__TIMER_SCOPE}},
        .grace = options->grace,
        .keep_going = options->keep_going,
    };
    cg_scope_open(&group->scope, deadline, options->shield);
    group->scope.ended = owner_ended;
    if (self->unusual & CG__CORO_CANCELLED)
        end(group, group->scope.reason ? group->scope.reason : -ECANCELED);
    return group;
}

/* A coroutine of the group has finished. */
static void leave(struct cg_coro *coro)
{
    struct cg_group *group = coro->owner;
    struct cg_op *wait;

    *coro->owned_link = coro->owned_next;
    if (coro->owned_next)
        coro->owned_next->owned_link = coro->owned_link;
    group->count--;
    if (coro->returned)
        *coro->returned = coro->result;
    if (coro->result < 0 && coro->result != -ECANCELED) {
        /* The owner gets the first failure. What fails after it in a group that is
         * cancelled for it is most often its consequence; in one that keeps going it is
         * not. */
        if (coro->returned || group->result == 0 || !group->keep_going)
            cg__coro_take(coro);
        if (group->result == 0)
            group->result = coro->result;
        if (!group->keep_going)
            cg_group_cancel(group);
    }
    if (group->count == 0 && (wait = group->wait)) {
        group->wait = NULL;
        group->finished = true;
        cg_op_complete(wait, 0);
    }
}

int cg_group_start_with(struct cg_group *group, cg_fn *fn, void *arg,
                        const struct cg_coro_options *options, ssize_t *returned)
{
    struct cg_sched *sched = group->scope.coro->sched;
    struct cg_coro_options mine =
        options ? *options : (struct cg_coro_options){.name = NULL};
    struct cg_coro *coro;
    int rc;

    if (group->finished)
        return -EINVAL;
    if (group->reason)
        return -ECANCELED;
    mine.coro = &coro;
    if ((rc = cg_sched_start_with(sched, fn, arg, &mine)) < 0)
        return rc;
    coro->ended = leave;
    coro->owner = group;
    coro->returned = returned;
    coro->owned_next = group->first;
    coro->owned_link = &group->first;
    if (group->first)
        group->first->owned_link = &coro->owned_next;
    group->first = coro;
    group->count++;
    if (options && options->coro)
        *options->coro = coro;
    else
        cg_coro_unref(coro);
    return 0;
}

void cg_group_cancel(struct cg_group *group)
{
    if (!group->closed)
        cg_scope_cancel(&group->scope);
}

size_t cg_group_count(const struct cg_group *group)
{
    return group->count;
}

struct cg_group *cg__group_of(const struct cg_coro *coro)
{
    return coro->ended == leave ? coro->owner : NULL;
}

const struct cg_group *cg__group_around(const struct cg_scope *scope)
{
    return scope->ended == owner_ended ? (const struct cg_group *)scope : NULL;
}

struct cg_group *cg_group_self(void)
{
    return cg__coro_self ? cg__group_of(cg__coro_visible(cg__coro_self)) : NULL;
}

static enum cg_verdict add_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_add_to_group_op *add = (struct cg_add_to_group_op *)op;
    struct cg_coro_options options = {
        .name = add->name, .coro = add->coro, .prio = cg__op_prio(op)};
    int rc = -EINVAL;

    if (add->group->finished || add->group->scope.coro->sched == sched)
        rc = cg_group_start_with(add->group, add->fn, add->arg, &options, add->returned);
    return rc == 0 ? cg_op_after_others(op, 0) : cg__op_done(op, rc);
}

static int add_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_add_to_group_op *add = (const struct cg_add_to_group_op *)op;

    return snprintf(buf, size, "%s", add->name ? add->name : "coroutine");
}

const struct cg_op_type cg_add_to_group_type = {
    .name = "add_to_group",
    .process = add_process,
    .print = add_print,
};

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_group *group = ((struct cg_wait_group_op *)op)->group;

    (void)sched;
    if (group->closed)
        return cg__op_done(op, group->result);
    if (group->scope.coro != cg_op_coro(op))
        return cg__op_done(op, -EPERM);
    if (group->wait)
        return cg__op_done(op, -EBUSY);
    if (group->count == 0) {
        group->finished = true;
        return cg__op_done(op, 0);
    }
    group->wait = op;
    return CG_PENDING;
}

/* Cancels the members; the last of them completes the op. The owner's scope is not
 * cancelled, because the op may be a branch that has just lost its race. */
static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    end(((struct cg_wait_group_op *)op)->group, op->reason);
    return CG_PENDING;
}

/* Closes the group when the owner's coroutine continues, unless the op has never been
 * processed: then the group goes on. */
static ssize_t wait_finish(struct cg_op *op)
{
    struct cg_group *group = ((struct cg_wait_group_op *)op)->group;
    struct cg_coro *owner = group->scope.coro;
    int reason;

    if (!group->finished || group->closed || owner != cg__coro_self)
        return op->result;
    cg__timers_cancel(&owner->sched->timers, &group->members.timer);
    reason = cg_scope_close(&group->scope); /* waited for in the scope that opened it */
    if (reason == 0)
        reason = group->reason;
    if (group->result == 0)
        group->result = reason;
    group->closed = true;
    return group->result;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    if (op->state <= CG_OP_UNHEARD) /* the group may have been freed */
        return snprintf(buf, size, "group");
    return snprintf(buf, size, "for %zu",
                    ((const struct cg_wait_group_op *)op)->group->count);
}

static struct cg_coro *wait_awaits(const struct cg_op *op, const struct cg_coro *after)
{
    return after ? after->owned_next : ((const struct cg_wait_group_op *)op)->group->first;
}

const struct cg_op_type cg_wait_group_type = {
    .name = "wait_group",
    .flags = CG_OP_ANYHOW,
    .process = wait_process,
    .cancel = wait_cancel,
    .finish = wait_finish,
    .print = wait_print,
    .awaits = wait_awaits,
};
