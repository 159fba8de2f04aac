/* SPDX-License-Identifier: MIT */
/* The context switch: from one stack to another, about 3 ns. The switches themselves are in
 * context_x86_64.S, context_aarch64.S and context_ucontext.c (one of them is linked); what
 * sanitizers must know about them is in context.c. */
#ifndef COGEN_LIB_STACKS_CONTEXT_H
#define COGEN_LIB_STACKS_CONTEXT_H

#include "lib/stacks/sanitize.h"

#include <stddef.h>
#include <sys/types.h>

struct cg_context {
    void *sp; /* saved while the context is not running (ucontext: a ucontext_t) */
#if CG__ASAN || CG__TSAN
    void *fiber;       /* TSan's; or ASan's fake stack while the context is not running */
    const void *low;   /* the stack's bounds; NULL, 0: a thread's own, not known yet */
    size_t size;
    struct cg_context *from; /* who switched here, NULL: one that has exited */
    void *(*entry)(void *);
    void *arg;
#endif
};

/* What an implementation of the switch supplies. frame: lays out a new stack (its lowest
 * address, its top) so that the first jump to the address that it returns calls
 * entry(arg). jump: saves the callee-saved registers on the running stack, stores where
 * in *save, and goes on at `to`, from frame or from an earlier save. jump_alike: the
 * same; see the switch. jump_then: the same, and returns what then(arg) returns there.
 * When entry returns, execution continues at the address that it returned. return: what
 * a function calls last of all, in order to return this answer to a caller whom the
 * processor does not expect, after a switch. */
#define CG__HIDDEN __attribute__((visibility("hidden")))
CG__HIDDEN void *cg__context_frame(void *low, void *top, void *(*entry)(void *),
                                   void *arg);
CG__HIDDEN void cg__context_jump(void **save, void *to);
CG__HIDDEN void cg__context_jump_alike(void **save, void *to);
CG__HIDDEN ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *),
                                         void *arg);
CG__HIDDEN ssize_t cg__context_return(ssize_t result);

#if CG__ASAN || CG__TSAN

void cg__context_make(struct cg_context *ctx, void *low, void *top,
                      void *(*entry)(void *), void *arg);
void cg__context_adopt(struct cg_context *ctx);
void cg__context_drop(struct cg_context *ctx);
void cg__context_switch(struct cg_context *from, struct cg_context *to);
#define cg__context_switch_alike cg__context_switch
_Noreturn void *cg__context_exit(struct cg_context *from, struct cg_context *to);
#define cg__context_exit_then cg__context_exit

static inline ssize_t cg__context_switch_then(struct cg_context *from, struct cg_context *to,
                                              ssize_t (*then)(void *), void *arg)
{
    cg__context_switch(from, to);
    return then(arg);
}

#else

/* Makes a context that will run entry(arg) on the stack from low to top (exclusive,
 * 16-byte aligned). entry returns what cg__context_exit answers. */
static inline void cg__context_make(struct cg_context *ctx, void *low, void *top,
                                    void *(*entry)(void *), void *arg)
{
    ctx->sp = cg__context_frame(low, top, entry, arg);
}

/* Makes a context of the calling thread's own stack, to be switched away from. */
static inline void cg__context_adopt(struct cg_context *ctx)
{
    ctx->sp = NULL;
}

/* Frees what a sanitizer holds for a context that has exited or is abandoned. Called from
 * another context; an adopted context may be dropped, too. */
static inline void cg__context_drop(struct cg_context *ctx)
{
    (void)ctx;
}

/* Suspends `from` and continues `to`. Returns when somebody switches to `from`. */
static inline void cg__context_switch(struct cg_context *from, struct cg_context *to)
{
    cg__context_jump(&from->sp, to->sp);
}

/* The same, faster where nearly all contexts leave by one and the same call of it, so that
 * the processor, which has seen the one left, knows where the other goes on. */
static inline void cg__context_switch_alike(struct cg_context *from, struct cg_context *to)
{
    cg__context_jump_alike(&from->sp, to->sp);
}

/* The same, and answers then(arg), which is called when it would return. Faster where two
 * contexts take turns and it is the last that a function calls, so that this function, too,
 * returns to where the processor expects. */
static inline ssize_t cg__context_switch_then(struct cg_context *from, struct cg_context *to,
                                              ssize_t (*then)(void *), void *arg)
{
    return cg__context_jump_then(&from->sp, to->sp, then, arg);
}

/* The end of a context: `to` goes on when entry has returned what this answers, and the
 * stack may be reused or unmapped. With a sanitizer it does not come back. */
static inline void *cg__context_exit(struct cg_context *from, struct cg_context *to)
{
    (void)from;
    return to->sp;
}

/* The same where `to` left by switch_then: a jump goes there faster than a return. */
_Noreturn static inline void *cg__context_exit_then(struct cg_context *from,
                                                    struct cg_context *to)
{
    cg__context_jump(&from->sp, to->sp);
    __builtin_trap();
}

#endif
#endif
