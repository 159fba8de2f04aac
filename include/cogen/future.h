/* SPDX-License-Identifier: MIT */
/* Futures, tasks and handles, as asyncio has them: a result that is still to come, a
 * coroutine whose result it is, and a call that is still to be made. All of it in the
 * scheduler's thread; from other threads by cg_sched_post. See cg_future(3). */
#ifndef COGEN_FUTURE_H
#define COGEN_FUTURE_H

#include <cogen/sched.h>

struct cg_future;
struct cg_handle;
struct cg_await_op;
struct cg_await_all_op;

/* Called when a future is done. */
typedef void cg_done_fn(struct cg_future *future, void *arg);

CG_EXTERN_C_BEGIN

/* A future that somebody will complete; one reference, to be given back by
 * cg_future_unref. NULL: no memory. */
CG_API struct cg_future *cg_future_new(struct cg_sched *sched);

/* Starts a coroutine, as cg_sched_start_with does, and answers the future of its result: a
 * task. A task that fails when nobody holds its future is told by cg_sched_set_failed.
 * NULL: no memory, or no fn. */
CG_API struct cg_future *cg_task_new_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                                          const struct cg_coro_options *options);

/* One more reference; the future goes with the last one. A future that is awaited, has
 * callbacks to be made, or whose coroutine runs, stays by itself. NULL is ignored. */
CG_API struct cg_future *cg_future_ref(struct cg_future *future);
CG_API void cg_future_unref(struct cg_future *future);

/* Completes a future: with a result >= 0, with any word (result 0), or with a negative
 * code. Whoever awaits it becomes runnable, and the callbacks are called in the next turn.
 * 0; -EALREADY: it is done; -EINVAL: no result, or no code; it is a task. */
CG_API int cg_future_set_result(struct cg_future *future, ssize_t result);
CG_API int cg_future_set_value(struct cg_future *future, void *value);
CG_API int cg_future_set_error(struct cg_future *future, ssize_t code);

/* Cancels: a future is done with -ECANCELED; of a task the coroutine is cancelled, and it
 * is done when that has ended. 0; -EALREADY: it is done. */
CG_API int cg_future_cancel(struct cg_future *future);

/* Whether there is a result; whether it is -ECANCELED. */
CG_API bool cg_future_done(const struct cg_future *future);
CG_API bool cg_future_cancelled(const struct cg_future *future);

/* The result, or the code; -EBUSY while there is none. The word of cg_future_set_value,
 * else NULL. */
CG_API ssize_t cg_future_result(const struct cg_future *future);
CG_API void *cg_future_value(const struct cg_future *future);

/* Has fn(future, arg) called in the turn after the future is done, outside any coroutine
 * (at once done: in the next turn), in the order of adding. 0 or -ENOMEM. */
CG_API int cg_future_add_done(struct cg_future *future, cg_done_fn *fn, void *arg);

/* Takes back every such call, of this fn and arg, that has not been made. Answers how
 * many. */
CG_API size_t cg_future_remove_done(struct cg_future *future, cg_done_fn *fn, void *arg);

/* Runs the scheduler until the future is done and answers its result, -EDEADLK if the run
 * ends before, or what cg_sched_step answers. From outside coroutines. */
CG_API ssize_t cg_sched_run_until(struct cg_sched *sched, struct cg_future *future);

/* Has fn(arg) called outside any coroutine: in the next turn; `delay` ns from now; at a
 * moment of cg_sched_now. Never early, in the order of the moments, and of asking. Holds
 * the run open. If `handle` is not NULL, *handle gets a reference, to be given back by
 * cg_handle_unref. 0 or -ENOMEM. */
CG_API int cg_sched_call_soon(struct cg_sched *sched, void (*fn)(void *arg), void *arg,
                              struct cg_handle **handle);
CG_API int cg_sched_call_later(struct cg_sched *sched, int64_t delay, void (*fn)(void *arg),
                               void *arg, struct cg_handle **handle);
CG_API int cg_sched_call_at(struct cg_sched *sched, int64_t moment, void (*fn)(void *arg),
                            void *arg, struct cg_handle **handle);

/* The call will not be made. 0; -EALREADY: it has been made, or cancelled before. */
CG_API int cg_handle_cancel(struct cg_handle *handle);
CG_API bool cg_handle_cancelled(const struct cg_handle *handle);

/* The moment for which it was asked; of a cg_sched_call_soon, when it was. */
CG_API int64_t cg_handle_when(const struct cg_handle *handle);

/* Gives the reference back; the call is made nevertheless. NULL is ignored. */
CG_API void cg_handle_unref(struct cg_handle *handle);

extern CG_API const struct cg_op_type cg_await_type, cg_await_all_type, cg_await_any_type;

CG_EXTERN_C_END

#ifndef __cplusplus

/* cg_task_new(sched, fn, arg, .name = "factorial"): cg_task_new_with with the keywords of
 * cg_add. */
#define cg_task_new(...) cg__task_new(__VA_ARGS__, )
#define cg__task_new(sched, fn, arg, ...)                                                  \
    cg_task_new_with(sched, fn, arg, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__))

struct cg_await_op {
    CG_OP_HEAD;
    struct cg_future *future;
    struct cg_await_op *next, **link;
};

struct cg_await_all_op { /* and any */
    CG_OP_HEAD;
    struct cg_future *const *futures;
    size_t count;
};

/* cg_await(future): waits until it is done and answers its result. Any number may wait. A
 * timeout or a cancel leaves the future alone (traceless). -EDEADLK: it is the caller's own
 * task; -EINVAL: it belongs to another scheduler. */
#define cg_await(...) cg__await(__VA_ARGS__, )
#define cg__await(f, ...) CG_OP(cg_await, .future = (f), __VA_ARGS__)

/* cg_await_all(futures, count): waits until all of an array of futures are done, well or
 * badly: 0. cg_await_any(futures, count): until one is, and answers its index; -EINVAL:
 * there are none; -ENOMEM. Both are traceless. */
#define cg_await_all(...) cg__await_all(__VA_ARGS__, )
#define cg__await_all(f, n, ...)                                                           \
    CG_OP(cg_await_all, .futures = (f), .count = (n), __VA_ARGS__)
#define cg_await_any(...) cg__await_any(__VA_ARGS__, )
#define cg__await_any(f, n, ...)                                                           \
    CG__OP_OF(cg_await_all, cg_await_any, .futures = (f), .count = (n), __VA_ARGS__)

#endif
#endif
