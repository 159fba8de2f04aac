/* SPDX-License-Identifier: MIT */
/* Noticing fork(). A child has a copy of all that is in memory, but shares with its parent
 * what the kernel keeps behind a descriptor: an epoll set, a ring, a watch on a file.
 * Whoever owns such a thing notes the count at which it was made, and where the count is
 * another one leaves the thing to the parent and makes its own. */
#ifndef COGEN_LIB_BASE_FORK_H
#define COGEN_LIB_BASE_FORK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Counts the forks that lie between this process and the first one. Private to fork.c. */
extern atomic_uint cg__fork_counter;

/* Begins to notice forks; the count. */
unsigned cg__fork_watch(void);

/* Whether this is a child that has not been counted yet: for signal handlers, which may run
 * within fork(). */
bool cg__fork_is_new(void);

/* The count. From any thread or signal handler. */
static inline unsigned cg__fork_count(void)
{
    return atomic_load_explicit(&cg__fork_counter, memory_order_relaxed);
}

#endif
