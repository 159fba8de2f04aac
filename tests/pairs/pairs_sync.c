/* SPDX-License-Identifier: MIT */
/* Mutexes, semaphores, conditions, events, barriers and futures. */
#include "tests/pairs/pairs.h"

struct order {
    struct world w;
    struct cg_mutex mutex;
    struct cg_semaphore semaphore;
    struct cg_condition condition;
    struct cg_event event;
    struct cg_barrier barrier;
    struct cg_coro *coro;
    struct cg_future *futures[2];
    struct cg_bucket *bucket;
    size_t notified, ran;
};

static void nothing(struct world *w)
{
    (void)w;
}

/* A mutex that another coroutine holds until the event */

static ssize_t holds(void *arg)
{
    struct order *o = arg;

    IS(cg_yield(cg_lock(&o->mutex)), 0);
    IS(cg_yield(cg_wait_event(&o->event)), 0);
    o->event.set = false;
    IS(cg_mutex_unlock(&o->mutex), 0);
    return 0;
}

static void hold(struct order *o)
{
    o->coro = test_start(holds, o);
    test_until_waiting(o->coro);
}

static void mutex_open(struct world *w)
{
    hold((struct order *)w);
}

static void mutex_cause(struct world *w)
{
    cg_event_set(&((struct order *)w)->event);
}

static struct cg_op *lock_op(struct world *w)
{
    return KEEP(w, cg_lock_op, cg_lock(&((struct order *)w)->mutex));
}

static void lock_got(struct world *w, ssize_t answer)
{
    struct order *o = (struct order *)w;

    IS(answer, 0);
    HOLDS(o->mutex.owner == w->self);
    IS(test_end(o->coro), 0);
    IS(cg_mutex_unlock(&o->mutex), 0);
    hold(o);
}

static void mutex_close(struct world *w)
{
    struct order *o = (struct order *)w;

    cg_event_set(&o->event);
    IS(test_end(o->coro), 0);
    IS(cg_mutex_destroy(&o->mutex), 0);
}

static ssize_t guarded(void *arg)
{
    ((struct order *)arg)->ran++;
    return 17;
}

static struct cg_op *monitor_op(struct world *w)
{
    return KEEP(w, cg_call_locked_op,
                cg_call_locked(&((struct order *)w)->mutex, guarded, w));
}

/* Compound: the function may have run although the op has lost, but the mutex is free. */
static void monitor_check(struct world *w, ssize_t answer)
{
    struct order *o = (struct order *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 17);
        HOLDS(o->ran == 1);
    }
    if (w->caused == 0)
        pairs_cause(w);
    IS(test_end(o->coro), 0);
    IS(cg_yield(monitor_op(w)), 17);
    hold(o);
}

/* Semaphore, condition, event, barrier */

static struct cg_op *acquire_op(struct world *w)
{
    return KEEP(w, cg_acquire_op,
                cg_acquire(&((struct order *)w)->semaphore, .units = 2));
}

static void acquire_cause(struct world *w)
{
    IS(cg_semaphore_release(&((struct order *)w)->semaphore, 1), 0);
    IS(cg_semaphore_release(&((struct order *)w)->semaphore, 1), 0);
}

static void acquire_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    HOLDS(((struct order *)w)->semaphore.units == 0);
}

/* Tokens that are put back; of its own, the bucket would need days for them. */

enum { TOKENS = 1000 * 1000 };

static void take_open(struct world *w)
{
    struct order *o = (struct order *)w;

    OK(cg_bucket_new(&o->bucket, .rate = 1, .burst = CG_BUCKET_BURST_MOST));
    OK(cg_yield(cg_take(o->bucket, CG_BUCKET_BURST_MOST)));
}

static struct cg_op *take_op(struct world *w)
{
    return KEEP(w, cg_take_op, cg_take(((struct order *)w)->bucket, TOKENS));
}

static void take_cause(struct world *w)
{
    cg_bucket_return(((struct order *)w)->bucket, TOKENS);
}

static void take_got(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, TOKENS);
}

static void take_close(struct world *w)
{
    cg_bucket_unref(((struct order *)w)->bucket);
}

static void semaphore_close(struct world *w)
{
    IS(cg_semaphore_destroy(&((struct order *)w)->semaphore), 0);
}

static void condition_open(struct world *w)
{
    IS(cg_yield(cg_lock(&((struct order *)w)->mutex)), 0);
}

static struct cg_op *condition_op(struct world *w)
{
    struct order *o = (struct order *)w;

    return KEEP(w, cg_wait_condition_op, cg_wait_condition(&o->condition, &o->mutex));
}

static void condition_cause(struct world *w)
{
    struct order *o = (struct order *)w;

    o->notified += cg_condition_notify(&o->condition);
}

/* A waiter that is counted as notified has the notification. The mutex is locked again in
 * any case. */
