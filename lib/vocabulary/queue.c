/* SPDX-License-Identifier: MIT */
/* Queues. While there are items nobody waits to get one; while there is room nobody
 * waits to put one. Each call that adds or removes an item completes the waiters that it
 * allows to go on. */
#include "config.h"

#include "lib/vocabulary/queue.h"

#include "lib/core/debug.h"
#include "lib/core/op.h"
#include "lib/vocabulary/items.h"
#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The header's macro, which only checks, calls this function. */
#undef cg_queue_try_get

struct cg_queue {
    struct cg__items items;
    size_t limit;
    struct cg_object object;
    size_t unfinished; /* items that were put and for which no task_done was called */
    bool closed;
    struct cg_waiters getters, putters, joiners;
    void (*drop)(void *item);
    const char *name;
    struct cg__debug *put_noted, *get_noted; /* by the debug mode; NULL: not */
};

/* Results of put_now and get_now: done, and a waiter was woken. */
enum {
    WOKEN = 1
};

static bool full(const struct cg_queue *queue)
{
    return queue->limit && queue->items.count == queue->limit;
}

/* For the debug mode: an item was put, or taken, by the coroutine that runs, or by that of an op
 * that has waited for it. */
static inline void note_put(struct cg_queue *queue, struct cg_sched *sched, const struct cg_op *op)
{
    if (__builtin_expect(sched && sched->debug, 0))
        cg__debug_note_use(sched, CG__DEBUG_PUT, queue, op ? cg_op_coro(op) : cg__coro_self,
                           &queue->put_noted);
}

static inline void note_get(struct cg_queue *queue, struct cg_sched *sched, const struct cg_op *op)
{
    if (__builtin_expect(sched && sched->debug, 0))
        cg__debug_note_use(sched, CG__DEBUG_GET, queue, op ? cg_op_coro(op) : cg__coro_self,
                           &queue->get_noted);
}

/* Puts an item without a wait, for the op `by` or, if NULL, for a caller that is no op.
 * first: a coroutine that is woken goes to the head of the ready queue. */
static inline int put_now(struct cg_queue *queue, const void *item, const struct cg_op *by,
                          struct cg_sched *sched, bool first)
{
    struct cg_op *getter;

    if (queue->closed)
        return -EPIPE;
    if ((getter = cg__waiters_take(&queue->getters, by))) {
        memcpy(((struct cg_get_op *)getter)->item, &item, sizeof item);
        queue->unfinished++;
        note_put(queue, sched, NULL);
        note_get(queue, sched, getter);
        cg__op_complete(getter, 0, first);
        return WOKEN;
    }
    if (full(queue))
        return -EAGAIN;
    if (!cg__items_push(&queue->items, (void *)item))
        return -ENOMEM;
    queue->unfinished++;
    note_put(queue, sched, NULL);
    return 0;
}

static inline int get_now(struct cg_queue *queue, void *out, const struct cg_op *by,
                          struct cg_sched *sched, bool first)
{
    struct cg_op *putter;
    void *item;

    if (queue->items.count == 0)
        return queue->closed ? CG_EOF : -EAGAIN;
    item = cg__items_pop(&queue->items);
    memcpy(out, &item, sizeof item);
    note_get(queue, sched, NULL);
    if ((putter = cg__waiters_take(&queue->putters, by)) == NULL)
        return 0;
    cg__items_push(&queue->items, (void *)((struct cg_put_op *)putter)->item);
    note_put(queue, sched, putter);
    queue->unfinished++;
    cg__op_complete(putter, 0, first);
    return WOKEN;
}

static inline enum cg_verdict done_or_wait(struct cg_op *op, struct cg_sched *sched, int rc,
                                     struct cg_waiters *waiters)
{
    if (rc == WOKEN)
        return cg__op_after_others(op, sched, 0);
    if (rc != -EAGAIN)
        return cg__op_done(op, rc);
    cg__waiters_add(waiters, op);
    return CG_PENDING;
}

static enum cg_verdict put_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_put_op *put = (struct cg_put_op *)op;
    bool first = cg__op_prio_in(op, sched) & CG_PRIO_OP;

    op->uses = &put->queue->object;
    return done_or_wait(op, sched, put_now(put->queue, put->item, op, sched, first),
                  &put->queue->putters);
}

static enum cg_verdict put_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_put_op *)op)->queue->putters, op);
    return CG_DONE;
}

static void put_withdraw(struct cg_op *op)
{
    struct cg_put_op *put = (struct cg_put_op *)op;

    if (put->taken)
        *put->taken = true;
}

static enum cg_verdict get_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_get_op *get = (struct cg_get_op *)op;
    bool first = cg__op_prio_in(op, sched) & CG_PRIO_OP;

    op->uses = &get->queue->object;
    return done_or_wait(op, sched, get_now(get->queue, get->item, op, sched, first),
                  &get->queue->getters);
}

