/* SPDX-License-Identifier: MIT */
/* Why waits will never end, for the report that no coroutine can continue. While the run goes on,
 * a consumer with an empty queue is idle, and nobody can tell whether a producer will come. Once it
 * is certain that none will, the last one and what it has left undone are the likely cause. The
 * debug mode knows who put or took the last item of a queue. Units of a semaphore belong to nobody,
 * but a waiter may stand behind one that wants more units than there are. */
#include "config.h"

#include "lib/insight/stuck.h"

#include "lib/base/plural.h"
#include "lib/core/debug.h"
#include "lib/insight/waiting.h"
#include "lib/vocabulary/queue.h"

#include <cogen/sync.h>

#include <inttypes.h>
#include <stdio.h>

/* Prints `what`, and who was the last user of the queue of that kind. At least one of them must be
 * there. */
static int queue(const struct cg_op *op, const struct cg_queue *queue, enum cg__debug_kind kind,
                 const char *what, char *buf, size_t size)
{
    static const char *const verbs[] = {
        [CG__DEBUG_PUT] = "the last item was put",
        [CG__DEBUG_GET] = "the last item was taken",
    };
    char user[2048];

    if (cg__debug_print_user(cg_op_coro(op)->sched, kind, queue, user, sizeof user) == 0)
        return snprintf(buf, size, "%s", what);
    return snprintf(buf, size, "%s%s%s %s", what, *what ? "; " : "", verbs[kind], user);
}

static int join_queue(const struct cg_join_queue_op *op, char *buf, size_t size)
{
    size_t count = cg__queue_unfinished(op->queue);
    char what[80];

    snprintf(what, sizeof what, "cg_queue_task_done was not called for %zu item%s", count,
             cg__plural(count));
    return queue(&op->op, op->queue, CG__DEBUG_GET, what, buf, size);
}

static int acquire(const struct cg_acquire_op *op, char *buf, size_t size)
{
    const struct cg_wait *wait = op->semaphore->waiters.first;
    const struct cg_acquire_op *first =
        (const struct cg_acquire_op *)((const char *)wait - offsetof(struct cg_acquire_op, wait));
    const struct cg_coro *coro = cg__coro_visible(cg_op_coro(&first->op));

    if (first == op || first->units <= op->units)
        return snprintf(buf, size, "the semaphore has %u unit%s", op->semaphore->units,
                        cg__plural(op->semaphore->units));
    return snprintf(buf, size,
                    "the semaphore has %u unit%s, and #%" PRIu64 " %s waits first, for %u",
                    op->semaphore->units, cg__plural(op->semaphore->units), coro->id, coro->name,
                    first->units);
}

static int print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_op_type *type = op->type;

    if (type == &cg_get_type)
        return queue(op, ((const struct cg_get_op *)op)->queue, CG__DEBUG_PUT,
                     "the queue was not closed", buf, size);
    if (type == &cg_put_type)
        return queue(op, ((const struct cg_put_op *)op)->queue, CG__DEBUG_GET, "", buf, size);
    if (type == &cg_join_queue_type)
        return join_queue((const struct cg_join_queue_op *)op, buf, size);
    if (type == &cg_acquire_type)
        return acquire((const struct cg_acquire_op *)op, buf, size);
    return 0;
}

int cg__stuck_print(const struct cg_coro *coro, char *buf, size_t size)
{
    return cg__waiting_print(coro, print, buf, size);
}
