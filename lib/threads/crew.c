/* SPDX-License-Identifier: MIT */
/* The functions that may be called from outside about the process's crew. reactors/crew.c
 * runs it. */
#include "config.h"

#include "lib/threads/crew.h"

#include <cogen/any.h>
#include <cogen/remote.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

static _Atomic(struct cg__crew *) the_crew;
static atomic_int stopping; /* calls of cg_crew_stop that have not returned */

void cg__crew_set(struct cg__crew *crew)
{
    atomic_store(&the_crew, crew);
    while (crew == NULL && atomic_load(&stopping) > 0)
        sched_yield();
}

void cg_crew_stop(void)
{
    struct cg__crew *crew;

    atomic_fetch_add(&stopping, 1);
    if ((crew = atomic_load(&the_crew)))
        for (unsigned k = 0; k < crew->count; k++)
            cg_sched_stop(crew->workers[k].sched);
    atomic_fetch_sub(&stopping, 1);
}

unsigned cg_crew_size(void)
{
    struct cg__crew *crew = atomic_load(&the_crew);

    return crew ? crew->count : 0;
}

struct cg_worker *cg_crew_worker(unsigned k)
{
    struct cg__crew *crew = atomic_load(&the_crew);

    return crew && k < crew->count ? &crew->workers[k] : NULL;
}

struct cg_worker *cg_worker_self(void)
{
    return cg__coro_self ? cg__coro_self->sched->worker : NULL;
}

unsigned cg_worker_id(void)
{
    struct cg_worker *worker = cg_worker_self();

    return worker ? worker->number : 0;
}

struct cg_sched *cg_worker_sched(const struct cg_worker *worker)
{
    return worker->sched;
}

int cg_crew_post_signal_with(struct cg_name name, const void *value)
{
    unsigned count = cg_crew_size();
    int rc = count ? 0 : -EINVAL;

    for (unsigned k = 0; k < count && rc == 0; k++)
        rc = cg_sched_post_signal_with(cg_crew_worker(k)->sched, name, value);
    return rc;
}

static ssize_t signal_all(struct cg_signal_crew_op *op, struct cg_signal_remote_op *signals,
                          struct cg_op **list, unsigned count)
{
    ssize_t woken = 0, rc;

    for (unsigned k = 0; k < count; k++) {
        signals[k] = (struct cg_signal_remote_op){.type = &cg_signal_remote_type,
                                                  .sched = cg_crew_worker(k)->sched,
                                                  .name = op->name,
                                                  .value = op->value};
        list[k] = &signals[k].op;
    }
    if ((rc = cg_yield(cg_all_of(list, count))) < 0)
        return rc;
    for (unsigned k = 0; k < count && woken >= 0; k++)
        woken = signals[k].result < 0 ? signals[k].result : woken + signals[k].result;
    return woken;
}

static ssize_t signal_crew_run(struct cg_op *op)
{
    unsigned count = cg_crew_size();
    struct cg_signal_remote_op *signals;
    ssize_t rc = -ENOMEM;
    struct cg_op **list;

    if (count == 0)
        return -EINVAL;
    signals = calloc(count, sizeof *signals);
    list = calloc(count, sizeof *list);
    if (signals && list)
        rc = signal_all((struct cg_signal_crew_op *)op, signals, list, count);
    free(list);
    free(signals);
    return rc;
}

const struct cg_op_type cg_signal_crew_type = {
    .name = "signal_crew",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .run = signal_crew_run,
};
