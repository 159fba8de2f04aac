/* SPDX-License-Identifier: MIT */
/* The semaphore. A waiter that wants many units stays at the head of the line until
 * there are enough, and those behind it wait too. Otherwise it might wait for ever. */
#include "config.h"

#include "lib/core/branches.h"
#include "lib/vocabulary/waiters.h"

#include <cogen/sync.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>

static unsigned wanted(const struct cg_op *op)
{
    unsigned units = ((const struct cg_acquire_op *)op)->units;

    return units ? units : 1;
}

static struct cg_op *first(const struct cg_semaphore *semaphore)
{
    struct cg_wait *wait = semaphore->waiters.first;

    return wait ? (struct cg_op *)((char *)wait - offsetof(struct cg_acquire_op, wait))
                : NULL;
}

/* Serves waiters from the head of the line while there are enough units. A branch of a race that
 * is over is about to be cancelled, and then serves those behind it. */
static void serve(struct cg_semaphore *semaphore)
{
    struct cg_op *op;

    while ((op = first(semaphore)) && wanted(op) <= semaphore->units) {
        if (cg__any_has_lost(op))
            break;
        semaphore->units -= wanted(op);
        cg__waiters_remove(&semaphore->waiters, op);
        cg_op_complete(op, 0);
    }
}

static enum cg_verdict acquire_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_semaphore *semaphore = ((struct cg_acquire_op *)op)->semaphore;

    (void)sched;
    if (semaphore->limit && wanted(op) > semaphore->limit)
        return cg__op_done(op, -EINVAL);
    if (semaphore->waiters.first == NULL && wanted(op) <= semaphore->units) {
        semaphore->units -= wanted(op);
        return cg__op_done(op, 0);
    }
    cg__waiters_add(&semaphore->waiters, op);
    return CG_PENDING;
}

/* The waiters behind the cancelled one may have enough units now. */
static enum cg_verdict acquire_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_semaphore *semaphore = ((struct cg_acquire_op *)op)->semaphore;

    (void)sched;
    cg__waiters_remove(&semaphore->waiters, op);
    serve(semaphore);
    return CG_DONE;
}

static int acquire_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_semaphore *semaphore = ((const struct cg_acquire_op *)op)->semaphore;
    char at[CG__ADDRESS_SIZE];

    return snprintf(buf, size, "%s, %u",
                    cg__waiters_name(op, &semaphore->name, semaphore, at), wanted(op));
}

const struct cg_op_type cg_acquire_type = {
    .name = "acquire",
    .flags = CG_OP_LOCAL,
    .process = acquire_process,
    .cancel = acquire_cancel,
    .print = acquire_print,
};

int cg_semaphore_release(struct cg_semaphore *semaphore, unsigned units)
{
    unsigned limit = semaphore->limit ? semaphore->limit : UINT_MAX;

    if (semaphore->units > limit || units > limit - semaphore->units)
        return -EOVERFLOW;
    semaphore->units += units;
    serve(semaphore);
    return 0;
}

int cg_semaphore_destroy(struct cg_semaphore *semaphore)
{
    if (semaphore->waiters.first)
        return -EBUSY;
    *semaphore = (struct cg_semaphore){.units = 0};
    return 0;
}
