/* SPDX-License-Identifier: MIT */
/* Functions that run in coroutines of other workers. A guest is an errand (errand.h) whose
 * work is a coroutine there. When the operation is cancelled meanwhile, a second post of
 * the same block cancels that coroutine; the block stays until both posts have arrived. */
#include "config.h"

#include "lib/core/op.h"
#include "lib/threads/crew.h"
#include "lib/threads/errand.h"

#include <cogen/any.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct cg__guest {
    struct cg__errand errand; /* must be first */
    struct cg__post recall;
    struct cg_worker *worker;
    cg_fn *fn;
    void *arg;
    struct cg_coro *coro; /* only the worker uses this field and the next ones */
    struct cg__guest *next, **link;
};

static void list(struct cg__guest *guest)
{
    struct cg_worker *worker = guest->worker;

    guest->next = worker->guests;
    if (guest->next)
        guest->next->link = &guest->next;
    guest->link = &worker->guests;
    worker->guests = guest;
}

/* Removes a guest when its coroutine has ended, so that no cancel reaches it any more. */
static void leave(struct cg__guest *guest, ssize_t result)
{
    *guest->link = guest->next;
    if (guest->next)
        guest->next->link = guest->link;
    cg_coro_unref(guest->coro);
    guest->coro = NULL;
    cg__errand_return(&guest->errand, result);
}

static ssize_t work(void *arg)
{
    struct cg__guest *guest = arg;

    leave(guest, guest->fn(guest->arg));
    return 0;
}

static void arrive(struct cg__errand *errand)
{
    struct cg__guest *guest = (struct cg__guest *)errand;
    int rc = -ESRCH;

    if (!errand->there->stopping)
        rc = cg_sched_start(errand->there, work, guest, .name = "run_on",
                            .coro = &guest->coro);
    if (rc < 0)
        cg__errand_return(errand, rc);
    else
        list(guest);
}

static void recalled(struct cg__post *post, bool dropped)
{
    struct cg__guest *guest =
        (struct cg__guest *)((char *)post - offsetof(struct cg__guest, recall));

    if (!dropped && guest->coro)
        cg_coro_cancel(guest->coro);
    cg__errand_unref(&guest->errand);
}

/* Guests that are still there did not end within the grace period, and never will. */
void cg__run_on_refuse(struct cg_worker *worker)
{
    cg__errand_refuse(worker->sched);
    while (worker->guests)
        leave(worker->guests, -ESRCH);
}

static enum cg_verdict run_on_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_run_on_op *run_on = (struct cg_run_on_op *)op;
    struct cg__guest *guest;

    if (run_on->worker == NULL || run_on->fn == NULL)
        return cg__op_done(op, -EINVAL);
    if ((guest = malloc(sizeof *guest)) == NULL)
        return cg__op_done(op, -ENOMEM);
    *guest = (struct cg__guest){
        .errand = {.there = run_on->worker->sched, .arrive = arrive},
        .recall.run = recalled,
        .worker = run_on->worker,
        .fn = run_on->fn,
        .arg = run_on->arg,
    };
    run_on->guest = guest;
    return cg__errand_send(&guest->errand, op, sched);
}

static enum cg_verdict run_on_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__guest *guest = ((struct cg_run_on_op *)op)->guest;

    (void)sched;
    if (cg__errand_withdraw(&guest->errand))
        return CG_DONE;
    cg__errand_ref(&guest->errand);
    cg__post(guest->errand.there, &guest->recall);
    return CG_PENDING;
}

static int run_on_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_run_on_op *run_on = (const struct cg_run_on_op *)op;

    if (run_on->worker == NULL)
        return snprintf(buf, size, "no worker");
    return snprintf(buf, size, "%s", run_on->worker->name);
}

const struct cg_op_type cg_run_on_type = {
    .name = "run_on",
    .process = run_on_process,
    .cancel = run_on_cancel,
    .print = run_on_print,
};

static ssize_t run_all(struct cg_run_on_each_op *each, struct cg_run_on_op *ops,
                       struct cg_op **list, unsigned count)
{
    ssize_t rc;

    for (unsigned k = 0; k < count; k++) {
        ops[k] = (struct cg_run_on_op){.type = &cg_run_on_type,
                                       .worker = cg_crew_worker(k),
                                       .fn = each->fn,
                                       .arg = each->arg};
        list[k] = &ops[k].op;
    }
    rc = cg_yield(cg_all_of(list, count));
    for (unsigned k = 0; k < count && rc >= 0; k++)
        rc = ops[k].result < 0 ? ops[k].result : 0;
    return rc;
}

static ssize_t run_on_each_run(struct cg_op *op)
{
    unsigned count = cg_crew_size();
    struct cg_run_on_op *ops;
    ssize_t rc = -ENOMEM;
    struct cg_op **list;

    if (count == 0)
        return -EINVAL;
    ops = calloc(count, sizeof *ops);
    list = calloc(count, sizeof *list);
    if (ops && list)
        rc = run_all((struct cg_run_on_each_op *)op, ops, list, count);
    free(list);
    free(ops);
    return rc;
}

const struct cg_op_type cg_run_on_each_type = {
    .name = "run_on_each",
    .run = run_on_each_run,
};
