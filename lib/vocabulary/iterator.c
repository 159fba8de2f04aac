/* SPDX-License-Identifier: MIT */
/* Iterators: a producer and its consumer. At any time the producer either runs, or waits in
 * cg_produce: with a value that the consumer has not fetched, or, after that, until the
 * consumer asks for the next value. */
#include "config.h"

#include "lib/core/coro.h"
#include "lib/vocabulary/waiters.h"

#include <cogen/iterate.h>
#include <cogen/sched.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static ssize_t outcome(const struct cg_iterator *it)
{
    if (it->result == -ECANCELED && it->stopping)
        return 0;
    return it->result < 0 ? it->result : 0;
}

static ssize_t stopped(const struct cg_iterator *it)
{
    return it->result == -ECANCELED ? 0 : it->result;
}

/* Takes an operation that waits at the iterator; NULL: none does. */
static struct cg_op *take(struct cg_op **at)
{
    struct cg_op *op = *at;

    *at = NULL;
    return op;
}

/* The producer's coroutine. Coroutines that its end wakes may free the struct. Each op is
 * taken when it is completed: to complete one may decide a race and cancel the other. */
static ssize_t produce_run(void *arg)
{
    struct cg_iterator *it = arg;
    ssize_t result = it->result = it->fn(it->arg);
    struct cg_op *op;

    cg__coro_take(cg__coro_self); /* cg_get_next and cg_stop_producer return it */
    it->ended = true;
    if ((op = take(&it->next)))
        cg_op_complete(op, outcome(it));
    if ((op = take(&it->stop)))
        cg_op_complete(op, stopped(it));
    return result;
}

static void hand_over(struct cg_produce_op *produce, struct cg_get_next_op *next)
{
    memcpy(next->value, &produce->value, sizeof produce->value);
    produce->taken = true;
}

static enum cg_verdict next_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_get_next_op *next = (struct cg_get_next_op *)op;
    struct cg_iterator *it = next->iterate;
    struct cg_produce_op *produce = (struct cg_produce_op *)it->produce;
    int rc;

    if (it->ended)
        return cg__op_done(op, outcome(it));
    if (it->coro && it->coro == cg__coro_visible(cg_op_coro(op)))
        return cg__op_done(op, -EDEADLK);
    if (it->next)
        return cg__op_done(op, -EBUSY);
    if (it->coro == NULL) {
        if (it->fn == NULL)
            return cg__op_done(op, -EINVAL);
        rc = cg_sched_start(
            sched, produce_run, it, .name = it->name ? it->name : "producer",
            .stack_size = it->stack_size, .coro = &it->coro, .prio = cg__op_prio(op));
        if (rc < 0)
            return cg__op_done(op, rc);
        cg_coro_unref(
            it->coro); /* needs no reference: it->coro is not used after the coroutine's end */
    } else if (produce && !produce->taken) {
        hand_over(produce, next);
        return cg__op_done(op, 1);
    }
    it->next = op;
    if (produce) {
        it->produce = NULL;
        cg_op_complete_by(&produce->op, 0, op);
    }
    return CG_PENDING;
}

static enum cg_verdict next_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct cg_get_next_op *)op)->iterate->next = NULL;
    return CG_DONE;
}

static int next_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_iterator *it = ((const struct cg_get_next_op *)op)->iterate;

    if (op->state <= CG_OP_UNHEARD) /* the struct may have been freed */
        return snprintf(buf, size, "value");
    return snprintf(buf, size, "of %s", it->name ? it->name : "producer");
}

const struct cg_op_type cg_get_next_type = {
    .name = "get_next",
    .flags = CG_OP_LOCAL,
    .process = next_process,
    .cancel = next_cancel,
    .print = next_print,
};

static enum cg_verdict produce_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_produce_op *produce = (struct cg_produce_op *)op;
    struct cg_coro *coro = cg__coro_visible(cg_op_coro(op));
    struct cg_iterator *it = coro->arg;
    struct cg_op *next;

    (void)sched;
    if (coro->fn != produce_run)
        return cg__op_done(op, -EPERM);
    if (it->produce)
        return cg__op_done(op, -EBUSY);
    it->produce = op;
    produce->iterate = it;
    produce->taken = false;
    if ((next = take(&it->next))) {
        hand_over(produce, (struct cg_get_next_op *)next);
        cg_op_complete_by(next, 1, op);
    }
    return CG_PENDING;
}

static enum cg_verdict produce_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct cg_produce_op *)op)->iterate->produce = NULL;
    return CG_DONE;
}

/* If the value was fetched, produce succeeds, even if no further value is wanted. */
static ssize_t produce_finish(struct cg_op *op)
{
    struct cg_produce_op *produce = (struct cg_produce_op *)op;
    bool taken = produce->taken;

    produce->taken = false;
    return taken ? 0 : op->result;
}

const struct cg_op_type cg_produce_type = {
    .name = "produce",
    .flags = CG_OP_LOCAL,
    .process = produce_process,
    .cancel = produce_cancel,
    .finish = produce_finish,
};

static enum cg_verdict stop_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_iterator *it = ((struct cg_stop_producer_op *)op)->iterate;

    (void)sched;
    if (it->coro && it->coro == cg__coro_visible(cg_op_coro(op)) && !it->ended)
        return cg__op_done(op, -EDEADLK);
    if (it->stop)
        return cg__op_done(op, -EBUSY);
    it->stopping = true;
    if (it->coro == NULL)
        it->ended = true;
    if (it->ended)
        return cg__op_done(op, stopped(it));
    it->stop = op;
    cg_coro_cancel(it->coro);
    return CG_PENDING;
}

static enum cg_verdict stop_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct cg_stop_producer_op *)op)->iterate->stop = NULL;
    return CG_DONE;
}

const struct cg_op_type cg_stop_producer_type = {
    .name = "stop_producer",
    .flags = CG_OP_LOCAL,
    .process = stop_process,
    .cancel = stop_cancel,
};
