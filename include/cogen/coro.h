/* SPDX-License-Identifier: MIT */
/* Coroutines: the operations that start, call, join, cancel and pause them, scopes, and
 * what can be asked of a coroutine. See cg_coro(3) and cg_scope(3). */
#ifndef COGEN_CORO_H
#define COGEN_CORO_H

#include <cogen/op.h>
#include <stdio.h>

/* The body of a coroutine. What it returns is its result: >= 0 or a negative code. */
typedef ssize_t cg_fn(void *arg);

enum cg_coro_state {
    CG_CORO_READY,    /* will run when its turn comes; also one that has not started */
    CG_CORO_RUNNING,  /* the one that asks */
    CG_CORO_WAITING,  /* inside cg_yield */
    CG_CORO_FINISHED, /* has returned; its result can be had */
};

struct cg_coro_options {
    const char *name;      /* for messages and listings, borrowed; NULL: "coroutine" */
    size_t stack_size;     /* bytes, rounded up; 0: the scheduler's default */
    struct cg_coro **coro; /* where to put a reference, to be given back by cg_coro_unref */
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
    int64_t length; /* or, if until is set, not looked at */
    int64_t until;
    int64_t wake; /* the moment that comes of it */
};

struct cg_plain_op {
    CG_OP_HEAD;
};

/* cg_call(fn, arg): runs fn(arg) as part of the calling coroutine, on its stack, and
 * answers what fn returns (-ECANCELED, and fn is not called, if the caller is cancelled
 * already). With .timeout or .deadline everything that fn yields ends with
 * -ECANCELED at that moment, and the call answers -ETIMEDOUT; with .shield = true nothing
 * inside is cancelled from outside (only by that deadline). */
#define cg_call(...) cg__call(__VA_ARGS__, )
#define cg__call(f, a, ...) CG_OP(cg_call, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_add(fn, arg): starts a coroutine and does not wait for it. Keywords .name (borrowed
 * until the coroutine is freed; one that fails is told before, see cg_sched_set_failed),
 * .stack_size (bytes), .coro = &ref (a reference, to be given back by cg_coro_unref). The
 * new coroutine runs first unless .prio has CG_PRIO_CORO. 0, -EINVAL or -ENOMEM. */
#define cg_add(...) cg__add(__VA_ARGS__, )
#define cg__add(f, a, ...) CG_OP(cg_add, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_join(coro): waits for a coroutine to finish and answers its result. A timeout leaves
 * the coroutine alone. -EDEADLK: it is the caller itself. */
#define cg_join(...) cg__join(__VA_ARGS__, )
#define cg__join(c, ...) CG__OP_OF(cg_coro, cg_join, .coro = (c), __VA_ARGS__)

/* cg_cancel(coro): cancels a coroutine: what it waits for, and everything that it yields
 * from then on outside a shield, answers -ECANCELED. Does not wait for its end (join does).
 * 0; -ESRCH: it has finished already. */
#define cg_cancel(...) cg__cancel(__VA_ARGS__, )
#define cg__cancel(c, ...) CG__OP_OF(cg_coro, cg_cancel, .coro = (c), __VA_ARGS__)

/* cg_pass(): lets every other runnable coroutine run first. 0. */
#define cg_pass(...) CG__OP_OF(cg_plain, cg_pass, __VA_ARGS__)

/* cg_sleep(length): pauses for a length in ns, never shorter; cg_sleep(0) is one pass
 * through the ready queue. cg_sleep_until(moment) pauses until a moment of cg_sched_now.
 * 0. */
#define cg_sleep(...) cg__sleep(__VA_ARGS__, )
#define cg__sleep(t, ...) CG_OP(cg_sleep, .length = (t), __VA_ARGS__)
#define cg_sleep_until(...) cg__sleep_until(__VA_ARGS__, )
#define cg__sleep_until(t, ...) CG_OP(cg_sleep, .until = (t), __VA_ARGS__)

