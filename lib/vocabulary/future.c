/* SPDX-License-Identifier: MIT */
/* Futures: a result that is still to come, for any number of coroutines and callbacks. A
 * task is a future whose result is that of a coroutine. */
#include "config.h"

#include "lib/vocabulary/future.h"

#include "lib/core/debug.h"

#include <cogen/any.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_await_op) <= 128, "core ops fit in 128 bytes");

struct callback {
    struct callback *next;
    cg_done_fn *fn;
    void *arg;
};

struct cg_future {
    struct cg__call call; /* of the callbacks; holds a reference while queued */
    struct cg_sched *sched;
    struct cg_await_op *first, **last; /* each holds a reference */
    struct callback *callbacks;        /* in the order of adding */
    struct cg_coro *coro;              /* of a task, while it runs */
    cg_fn *fn;                         /* of a task */
    void *arg;
    ssize_t result;
    void *value;
    struct cg__debug *noted; /* by the debug mode of the scheduler; NULL: by none */
    unsigned refs, awaits; /* references; how many of them are of operations */
    bool done;
};

static void run_callbacks(struct cg_deferred *deferred);
static void drop_callbacks(struct cg__call *call);

struct cg_future *cg_future_new(struct cg_sched *sched)
{
    struct cg_future *future = malloc(sizeof *future);

    if (future == NULL)
        return NULL;
    *future = (struct cg_future){
        .call = {.deferred = {.fn = run_callbacks, .droppable = true},
                 .drop = drop_callbacks},
        .sched = sched,
        .refs = 1,
        .last = &future->first,
    };
    cg__debug_made_late(sched, CG__DEBUG_FUTURE, future, &future->noted);
    return future;
}

struct cg_future *cg_future_ref(struct cg_future *future)
{
    future->refs++;
    return future;
}

void cg_future_unref(struct cg_future *future)
{
    struct callback *callback, *next;

    if (future == NULL || --future->refs > 0)
        return;
    cg__debug_gone_late(future->noted, CG__DEBUG_FUTURE, future);
    for (callback = future->callbacks; callback; callback = next) {
        next = callback->next;
        free(callback);
    }
    free(future);
}

bool cg__future_is_abandoned(const struct cg_future *future)
{
    return future->refs == future->awaits;
}

static void defer_callbacks(struct cg_future *future)
{
    if (future->callbacks == NULL || future->call.deferred.queued)
        return;
    cg_future_ref(future);
    cg_sched_defer(future->sched, &future->call.deferred);
}

static void unlink_await(struct cg_await_op *await)
{
    struct cg_future *future = await->future;

    *await->link = await->next;
    if (await->next)
        await->next->link = await->link;
    else
        future->last = await->link;
    future->awaits--;
    cg_future_unref(future);
}

static void complete(struct cg_future *future, ssize_t result, void *value)
{
    cg_future_ref(future); /* the awaiting ops may have the last ones */
    future->done = true;
    future->result = result;
    future->value = value;
    while (future->first) {
        struct cg_await_op *await = future->first;

        unlink_await(await);
        cg_op_complete(&await->op, result);
    }
    defer_callbacks(future);
    cg_future_unref(future);
}

static int set(struct cg_future *future, bool valid, ssize_t result, void *value)
{
    if (!valid || future->fn)
        return -EINVAL;
    if (future->done)
        return -EALREADY;
    complete(future, result, value);
    return 0;
}

int cg_future_set_result(struct cg_future *future, ssize_t result)
{
    return set(future, result >= 0, result, NULL);
}

int cg_future_set_value(struct cg_future *future, void *value)
{
    return set(future, true, 0, value);
}

int cg_future_set_error(struct cg_future *future, ssize_t code)
{
    return set(future, code < 0, code, NULL);
}

int cg_future_cancel(struct cg_future *future)
{
    if (future->done)
        return -EALREADY;
    if (future->coro)
        cg_coro_cancel(future->coro);
    else
        complete(future, -ECANCELED, NULL);
    return 0;
}

bool cg_future_done(const struct cg_future *future)
{
    return future->done;
}

bool cg_future_cancelled(const struct cg_future *future)
{
    return future->done && future->result == -ECANCELED;
}

ssize_t cg_future_result(const struct cg_future *future)
{
    return future->done ? future->result : -EBUSY;
}

void *cg_future_value(const struct cg_future *future)
{
    return future->value;
}

static struct callback **end_of(struct cg_future *future)
{
    struct callback **at = &future->callbacks;

    while (*at)
        at = &(*at)->next;
    return at;
}

/* Calls the callbacks that are there now; those that they add are called a turn later. */
static void run_callbacks(struct cg_deferred *deferred)
{
    struct cg_future *future = (struct cg_future *)deferred;
    size_t n = 0;

    for (struct callback *each = future->callbacks; each; each = each->next)
        n++;
    while (n-- > 0 && future->callbacks) {
        struct callback callback = *future->callbacks;

        free(future->callbacks);
        future->callbacks = callback.next;
        callback.fn(future, callback.arg);
    }
    cg_future_unref(future);
}

static void drop_callbacks(struct cg__call *call)
{
    cg_future_unref((struct cg_future *)call);
}

int cg_future_add_done(struct cg_future *future, cg_done_fn *fn, void *arg)
{
    struct callback *callback = malloc(sizeof *callback);

    if (callback == NULL)
        return -ENOMEM;
    *callback = (struct callback){.fn = fn, .arg = arg};
    *end_of(future) = callback;
    if (future->done)
        defer_callbacks(future);
    return 0;
}

