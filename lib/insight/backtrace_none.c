/* SPDX-License-Identifier: MIT */
/* For systems without an unwinder, and processors without a switch in assembly. */
#include "config.h"

#include "lib/insight/backtrace.h"

void cg__backtrace_make(struct cg__backtrace *backtrace, struct cg_coro *coro)
{
    (void)coro;
    backtrace->count = 0;
    backtrace->repeats = false;
}

void cg__backtrace_interrupted(struct cg__backtrace *backtrace)
{
    backtrace->count = 0;
}

bool cg__backtrace_repeats(const struct cg__backtrace *backtrace, struct cg_coro *coro)
{
    (void)backtrace;
    (void)coro;
    return false;
}

bool cg__backtrace_works(void)
{
    return false;
}
