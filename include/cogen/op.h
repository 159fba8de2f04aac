/* SPDX-License-Identifier: MIT */
/* Operations: what a coroutine yields. Users need cg_yield, cg_op_result and the keywords;
 * the rest is for those who define operation types of their own. See cg_op(3). */
#ifndef COGEN_OP_H
#define COGEN_OP_H

#include <cogen/base.h>

struct cg_coro;
struct cg_op;
struct cg_sched;

/* cogen's priority flags, for the keyword .prio. Those who are favoured one after the
 * other, before anybody else runs, run in that order. Favour starves nobody: after 16 times
 * in which only favoured coroutines ran, the next ones go to the tail like everybody. */
enum cg_prio {
    CG_PRIO_DEFAULT = 0, /* what the scheduler was told, else CG_PRIO_LAST */
    CG_PRIO_CORO = 1,    /* favour the yielder: it goes on at once, or to the head of the queue */
    CG_PRIO_OP = 2,      /* favour those the operation wakes: to the head of the queue */
    CG_PRIO_FIRST = CG_PRIO_CORO | CG_PRIO_OP,
    CG_PRIO_LAST = 4, /* favour nobody: everyone to the tail, the yielder last */
};

/* What a process or cancel slot answers. */
enum cg_verdict {
    CG_DONE,    /* finished; nobody holds the object any more */
    CG_PENDING, /* somebody holds it and completes it later, exactly once */
    CG_RUN,     /* compound: call run */
};

enum cg_op_state {
    CG_OP_IDLE = 0,   /* never yielded, or answered: may be yielded (again) */
    CG_OP_UNHEARD,    /* completed, but its coroutine has yet to run, and it uses an object */
    CG_OP_PENDING,    /* somebody holds it */
    CG_OP_CANCELLING, /* cancelled with a reason; its holder has yet to let go */
};

enum cg_op_flags {
    CG_OP_DEFAULT_TIMEOUT = 1, /* the scheduler's default timeout applies */
    CG_OP_LOCAL = 2, /* needs no kernel: if process is PENDING, nothing was to be had at
                        once, and CG_NOWAIT times out without a look at the reactor */
    CG_OP_ANYHOW = 4, /* begins even if its deadline has passed, for it has to clean up */
};

/* An operation type. All slots but name may be NULL; exactly one of process and run is the
 * usual case. */
struct cg_op_type {
    const char *name;
    unsigned flags; /* enum cg_op_flags */
    /* Starts the operation. Never suspends. DONE: op->result is set and nobody sleeps.
     * PENDING: whoever holds the op calls cg_op_complete later (or has already, within this
     * call), exactly once. RUN: this op, on this object, is compound: run is called.
     * NULL means RUN. */
    enum cg_verdict (*process)(struct cg_op *op, struct cg_sched *sched);
    /* The body of a compound op: a coroutine's code, may yield other ops; its return value
     * is the result. Runs on the yielder's stack, inside a scope with the op's deadline. */
    ssize_t (*run)(struct cg_op *op);
    /* Takes a pending op back. DONE: nobody holds it any more (do not call cg_op_complete).
     * PENDING: it will still be completed; the answer is the reason of the cancellation
     * whatever cg_op_complete says, unless that is -EBADF. NULL means DONE. Also called
     * instead of run, when process has answered RUN but there is no memory for a coroutine
     * to run it. */
    enum cg_verdict (*cancel)(struct cg_op *op, struct cg_sched *sched);
    /* Turns the raw result (op->result) into the caller's answer, in the caller's
     * coroutine, after the op has completed, been cancelled, or been refused before process
     * because the coroutine was cancelled already; a branch may never have begun, and has
     * no cg_op_coro then. Never suspends. */
    ssize_t (*finish)(struct cg_op *op);
    /* Writes the arguments ("fd 7, 0/4096") as snprintf does. NULL: nothing to say. */
    int (*print)(const struct cg_op *op, char *buf, size_t size);
    /* Of a type whose ops wait for other ops (cg_any, cg_all): `branch` has completed. */
    void (*settled)(struct cg_op *op, struct cg_op *branch);
    const void *detail; /* the type's own, for slots that several types share */
    /* The op has completed with a result >= 0, but before its coroutine has run, the object
     * that it uses was closed (cg_object_close): takes back what was handed over. The
     * answer is -EBADF. Never suspends. NULL: nothing was. */
    void (*withdraw)(struct cg_op *op);
};

/* A place in the timers of a scheduler; all of it belongs to lib/core/timers.c. */
struct cg_timer {
    struct cg_timer *next, *prev;
    uint64_t expiry : 62; /* moment, ns */
    uint64_t kind : 2;
};

/* Where a compound op runs. */
struct cg_runs {
    struct cg_coro *coro;
    struct cg_scope *scope;
};

/* Where an op is listed that has completed on an object (cg_object_close). */
struct cg_unheard {
    struct cg_op *next, **link;
};

/* Embedded in what can be closed or freed while operations use it; all zero at first. */
struct cg_object {
    struct cg_op *unheard; /* ops that have completed, and whose coroutines have yet to run */
    unsigned running;      /* compound ops between cg_object_enter and cg_object_leave */
    bool closed;
};

/* The head of every operation. Keywords, to be set by name in any constructor:
 *   .timeout       length from now; 0: the default; CG_NOWAIT; CG_NEVER
 *   .deadline      moment; 0: none. The earliest of both and of the enclosing scopes
 *                  counts. If it lies before cg_sched_now the op is not begun: -ETIMEDOUT,
 *                  whatever could be had at once (but where the op must clean up: waiting
 *                  for a group, ending a process, shutting a server down)
 *   .weak_timeout  .timeout is an idle timeout: it starts anew whenever there is progress
 *   .prio          enum cg_prio
 *   .shield        what cancels the coroutine or the enclosing scopes does not reach this
 *                  op (only its own timeout does): for clean-up that must wait. Not looked
 *                  at on a branch of cg_any or cg_all, which may have it itself
 * The rest belongs to the library; result is valid once the op has completed. */
