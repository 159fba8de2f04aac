/* SPDX-License-Identifier: MIT */
/* Coroutines: operations that start, call, join, cancel and pause them; scopes; queries.
 * See cg_coro(3) and cg_scope(3). */
#ifndef COGEN_CORO_H
#define COGEN_CORO_H

#include <cogen/op.h>
#include <stdio.h>

/* The body of a coroutine. It returns the coroutine's result: >= 0 or a negative code. */
typedef ssize_t cg_fn(void *arg);

enum cg_coro_state {
    CG_CORO_READY,    /* will run in its turn; also one that has not started yet */
    CG_CORO_RUNNING,  /* the calling coroutine */
    CG_CORO_WAITING,  /* suspended in cg_yield */
    CG_CORO_FINISHED, /* has returned; its result is available */
};

struct cg_coro_options {
    const char *name;      /* for messages and listings, borrowed; NULL: "coroutine" */
    size_t stack_size;     /* bytes, rounded up; 0: the scheduler's default */
    struct cg_coro **coro; /* set to a reference, to be released with cg_coro_unref */
    uint8_t prio;          /* enum cg_prio: CG_PRIO_OP starts it at the head of the queue */
    void *reserved;
};

struct cg_call_op;
struct cg_add_op;
struct cg_group;

#ifndef __cplusplus

struct cg_call_op {
    CG_OP_HEAD;
    cg_fn *fn;
    void *arg;
};

struct cg_add_op {
    CG_OP_HEAD;
    const char *name;
    size_t stack_size;
    struct cg_coro **coro;
    void *arg;
    cg_fn *fn;
};

struct cg_coro_op { /* join, cancel, activate */
    CG_OP_HEAD;
    struct cg_coro *coro;
    struct cg_op *next, *prev;
    ssize_t value;
};

struct cg_sleep_op {
    CG_OP_HEAD;
    int64_t length; /* ignored if until is set */
    int64_t until;
    int64_t wake; /* the moment of waking that follows from them */
    int64_t slack;
};

struct cg_plain_op {
    CG_OP_HEAD;
};

/* cg_call(fn, arg): runs fn(arg) as part of the calling coroutine, on its stack, and
 * completes with what fn returns. If the caller is already cancelled, fn is not called and
 * the result is -ECANCELED. When .timeout or .deadline passes, everything that fn yields
 * completes with -ECANCELED, and the call with -ETIMEDOUT. With .shield = true only that
 * deadline reaches inside; cancelling the caller does not. */
#define cg_call(...) cg__call(__VA_ARGS__, )
#define cg__call(f, a, ...) CG_OP(cg_call, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_add(fn, arg): starts a coroutine and does not wait for it. The new coroutine runs
 * before the caller continues, unless .prio has CG_PRIO_CORO. Completes with 0, -EINVAL or
 * -ENOMEM. cg_sched_set_failed says what happens if it fails and nobody joins it. Keywords:
 *   .name        borrowed until the coroutine is freed
 *   .stack_size  bytes; 0: the scheduler's default
 *   .coro        &ref: set to a reference, to be released with cg_coro_unref */
#define cg_add(...) cg__add(__VA_ARGS__, )
#define cg__add(f, a, ...) CG_OP(cg_add, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_join(coro): waits for a coroutine to finish and completes with its result. A timeout
 * does not affect the coroutine. -EDEADLK: it is the calling coroutine. */
#define cg_join(...) cg__join(__VA_ARGS__, )
#define cg__join(c, ...) CG__OP_OF(cg_coro, cg_join, .coro = (c), __VA_ARGS__)

/* cg_cancel(coro): cancels a coroutine: what it waits for, and everything that it yields
 * from then on outside a shield, completes with -ECANCELED. Does not wait for its end;
 * cg_join does. Completes with 0, or -ESRCH if the coroutine has finished. */
#define cg_cancel(...) cg__cancel(__VA_ARGS__, )
#define cg__cancel(c, ...) CG__OP_OF(cg_coro, cg_cancel, .coro = (c), __VA_ARGS__)

/* cg_pass(): lets every other ready coroutine run first. Completes with 0. */
#define cg_pass(...) CG__OP_OF(cg_plain, cg_pass, __VA_ARGS__)

/* cg_sleep(length): pauses for at least this length in ns; cg_sleep(0) is one pass through
 * the ready queue. cg_sleep_until(moment): pauses until a moment of cg_sched_now. Both
 * complete with 0; -EINVAL: a negative length or slack. Keywords:
 *   .slack        the sleep may last up to so many ns longer; sleeps that have slack end
 *                 together where they can, which saves wake-ups. 0: none. The scheduler's
 *                 slack (cg_sched_set_slack) comes on top */
