/* SPDX-License-Identifier: MIT */
/* The context switch: from one stack to another, about 3 ns. The switches themselves are in
 * context_x86_64.S, context_aarch64.S and context_ucontext.c; what sanitizers and Valgrind
 * must know about them is in context.c. */
#ifndef COGEN_LIB_CONTEXT_H
#define COGEN_LIB_CONTEXT_H

#include <stddef.h>

struct cg_context {
    void *sp;         /* saved while the context is not running (ucontext: a ucontext_t) */
    void *stack_low;  /* the stack's bounds; NULL, 0: a thread's own stack */
    size_t stack_size;
    void *fiber;      /* TSan's; or ASan's fake stack */
    unsigned valgrind;
};

/* Makes a context that will run entry(arg) on the stack from low to top (exclusive,
 * 16-byte aligned). entry never returns: it ends with cg__context_exit. */
void cg__context_make(struct cg_context *ctx, void *low, void *top, void (*entry)(void *),
                      void *arg);

/* Makes a context of the calling thread's own stack, to be switched away from. */
void cg__context_adopt(struct cg_context *ctx);

/* Leaves `from`, continues `to`. Returns when somebody switches to `from`. */
void cg__context_switch(struct cg_context *from, struct cg_context *to);

/* The last switch of a context: its stack may be reused or unmapped afterwards. */
_Noreturn void cg__context_exit(struct cg_context *from, struct cg_context *to);

/* Forgets what was registered about a context (after its exit, or if it is abandoned). */
void cg__context_drop(struct cg_context *ctx);

#endif
