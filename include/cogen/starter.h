/* SPDX-License-Identifier: MIT */
/* Waiting without a coroutine. The operation lies in the program's own memory, and when it
 * has completed, a coroutine is started for it. So what is idle for minutes, such as a
 * connection between two requests, costs a socket and an operation, but no stack. See
 * cg_starter(3).
 *
 *     struct client {
 *         struct cg_wait_input_op wait;
 *         struct cg_sock *sock;
 *         ...
 *     };
 *
 *     static ssize_t resume(void *arg)          // runs in a new coroutine
 *     {
 *         struct client *client = arg;          // `wait` is its first member
 *         ssize_t n = cg_op_result(arg);        // what cg_yield would have returned
 *         ...
 *         client->wait = *(struct cg_wait_input_op *)cg_wait_input(client->sock);
 *         return cg_starter_await(starter, &client->wait.op);
 *     }
 */
#ifndef COGEN_STARTER_H
#define COGEN_STARTER_H

#include <cogen/coro.h>

/* Starts coroutines for operations that have completed. It belongs to one scheduler. */
struct cg_starter;

struct cg_starter_options {
    const char *name;  /* of the coroutines, borrowed; NULL: "starter" */
    size_t stack_size; /* of the coroutines, bytes; 0: the scheduler's default */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* Makes a starter whose coroutines run fn(op); to be freed with cg_starter_free. The options
 * are copied (NULL: all defaults). Returns NULL if there is no memory. */
CG_API struct cg_starter *cg_starter_new_with(struct cg_sched *sched, cg_fn *fn,
                                              const struct cg_starter_options *options);

/* Frees a starter, before its scheduler. None of its operations may wait any more, and
 * their coroutines must have run (cg_starter_count is 0). NULL is ignored. */
CG_API void cg_starter_free(struct cg_starter *starter);

/* Starts an operation for which nobody waits. The operation and all that it points to must
 * stay valid until it has completed. Then a coroutine runs fn(op), in which cg_op_result(op)
 * is what cg_yield would have returned; `op` may be used again from there on. Coroutines are
 * started in the order in which the operations complete, each when fewer than 64 have still
 * to run, so that thousands of connections that time out at one moment do not need thousands
 * of stacks. If there is no memory for a stack, it is tried again until there is.
 *   Stopping the scheduler cancels coroutines, but not these operations: whoever owns them
 * cancels them. Operations that belong to the coroutine that yields them (cg_lock,
 * cg_wait_condition, groups, iterators) cannot wait like this.
 *   Returns 0; -EBUSY: it is pending already; -EOPNOTSUPP: the operation is compound and
 * needs a coroutine from the start (cg_call, or a read over TLS; cg_wait_input does not):
 * nothing has happened. */
CG_API int cg_starter_await(struct cg_starter *starter, struct cg_op *op);

/* Cancels an operation of a starter, which completes with -ECANCELED; its coroutine is
 * started as always. No effect if it has completed. */
CG_API void cg_starter_cancel(struct cg_starter *starter, struct cg_op *op);

/* Takes an operation back: cancels it without starting its coroutine. Returns true if that was
 * possible; false if the operation has completed, or its holder (the kernel) does not let go at
 * once: then its coroutine runs, or has run, as always. */
CG_API bool cg_starter_withdraw(struct cg_starter *starter, struct cg_op *op);

/* How many operations wait, or have completed and their coroutine has not run yet. */
CG_API size_t cg_starter_count(const struct cg_starter *starter);

CG_EXTERN_C_END

#ifndef __cplusplus
/* cg_starter_new(sched, fn, .name = "idle", ...): cg_starter_new_with with its options as
 * keywords. */
#define cg_starter_new(...) cg__starter_new(__VA_ARGS__, )
#define cg__starter_new(sched, fn, ...)                                                    \
    cg_starter_new_with(sched, fn, CG__OPTIONS(struct cg_starter_options, __VA_ARGS__))
#endif

#endif