size_t cg_future_remove_done(struct cg_future *future, cg_done_fn *fn, void *arg)
{
    struct callback **at = &future->callbacks;
    size_t n = 0;

    while (*at) {
        struct callback *callback = *at;

        if (callback->fn != fn || callback->arg != arg) {
            at = &callback->next;
            continue;
        }
        *at = callback->next;
        free(callback);
        n++;
    }
    return n;
}

static ssize_t run_task(void *arg)
{
    struct cg_future *task = arg;
    struct cg_coro *coro;
    ssize_t result = task->fn(task->arg);

    coro = task->coro;
    if (task->refs > 1 || task->callbacks) /* the task's users get the result */
        cg__coro_take(coro);
    task->coro = NULL;
    complete(task, result, NULL);
    cg_coro_unref(coro);
    cg_future_unref(task);
    return result;
}

struct cg_future *cg_task_new_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                                   const struct cg_coro_options *options)
{
    struct cg_coro_options with = options ? *options : (struct cg_coro_options){0};
    struct cg_future *task = fn ? cg_future_new(sched) : NULL;

    if (task == NULL)
        return NULL;
    task->fn = fn;
    task->arg = arg;
    with.coro = &task->coro;
    if (cg_sched_start_with(sched, run_task, task, &with) < 0) {
        cg_future_unref(task);
        return NULL;
    }
    if (options && options->coro)
        *options->coro = cg_coro_ref(task->coro);
    return cg_future_ref(task);
}

ssize_t cg_sched_run_until(struct cg_sched *sched, struct cg_future *future)
{
    ssize_t rc = 1;

    cg_future_ref(future);
    while (!future->done && rc > 0)
        rc = cg_sched_step(sched, CG_NEVER);
    if (future->done)
        rc = future->result;
    else if (rc == 0)
        rc = -EDEADLK;
    cg_future_unref(future);
    return rc;
}

static enum cg_verdict await_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_await_op *await = (struct cg_await_op *)op;
    struct cg_future *future = await->future;

    if (future == NULL)
        op->result = -EINVAL;
    else if (future->done)
        op->result = future->result;
    else if (future->sched != sched)
        op->result = -EINVAL;
    else if (future->coro && future->coro == cg_op_coro(op))
        op->result = -EDEADLK;
    else {
        await->next = NULL;
        await->link = future->last;
        *future->last = await;
        future->last = &await->next;
        future->awaits++;
        cg_future_ref(future);
        return CG_PENDING;
    }
    return CG_DONE;
}

static enum cg_verdict await_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    unlink_await((struct cg_await_op *)op);
    return CG_DONE;
}

static int await_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_future *future = ((const struct cg_await_op *)op)->future;

    return snprintf(buf, size, "%s",
                    future && future->coro ? cg_coro_name(future->coro) : "future");
}

static struct cg_coro *await_awaits(const struct cg_op *op, const struct cg_coro *after)
{
    return after ? NULL : ((const struct cg_await_op *)op)->future->coro;
}

const struct cg_op_type cg_await_type = {
    .name = "await",
    .flags = CG_OP_LOCAL,
    .process = await_process,
    .cancel = await_cancel,
    .print = await_print,
    .awaits = await_awaits,
};

static int all_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "of %zu", ((const struct cg_await_all_op *)op)->count);
}

/* All of them count as awaited, whichever is awaited now. */
static void hold(const struct cg_await_all_op *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->futures[i] != NULL)
            cg_future_ref(all->futures[i])->awaits++;
}

static void let_go(const struct cg_await_all_op *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->futures[i] != NULL) {
            all->futures[i]->awaits--;
            cg_future_unref(all->futures[i]);
        }
}

/* Awaits one future after the other, since the op completes with the last of them. */
static ssize_t all_run(struct cg_op *op)
{
    struct cg_await_all_op *all = (struct cg_await_all_op *)op;
    ssize_t rc = 0;

    hold(all);
    for (size_t i = 0; i < all->count && rc == 0; i++) {
        rc = cg_yield(cg_await(all->futures[i]));
        if (all->futures[i] != NULL && all->futures[i]->done)
            rc = 0; /* whether it has failed or not */
    }
    let_go(all);
    return rc;
}

const struct cg_op_type cg_await_all_type = {
    .name = "await_all",
    .run = all_run,
    .print = all_print,
};

static ssize_t any_run(struct cg_op *op)
{
    struct cg_await_all_op *any = (struct cg_await_all_op *)op;
    struct cg_any_op race = {.type = &cg_any_type, .count = any->count};
    struct cg_await_op *awaits;
    ssize_t rc;

    if (any->count == 0)
        return -EINVAL;
    awaits = calloc(any->count, sizeof *awaits);
    race.ops = calloc(any->count, sizeof *race.ops);
    if (awaits && race.ops) {
        for (size_t i = 0; i < any->count; i++) {
            awaits[i] =
                (struct cg_await_op){.type = &cg_await_type, .future = any->futures[i]};
            race.ops[i] = &awaits[i].op;
        }
        rc = cg_yield(&race.op);
    } else {
        rc = -ENOMEM;
    }
    free(race.ops);
    free(awaits);
    return rc;
}

const struct cg_op_type cg_await_any_type = {
    .name = "await_any",
    .run = any_run,
    .print = all_print,
};
