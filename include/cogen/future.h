/* SPDX-License-Identifier: MIT */
/* Futures, tasks and handles, as in asyncio: a result that will come later, a coroutine
 * with the future of its result, and a call that will be made later. Use them in the
 * scheduler's thread only; other threads go through cg_sched_post. See cg_future(3). */
#ifndef COGEN_FUTURE_H
#define COGEN_FUTURE_H

#include <cogen/sched.h>

struct cg_future;
struct cg_handle;
struct cg_await_op;
struct cg_await_all_op;

/* Called when a future has completed. */
typedef void cg_done_fn(struct cg_future *future, void *arg);

CG_EXTERN_C_BEGIN

/* Makes a future that the caller will complete, with one reference, to be released with
 * cg_future_unref. Returns NULL if there is no memory. */
CG_API struct cg_future *cg_future_new(struct cg_sched *sched);

/* Makes a task: starts a coroutine, as cg_sched_start_with does, and returns the future of
 * its result. A task that fails while nobody holds its future is reported
 * (cg_sched_set_failed). Returns NULL if there is no memory, or if fn is NULL. */
CG_API struct cg_future *cg_task_new_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                                          const struct cg_coro_options *options);

/* Take and release a reference; the last release frees the future. The library itself holds
 * one while the future is awaited, has callbacks to call, or its coroutine runs. NULL is
 * ignored. */
CG_API struct cg_future *cg_future_ref(struct cg_future *future);
CG_API void cg_future_unref(struct cg_future *future);

/* Complete a future: with a result >= 0, with any word (its result is 0), or with a
 * negative code. Coroutines that await it become ready, and its callbacks are called in the
 * next turn. Return 0; -EALREADY: it has completed; -EINVAL: the result or code has the
 * wrong sign, or the future is a task. */
CG_API int cg_future_set_result(struct cg_future *future, ssize_t result);
CG_API int cg_future_set_value(struct cg_future *future, void *value);
CG_API int cg_future_set_error(struct cg_future *future, ssize_t code);

/* Cancels a future, which completes with -ECANCELED, or a task: its coroutine is cancelled,
 * and the task completes when that has ended. Returns 0; -EALREADY: it has completed. */
CG_API int cg_future_cancel(struct cg_future *future);

/* Whether the future has completed; whether with -ECANCELED. */
CG_API bool cg_future_done(const struct cg_future *future);
CG_API bool cg_future_cancelled(const struct cg_future *future);

/* The result or code; -EBUSY: not completed yet. The word of cg_future_set_value, else
 * NULL. */
CG_API ssize_t cg_future_result(const struct cg_future *future);
CG_API void *cg_future_value(const struct cg_future *future);

/* Has fn(future, arg) called in the turn after the future completes (if it has completed:
 * in the next turn), outside any coroutine, in the order in which they were added. Returns
 * 0 or -ENOMEM. */
CG_API int cg_future_add_done(struct cg_future *future, cg_done_fn *fn, void *arg);

/* Removes all calls with this fn and arg that have not been made. Returns their number. */
CG_API size_t cg_future_remove_done(struct cg_future *future, cg_done_fn *fn, void *arg);

/* Runs the scheduler until the future has completed and returns its result; -EDEADLK: the
 * run ended before; or an error of cg_sched_step. Call it outside coroutines. */
CG_API ssize_t cg_sched_run_until(struct cg_sched *sched, struct cg_future *future);

/* Have fn(arg) called outside any coroutine: in the next turn; `delay` ns from now; at a
 * moment of cg_sched_now. Calls are never early; they are made in the order of their
 * moments, of which those that have passed count as equal, then of the requests. They hold the run
 * open. If `handle` is not NULL, *handle is set to a reference, to be released with
 * cg_handle_unref. Return 0 or -ENOMEM. */
CG_API int cg_sched_call_soon(struct cg_sched *sched, void (*fn)(void *arg), void *arg,
                              struct cg_handle **handle);
CG_API int cg_sched_call_later(struct cg_sched *sched, int64_t delay, void (*fn)(void *arg),
                               void *arg, struct cg_handle **handle);
CG_API int cg_sched_call_at(struct cg_sched *sched, int64_t moment, void (*fn)(void *arg),
                            void *arg, struct cg_handle **handle);

/* Cancels the call. Returns 0; -EALREADY: it has been made, or was cancelled before. */
CG_API int cg_handle_cancel(struct cg_handle *handle);
CG_API bool cg_handle_cancelled(const struct cg_handle *handle);

/* The moment for which the call was requested; for cg_sched_call_soon, when it was. */
CG_API int64_t cg_handle_when(const struct cg_handle *handle);

/* Releases the reference; the call is still made. NULL is ignored. */
CG_API void cg_handle_unref(struct cg_handle *handle);

extern CG_API const struct cg_op_type cg_await_type, cg_await_all_type, cg_await_any_type;

CG_EXTERN_C_END

#ifndef __cplusplus

/* Macro form of cg_task_new_with that takes the options as keywords, as in
 * cg_task_new(sched, fn, arg, .name = "factorial"). */
#define cg_task_new(...) cg__task_new(__VA_ARGS__, )
#define cg__task_new(sched, fn, arg, ...)                                                  \
    cg_task_new_with(sched, fn, arg, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__))

struct cg_await_op {
    CG_OP_HEAD;
    struct cg_future *future;
    struct cg_await_op *next, **link;
};

struct cg_await_all_op { /* cg_await_all and cg_await_any */
    CG_OP_HEAD;
    struct cg_future *const *futures;
    size_t count;
};

/* cg_await(future): waits until the future completes, and completes with its result. Any
 * number of coroutines may wait. A timeout or cancellation does not affect the future
 * (traceless). -EDEADLK: it is the caller's own task; -EINVAL: it belongs to another
 * scheduler. */
#define cg_await(...) cg__await(__VA_ARGS__, )
#define cg__await(f, ...) CG_OP(cg_await, .future = (f), __VA_ARGS__)

/* cg_await_all(futures, count): waits until all futures of an array have completed, whether
 * they failed or not. Completes with 0 or -ENOMEM. cg_await_any(futures, count): waits for
 * the first and completes with its index; -EINVAL: count is 0; -ENOMEM. Both are
 * traceless. */
#define cg_await_all(...) cg__await_all(__VA_ARGS__, )
#define cg__await_all(f, n, ...)                                                           \
    CG_OP(cg_await_all, .futures = (f), .count = (n), __VA_ARGS__)
#define cg_await_any(...) cg__await_any(__VA_ARGS__, )
#define cg__await_any(f, n, ...)                                                           \
    CG__OP_OF(cg_await_all, cg_await_any, .futures = (f), .count = (n), __VA_ARGS__)

#endif
#endif
