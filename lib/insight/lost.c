/* SPDX-License-Identifier: MIT */
/* Lost wake-ups. An operation that waits for a state which is there already will wait for ever:
 * somebody has changed the object without its functions, or in another thread. A signal has no
 * state; but the debug mode notes signals that nobody received, and if one came shortly before a
 * wait for it began, it probably came between the waiter's look and its wait. */
#include "config.h"

#include "lib/insight/lost.h"

#include "lib/base/plural.h"
#include "lib/core/debug.h"
#include "lib/insight/waiting.h"
#include "lib/threads/channel.h"
#include "lib/vocabulary/future.h"
#include "lib/vocabulary/names.h"
#include "lib/vocabulary/queue.h"

#include <cogen/group.h>
#include <cogen/sync.h>

#include <stdio.h>

#define SHORTLY CG_SECOND

static int acquire(const struct cg_acquire_op *op, char *buf, size_t size)
{
    const struct cg_semaphore *semaphore = op->semaphore;

    if (semaphore->waiters.first != &op->wait || semaphore->units < (op->units ? op->units : 1))
        return 0;
    return snprintf(buf, size, "but the semaphore has %u unit%s", semaphore->units,
                    cg__plural(semaphore->units));
}

static int get(const struct cg_get_op *op, char *buf, size_t size)
{
    size_t len = cg_queue_len(op->queue);

    return len ? snprintf(buf, size, "but the queue has %zu item%s", len, cg__plural(len)) : 0;
}

static int wait_barrier(const struct cg_wait_barrier_op *op, char *buf, size_t size)
{
    const struct cg_barrier *barrier = op->barrier;

    return barrier->waiting < barrier->parties
               ? 0
               : snprintf(buf, size, "but %u wait for the barrier, which is for %u",
                          barrier->waiting, barrier->parties);
}

static int wait_signal(const struct cg_wait_signal_op *op, char *buf, size_t size)
{
    const struct cg_coro *coro = cg_op_coro(&op->op);
    char place[2048];

    if (cg__debug_print(coro->sched, CG__DEBUG_MISSED, cg__names_word(op->named.name),
                        coro->since, SHORTLY, place, sizeof place) == 0)
        return 0;
    return snprintf(buf, size, "but the signal came %s, when nobody waited", place);
}

/* Whoever sends, receives, completes or closes needs a reference, so that nobody can any more. */
static int channel(struct cg_channel *channel, char *buf, size_t size)
{
    return cg__channel_is_abandoned(channel)
               ? snprintf(buf, size, "but nobody else has a reference to the channel")
               : 0;
}

static int await(const struct cg_future *future, char *buf, size_t size)
{
    if (cg_future_done(future))
        return snprintf(buf, size, "but the future has completed");
    return cg__future_is_abandoned(future)
               ? snprintf(buf, size, "but nobody else has a reference to the future")
               : 0;
}

static int say(bool lost, const char *text, char *buf, size_t size)
{
    return lost ? snprintf(buf, size, "%s", text) : 0;
}

static int print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_op_type *type = op->type;

    if (type == &cg_wait_signal_type)
        return wait_signal((const struct cg_wait_signal_op *)op, buf, size);
    if (type == &cg_acquire_type)
        return acquire((const struct cg_acquire_op *)op, buf, size);
    if (type == &cg_get_type)
        return get((const struct cg_get_op *)op, buf, size);
    if (type == &cg_wait_barrier_type)
        return wait_barrier((const struct cg_wait_barrier_op *)op, buf, size);
    if (type == &cg_lock_type)
        return say(((const struct cg_lock_op *)op)->mutex->owner == NULL,
                   "but nobody has locked the mutex", buf, size);
    if (type == &cg_wait_event_type)
        return say(((const struct cg_wait_event_op *)op)->event->set, "but the event is set",
                   buf, size);
    if (type == &cg_await_type)
        return await(((const struct cg_await_op *)op)->future, buf, size);
    if (type == &cg_send_type)
        return channel(((const struct cg_send_op *)op)->channel, buf, size);
    if (type == &cg_receive_type || type == &cg_receive_many_type)
        return channel(((const struct cg_receive_op *)op)->channel, buf, size);
    if (type == &cg_put_type)
        return say(!cg_queue_full(((const struct cg_put_op *)op)->queue),
                   "but the queue has room", buf, size);
    if (type == &cg_join_queue_type)
        return say(cg__queue_unfinished(((const struct cg_join_queue_op *)op)->queue) == 0,
                   "but all items are done", buf, size);
    if (type == &cg_wait_group_type)
        return say(((const struct cg_wait_group_op *)op)->group->count == 0,
                   "but the group has no members", buf, size);
    return 0;
}

int cg__lost_print(const struct cg_coro *coro, char *buf, size_t size)
{
    return cg__waiting_print(coro, print, buf, size);
}
