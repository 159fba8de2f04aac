/* SPDX-License-Identifier: MIT */
/* Operations: what a coroutine yields. Users need cg_yield, cg_op_result and the keywords;
 * the rest is for authors of operation types. See cg_op(3) and cg_op_type(3). */
#ifndef COGEN_OP_H
#define COGEN_OP_H

#include <cogen/base.h>

struct cg_coro;
struct cg_op;
struct cg_sched;

/* Words that all headers use:
 *   traceless   an op that does not complete has consumed and changed nothing, and may be
 *               yielded again: bytes, items and connections that come late are for the next
 *   partial     an op that does not complete may have done a part; .moved says how much
 *   compound    an op whose type has a function that yields other ops
 *   turn        one round of the scheduler: due timers, ready coroutines, then the reactor
 * An op holds the run open if cg_sched_run does not return while it waits. What waits without
 * that can be ended by another coroutine only. */

/* Values of the keyword .prio: which coroutines are favoured, that is, go to the head of the
 * ready queue. Coroutines that are favoured one after the other, with no other coroutine
 * running in between, run in that order. Favouring starves nobody: after 16 consecutive runs of
 * favoured coroutines the next favoured ones go to the tail. */
enum cg_prio {
    CG_PRIO_DEFAULT = 0, /* the scheduler's option .prio, else CG_PRIO_LAST */
    CG_PRIO_CORO = 1,    /* favour the yielder: it continues at once, or goes to the head */
    CG_PRIO_OP = 2,      /* favour the coroutines that the op wakes: they go to the head */
    CG_PRIO_FIRST = CG_PRIO_CORO | CG_PRIO_OP,
    CG_PRIO_LAST = 4, /* favour nobody: all go to the tail, the yielder last */
};

/* What a process or cancel slot returns. A pending op has a holder: whoever will complete
 * it. */
enum cg_verdict {
    CG_DONE,    /* finished; nobody holds the op any more */
    CG_PENDING, /* somebody holds the op and completes it later, exactly once */
    CG_RUN,     /* the op is compound: call run */
};

enum cg_op_state {
    CG_OP_IDLE = 0,   /* never yielded, or its yield has returned; may be yielded (again) */
    CG_OP_UNHEARD,    /* completed on an object; its coroutine has not run since */
    CG_OP_PENDING,    /* somebody holds it */
    CG_OP_CANCELLING, /* cancelled; its holder has yet to complete it */
    CG_OP_CLAIMED,    /* its holder completes it before it returns: too late to cancel it */
};

enum cg_op_flags {
    CG_OP_DEFAULT_TIMEOUT = 1, /* the default timeout applies: of the object that it uses,
                                  else of the scheduler */
    CG_OP_LOCAL = 2, /* does not involve the kernel. If process returns PENDING, nothing is
                        available: CG_NOWAIT times out without polling the reactor */
    CG_OP_ANYHOW = 4, /* starts even if its deadline has passed, because it cleans up */
};

/* An operation type. All slots but name may be NULL; usually exactly one of process and run
 * is set. */
struct cg_op_type {
    const char *name;
    unsigned flags; /* enum cg_op_flags */
    /* Starts the operation. Never suspends.
     *   DONE     op->result is set; the coroutine does not wait
     *   PENDING  the holder calls cg_op_complete exactly once: later, or within this call
     *   RUN      this op is compound: run is called
     * A type without process works as if process returned RUN. */
    enum cg_verdict (*process)(struct cg_op *op, struct cg_sched *sched);
    /* The body of a compound op. It may yield other ops; it returns the result. It runs on
     * the yielder's stack, inside a scope with the op's deadline. */
    ssize_t (*run)(struct cg_op *op);
    /* Takes a pending op back. A type without cancel works as if it returned DONE.
     *   DONE     nobody holds the op any more: cg_op_complete must not be called
     *   PENDING  the holder still calls cg_op_complete. The op completes with the reason of
     *            its cancellation, whatever the holder passes, except -EBADF
     * Also called instead of run if process has returned RUN but there is no memory for a
     * coroutine to run a branch. */
    enum cg_verdict (*cancel)(struct cg_op *op, struct cg_sched *sched);
    /* Turns op->result into what cg_yield returns. Called in the caller's coroutine after
     * the op has completed, was cancelled, or was refused before process because the
     * coroutine was already cancelled. A branch may never have started; do not call
     * cg_op_coro on it then. Never suspends. */
    ssize_t (*finish)(struct cg_op *op);
    /* Writes the arguments ("fd 7, 0/4096") as snprintf does. NULL: there are none. */
    int (*print)(const struct cg_op *op, char *buf, size_t size);
    /* For types whose ops wait for other ops (cg_any, cg_all): `branch` has completed. */
    void (*settled)(struct cg_op *op, struct cg_op *branch);
    const void *detail; /* the type's own data, for slots that several types share */
    /* Called if the op has completed with a result >= 0, but the object that it uses was
     * closed (cg_object_close) before its coroutine ran: undoes the op's effect, for
     * example closes a connection that was accepted. The op then completes with -EBADF.
     * Never suspends. NULL: there is nothing to undo. */
    void (*withdraw)(struct cg_op *op);
    /* For dumps and reports of deadlocks: the coroutines for which this pending op waits,
     * because only they can let it go on: the owner of a mutex, the members of a group.
     * Returns the one after `after` (NULL: the first); NULL: there is none, or nobody
     * knows. Completes nothing and never suspends. */
    struct cg_coro *(*awaits)(const struct cg_op *op, const struct cg_coro *after);
};

