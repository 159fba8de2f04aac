/* SPDX-License-Identifier: MIT */
/* The mutex. It is never free while a coroutine waits for it: unlocking makes the next
 * waiter its owner. */
#include "config.h"

#include "lib/vocabulary/mutex.h"

#include "lib/core/debug.h"
#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>

static enum cg_verdict lock_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_mutex *mutex = ((struct cg_lock_op *)op)->mutex;

    (void)sched;
    if (mutex->owner == cg_op_coro(op))
        return cg__op_done(op, -EDEADLK);
    return cg__mutex_take(mutex, op) ? cg__op_done(op, 0) : CG_PENDING;
}

static enum cg_verdict lock_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_lock_op *)op)->mutex->waiters, op);
    return CG_DONE;
}

static int lock_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_mutex *mutex = ((const struct cg_lock_op *)op)->mutex;
    char at[CG__ADDRESS_SIZE];

    return snprintf(buf, size, "%s", cg__waiters_name(op, &mutex->name, mutex, at));
}

static struct cg_coro *lock_awaits(const struct cg_op *op, const struct cg_coro *after)
{
    return after ? NULL : ((const struct cg_lock_op *)op)->mutex->owner;
}

const struct cg_op_type cg_lock_type = {
    .name = "lock",
    .flags = CG_OP_LOCAL,
    .process = lock_process,
    .cancel = lock_cancel,
    .print = lock_print,
    .awaits = lock_awaits,
};

static void own(struct cg_mutex *mutex, struct cg_coro *coro)
{
    mutex->owner = coro;
    if (coro->sched->debug)
        cg__debug_note(coro->sched, CG__DEBUG_MUTEX, mutex, mutex->name, coro);
}

bool cg__mutex_take(struct cg_mutex *mutex, struct cg_op *op)
{
    if (mutex->owner) {
        cg__waiters_add(&mutex->waiters, op);
        return false;
    }
    own(mutex, cg_op_coro(op));
    return true;
}

void cg__mutex_give(struct cg_mutex *mutex, const struct cg_op *by)
{
    struct cg_op *op = cg__waiters_take(&mutex->waiters, NULL);

    cg__debug_gone(mutex->owner->sched, CG__DEBUG_MUTEX, mutex);
    mutex->owner = NULL;
    if (op) {
        own(mutex, cg_op_coro(op));
        if (op->type->detail)
            ((const struct cg__mutex_detail *)op->type->detail)->owns(op);
        cg__waiters_wake_one(op, 0, by);
    }
}

int cg_mutex_unlock(struct cg_mutex *mutex)
{
    if (cg__coro_self == NULL || mutex->owner != cg__coro_self)
        return -EPERM;
    cg__mutex_give(mutex, NULL);
    return 0;
}

int cg_mutex_destroy(struct cg_mutex *mutex)
{
    if (mutex->owner)
        return -EBUSY;
    *mutex = (struct cg_mutex){.owner = NULL};
    return 0;
}
