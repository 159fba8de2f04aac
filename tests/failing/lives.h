/* SPDX-License-Identifier: MIT */
/* A short life of an object, in which the first, the second, ... the last allocation fails. It
 * completes with -ENOMEM or does without the memory; nothing hangs, crashes or leaks, and the
 * same life right after it, in the same scheduler, succeeds. */
#ifndef COGEN_TESTS_FAILING_LIVES_H
#define COGEN_TESTS_FAILING_LIVES_H

#include "tests/failing/failing.h"
#include "tests/support/support.h"

/* Like IS, because Check's own assertions allocate. */
#define HAS(expr) IS((expr) ? 1 : 0, 1)

/* Tries a life, a function that returns 0 or its first failure, with each of its allocations,
 * of which there must be at least so many: otherwise the test would test nothing. */
#define EACH(life, least) lives_each(#life, life, least)
void lives_each(const char *name, cg_fn *fn, long least);

/* Likewise for a life without a scheduler, in a thread of its own, whose pool of stacks ends with
 * it. */
void lives_alone(cg_fn *fn, long least);

/* The first failure of two results, or 0. */
static inline ssize_t first(ssize_t rc, ssize_t next)
{
    return rc < 0 ? rc : next < 0 ? next : 0;
}

/* The scheduler of the life. */
static inline struct cg_sched *sched(void)
{
    return cg_sched_self();
}

#endif
