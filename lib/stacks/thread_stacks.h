/* SPDX-License-Identifier: MIT */
/* A pool of stacks for each thread, for generators, which belong to no scheduler. See
 * thread_stacks.c. */
#ifndef COGEN_LIB_STACKS_THREAD_STACKS_H
#define COGEN_LIB_STACKS_THREAD_STACKS_H

#include <stddef.h>

struct cg__thread_stacks;

/* The calling thread's pool; NULL: no memory. */
struct cg__thread_stacks *cg__thread_stacks_mine(void);

/* Takes a stack of the calling thread's pool, as cg__stack_get does. stack_size 0: the
 * default. NULL: no memory, or stack_size is too large. */
void *cg__thread_stacks_get(struct cg__thread_stacks *pool, size_t stack_size, size_t head,
                            void **low);

/* Returns a stack to the pool from which it was taken. May be called in any thread. The
 * head is overwritten. */
void cg__thread_stacks_put(struct cg__thread_stacks *pool, void *head);

/* How many stacks of the calling thread's pool are in use. */
size_t cg__thread_stacks_used(void);

/* Trims at most `most` free stacks of the calling thread's pool; returns how many. */
size_t cg__thread_stacks_trim(size_t most);

#endif
