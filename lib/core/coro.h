/* SPDX-License-Identifier: MIT */
/* A coroutine's control block and what the files of lib/ do with it. */
#ifndef COGEN_LIB_CORE_CORO_H
#define COGEN_LIB_CORE_CORO_H

#include "lib/generators/generator.h"

#include <cogen/coro.h>

/* Lies in the top page of the coroutine's own stack. What a switch touches comes first and
 * fills one cache line: of 10,000 coroutines that take turns, each is far from every
 * cache. */
struct cg_coro {
    struct cg_context ctx;
    struct cg_sched *sched;
    struct cg_op *op;        /* what it waits for, NULL: it runs or may run */
    struct cg_gen *gen;      /* the innermost generator that it is in, NULL: none */
    int64_t since;           /* when it began to wait */
    int32_t budget;          /* bytes it may still move before it lets others run */
    uint8_t state;           /* enum cg_coro_state */
    bool cancelled;          /* every yield answers -ECANCELED; derived from the scopes */
    bool internal;           /* runs a branch of cg_any; neither counted nor listed */
    bool activated;          /* an activation came before the suspend */
    cg_fn *fn;
    struct cg_scope *scope;  /* the innermost */
    unsigned refs;           /* one is its own until it has finished */
    bool taken;              /* somebody has its result: it is no failure to be told */
    void *arg;
    ssize_t result;
    struct cg_op *suspend;   /* the one that waits for an activation */
    ssize_t activation;      /* what the activation brings */
    struct cg_op *joiners;   /* a ring */
    struct cg_coro *next, *prev; /* of the scheduler's, in the order of their start */
    struct cg_scope base;    /* the outermost scope */
    struct cg_group *group;  /* that it was started in, */
    struct cg_coro *group_next, **group_link; /* the others of it, */
    ssize_t *answer;         /* and where its result is wanted */
    struct cg__locals *locals;
    const char *name;
    void *stack_low;
};

/* The coroutine that this thread runs now: the only global state. */
extern __thread struct cg_coro *cg__coro_self CG__THREAD_MODEL;

/* Where it goes on: on its own stack, or on that of the generator that it is in. */
static inline struct cg_context *cg__coro_context(struct cg_coro *coro)
{
    return coro->gen ? &coro->gen->ctx : &coro->ctx;
}

/* A new coroutine in the ready queue; NULL: no memory. */
struct cg_coro *cg__coro_new(struct cg_sched *sched, cg_fn *fn, void *arg, const char *name,
                             size_t stack_size, bool first);

/* Hands its result to somebody. */
static inline void cg__coro_take(struct cg_coro *coro)
{
    coro->taken = true;
}

/* The coroutine is not in use any more: its stack goes back. */
void cg__coro_free(struct cg_coro *coro);

/* Prints whom an op is about. */
int cg__coro_print(const struct cg_coro *coro, char *buf, size_t size);

/* The coroutine for which this one runs a branch of cg_any or cg_all; else this one. */
struct cg_coro *cg__coro_visible(struct cg_coro *coro);

/* Takes a coroutine that ends out of its group. */
void cg__group_leave(struct cg_coro *coro);

/* A scope has ended: so do the groups inside it. */
void cg__group_reached(struct cg_scope *scope);

/* Calls the destructors of what cg_local_set has left. */
void cg__local_end(struct cg_coro *self);

/* Wakes those who join it. */
void cg__coro_ops_wake_joiners(struct cg_coro *coro);

/* Starts an op on behalf of op->owner: process, and the timer if it is pending. Sets the
 * raw result if DONE. A compound op (RUN) is left to the caller. */
enum cg_verdict cg__op_start(struct cg_op *op, struct cg_sched *sched);

/* Cancels an op that waits, if it has not been cancelled already: the first reason
 * stands. */
void cg__op_cancel(struct cg_op *op, int reason);

/* Completes an op that is another's branch. */
void cg__op_branch_complete(struct cg_op *op, ssize_t result);

/* Turns an op's raw result into the caller's answer, which it stores and returns. */
ssize_t cg__op_finish(struct cg_op *op);

/* The moment at which an op times out, CG_NEVER: none. */
int64_t cg__op_expiry(const struct cg_op *op, struct cg_sched *sched);

/* The priority of an op: its own, else the scheduler's. */
unsigned cg__op_prio(const struct cg_op *op);

/* Ends a scope with a reason, cancelling what waits inside; the first reason stands. */
void cg__scope_end(struct cg_scope *scope, int reason);

#endif