static enum cg_verdict get_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_get_op *)op)->queue->getters, op);
    return CG_DONE;
}

static void get_withdraw(struct cg_op *op)
{
    struct cg_get_op *get = (struct cg_get_op *)op;
    void *item;

    memcpy(&item, get->item, sizeof item);
    memset(get->item, 0, sizeof item);
    if (get->queue->drop)
        get->queue->drop(item);
}

static enum cg_verdict join_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_queue *queue = ((struct cg_join_queue_op *)op)->queue;

    op->uses = &queue->object;
    return done_or_wait(op, sched, queue->unfinished ? -EAGAIN : 0, &queue->joiners);
}

static enum cg_verdict join_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_join_queue_op *)op)->queue->joiners, op);
    return CG_DONE;
}

/* An op that has completed must not read its queue, which may have been freed. */
static int print(const struct cg_op *op, const struct cg_queue *queue, char *buf,
                 size_t size)
{
    if (op->state <= CG_OP_UNHEARD)
        return snprintf(buf, size, "queue");
    if (queue->limit)
        return snprintf(buf, size, "%s, %zu/%zu", queue->name, queue->items.count,
                        queue->limit);
    return snprintf(buf, size, "%s, %zu", queue->name, queue->items.count);
}

static int put_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_put_op *)op)->queue, buf, size);
}

static int get_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_get_op *)op)->queue, buf, size);
}

static int join_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_join_queue_op *)op)->queue, buf, size);
}

const struct cg_op_type cg_put_type = {
    .name = "put",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = put_process,
    .cancel = put_cancel,
    .print = put_print,
    .withdraw = put_withdraw,
};

const struct cg_op_type cg_get_type = {
    .name = "get",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = get_process,
    .cancel = get_cancel,
    .print = get_print,
    .withdraw = get_withdraw,
};

const struct cg_op_type cg_join_queue_type = {
    .name = "join_queue",
    .flags = CG_OP_LOCAL,
    .process = join_process,
    .cancel = join_cancel,
    .print = join_print,
};

struct cg_queue *cg_queue_new_with(const struct cg_queue_options *options)
{
    static const struct cg_queue_options none;
    struct cg_queue *queue = malloc(sizeof *queue);

    if (queue == NULL)
        return NULL;
    if (options == NULL)
        options = &none;
    *queue = (struct cg_queue){
        .limit = options->limit,
        .items = {.lifo = options->lifo, .compare = options->compare},
        .drop = options->drop,
        .name = options->name ? options->name : "queue",
    };
    if (!cg__items_reserve(&queue->items, queue->limit)) {
        free(queue);
        return NULL;
    }
    return queue;
}

void cg_queue_free(struct cg_queue *queue)
{
    if (queue == NULL)
        return;
    cg__waiters_wake(&queue->getters, -EBADF, NULL);
    cg__waiters_wake(&queue->putters, -EBADF, NULL);
    cg__waiters_wake(&queue->joiners, -EBADF, NULL);
    cg_object_close(&queue->object);
    while (queue->drop && queue->items.count)
        queue->drop(cg__items_pop(&queue->items));
    cg__items_free(&queue->items);
    cg__debug_gone_late(queue->put_noted, CG__DEBUG_PUT, queue);
    cg__debug_gone_late(queue->get_noted, CG__DEBUG_GET, queue);
    free(queue);
}

int cg_queue_try_put(struct cg_queue *queue, const void *item)
{
    int rc = put_now(queue, item, NULL, cg_sched_self(), false);

    return rc == WOKEN ? 0 : rc;
}

int cg_queue_try_get(struct cg_queue *queue, void *item)
{
    int rc = get_now(queue, item, NULL, cg_sched_self(), false);

    return rc == WOKEN ? 0 : rc;
}

int cg_queue_task_done(struct cg_queue *queue)
{
    if (queue->unfinished == 0)
        return -EINVAL;
    if (--queue->unfinished == 0)
        cg__waiters_wake(&queue->joiners, 0, NULL);
    return 0;
}

void cg_queue_close(struct cg_queue *queue)
{
    queue->closed = true;
    cg__waiters_wake(&queue->putters, -EPIPE, NULL);
    cg__waiters_wake(&queue->getters, CG_EOF, NULL);
}

size_t cg_queue_len(const struct cg_queue *queue)
{
    return queue->items.count;
}

bool cg_queue_empty(const struct cg_queue *queue)
{
    return queue->items.count == 0;
}

bool cg_queue_full(const struct cg_queue *queue)
{
    return full(queue);
}

size_t cg__queue_unfinished(const struct cg_queue *queue)
{
    return queue->unfinished;
}
