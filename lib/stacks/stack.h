/* SPDX-License-Identifier: MIT */
/* Stacks: guarded, pooled, in slabs of address space. See stack.c for the layout. */
#ifndef COGEN_LIB_STACKS_STACK_H
#define COGEN_LIB_STACKS_STACK_H

#include "lib/base/sanitize.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CG__STACK_SCALE = CG__ASAN ? 4 : 1,              /* ASan's redzones enlarge frames */
    CG__STACK_DEFAULT = 64 * 1024 * CG__STACK_SCALE, /* bytes, guard not included */
    CG__STACK_MIN = 16 * 1024 * CG__STACK_SCALE,
    CG__STACK_GUARD = 16 * 1024, /* at least; whole pages */
    CG__STACK_HEAD = 1024,       /* the largest head */
    CG__STACK_KEEP = 32,         /* pooled stacks of a size that are kept while all is busy */
};

struct cg_stacks; /* the stack pool of a scheduler, used in its thread only */

/* Returns a pool with one reference; NULL: no memory. */
struct cg_stacks *cg__stack_pool_new(void);
/* Releases a reference; the last release unmaps all stacks, used or not. NULL is
 * ignored. */
void cg__stack_pool_free(struct cg_stacks *stacks);
/* Takes a reference for a thread that still uses a stack of the pool. It is released by
 * cg__stack_pool_free, in any thread. */
void cg__stack_pool_keep(struct cg_stacks *stacks);
/* Whether the caller has the only reference, and no stack is in use. NULL: false. */
bool cg__stack_pool_is_idle(const struct cg_stacks *stacks);

/* Takes a stack of at least `size` usable bytes below a head of `head` bytes (at most
 * CG__STACK_HEAD) in its top page. Returns the head (64-byte aligned, its bytes
 * undefined); the stack grows down from there. *low gets the lowest usable address. Sizes
 * are rounded up to powers of two, at least CG__STACK_MIN. NULL: no memory, or `size` is
 * too large. A pooled stack costs a few ns. Below *low is a guard of at least
 * CG__STACK_GUARD bytes; where guards cost mappings, only as long as half of the process's
 * mappings are free. */
void *cg__stack_get(struct cg_stacks *stacks, size_t size, size_t head, void **low);

/* Returns a stack to the pool. The caller must not be running on it. */
void cg__stack_put(struct cg_stacks *stacks, void *head);

/* Called before the loop sleeps: returns all pages of at most `most` pooled stacks to
 * the system, but keeps `keep` stacks of each size, or as many as are in use.
 * Returns how many were trimmed; if that is `most`, there may be more. Takes 2 to 4 us
 * each. */
size_t cg__stack_pool_trim(struct cg_stacks *stacks, size_t most, size_t keep);

/* Counts the stacks in use, and those of the pool that are in memory. */
void cg__stack_pool_count(const struct cg_stacks *stacks, size_t *used, size_t *spare);

/* Returns to the system the whole pages below `sp`, the saved stack pointer of the
 * suspended stack with this head and this lowest address. */
void cg__stack_shrink(const struct cg_stacks *stacks, void *low, const void *sp,
                      const void *head);

/* The guard that stops an overflow of the used stack with this head: its own, or if it has
 * none the nearest one below it. Async-signal-safe. */
const void *cg__stack_guard(const void *head);

#endif