/* cg_suspend(): pauses until some other coroutine activates this one; answers the value
 * that was given to activate. An activation that came first is remembered (one). */
#define cg_suspend(...) CG__OP_OF(cg_plain, cg_suspend, __VA_ARGS__)

/* cg_activate(coro): ends the suspend of a coroutine, now or, if it is not suspended, the
 * next one. Keyword .value: what cg_suspend answers there (default 0). 0; -EALREADY: an
 * activation is waiting there already; -ESRCH: it has finished. */
#define cg_activate(...) cg__activate(__VA_ARGS__, )
#define cg__activate(c, ...) CG__OP_OF(cg_coro, cg_activate, .coro = (c), __VA_ARGS__)

#endif

/* A scope bounds all waiting inside it. Opened and closed by the same coroutine, properly
 * nested, on its stack; cg_call opens one around a function. */
struct cg_scope {
    struct cg_scope *parent;
    struct cg_coro *coro;
    struct cg_timer timer;
    int32_t reason; /* 0 while open; -ETIMEDOUT, -ECANCELED: ended, first reason */
    bool shield;    /* what ends the scopes outside does not reach inside */
    struct cg_group *group; /* that it belongs to */
    struct cg_scope *next_ended;
};

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_call_type, cg_add_type, cg_join_type,
    cg_cancel_type, cg_pass_type, cg_sleep_type, cg_suspend_type, cg_activate_type;

/* Opens a scope in the calling coroutine until cg_scope_close. deadline: a moment, or
 * CG_NEVER. shield: see struct cg_scope. */
CG_API void cg_scope_open(struct cg_scope *scope, int64_t deadline, bool shield);

/* Closes the innermost scope. -ETIMEDOUT if its deadline passed, -ECANCELED if
 * cg_scope_cancel ended it, else 0, also if what ended lies further out. */
CG_API int cg_scope_close(struct cg_scope *scope);

/* Ends a scope: everything waiting inside it answers -ECANCELED, now and until it is
 * closed. */
CG_API void cg_scope_cancel(struct cg_scope *scope);

/* The calling coroutine; NULL outside. Not a new reference. */
CG_API struct cg_coro *cg_coro_self(void);

/* Takes one more reference to a coroutine; it stays valid (finished or not) until as many
 * cg_coro_unref, and at most until cg_sched_free. Scheduler's thread only. */
CG_API struct cg_coro *cg_coro_ref(struct cg_coro *coro);
CG_API void cg_coro_unref(struct cg_coro *coro);

/* Asks a coroutine. The result is -EBUSY until it has finished. The op is what it waits for
 * (NULL: nothing); the age is how long it has been waiting for it, ns. The name is
 * borrowed. */
CG_API const char *cg_coro_name(const struct cg_coro *coro);
CG_API enum cg_coro_state cg_coro_state(const struct cg_coro *coro);
CG_API ssize_t cg_coro_result(const struct cg_coro *coro);
CG_API const struct cg_op *cg_coro_op(const struct cg_coro *coro);
CG_API int64_t cg_coro_age(const struct cg_coro *coro);
CG_API size_t cg_coro_stack_size(const struct cg_coro *coro);

/* The coroutines of a scheduler that have not finished, oldest first: NULL gives the first,
 * NULL is given after the last. */
CG_API struct cg_coro *cg_coro_next(const struct cg_sched *sched,
                                    const struct cg_coro *coro);

/* Prints one line a coroutine that has not finished: its name, then the op that it waits
 * for and since when, or its state. */
CG_API void cg_coro_dump(const struct cg_sched *sched, FILE *out);

/* What the operations cg_cancel and cg_activate do, for callbacks: never waits, and works
 * outside coroutines too, in the scheduler's thread. */
CG_API int cg_coro_cancel(struct cg_coro *coro);
CG_API int cg_coro_activate(struct cg_coro *coro, ssize_t value);

CG_EXTERN_C_END
#endif
