/* SPDX-License-Identifier: MIT */
/* Synchronisation between coroutines of one scheduler: mutex, monitor, semaphore,
 * condition, event, barrier. The objects are in the caller's memory; a zero object is
 * ready to use. Waiters are served in order of arrival, and what they wait for is passed
 * to them directly, so that nobody can overtake. See cg_sync(3). */
#ifndef COGEN_SYNC_H
#define COGEN_SYNC_H

#include <cogen/coro.h>
#include <cogen/wait.h>

/* The members are the library's, except those whose comment says otherwise, and `name`: the
 * object's name in dumps (NULL: its address), borrowed, set before the object is used. */

struct cg_mutex {
    struct cg_coro *owner;
    struct cg_waiters waiters;
    const char *name;
};

struct cg_semaphore {
    unsigned units; /* available; set before use: {.units = 3} */
    unsigned limit; /* units never exceed it; 0: no limit; set before use */
    struct cg_waiters waiters;
    const char *name;
};

struct cg_condition {
    struct cg_waiters waiters;
    unsigned leaving; /* waiters that were notified and now wait for their mutexes */
    const char *name;
};

struct cg_event {
    bool set; /* may be read, and may be true from the start */
    struct cg_waiters waiters;
    const char *name;
};

struct cg_barrier {
    unsigned parties; /* how many coroutines it waits for; set before use */
    unsigned waiting; /* may be read */
    struct cg_waiters waiters;
    const char *name;
};

#ifndef __cplusplus

struct cg_lock_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_mutex *mutex;
};

struct cg_call_locked_op {
    CG_OP_HEAD;
    struct cg_mutex *mutex;
    cg_fn *fn;
    void *arg;
};

struct cg_acquire_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_semaphore *semaphore;
    unsigned units;
};

struct cg_wait_condition_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_condition *condition;
    struct cg_mutex *mutex;
    bool notified; /* now waits for the mutex only */
};

struct cg_wait_event_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_event *event;
};

struct cg_wait_barrier_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_barrier *barrier;
};

/* The operations accept all keywords; the scheduler's default timeout does not apply. With
 * .timeout = CG_NOWAIT they complete with -ETIMEDOUT instead of waiting. All but
 * cg_call_locked are traceless: what a cancelled waiter no longer needs goes to the
 * next. */

/* cg_lock(&mutex): acquires the mutex; the calling coroutine owns it until cg_mutex_unlock.
 * Completes with 0; -EDEADLK: the coroutine owns it already. */
#define cg_lock(...) cg__lock(__VA_ARGS__, )
#define cg__lock(m, ...) CG_OP(cg_lock, .mutex = (m), __VA_ARGS__)

/* cg_call_locked(&mutex, fn, arg): acquires the mutex, calls fn(arg) as part of the calling
 * coroutine, and releases the mutex when fn returns. Completes with what fn returned, or
 * with the reason why the mutex was not acquired. A timeout covers all of this, as with
 * cg_call. */
#define cg_call_locked(...) cg__call_locked(__VA_ARGS__, )
#define cg__call_locked(m, f, a, ...)                                                      \
    CG_OP(cg_call_locked, .mutex = (m), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_acquire(&semaphore): takes one unit, or .units = n units together. Completes with 0;
 * -EINVAL: n exceeds the limit. */
#define cg_acquire(...) cg__acquire(__VA_ARGS__, )
#define cg__acquire(s, ...) CG_OP(cg_acquire, .semaphore = (s), __VA_ARGS__)

/* cg_wait_condition(&condition, &mutex): releases the mutex, which the caller must own,
 * waits for a notification and acquires the mutex again. It acquires it however the
 * operation ends, so the operation may last longer than its timeout. A notification whose
 * receiver was cancelled goes to the next waiter. Completes with 0; -EPERM: the caller does
 * not own the mutex. Check the awaited state again afterwards: other coroutines may run
 * between the notification and the return. */
#define cg_wait_condition(...) cg__wait_condition(__VA_ARGS__, )
#define cg__wait_condition(c, m, ...)                                                      \
    CG_OP(cg_wait_condition, .condition = (c), .mutex = (m), __VA_ARGS__)

/* cg_wait_event(&event): waits until the event is set; it stays set. Completes with 0. */
#define cg_wait_event(...) cg__wait_event(__VA_ARGS__, )
#define cg__wait_event(e, ...) CG_OP(cg_wait_event, .event = (e), __VA_ARGS__)

/* cg_wait_barrier(&barrier): waits until as many coroutines as the barrier has parties have
 * arrived; then all continue, and the barrier is ready for the next round. Completes with
 * the caller's place in the order of arrival: 0 to parties - 1, each once. One that times
 * out does not count as arrived. -EINVAL: parties is 0; -EBUSY: another branch of this
 * coroutine already waits there. */
#define cg_wait_barrier(...) cg__wait_barrier(__VA_ARGS__, )
#define cg__wait_barrier(b, ...) CG_OP(cg_wait_barrier, .barrier = (b), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_lock_type, cg_call_locked_type, cg_acquire_type,
    cg_wait_condition_type, cg_wait_event_type, cg_wait_barrier_type;

/* Functions that release or notify. They never wait; they work in a cancelled coroutine,
 * and (all but cg_mutex_unlock) outside coroutines, in the scheduler's thread. Coroutines
 * that they wake run after the caller has yielded. */

/* Passes the mutex to the next waiter. Returns 0; -EPERM: the caller does not own it. */
CG_API int cg_mutex_unlock(struct cg_mutex *mutex);

/* Returns units, or adds new ones. Returns 0; -EOVERFLOW: they would exceed the limit;
 * nothing has changed. */
CG_API int cg_semaphore_release(struct cg_semaphore *semaphore, unsigned units);

/* Wakes the coroutine that has waited longest, or all. Returns how many were woken. */
CG_API size_t cg_condition_notify(struct cg_condition *condition);
CG_API size_t cg_condition_notify_all(struct cg_condition *condition);

/* Sets the event, wakes all that wait for it and returns their number; clears the event. */
CG_API size_t cg_event_set(struct cg_event *event);
CG_API void cg_event_clear(struct cg_event *event);

/* Call these before the object's memory is reused. Return 0, and the object is zero again;
 * -EBUSY: a coroutine waits on it, or owns the mutex. */
CG_API int cg_mutex_destroy(struct cg_mutex *mutex);
CG_API int cg_semaphore_destroy(struct cg_semaphore *semaphore);
CG_API int cg_condition_destroy(struct cg_condition *condition);
CG_API int cg_event_destroy(struct cg_event *event);
CG_API int cg_barrier_destroy(struct cg_barrier *barrier);

CG_EXTERN_C_END
#endif
