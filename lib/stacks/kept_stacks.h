/* SPDX-License-Identifier: MIT */
/* Pools of stacks that are kept for the next simulated world of a thread: to map and unmap
 * them would take longer than a small world runs. See kept_stacks.c. */
#ifndef COGEN_LIB_STACKS_KEPT_STACKS_H
#define COGEN_LIB_STACKS_KEPT_STACKS_H

struct cg_stacks;

/* Returns a pool that the calling thread has kept, or a new one; NULL: no memory. */
struct cg_stacks *cg__kept_stacks_take(void);

/* Keeps a pool for the calling thread, or frees it: like cg__stack_pool_free, if a stack of it
 * is in use, if the thread keeps enough, or if `stacks` is NULL. */
void cg__kept_stacks_give(struct cg_stacks *stacks);

#endif
