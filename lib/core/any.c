/* SPDX-License-Identifier: MIT */
/* Operations that wait for other operations: the first of several, or all of them. A
 * compound branch needs a stack of its own and runs in an internal coroutine, which is
 * not listed. */
#include "config.h"

#include "lib/core/branches.h"
#include "lib/core/op.h"

#include <cogen/any.h>

#include <errno.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_any_op) <= 128, "core ops fit in 128 bytes");

static bool races(const struct cg_op *op)
{
    return op->type == &cg_any_type;
}

/* Cancels the pending branches. An op that was refused because somebody else waits for it
 * (-EBUSY) has another owner and is left alone. So is the one that is being started: no process
 * slot expects to be cancelled halfway. */
static void cancel_branches(struct cg_any_op *any)
{
    for (size_t i = 0, n = cg__branches_count(any); i < n; i++)
        if (any->ops[i]->owner == any && any->ops[i] != any->starting)
            cg__op_cancel(any->ops[i], -ECANCELED);
}

/* The op as a race, if it is one. */
static struct cg_any_op *nested(struct cg_op *branch)
{
    bool is = branch && (branch->type == &cg_any_type || branch->type == &cg_all_type);

    return is ? (struct cg_any_op *)branch : NULL;
}

/* Whether all branches that are pending, or not started yet, are cancelled. */
static bool is_over(struct cg_op *op)
{
    const struct cg_any_op *any = nested(op);

    return op->state == CG_OP_CANCELLING ||
           (any && (any->failure || (races(op) && any->winner >= 0)));
}

bool cg__any_has_lost(const struct cg_op *op)
{
    for (; op->branch; op = op->owner)
        if (is_over(op->owner))
            return true;
    return false;
}

/* Nested races are started, cancelled and finished by recursion, so their depth is
 * limited. */
static bool too_deep(const struct cg_any_op *any, unsigned depth)
{
    struct cg_any_op *inner;

    if (depth > CG_ANY_DEPTH)
        return true;
    for (size_t i = 0, n = cg__branches_count(any); i < n; i++)
        if ((inner = nested(any->ops[i])) && too_deep(inner, depth + 1))
            return true;
    return false;
}