/* An entry in a scheduler's timers. The fields belong to lib/core/timers.c. */
struct cg_timer {
    struct cg_timer *next, *prev;
    uint64_t expiry : 62; /* moment, ns */
    uint64_t kind : 2;
};

/* Where a compound op runs: its coroutine, and the scope with its deadline. */
struct cg_runs {
    struct cg_coro *coro;
    struct cg_scope *scope;
};

/* Links an op that has completed into its object's list (see cg_object_close). */
struct cg_unheard {
    struct cg_op *next, **link;
};

/* Embedded in an object that can be closed or freed while operations use it; all zero at
 * first. */
struct cg_object {
    int64_t timeout; /* default for the ops that use it and set none, instead of the
                      * scheduler's default: may be set; see CG_OP_DEFAULT_TIMEOUT */
    struct cg_op *unheard; /* completed ops whose coroutines have not run yet */
    unsigned running;      /* compound ops between cg_object_enter and cg_object_leave */
    bool closed;
};

/* The fields at the start of every operation. These are keywords, which every constructor
 * accepts:
 *   .timeout       a length from now in ns. 0: the scheduler's default if it applies, else
 *                  none; CG_NOWAIT: do not wait; CG_NEVER: no limit
 *   .deadline      a moment; 0: none. The earliest of .timeout, .deadline and the deadlines
 *                  of the enclosing scopes counts. If it is before cg_sched_now, the op is
 *                  not started and completes with -ETIMEDOUT, even if it could complete at
 *                  once (except ops that clean up: they wait for a group, end a process,
 *                  shut a server down)
 *   .weak_timeout  .timeout is an idle timeout: it restarts whenever there is progress
 *   .prio          enum cg_prio
 *   .shield        cancelling the coroutine or the enclosing scopes does not reach this op
 *                  (only its own timeout and deadline do): for clean-up that must wait.
 *                  Ignored on a branch of cg_any or cg_all; set it on those
 * The other fields belong to the library; result is valid once the op has completed. */
#define CG_OP_FIELDS                                                                       \
    const struct cg_op_type *type;                                                         \
    void *owner;                                                                           \
    union {                                                                                \
        struct cg_timer timer;     /* while it waits */                                    \
        struct cg_runs runs;       /* while it runs */                                     \
        struct cg_unheard unheard; /* while it is CG_OP_UNHEARD */                         \
    };                                                                                     \
    ssize_t result;                                                                        \
    int64_t timeout;                                                                       \
    int64_t deadline;                                                                      \
    uint8_t prio;                                                                          \
    bool weak_timeout;                                                                     \
    bool shield;                                                                           \
    bool branch;    /* owner is the op that waits for this one, not a coroutine */         \
    uint8_t state;  /* enum cg_op_state */                                                 \
    bool compound;  /* its run is called; for a branch, in a coroutine of its own */       \
    int16_t reason; /* why it was cancelled, a negative code; 0: it was not */             \
    struct cg_object *uses; /* NULL before process; see cg_object_close */

struct cg_op {
    CG_OP_FIELDS
};

#ifndef __cplusplus
/* The first member of an operation's struct: the op, and its fields by their names. */
#define CG_OP_HEAD                                                                         \
    union {                                                                                \
        struct cg_op op;                                                                   \
        struct {                                                                           \
            CG_OP_FIELDS                                                                   \
        };                                                                                 \
    }

/* CG_OP(cg_x, ...): for constructors. Makes a struct cg_x_op of type cg_x_type on the
 * caller's stack, where it lives until the end of the enclosing block. */
#define CG_OP(kind, ...) CG__OP(struct kind##_op, kind##_type, __VA_ARGS__)

