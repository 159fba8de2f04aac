/* SPDX-License-Identifier: MIT */
/* Operations without a coroutine that waits for them. To whoever holds such an operation it
 * is a branch of another operation, as in a race; here that other operation is the starter's
 * own, which is never yielded. */
#include "config.h"

#include "lib/core/starter.h"

#include "lib/core/op.h"

#include <cogen/starter.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* How long after a failure a coroutine is tried again. */
#define AGAIN (10 * CG_MILLISECOND)

/* Coroutines that have been started and have not run yet, at most. */
enum { STARTING = 64 };

struct cg_starter {
    struct cg_op op;       /* the owner of the operations; must be first */
    struct cg_coro nobody; /* its owner, where one is asked for; never runs */
    struct cg_sched *sched;
    cg_fn *fn;
    struct cg_starter_options options;
    size_t count;      /* operations that wait, or whose coroutines have not run */
    unsigned starting; /* how many of these coroutines have been started */
    struct cg_op *first, *last; /* have completed; linked by their `owner` */
    struct cg_op *withdrawn;    /* is being taken back; or NULL */
    struct cg_deferred start;
    struct cg__alarm again;
    struct cg_starter *next, **link; /* among those of the scheduler */
};

static void start_some(struct cg_deferred *deferred);

static void start_again(struct cg__alarm *alarm, bool dropped)
{
    struct cg_starter *starter =
        (struct cg_starter *)((char *)alarm - offsetof(struct cg_starter, again));

    if (!dropped)
        cg_sched_defer(starter->sched, &starter->start);
}

/* Queues an operation that has completed. The queue keeps the run open. */
static void put(struct cg_starter *starter, struct cg_op *op)
{
    op->owner = NULL;
    if (starter->first == NULL) {
        starter->first = op;
        cg_sched_hold(starter->sched);
        cg_sched_defer(starter->sched, &starter->start);
    } else {
        starter->last->owner = op;
    }
    starter->last = op;
}

static struct cg_op *take(struct cg_starter *starter)
{
    struct cg_op *op = starter->first;

    starter->first = op->owner;
    if (starter->first == NULL)
        cg_sched_unhold(starter->sched);
    op->owner = &starter->op;
    return op;
}

static void settled(struct cg_op *owner, struct cg_op *op)
{
    struct cg_starter *starter =
        (struct cg_starter *)((char *)owner - offsetof(struct cg_starter, op));

    if (starter->withdrawn == op)
        starter->withdrawn = NULL;
    else
        put(starter, op);
}

static const struct cg_op_type starter_type = {
    .name = "starter",
    .settled = settled,
};

static ssize_t run(void *arg)
{
    struct cg_op *op = arg;
    struct cg_starter *starter = op->owner;

    starter->starting--;
    starter->count--;
    if (starter->first != NULL && !cg__timers_is_set(&starter->again.timer))
        cg_sched_defer(starter->sched, &starter->start);
    cg__op_heard(op);
    cg__op_finish(op);
    return starter->fn(op);
}

static void start_some(struct cg_deferred *deferred)
{
    struct cg_starter *starter =
        (struct cg_starter *)((char *)deferred - offsetof(struct cg_starter, start));
    struct cg_sched *sched = starter->sched;

    while (starter->first != NULL && starter->starting < STARTING) {
        if (!cg__coro_new(sched, run, starter->first, starter->options.name,
                          starter->options.stack_size, false)) {
            cg__timers_set(&sched->timers, &starter->again.timer,
                           cg__sched_clock(sched) + AGAIN);
            return;
        }
        starter->starting++;
        take(starter);
    }
}

struct cg_starter *cg_starter_new_with(struct cg_sched *sched, cg_fn *fn,
                                       const struct cg_starter_options *options)
{
    struct cg_starter *starter = calloc(1, sizeof *starter);

    if (starter == NULL)
        return NULL;
    if (options != NULL)
        starter->options = *options;
    if (starter->options.name == NULL)
        starter->options.name = "starter";
    starter->sched = sched;
    starter->fn = fn;
    starter->nobody.sched = sched;
    starter->nobody.name = starter->options.name;
    starter->nobody.state = CG_CORO_WAITING;
    starter->op.type = &starter_type;
    starter->op.owner = &starter->nobody;
    starter->start.fn = start_some;
    starter->again.timer.kind = CG__TIMER_ALARM;
    starter->again.fn = start_again;
    starter->next = sched->starters;
    starter->link = &sched->starters;
    if (starter->next)
        starter->next->link = &starter->next;
    sched->starters = starter;
    return starter;
}

void cg_starter_free(struct cg_starter *starter)
{
    if (starter == NULL)
        return;
    assert(starter->count == 0);
    *starter->link = starter->next;
    if (starter->next)
        starter->next->link = starter->link;
    free(starter);
}

size_t cg__starter_waiting(const struct cg_sched *sched)
{
    size_t sum = 0;

    for (struct cg_starter *starter = sched->starters; starter; starter = starter->next)
        sum += starter->count;
    return sum;
}

int cg_starter_await(struct cg_starter *starter, struct cg_op *op)
{
    if (op->state != CG_OP_IDLE)
        return -EBUSY;
    op->owner = &starter->op;
    op->branch = true;
    starter->count++;
    switch (cg__op_start(op, starter->sched)) {
    case CG_PENDING: /* it may have completed already, and be queued */
        break;
    case CG_DONE:
        if (op->uses != NULL)
            cg__op_list(op);
        put(starter, op);
        break;
    case CG_RUN:
        starter->count--;
        if (op->type->cancel != NULL)
            op->type->cancel(op, starter->sched);
        op->uses = NULL;
        return -EOPNOTSUPP;
    }
    return 0;
}

void cg_starter_cancel(struct cg_starter *starter, struct cg_op *op)
{
    (void)starter;
    cg__op_cancel(op, -ECANCELED);
}

bool cg_starter_withdraw(struct cg_starter *starter, struct cg_op *op)
{
    bool taken;

    if (op->owner != &starter->op || op->state != CG_OP_PENDING)
        return false;
    starter->withdrawn = op;
    cg__op_cancel(op, -ECANCELED);
    taken = starter->withdrawn == NULL;
    starter->withdrawn = NULL;
    if (taken) {
        starter->count--;
        cg__op_heard(op);
        cg__op_finish(op);
    }
    return taken;
}

size_t cg_starter_count(const struct cg_starter *starter)
{
    return starter->count;
}
