/* SPDX-License-Identifier: MIT */
/* The context switch by ucontext, for processors that have no assembly version: about a
 * hundred times slower, because each switch saves the signal mask with a system call. */
#include "config.h"

#include "lib/stacks/context.h"

#ifdef CG_CONTEXT_UCONTEXT

#include <assert.h>
#include <stdint.h>
#include <ucontext.h>

/* The first context of a stack. It lies at the stack's top, above its frames. */
struct birth {
    ucontext_t ctx;
    void *(*entry)(void *);
    void *arg;
};

/* makecontext passes only ints, so the pointer is passed as two halves. */
static void start(unsigned high, unsigned low)
{
    struct birth *birth = (struct birth *)(uintptr_t)((uint64_t)high << 32 | low);

    setcontext(birth->entry(birth->arg));
    __builtin_trap();
}

void *cg__context_frame(void *low, void *top, void *(*entry)(void *), void *arg)
{
    uintptr_t place = ((uintptr_t)top - sizeof(struct birth)) & ~(uintptr_t)63;
    struct birth *birth = (struct birth *)place;
    int rc = getcontext(&birth->ctx);

    assert(rc == 0);
    (void)rc;
    birth->entry = entry;
    birth->arg = arg;
    birth->ctx.uc_stack.ss_sp = low;
    birth->ctx.uc_stack.ss_size = place - (uintptr_t)low;
    birth->ctx.uc_link = NULL;
    makecontext(&birth->ctx, (void (*)(void))start, 2,
                (unsigned)((uint64_t)place >> 32), (unsigned)place);
    return &birth->ctx;
}

void cg__context_jump(void **save, void *to)
{
    ucontext_t here;

    here.uc_stack.ss_sp = NULL; /* AddressSanitizer's swapcontext reads it */
    here.uc_stack.ss_size = 0;
    *save = &here;
    swapcontext(&here, to);
}

void cg__context_jump_alike(void **save, void *to)
{
    cg__context_jump(save, to);
}

ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *), void *arg)
{
    cg__context_jump(save, to);
    return then(arg);
}

ssize_t cg__context_return(ssize_t result)
{
    return result;
}

void cg__context_peek(const void *sp, void (*fn)(void *), void *arg)
{
    (void)sp;
    (void)fn;
    (void)arg;
}

#else

/* ISO C forbids an empty translation unit. */
extern int cg__context_in_assembly;

#endif
