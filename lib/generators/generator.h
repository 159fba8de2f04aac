/* SPDX-License-Identifier: MIT */
/* A generator's control block: what the files that switch contexts must know of it. */
#ifndef COGEN_LIB_GENERATORS_GENERATOR_H
#define COGEN_LIB_GENERATORS_GENERATOR_H

#include "lib/stacks/context.h"

#include <cogen/generator.h>

#include <stdatomic.h>

struct cg__thread_stacks;
struct cg_scope;

/* Lies in the top page of the generator's own stack, as a coroutine's does. A generator is
 * a part of what resumes it: while it runs inside a coroutine, that coroutine's context is
 * the generator's (cg__coro_context), so that its body may yield operations. */
struct cg_gen {
    struct cg_context ctx;
    struct cg_context *back;     /* the context that has resumed it */
    struct cg_context *outer;    /* of the generator that is this one's caller, or NULL */
    struct cg_scope *scope;      /* the innermost of the caller's coroutine */
    void *value;                 /* the value that is sent or yielded, */
    void *in, *out;              /* and where to store it; NULL: nowhere */
    ssize_t how;                 /* the next result of cg_gen_yield */
    _Atomic unsigned char state; /* enum cg_gen_state */
    bool finished;               /* the body has returned; its stack is still in use */
    bool closing;
    cg_gen_fn *fn;
    void *arg;
    ssize_t result;
    const char *name;
    void *stack_low;
    struct cg__thread_stacks *pool;
    struct cg_context base; /* of a caller that is neither coroutine nor generator */
};

/* The context of the generator that this thread runs outside of any coroutine. The context
 * of a generator that runs in a coroutine is in the field `inner` of struct cg_coro. */
extern __thread struct cg_context *cg__generator_outside CG__THREAD_MODEL;

/* The generator with this context, which is its first member; NULL for NULL. */
static inline struct cg_gen *cg__generator_of(struct cg_context *ctx)
{
    return (struct cg_gen *)ctx;
}

#endif