#define cg_sleep(...) cg__sleep(__VA_ARGS__, )
#define cg__sleep(t, ...) CG_OP(cg_sleep, .length = (t), __VA_ARGS__)
#define cg_sleep_until(...) cg__sleep_until(__VA_ARGS__, )
#define cg__sleep_until(t, ...) CG_OP(cg_sleep, .until = (t), __VA_ARGS__)

/* cg_suspend(): pauses until another coroutine activates this one, and completes with the
 * value given to cg_activate. An earlier activation is remembered (one at most). */
#define cg_suspend(...) CG__OP_OF(cg_plain, cg_suspend, __VA_ARGS__)

/* cg_activate(coro): ends the cg_suspend of a coroutine: the current one or, if it is not
 * suspended, the next one. Keyword .value: what that cg_suspend completes with (default 0).
 * Completes with 0; -EALREADY: an activation is remembered already; -ESRCH: the coroutine
 * has finished. */
#define cg_activate(...) cg__activate(__VA_ARGS__, )
#define cg__activate(c, ...) CG__OP_OF(cg_coro, cg_activate, .coro = (c), __VA_ARGS__)

#endif

/* A scope limits all waiting between cg_scope_open and cg_scope_close. One coroutine opens
 * and closes it; scopes nest, on the coroutine's stack. cg_call opens one around a
 * function. */
struct cg_scope {
    struct cg_scope *parent;
    struct cg_coro *coro;
    struct cg_timer timer;
    int32_t reason; /* 0: open; -ETIMEDOUT, -ECANCELED: why it ended first */
    bool shield;    /* cancelling the coroutine or scopes outside does not reach inside */
    void (*ended)(struct cg_scope *scope); /* called when it, or one around it, has ended */
    struct cg_scope *next_ended;
};

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_call_type, cg_add_type, cg_join_type,
    cg_cancel_type, cg_pass_type, cg_sleep_type, cg_suspend_type, cg_activate_type;

/* Opens a scope in the calling coroutine. deadline: a moment, or CG_NEVER. shield: see
 * struct cg_scope. Must be closed by cg_scope_close. */
CG_API void cg_scope_open(struct cg_scope *scope, int64_t deadline, bool shield);

/* Closes the innermost scope. Returns -ETIMEDOUT if its deadline passed, -ECANCELED if
 * cg_scope_cancel ended it, else 0, also if a scope further out has ended. */
CG_API int cg_scope_close(struct cg_scope *scope);

/* Ends a scope: what waits inside it, and what is yielded there until it is closed,
 * completes with -ECANCELED. */
CG_API void cg_scope_cancel(struct cg_scope *scope);

/* The calling coroutine; NULL outside coroutines. Does not take a reference. */
CG_API struct cg_coro *cg_coro_self(void);

/* Takes one more reference to a coroutine and returns it. While there is a reference the
 * coroutine stays valid, finished or not. All must be released (cg_coro_unref) before
 * cg_sched_free. Scheduler's thread only. */
CG_API struct cg_coro *cg_coro_ref(struct cg_coro *coro);
CG_API void cg_coro_unref(struct cg_coro *coro);

/* Queries. The name is borrowed. The result is -EBUSY until the coroutine has finished. The
 * op is what it waits for (NULL: nothing), the age how long it has been waiting for it in
 * ns. The stack size is in bytes. */
CG_API const char *cg_coro_name(const struct cg_coro *coro);
CG_API enum cg_coro_state cg_coro_state(const struct cg_coro *coro);
CG_API ssize_t cg_coro_result(const struct cg_coro *coro);
CG_API const struct cg_op *cg_coro_op(const struct cg_coro *coro);
CG_API int64_t cg_coro_age(const struct cg_coro *coro);
CG_API size_t cg_coro_stack_size(const struct cg_coro *coro);

/* Lists the coroutines of a scheduler that have not finished, oldest first: returns the one
 * after `coro`. Pass NULL for the first; returns NULL after the last. */
CG_API struct cg_coro *cg_coro_next(const struct cg_sched *sched,
                                    const struct cg_coro *coro);

/* Prints one line for each coroutine that has not finished: its name, then the op that it
 * waits for and for how long, or its state. */
CG_API void cg_coro_dump(const struct cg_sched *sched, FILE *out);

/* Function forms of cg_cancel and cg_activate, for callbacks: they never wait, and work
 * outside coroutines, too. Scheduler's thread only. */
CG_API int cg_coro_cancel(struct cg_coro *coro);
CG_API int cg_coro_activate(struct cg_coro *coro, ssize_t value);

CG_EXTERN_C_END
#endif
