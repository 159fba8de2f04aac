/* SPDX-License-Identifier: MIT */
/* The debug mode: notes who has made or locked what, and where, and reports what is left. The
 * core and everything above call it, so it is declared here; it needs backtraces, so it is
 * defined in lib/insight/debug.c. When it is off, a call is one test of sched->debug. */
#ifndef COGEN_LIB_CORE_DEBUG_H
#define COGEN_LIB_CORE_DEBUG_H

#include "lib/core/sched.h"

/* Begins it if the options or $COGEN_DEBUG say so. Returns 0 or -ENOMEM. */
int cg__debug_begin(struct cg_sched *sched);

/* Reports what is left of a scheduler whose coroutines, posts and parts are gone; then frees
 * what was noted. */
void cg__debug_end(struct cg_sched *sched);

/* Notes a thing: its name, if it has one, and the backtrace of `coro` (NULL: what the thread
 * runs). If it is noted already, only the place is new. */
void cg__debug_note(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                    const char *name, struct cg_coro *coro);
void cg__debug_forget(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing);

/* Reports the mutexes that a coroutine has at its end. */
void cg__debug_coro_ended(struct cg_coro *coro);

/* The calls that are made in every program. */
static inline void cg__debug_made(struct cg_sched *sched, enum cg__debug_kind kind,
                                  const void *thing, const char *name)
{
    if (__builtin_expect(sched->debug != NULL, 0))
        cg__debug_note(sched, kind, thing, name, cg__coro_self);
}

static inline void cg__debug_gone(struct cg_sched *sched, enum cg__debug_kind kind,
                                  const void *thing)
{
    if (__builtin_expect(sched->debug != NULL, 0))
        cg__debug_forget(sched, kind, thing);
}

#endif
