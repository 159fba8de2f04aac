/* SPDX-License-Identifier: MIT */
/* The operations on coroutines: call, add, join, cancel. */
#include "config.h"

#include "lib/core/coro_ops.h"

#include "lib/core/op.h"

#include <errno.h>
#include <stdio.h>

static ssize_t call_run(struct cg_op *op)
{
    struct cg_call_op *call = (struct cg_call_op *)op;

    return call->fn ? call->fn(call->arg) : -EINVAL;
}

const struct cg_op_type cg_call_type = {
    .name = "call",
    .run = call_run,
};

static enum cg_verdict add_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_add_op *add = (struct cg_add_op *)op;
    struct cg_coro *coro;

    if (add->fn == NULL)
        return cg__op_done(op, -EINVAL);
    coro = cg__coro_new(sched, add->fn, add->arg, add->name, add->stack_size,
                        cg__op_prio_in(op, sched) & CG_PRIO_OP);
    if (coro == NULL)
        return cg__op_done(op, -ENOMEM);
    if (add->coro)
        *add->coro = cg_coro_ref(coro);
    return cg__op_after_others(op, sched, 0);
}

static int add_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_add_op *add = (const struct cg_add_op *)op;

    return snprintf(buf, size, "%s", add->name ? add->name : "coroutine");
}

const struct cg_op_type cg_add_type = {
    .name = "add",
    .process = add_process,
    .print = add_print,
};

static enum cg_verdict join_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_coro_op *join = (struct cg_coro_op *)op;
    struct cg_coro *coro = join->coro;
    struct cg_coro_op *first;

    (void)sched;
    if (coro == NULL)
        return cg__op_done(op, -EINVAL);
    if (coro == cg_op_coro(op))
        return cg__op_done(op, -EDEADLK);
    if (coro->state == CG_CORO_FINISHED)
        return cg__op_done(op, cg_coro_result(coro));
    if (coro->sched != sched)
        return cg__op_done(op, -EINVAL);
    first = (struct cg_coro_op *)coro->joiners;
    if (first == NULL) {
        join->next = join->prev = op;
        coro->joiners = op;
        return CG_PENDING;
    }
    join->next = coro->joiners;
    join->prev = first->prev;
    ((struct cg_coro_op *)first->prev)->next = op;
    first->prev = op;
    return CG_PENDING;
}

static void join_unlink(struct cg_coro_op *join)
{
    struct cg_coro *coro = join->coro;

    if (coro->joiners == &join->op)
        coro->joiners = join->next == &join->op ? NULL : join->next;
    ((struct cg_coro_op *)join->next)->prev = join->prev;
    ((struct cg_coro_op *)join->prev)->next = join->next;
}

void cg__coro_ops_wake_joiners(struct cg_coro *coro)
{
    while (coro->joiners) {
        struct cg_op *op = coro->joiners;

        join_unlink((struct cg_coro_op *)op);
        cg__coro_take(coro);
        cg_op_complete(op, coro->result);
    }
}

static enum cg_verdict join_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    join_unlink((struct cg_coro_op *)op);
    return CG_DONE;
}

static int coro_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__coro_print(((const struct cg_coro_op *)op)->coro, buf, size);
}

static struct cg_coro *join_awaits(const struct cg_op *op, const struct cg_coro *after)
{
    return after ? NULL : ((const struct cg_coro_op *)op)->coro;
}

const struct cg_op_type cg_join_type = {
    .name = "join",
    .flags = CG_OP_LOCAL,
    .process = join_process,
    .cancel = join_cancel,
    .print = coro_print,
    .awaits = join_awaits,
};

static enum cg_verdict cancel_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_coro *coro = ((struct cg_coro_op *)op)->coro;

    if (coro == NULL || coro->sched != sched)
        return cg__op_done(op, -EINVAL);

    int rc = cg_coro_cancel(coro);

    if (rc < 0 || coro == cg_op_coro(op))
        return cg__op_done(op, rc);
    return cg_op_after_others(op, 0);
}

const struct cg_op_type cg_cancel_type = {
    .name = "cancel",
    .process = cancel_process,
    .print = coro_print,
};
