/* SPDX-License-Identifier: MIT */
/* Tells AddressSanitizer and ThreadSanitizer about contexts and switches. Without a
 * sanitizer all functions are inline (context.h). */
#include "config.h"

#include "lib/stacks/context.h"

#if CG__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if CG__TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if CG__ASAN || CG__TSAN

/* Completes a switch, on the stack that was switched to. ASan also tells the bounds of the
 * stack that was left; only so do we learn those of a thread's own stack, since no
 * portable call returns them. */
static void arrive(struct cg_context *ctx)
{
#if CG__ASAN
    const void *low;
    size_t size;

    __sanitizer_finish_switch_fiber(ctx->fiber, &low, &size);
    if (ctx->from != NULL && ctx->from->low == NULL) {
        ctx->from->low = low;
        ctx->from->size = size;
    }
#else
    (void)ctx;
#endif
}

static void *start(void *arg)
{
    struct cg_context *ctx = arg;

    arrive(ctx);
    return ctx->entry(ctx->arg);
}

void cg__context_switch(struct cg_context *from, struct cg_context *to)
{
    to->from = from;
#if CG__ASAN
    __sanitizer_start_switch_fiber(&from->fiber, to->low, to->size);
#else
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    cg__context_jump(&from->sp, to->sp);
    arrive(from);
}

_Noreturn void *cg__context_exit(struct cg_context *from, struct cg_context *to)
{
    to->from = NULL;
#if CG__ASAN
    __sanitizer_start_switch_fiber(NULL, to->low, to->size); /* frees its fake stack */
#else
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    cg__context_jump(&from->sp, to->sp);
    __builtin_trap();
}

void cg__context_make(struct cg_context *ctx, void *low, void *top,
                      void *(*entry)(void *), void *arg)
{
    *ctx = (struct cg_context){
        .low = low,
        .size = (size_t)((char *)top - (char *)low),
        .entry = entry,
        .arg = arg,
    };
#if CG__ASAN
    /* Frames of an earlier context that exited without returning from them are still
     * poisoned. */
    __asan_unpoison_memory_region(low, ctx->size);
#endif
#if CG__TSAN
    ctx->fiber = __tsan_create_fiber(0);
#endif
    ctx->sp = cg__context_frame(low, top, start, ctx);
}

void cg__context_adopt(struct cg_context *ctx)
{
    *ctx = (struct cg_context){.sp = NULL};
#if CG__TSAN
    ctx->fiber = __tsan_get_current_fiber();
#endif
}

void cg__context_drop(struct cg_context *ctx)
{
#if CG__TSAN
    if (ctx->entry != NULL)
        __tsan_destroy_fiber(ctx->fiber);
    ctx->entry = NULL;
#else
    (void)ctx;
#endif
}

#else

/* ISO C forbids an empty translation unit. */
extern int cg__context_without_sanitizer;

#endif