static void condition_check(struct world *w, ssize_t answer)
{
    struct order *o = (struct order *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    HOLDS(o->notified == !pairs_lost(answer));
    IS(cg_mutex_unlock(&o->mutex), 0);
    IS(cg_mutex_destroy(&o->mutex), 0);
    IS(cg_condition_destroy(&o->condition), 0);
}

static struct cg_op *event_op(struct world *w)
{
    return KEEP(w, cg_wait_event_op, cg_wait_event(&((struct order *)w)->event));
}

static void event_got(struct world *w, ssize_t answer)
{
    struct order *o = (struct order *)w;

    IS(answer, 0);
    HOLDS(o->event.set);
    cg_event_clear(&o->event);
}

static void event_close(struct world *w)
{
    IS(cg_event_destroy(&((struct order *)w)->event), 0);
}

static ssize_t comes(void *arg)
{
    return cg_yield(cg_wait_barrier(&((struct order *)arg)->barrier));
}

static void barrier_open(struct world *w)
{
    ((struct order *)w)->barrier.parties = 2;
}

static void barrier_cause(struct world *w)
{
    struct order *o = (struct order *)w;

    if (!o->coro)
        o->coro = test_start(comes, o);
}

static struct cg_op *barrier_op(struct world *w)
{
    return KEEP(w, cg_wait_barrier_op, cg_wait_barrier(&((struct order *)w)->barrier));
}

static void barrier_got(struct world *w, ssize_t answer)
{
    struct order *o = (struct order *)w;

    IS(test_end(o->coro) + answer, 1);
    o->coro = NULL;
}

static void barrier_close(struct world *w)
{
    HOLDS(((struct order *)w)->barrier.waiting == 0);
    IS(cg_barrier_destroy(&((struct order *)w)->barrier), 0);
}

/* Futures */

static void future_open(struct world *w)
{
    struct order *o = (struct order *)w;

    for (size_t i = 0; i < COUNT(o->futures); i++)
        o->futures[i] = cg_future_new(cg_sched_self());
}

static void future_close(struct world *w)
{
    struct order *o = (struct order *)w;

    for (size_t i = 0; i < COUNT(o->futures); i++)
        cg_future_unref(o->futures[i]);
}

static void future_cause(struct world *w)
{
    struct order *o = (struct order *)w;

    IS(cg_future_set_result(o->futures[1], (ssize_t)w->caused), 0);
}

static void both_futures(struct world *w)
{
    IS(cg_future_set_result(((struct order *)w)->futures[0], 0), 0);
    future_cause(w);
}

static struct cg_op *await_op(struct world *w)
{
    return KEEP(w, cg_await_op, cg_await(((struct order *)w)->futures[1]));
}

static struct cg_op *await_all_op(struct world *w)
{
    return KEEP(w, cg_await_all_op, cg_await_all(((struct order *)w)->futures, 2));
}

static struct cg_op *await_any_op(struct world *w)
{
    return KEEP(w, cg_await_all_op, cg_await_any(((struct order *)w)->futures, 2));
}

static void renew(struct world *w)
{
    future_close(w);
    future_open(w);
}

static void await_got(struct world *w, ssize_t answer)
{
    IS(answer, (ssize_t)w->seen);
    renew(w);
}

static void await_all_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    HOLDS(cg_future_done(((struct order *)w)->futures[0]));
    HOLDS(cg_future_done(((struct order *)w)->futures[1]));
    renew(w);
}

static void await_any_got(struct world *w, ssize_t answer)
{
    IS(answer, 1);
    HOLDS(!cg_future_done(((struct order *)w)->futures[0]));
    renew(w);
}

static void future_lost(struct world *w)
{
    HOLDS(!cg_future_cancelled(((struct order *)w)->futures[0]));
    HOLDS(!cg_future_cancelled(((struct order *)w)->futures[1]));
}

#define MUTEX                                                                          \
    .size = sizeof(struct order), .open = mutex_open, .cause = mutex_cause,            \
    .close = mutex_close
#define FUTURE                                                                         \
    .size = sizeof(struct order), .open = future_open, .close = future_close,          \
    .lost = future_lost

static const struct subject subjects[] = {
    {"lock", MUTEX, .op = lock_op, .got = lock_got},
    {"call_locked", MUTEX, .op = monitor_op, .check = monitor_check},
    {"take", .size = sizeof(struct order), .open = take_open, .op = take_op,
     .cause = take_cause, .got = take_got, .close = take_close},
    {"acquire", .size = sizeof(struct order), .open = nothing, .op = acquire_op,
     .cause = acquire_cause, .got = acquire_got, .close = semaphore_close},
    {"wait_condition", .size = sizeof(struct order), .flags = FLEETING,
     .open = condition_open, .op = condition_op, .cause = condition_cause,
     .check = condition_check, .close = nothing},
    {"wait_event", .size = sizeof(struct order), .open = nothing, .op = event_op,
     .cause = mutex_cause, .got = event_got, .close = event_close},
    {"wait_barrier", .size = sizeof(struct order), .open = barrier_open,
     .op = barrier_op, .cause = barrier_cause, .got = barrier_got,
     .close = barrier_close},
    {"await", FUTURE, .op = await_op, .cause = future_cause, .got = await_got},
    {"await_all", FUTURE, .op = await_all_op, .cause = both_futures,
     .got = await_all_got},
    {"await_any", FUTURE, .op = await_any_op, .cause = future_cause,
     .got = await_any_got},
};

const struct family pairs_sync = {subjects, COUNT(subjects)};
