/* SPDX-License-Identifier: MIT */
/* The context switch: from one stack to another, in about 3 ns. context_x86_64.S,
 * context_aarch64.S and context_ucontext.c implement it (one of them is linked); context.c
 * tells sanitizers about it. */
#ifndef COGEN_LIB_STACKS_CONTEXT_H
#define COGEN_LIB_STACKS_CONTEXT_H

#include "lib/base/sanitize.h"

#include <stddef.h>
#include <sys/types.h>

struct cg_context {
    void *sp; /* saved while the context is not running (ucontext: a ucontext_t) */
#if CG__ASAN || CG__TSAN
    void *fiber;       /* TSan's fiber; ASan's fake stack while the context is suspended */
    const void *low;   /* the stack's bounds; NULL, 0: a thread's own, not yet known */
    size_t size;
    struct cg_context *from; /* the context that switched here; NULL: it has exited */
    void *(*entry)(void *);
    void *arg;
#endif
};

/* What an implementation of the switch supplies:
 * - frame lays out a new stack (from its lowest address to its top) and returns an
 *   address; the first jump to that address calls entry(arg). When entry returns,
 *   execution continues at the saved address that it returned.
 * - jump saves the callee-saved registers on the running stack, stores the stack pointer
 *   in *save, and continues at `to`, which comes from frame or from an earlier save.
 * - jump_alike does the same; see cg__context_switch_alike.
 * - jump_then does the same; when the context continues, it returns what then(arg)
 *   returns.
 * - return returns `result`. A function calls it as its last action, after a switch, when
 *   the processor would mispredict the function's return address. */
#define CG__HIDDEN __attribute__((visibility("hidden")))
CG__HIDDEN void *cg__context_frame(void *low, void *top, void *(*entry)(void *),
                                   void *arg);
CG__HIDDEN void cg__context_jump(void **save, void *to);
CG__HIDDEN void cg__context_jump_alike(void **save, void *to);
CG__HIDDEN ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *),
                                         void *arg);
CG__HIDDEN ssize_t cg__context_return(ssize_t result);

/* Calls fn(arg) on the running stack, but so that to the C++ unwinder its caller is the
 * suspended context whose saved address is sp. So a backtrace that fn makes shows that
 * context, and nothing is written to its stack. Does nothing if the context has not begun
 * (x86-64), or with ucontext. */
CG__HIDDEN void cg__context_peek(const void *sp, void (*fn)(void *), void *arg);

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
 * 16-byte aligned). entry must return what cg__context_exit returns. */
static inline void cg__context_make(struct cg_context *ctx, void *low, void *top,
                                    void *(*entry)(void *), void *arg)
{
    ctx->sp = cg__context_frame(low, top, entry, arg);
}

/* Makes a context of the calling thread's own stack, from which the thread can switch to
 * others. */
static inline void cg__context_adopt(struct cg_context *ctx)
{
    ctx->sp = NULL;
}

/* Frees the sanitizer's data of a context that has exited or is abandoned. The caller runs
 * in another context, unless this one was adopted. */
static inline void cg__context_drop(struct cg_context *ctx)
{
    (void)ctx;
}

/* Suspends `from` and continues `to`. Returns when another context switches to `from`. */
static inline void cg__context_switch(struct cg_context *from, struct cg_context *to)
{
    cg__context_jump(&from->sp, to->sp);
}

/* Like cg__context_switch. Faster where nearly all contexts are suspended in the same call
 * of it: then the processor predicts the return address correctly, because it is the same
 * in the context that is left and in the one that continues. */
static inline void cg__context_switch_alike(struct cg_context *from, struct cg_context *to)
{
    cg__context_jump_alike(&from->sp, to->sp);
}

/* Like cg__context_switch, but when the context continues it calls then(arg) and returns
 * the result. Faster where two contexts alternate and the caller returns this result at
 * once: then the processor predicts the return of the caller, too. */
static inline ssize_t cg__context_switch_then(struct cg_context *from, struct cg_context *to,
                                              ssize_t (*then)(void *), void *arg)
{
    return cg__context_jump_then(&from->sp, to->sp, then, arg);
}

/* Ends a context: when entry returns the value that this function returns, `to`
 * continues, and the stack may be reused or unmapped. With a sanitizer this function
 * does not return. */
static inline void *cg__context_exit(struct cg_context *from, struct cg_context *to)
{
    (void)from;
    return to->sp;
}

/* Like cg__context_exit, for a `to` that was suspended by cg__context_switch_then: a jump
 * reaches it faster than a return, which would be mispredicted. */
_Noreturn static inline void *cg__context_exit_then(struct cg_context *from,
                                                    struct cg_context *to)
{
    cg__context_jump(&from->sp, to->sp);
    __builtin_trap();
}

#endif
#endif
