/* SPDX-License-Identifier: MIT */
/* A coroutine's control block and what the files of lib/ do with it. */
#ifndef COGEN_LIB_CORE_CORO_H
#define COGEN_LIB_CORE_CORO_H

#include "lib/stacks/context.h"

#include <cogen/coro.h>

/* What makes cg_yield leave its fast path. */
enum cg__coro_unusual {
    CG__CORO_CANCELLED = 1, /* yields return -ECANCELED; derived from the scopes */
    CG__CORO_OBSERVED = 2,   /* the scheduler has observers */
};

/* Lies in the top page of the coroutine's own stack. The fields that a switch uses come
 * first and fill one cache line: with 10,000 coroutines each switch misses the cache. */
struct cg_coro {
    struct cg_context ctx;
    struct cg_sched *sched;
    struct cg_op *op;        /* what it waits for; NULL: it runs or is ready */
    struct cg_context *inner; /* of the generator that it is in, NULL: it is in none */
    int64_t since;           /* when it began to wait */
    int32_t budget;          /* bytes it may still move before it lets others run */
    uint8_t state;           /* enum cg_coro_state */
    uint8_t unusual;         /* enum cg__coro_unusual */
    bool internal;           /* runs a branch of cg_any; neither counted nor listed */
    bool activated;          /* an activation came before the suspend */
    cg_fn *fn;
    struct cg_scope *scope;  /* the innermost */
    uint32_t rank;           /* set and used by order.c only */
    unsigned refs;           /* the coroutine holds one until it has finished */
    bool taken;              /* somebody has read its result: a failure is not reported */
    void *arg;
    ssize_t result;
    struct cg_op *suspend;   /* the pending suspend op */
    ssize_t activation;      /* the value of an activation that came before the suspend */
    struct cg_op *joiners;   /* a ring of join ops */
    struct cg_coro *next, *prev; /* in the scheduler's list, in the order of their start */
    struct cg_scope base;    /* the outermost scope */
    void (*ended)(struct cg_coro *coro); /* called when it has finished; NULL: none */
    void *owner; /* this field and the next two are for `ended`: to what it belongs, */
    struct cg_coro *owned_next, **owned_link; /* the list of the owner's coroutines, */
    ssize_t *returned;           /* and where to store its result; NULL: nowhere */
    struct cg__leaving *leaving; /* what its function leaves behind; NULL: nothing */
    const char *name;
    void *stack_low;
    uint64_t id;      /* counts the coroutines of the scheduler, from 1; for dumps, as the */
    uint64_t starter; /* next two: the id of the coroutine that started it, 0: none did; */
    int64_t born;     /* and when */
};

/* The coroutine that this thread runs now: the only global state. */
extern __thread struct cg_coro *cg__coro_self CG__THREAD_MODEL;

/* Called when a coroutine's function has returned, still in the coroutine. Frees itself. */
struct cg__leaving {
    void (*fn)(struct cg_coro *self);
};

/* The context in which it continues: its own, or that of the generator that it is in. */
static inline struct cg_context *cg__coro_context(struct cg_coro *coro)
{
    return coro->inner ? coro->inner : &coro->ctx;
}

/* Tells which coroutine this thread runs: see cg__overflow_watch. */
bool cg__coro_suspect(const char **kind, const char **name, const void **low, size_t *size);

/* Makes a coroutine and puts it into the ready queue; NULL: no memory. */
struct cg_coro *cg__coro_new(struct cg_sched *sched, cg_fn *fn, void *arg, const char *name,
                             size_t stack_size, bool first);

/* Notes that somebody has the result. */
static inline void cg__coro_take(struct cg_coro *coro)
{
    coro->taken = true;
}

/* Returns the stack of an unused coroutine, and its control block with it, to the pool. */
void cg__coro_free(struct cg_coro *coro);

/* Prints the name of a coroutine for the print slots of ops; NULL: "nobody". */
int cg__coro_print(const struct cg_coro *coro, char *buf, size_t size);

/* Its state in a word. */
const char *cg__coro_state_name(const struct cg_coro *coro);

/* The coroutine for which this internal one runs a branch of cg_any or cg_all. An ordinary
 * coroutine is returned itself. */
struct cg_coro *cg__coro_visible(struct cg_coro *coro);

#endif