/* A race without branches would never complete. */
static bool valid(const struct cg_any_op *any, size_t n)
{
    if (n > CG_ANY_LIMIT || (n == 0 && races(&any->op)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (any->ops[i] == NULL)
            return false;
    return true;
}

static ssize_t run_branch(void *arg)
{
    struct cg_op *op = arg;
    struct cg_scope scope;
    ssize_t result;

    op->runs.scope = &scope;
    cg_scope_open(&scope, cg__op_expiry(op, cg__coro_self->sched), false);
    result = op->type->run(op);
    if (cg_scope_close(&scope) == -ETIMEDOUT && result != -EBADF)
        result = -ETIMEDOUT;
    op->compound = false;
    op->timer = (struct cg_timer){.next = NULL};
    cg_op_complete(op, result);
    return 0;
}

/* Returns CG_DONE or CG_PENDING. */
static enum cg_verdict start_branch(struct cg_any_op *any, struct cg_op *branch,
                                    struct cg_sched *sched)
{
    enum cg_verdict verdict;

    if (branch->state != CG_OP_IDLE) { /* another waits for it, or it is given twice */
        any->failure = -EBUSY;
        return CG_DONE;
    }
    branch->owner = any;
    branch->branch = true;
    any->unsettled++; /* before process, in which it may settle */
    any->starting = branch;
    verdict = cg__op_start(branch, sched);
    any->starting = NULL;
    if (verdict == CG_RUN) {
        struct cg_coro *runner = cg__coro_new(sched, run_branch, branch, branch->type->name,
                                              0, false);

        if (runner) {
            runner->internal = true;
            sched->count--;
            branch->runs.coro = runner;
            branch->compound = true;
            branch->state = CG_OP_PENDING;
            return CG_PENDING;
        }
        if (branch->type->cancel)
            branch->type->cancel(branch, sched);
        branch->result = -ENOMEM;
        branch->uses = NULL;
        verdict = CG_DONE;
    }
    if (verdict == CG_DONE) {
        any->unsettled--;
        if (branch->uses)
            cg__op_list(branch);
    }
    return verdict;
}

static ssize_t outcome(const struct cg_any_op *any)
{
    if (any->failure)
        return any->failure;
    return races(&any->op) ? any->winner : 0;
}

static enum cg_verdict any_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_any_op *any = (struct cg_any_op *)op;
    size_t i, n = cg__branches_count(any);

    op->result = !valid(any, n) ? -EINVAL : too_deep(any, 1) ? -ELOOP : 0;
    any->begun = op->result == 0;
    if (!any->begun)
        return CG_DONE;
    any->unsettled = 0;
    any->winner = -1;
    any->failure = 0;
    any->starting = NULL;
    any->busy = true;
    for (i = 0; i < n; i++)
        if (any->ops[i]->state == CG_OP_IDLE)
            any->ops[i]->result = -ECANCELED;
    for (i = 0; i < n && any->failure == 0; i++) {
        if (start_branch(any, any->ops[i], sched) == CG_DONE && races(op) && any->winner < 0)
            any->winner = (int)i;
        if (races(op) && any->winner >= 0)
            break;
        if (cg__any_has_lost(op)) /* that start has decided a race around this one */
            any->failure = -ECANCELED;
    }
    if (any->failure || any->winner >= 0)
        cancel_branches(any);
    any->busy = false;
    if (any->unsettled)
        return CG_PENDING;
    op->result = outcome(any);
    return CG_DONE;
}

static void any_settled(struct cg_op *op, struct cg_op *branch)
{
    struct cg_any_op *any = (struct cg_any_op *)op;

    any->unsettled--;
    if (races(op) && any->winner < 0 && op->state == CG_OP_PENDING) {
        for (any->winner = 0; any->ops[any->winner] != branch;)
            any->winner++;
        cancel_branches(any); /* at once, also while others are started */
    }
    /* While process or cancel runs (busy), it completes the op. */
    if (any->unsettled == 0 && !any->busy && op->state != CG_OP_IDLE)
        cg_op_complete(op, outcome(any));
}

static enum cg_verdict any_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_any_op *any = (struct cg_any_op *)op;

    (void)sched;
    /* If the race is already decided, only losers are pending, and a cancellation must not
     * change the result. A cancelled op completes with its reason, so the winner becomes
     * the reason. */
    if (races(op) && any->winner >= 0 && any->failure == 0)
        op->reason = (int16_t)any->winner;
    any->busy = true; /* this function returns the verdict */
    cancel_branches(any);
    any->busy = false;
    return any->unsettled ? CG_PENDING : CG_DONE;
}

static void finish_branches(struct cg_any_op *any, unsigned depth)
{
    for (size_t i = 0, n = cg__branches_count(any); i < n; i++) {
        struct cg_op *branch = any->ops[i];

        if (branch == NULL)
            continue;
        if (branch->owner == any)
            cg__op_heard(branch);
        if (branch->state != CG_OP_IDLE)
            continue;
        if (!any->begun)
            branch->result = -ECANCELED;
        if (nested(branch) && depth < CG_ANY_DEPTH)
            finish_branches(nested(branch), depth + 1);
        else if (!nested(branch))
            cg__op_finish(branch);
    }
    any->begun = false;
}

static ssize_t any_finish(struct cg_op *op)
{
    finish_branches((struct cg_any_op *)op, 1);
    return op->result;
}

static int any_print(const struct cg_op *op, char *buf, size_t size)
{
    struct cg_any_op *any = (struct cg_any_op *)op;
    size_t n = cg__branches_count(any);
    int sum;

    if (too_deep(any, 1))
        return snprintf(buf, size, "of %zu, too deep", n);
    sum = snprintf(buf, size, "of %zu:", n);
    for (size_t i = 0; i < n; i++) {
        char text[128];
        size_t at = (size_t)sum < size ? (size_t)sum : size;

        cg_op_print(any->ops[i], text, sizeof text);
        sum += snprintf(buf + at, size - at, "%s %s", i ? ";" : "", text);
    }
    return sum;
}

const struct cg_op_type cg_any_type = {
    .name = "any",
    .process = any_process,
    .cancel = any_cancel,
    .finish = any_finish,
    .print = any_print,
    .settled = any_settled,
};

const struct cg_op_type cg_all_type = {
    .name = "all",
    .process = any_process,
    .cancel = any_cancel,
    .finish = any_finish,
    .print = any_print,
    .settled = any_settled,
};
