/* SPDX-License-Identifier: MIT */
/* What coroutines of one scheduler keep order with: mutex, monitor, semaphore, condition,
 * event, barrier. The objects are the caller's, anywhere in memory; zero is ready to use.
 * Who comes first is served first, and is handed what he waits for by the one who gives it:
 * nobody overtakes. See cg_sync(3). */
#ifndef COGEN_SYNC_H
#define COGEN_SYNC_H

#include <cogen/coro.h>
#include <cogen/wait.h>

/* All members are the library's, except what a comment offers, and `name`: what dumps call
 * the object, borrowed, to be set before its use; NULL: its address. */

struct cg_mutex {
    struct cg_coro *owner;
    struct cg_waiters waiters;
    const char *name;
};

struct cg_semaphore {
    unsigned units; /* that may be taken; to be set before its use: {.units = 3} */
    unsigned limit; /* never more than these; 0: no limit; to be set before its use */
    struct cg_waiters waiters;
    const char *name;
};

struct cg_condition {
    struct cg_waiters waiters;
    unsigned leaving; /* notified, and waiting for their mutexes */
    const char *name;
};

struct cg_event {
    bool set; /* may be read, and be true from the start */
    struct cg_waiters waiters;
    const char *name;
};

struct cg_barrier {
    unsigned parties; /* how many it waits for; to be set before its use */
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
    bool notified; /* waits for the mutex only */
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

/* The operations that wait take all keywords; the scheduler's default timeout does not
 * apply. With .timeout = CG_NOWAIT they are the try forms: -ETIMEDOUT where they would have
 * to wait. All but cg_call_locked are traceless: what they could not have they leave to the
 * next. */

/* cg_lock(&mutex): takes the mutex; the calling coroutine owns it until cg_mutex_unlock. 0;
 * -EDEADLK: it owns it already. */
#define cg_lock(...) cg__lock(__VA_ARGS__, )
#define cg__lock(m, ...) CG_OP(cg_lock, .mutex = (m), __VA_ARGS__)

/* cg_call_locked(&mutex, fn, arg): takes the mutex, calls fn(arg) as part of the calling
 * coroutine, and gives the mutex back, however fn ends. Answers what fn returns, or why the
 * mutex could not be had. A timeout bounds the whole of it, as with cg_call. */
#define cg_call_locked(...) cg__call_locked(__VA_ARGS__, )
#define cg__call_locked(m, f, a, ...)                                                      \
    CG_OP(cg_call_locked, .mutex = (m), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_acquire(&semaphore): takes a unit of the semaphore, with .units = n n of them at once.
 * 0; -EINVAL: more than its limit. */
#define cg_acquire(...) cg__acquire(__VA_ARGS__, )
#define cg__acquire(s, ...) CG_OP(cg_acquire, .semaphore = (s), __VA_ARGS__)

/* cg_wait_condition(&condition, &mutex): gives the mutex, which the caller must own, to
 * others, waits for a notification and takes the mutex back. It has it back however the
 * operation ends, and so may outlast its timeout; a notification that it cannot use any
 * more goes to the next. 0; -EPERM: it does not own the mutex. What was waited for is to
 * be checked again: between the notification and the mutex others may run. */
#define cg_wait_condition(...) cg__wait_condition(__VA_ARGS__, )
#define cg__wait_condition(c, m, ...)                                                      \
    CG_OP(cg_wait_condition, .condition = (c), .mutex = (m), __VA_ARGS__)

/* cg_wait_event(&event): waits until the event is set; it stays set. 0. */
#define cg_wait_event(...) cg__wait_event(__VA_ARGS__, )
#define cg__wait_event(e, ...) CG_OP(cg_wait_event, .event = (e), __VA_ARGS__)

/* cg_wait_barrier(&barrier): waits until as many coroutines as the barrier has parties have
 * come; then all go on and the barrier is as new. Answers the place in the order of coming:
 * 0 to parties - 1, each once. Who times out has never come. -EINVAL: no parties; -EBUSY:
 * this coroutine waits there already (in another branch). */
#define cg_wait_barrier(...) cg__wait_barrier(__VA_ARGS__, )
#define cg__wait_barrier(b, ...) CG_OP(cg_wait_barrier, .barrier = (b), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_lock_type, cg_call_locked_type, cg_acquire_type,
    cg_wait_condition_type, cg_wait_event_type, cg_wait_barrier_type;

/* What gives never waits and is a function: it works in a coroutine that has been
 * cancelled, and (all but cg_mutex_unlock) outside coroutines, in the scheduler's thread.
 * Those who are woken run after the caller has yielded. */

/* Gives the mutex to the next in line. 0; -EPERM: the calling coroutine does not own it. */
CG_API int cg_mutex_unlock(struct cg_mutex *mutex);

/* Gives units back (or adds new ones). 0; -EOVERFLOW: there would be more than the limit;
 * nothing has changed. */
CG_API int cg_semaphore_release(struct cg_semaphore *semaphore, unsigned units);

/* Wakes the one who has waited longest, or all. Answers how many. */
CG_API size_t cg_condition_notify(struct cg_condition *condition);
CG_API size_t cg_condition_notify_all(struct cg_condition *condition);

/* Sets the event and wakes all who wait for it: answers how many. Or clears it. */
CG_API size_t cg_event_set(struct cg_event *event);
CG_API void cg_event_clear(struct cg_event *event);

/* To be asked before the object's memory is given away: 0, and it is zero again; -EBUSY:
 * somebody waits there, or owns the mutex. */
CG_API int cg_mutex_destroy(struct cg_mutex *mutex);
CG_API int cg_semaphore_destroy(struct cg_semaphore *semaphore);
CG_API int cg_condition_destroy(struct cg_condition *condition);
CG_API int cg_event_destroy(struct cg_event *event);
CG_API int cg_barrier_destroy(struct cg_barrier *barrier);

CG_EXTERN_C_END
#endif