/* Like CG_OP, where several types share a struct: CG__OP_OF(cg_read, cg_readall, ...). */
#define CG__OP_OF(kind, of, ...) CG__OP(struct kind##_op, of##_type, __VA_ARGS__)
#endif

CG_EXTERN_C_BEGIN

/* Yields an operation: starts it, suspends the calling coroutine until the operation has
 * completed, and returns its result, >= 0 or a negative code: the operation's own, or
 *   -EPERM      called outside a coroutine
 *   -EBUSY      another coroutine waits for the op already
 *   -ETIMEDOUT  the op's timeout or deadline has passed
 *   -ECANCELED  the coroutine was cancelled, or an enclosing scope has ended
 * A coroutine suspends only here. */
CG_API ssize_t cg_yield(struct cg_op *op);

/* The result of an op that has completed, such as a branch of cg_any. -EBUSY: the op is
 * still pending. */
CG_API ssize_t cg_op_result(const struct cg_op *op);

/* Prints an op as snprintf does: "read fd 7, 0/4096, since 1.2 s". */
CG_API int cg_op_print(const struct cg_op *op, char *buf, size_t size);

/* For authors of operation types. All are called in the scheduler's thread. */

/* Completes a pending op with this result (which finish may still change) and makes its
 * waiter ready to run. The holder of the op calls it exactly once, and never after the
 * cancel slot has returned DONE. */
CG_API void cg_op_complete(struct cg_op *op, ssize_t result);

/* Like cg_op_complete, called from the process slot of another op, `by`, which did what
 * `op` was waiting for. If the priority of `by` has CG_PRIO_OP, the waiter goes to the head
 * of the ready queue, else to the tail. */
CG_API void cg_op_complete_by(struct cg_op *op, ssize_t result, const struct cg_op *by);

/* For the end of a process slot that has completed other ops: `return
 * cg_op_after_others(op, result);`. The op completes with this result, and its coroutine
 * runs after theirs, unless its priority has CG_PRIO_CORO. */
CG_API enum cg_verdict cg_op_after_others(struct cg_op *op, ssize_t result);

/* Closes an object. All ops that wait on a closed object must complete with -EBADF, also
 * those that have already completed but whose coroutines have not run since: a coroutine
 * that is told of a success would use the object again. For that, process sets op->uses to
 * the object. Whoever closes the object completes its pending ops with -EBADF, then calls
 * cg_object_close, which calls the withdraw slot of the ops that completed earlier and
 * changes their results to -EBADF. Returns true if the memory may be freed now; false if a
 * compound op still runs on the object: the last one frees it. */
CG_API bool cg_object_close(struct cg_object *object);

/* For compound ops. Process ends with `return cg_object_enter(...)`, which sets op->uses
 * and returns CG_RUN. Run ends with cg_object_leave, and so does the cancel slot where it
 * is called instead of run. cg_object_leave returns 0, or -EBADF if the object was closed
 * meanwhile. Then run must return -EBADF, and must free the object if object->running is
 * 0. */
CG_API enum cg_verdict cg_object_enter(struct cg_object *object, struct cg_op *op);
CG_API int cg_object_leave(struct cg_object *object, struct cg_op *op);

/* Reports progress of an op: restarts its weak timeout. */
CG_API void cg_op_progress(struct cg_op *op);

/* From process only: makes the op time out at this moment, if that is earlier than its
 * keywords say. */
CG_API void cg_op_expire_at(struct cg_op *op, int64_t moment);

/* From process, for an op that completes at once: reports how many bytes it moved. They
 * count against a budget: after 16 such ops or 64 KiB a coroutine lets the others run. */
CG_API void cg_sched_charge(struct cg_sched *sched, size_t bytes);

/* A call that the scheduler makes in its next turn, outside any coroutine: for a holder
 * that could continue at once but would keep other coroutines waiting. Embedded in the
 * holder's own struct, which sets fn; the rest is zero at first. */
struct cg_deferred {
    struct cg_deferred *next;
    void (*fn)(struct cg_deferred *deferred);
    bool queued;
    bool droppable; /* the library's: see struct cg__call in lib/core/sched.h */
};

/* Queues deferred->fn(deferred) for the next turn; no effect if it is already queued. It
 * cannot be cancelled, so `deferred` must stay valid until fn has been called. */
CG_API void cg_sched_defer(struct cg_sched *sched, struct cg_deferred *deferred);

/* The coroutine that waits for this op, through any number of cg_any and cg_all. */
CG_API struct cg_coro *cg_op_coro(const struct cg_op *op);

CG_EXTERN_C_END

#include <cogen/construct.h>

#endif
