/* SPDX-License-Identifier: MIT */
/* Backtraces of coroutines that do not run. See backtrace.c. */
#ifndef COGEN_LIB_INSIGHT_BACKTRACE_H
#define COGEN_LIB_INSIGHT_BACKTRACE_H

#include "lib/core/coro.h"

enum { CG__BACKTRACE_LIMIT = 32 }; /* frames; the outer ones are left out */

struct cg__backtrace {
    unsigned count;
    bool repeats; /* the offsets are known: see cg__backtrace_repeats */
    void *frames[CG__BACKTRACE_LIMIT]; /* return addresses, the innermost first, */
    size_t offsets[CG__BACKTRACE_LIMIT]; /* and where they lie above the stack pointer */
};

/* Makes the backtrace of a coroutine of the calling thread, through the generators in which
 * it waits; of what runs, if that is cg__coro_self, NULL included. The count is 0 if it has not
 * begun, or if this build cannot tell (cg__backtrace_works). */
void cg__backtrace_make(struct cg__backtrace *backtrace, struct cg_coro *coro);

/* For a signal handler: makes the backtrace of the running coroutine from where the signal has
 * interrupted it. The first address is where it goes on, plus one, so that all of them stand
 * behind their instructions. */
void cg__backtrace_interrupted(struct cg__backtrace *backtrace);

/* Whether a coroutine has this backtrace, too. False does not mean that it has not. Takes a
 * hundredth of the time in which one is made. */
bool cg__backtrace_repeats(const struct cg__backtrace *backtrace, struct cg_coro *coro);

bool cg__backtrace_works(void);

#endif