#define CG_OP_FIELDS                                                                       \
    const struct cg_op_type *type;                                                         \
    void *owner;                                                                           \
    union {                                                                                \
        struct cg_timer timer; /* while it waits */                                        \
        struct cg_runs runs;   /* while it runs */                                         \
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
    bool compound;  /* it runs; as a branch, in a coroutine of its own */                  \
    int16_t reason; /* of the cancellation */                                              \
    struct cg_object *uses; /* NULL before process: see cg_object_close */

struct cg_op {
    CG_OP_FIELDS
};

#ifndef __cplusplus
/* The first member of an operation's struct: its head, and the head's fields by name. */
#define CG_OP_HEAD                                                                         \
    union {                                                                                \
        struct cg_op op;                                                                   \
        struct {                                                                           \
            CG_OP_FIELDS                                                                   \
        };                                                                                 \
    }

/* What a constructor makes: an operation on the caller's stack. It lives until the end of
 * the enclosing block. */
#define CG_OP(kind, ...) CG__OP(struct kind##_op, kind##_type, __VA_ARGS__)

/* The same where several types share a struct: cg_read's with the type of cg_readall. */
#define CG__OP_OF(kind, of, ...) CG__OP(struct kind##_op, of##_type, __VA_ARGS__)
#endif

CG_EXTERN_C_BEGIN

/* Yields an operation: does it, suspending the calling coroutine until it has completed,
 * and answers its result: >= 0 or a negative code.
 *   -EPERM      called outside a coroutine
 *   -EBUSY      the op is already being waited for
 *   -ETIMEDOUT  its own timeout or deadline passed
 *   -ECANCELED  the coroutine was cancelled, or an enclosing scope ended
 * and whatever the operation says. This is the only place where a coroutine suspends. */
CG_API ssize_t cg_yield(struct cg_op *op);

/* The answer of an op that has completed, such as a branch of cg_any; -EBUSY while it
 * waits. */
CG_API ssize_t cg_op_result(const struct cg_op *op);

/* Prints an op as text, "read fd 7, 0/4096, since 1.2 s", as snprintf does. */
CG_API int cg_op_print(const struct cg_op *op, char *buf, size_t size);

/* For those who define operation types. All are called from the scheduler's thread. */

/* The op has completed with this raw result: its waiter becomes runnable. Called by
 * whoever holds a pending op, exactly once, never after its cancel slot answered DONE. */
CG_API void cg_op_complete(struct cg_op *op, ssize_t result);

/* The same for an op that waited for what `by`, an op that is being processed, has done:
 * its coroutine goes to the head of the ready queue if the priority of `by` says so. */
CG_API void cg_op_complete_by(struct cg_op *op, ssize_t result, const struct cg_op *by);

/* Ends a process slot that has completed other ops: the op, with this result, completes
 * too, and its coroutine runs behind theirs unless its priority favours it. The slot
 * returns what this answers. */
CG_API enum cg_verdict cg_op_after_others(struct cg_op *op, ssize_t result);

/* Whoever waits on an object that is closed or freed is to be answered -EBADF, also if its
 * op has completed and only its coroutine has not run since: else it would use the object
 * again. For that, process sets op->uses to the object, and where the object is closed this
 * is called once its pending ops have been completed with -EBADF: it makes -EBADF the
 * answer of those that had completed before, after their withdraw slot. True: the object's
 * memory may go now; false: the last op that runs on it frees it. */
CG_API bool cg_object_close(struct cg_object *object);

/* For compound ops. Process ends with `return cg_object_enter(...)`, which answers CG_RUN
 * and sets op->uses; run ends, and where there is a cancel slot that is called instead,
 * with cg_object_leave: 0, or -EBADF if the object was closed meanwhile. Then that is what
 * run must answer, and if object->running is 0 it frees the object. */
CG_API enum cg_verdict cg_object_enter(struct cg_object *object, struct cg_op *op);
CG_API int cg_object_leave(struct cg_object *object, struct cg_op *op);

/* The op made progress: a weak timeout starts anew. */
CG_API void cg_op_progress(struct cg_op *op);

/* Moves the expiry of the op that is being processed (called from process only): the op
 * times out at this moment if that is earlier than what its keywords say. */
CG_API void cg_op_expire_at(struct cg_op *op, int64_t moment);

/* The op that is being processed moved this many bytes at once: counts against the budget
 * after which a coroutine lets the others run (16 immediate completions or 64 KiB). */
CG_API void cg_sched_charge(struct cg_sched *sched, size_t bytes);

/* A call that the scheduler makes in its next turn, outside any coroutine: for a holder
 * that could go on at once but would keep the others waiting. Embedded in what it is for;
 * the caller sets fn. */
struct cg_deferred {
    struct cg_deferred *next;
    void (*fn)(struct cg_deferred *deferred);
    bool queued;
};

/* Has deferred->fn(deferred) called in the next turn; once, if it is queued already. It
 * cannot be taken back, and must stay until it has been called. */
CG_API void cg_sched_defer(struct cg_sched *sched, struct cg_deferred *deferred);

/* The coroutine that waits for this op (through any number of cg_any or cg_all). */
CG_API struct cg_coro *cg_op_coro(const struct cg_op *op);

CG_EXTERN_C_END

#include <cogen/construct.h>

#endif
