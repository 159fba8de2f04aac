/* SPDX-License-Identifier: MIT */
/* Noticing fork(). A child has a copy of the parent's memory, but shares with it what the
 * kernel keeps behind a descriptor: an epoll set, a ring, a watch on a file. The owner of
 * such an object notes the fork count when it makes the object. If the count differs
 * later, the object is the parent's, and the child makes its own. */
#ifndef COGEN_LIB_BASE_FORK_H
#define COGEN_LIB_BASE_FORK_H

#include <stdatomic.h>
#include <stdbool.h>

/* The count. Use cg__fork_count; only fork.c writes it. */
extern atomic_uint cg__fork_counter;

/* Begins to count forks, and returns the count. */
unsigned cg__fork_watch(void);

/* Whether this is a child whose fork is not counted yet. Signal handlers need it, since
 * they may run within fork(). */
bool cg__fork_is_new(void);

/* How many forks lie between the first process and this one. May be called from any thread
 * or signal handler. */
static inline unsigned cg__fork_count(void)
{
    return atomic_load_explicit(&cg__fork_counter, memory_order_relaxed);
}

#endif
