/* SPDX-License-Identifier: MIT */
/* The stacks of generators: a pool a thread. See generator_pool.c. */
#ifndef COGEN_LIB_GENERATORS_GENERATOR_POOL_H
#define COGEN_LIB_GENERATORS_GENERATOR_POOL_H

#include "lib/generators/generator.h"

/* The calling thread's pool; NULL: no memory. */
struct cg__gens *cg__generator_pool_mine(void);

/* Room for a generator, uninitialised, on a stack of its own; *low gets the lowest address
 * of that. stack_size 0: the default. NULL: no memory, or no such size. The pool is the
 * thread's. */
struct cg_gen *cg__generator_pool_get(struct cg__gens *pool, size_t stack_size,
                                      void **low);

/* Gives it back to the pool that it is from, whatever thread this is. */
void cg__generator_pool_put(struct cg_gen *gen);

/* This thread runs a generator: an overflow will be reported here. */
void cg__generator_pool_watch(void);

/* It has been said. */
extern __thread bool cg__generator_pool_watched CG__THREAD_MODEL;

#endif
