/* SPDX-License-Identifier: MIT */
/* The condition. A waiter first waits in the condition's line, without the mutex. When
 * it is notified or cancelled it moves to the mutex's line, and it is woken only when it
 * owns the mutex. */
#include "config.h"

#include "lib/vocabulary/mutex.h"
#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_wait_condition_op) <= 128, "core ops fit in 128 bytes");

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_condition_op *wait = (struct cg_wait_condition_op *)op;

    (void)sched;
    if (wait->mutex->owner != cg_op_coro(op))
        return cg__op_done(op, -EPERM);
    if (op->timeout == CG_NOWAIT) /* a notification never comes at once */
        return cg__op_done(op, -ETIMEDOUT);
    wait->notified = false;
    cg__waiters_add(&wait->condition->waiters, op);
    cg__mutex_give(wait->mutex, op);
    return CG_PENDING;
}

/* A waiter that was notified before its cancellation passes the notification on. */
static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_condition_op *wait = (struct cg_wait_condition_op *)op;

    (void)sched;
    if (wait->notified) {
        cg_condition_notify(wait->condition);
        return CG_PENDING;
    }
    cg__waiters_remove(&wait->condition->waiters, op);
    return cg__mutex_take(wait->mutex, op) ? CG_DONE : CG_PENDING;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_wait_condition_op *wait = (const struct cg_wait_condition_op *)op;
    const struct cg_condition *condition = wait->condition;
    char at[CG__ADDRESS_SIZE];

    return snprintf(buf, size, "%s%s", cg__waiters_name(op, &condition->name, condition, at),
                    wait->notified ? ", for the mutex" : "");
}

/* Whoever will notify it is not known. */
static struct cg_coro *wait_awaits(const struct cg_op *op, const struct cg_coro *after)
{
    const struct cg_wait_condition_op *wait = (const struct cg_wait_condition_op *)op;
    bool locks = wait->notified || op->state == CG_OP_CANCELLING;

    return locks && !after ? wait->mutex->owner : NULL;
}

static void wait_owns(struct cg_op *op)
{
    struct cg_wait_condition_op *wait = (struct cg_wait_condition_op *)op;

    if (wait->notified)
        wait->condition->leaving--;
}

static const struct cg__mutex_detail wait_detail = {.owns = wait_owns};

const struct cg_op_type cg_wait_condition_type = {
    .name = "wait_condition",
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
    .detail = &wait_detail,
    .awaits = wait_awaits,
};

size_t cg_condition_notify(struct cg_condition *condition)
{
    struct cg_op *op = cg__waiters_take_open(&condition->waiters);

    if (op == NULL)
        return 0;
    ((struct cg_wait_condition_op *)op)->notified = true;
    if (cg__mutex_take(((struct cg_wait_condition_op *)op)->mutex, op))
        cg_op_complete(op, 0);
    else
        condition->leaving++;
    return 1;
}

size_t cg_condition_notify_all(struct cg_condition *condition)
{
    size_t n = 0;

    while (cg_condition_notify(condition))
        n++;
    return n;
}

int cg_condition_destroy(struct cg_condition *condition)
{
    if (condition->waiters.first || condition->leaving)
        return -EBUSY;
    *condition = (struct cg_condition){.leaving = 0};
    return 0;
}
