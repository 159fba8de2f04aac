/* SPDX-License-Identifier: MIT */
/* The monitor: runs a function while it holds a mutex. */
#include "config.h"

#include <cogen/sync.h>

#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>

static ssize_t monitor_run(struct cg_op *op)
{
    struct cg_call_locked_op *monitor = (struct cg_call_locked_op *)op;
    ssize_t result;

    if (monitor->fn == NULL)
        return -EINVAL;
    if ((result = cg_yield(cg_lock(monitor->mutex))) < 0)
        return result;
    result = monitor->fn(monitor->arg);
    cg_mutex_unlock(monitor->mutex);
    return result;
}

static int monitor_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_mutex *mutex = ((const struct cg_call_locked_op *)op)->mutex;
    char at[CG__ADDRESS_SIZE];

    return snprintf(buf, size, "%s", cg__waiters_name(op, &mutex->name, mutex, at));
}

const struct cg_op_type cg_call_locked_type = {
    .name = "call_locked",
    .run = monitor_run,
    .print = monitor_print,
};
