/* SPDX-License-Identifier: MIT */
/* The pools of generators' stacks: one a thread, made when it creates its first generator.
 * A generator may be given back by another thread: it is left on a list that the owner
 * empties when it wants a stack. When a thread ends while generators from its pool live on,
 * the last of them that is given back takes the pool with it. */
#include "config.h"

#include "lib/generators/generator_pool.h"
#include "lib/stacks/stack.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct cg__gens {
    struct cg_stacks *stacks;
    long out;                        /* created, and not given back by the owner */
    _Atomic(struct cg_gen *) remote; /* given back by others */
    /* Counts down with each that others give back. The owner adds `out` when it ends: from
     * then on this is the number of those that are left. */
    atomic_long left;
};

static __thread struct cg__gens *mine CG__THREAD_MODEL;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

__thread bool cg__generator_pool_watched;

static void pool_free(struct cg__gens *pool)
{
    cg__stack_pool_free(pool->stacks);
    free(pool);
}

static void thread_ends(void *arg)
{
    struct cg__gens *pool = arg;
    long out = pool->out;

    mine = NULL;
    if (atomic_fetch_add(&pool->left, out) + out == 0)
        pool_free(pool);
}

static void make_key(void)
{
    have_key = pthread_key_create(&key, thread_ends) == 0;
}

struct cg__gens *cg__generator_pool_mine(void)
{
    struct cg__gens *pool = mine;

    if (pool)
        return pool;
    pthread_once(&once, make_key);
    if (!have_key || (pool = calloc(1, sizeof *pool)) == NULL)
        return NULL;
    if ((pool->stacks = cg__stack_pool_new()) == NULL) {
        free(pool);
        return NULL;
    }
    if (pthread_setspecific(key, pool) != 0) {
        pool_free(pool);
        return NULL;
    }
    return mine = pool;
}

/* Takes in what other threads have given back. */
static void collect(struct cg__gens *pool)
{
    struct cg_gen *gen, *next;

    if (atomic_load_explicit(&pool->remote, memory_order_relaxed) == NULL)
        return;
    for (gen = atomic_exchange(&pool->remote, NULL); gen; gen = next) {
        next = gen->next;
        cg__stack_put(pool->stacks, gen);
    }
}

struct cg_gen *cg__generator_pool_get(struct cg__gens *pool, size_t stack_size,
                                      void **low)
{
    struct cg_gen *gen;

    collect(pool);
    gen = cg__stack_get(pool->stacks, stack_size ? stack_size : CG__STACK_DEFAULT,
                        sizeof *gen, low);
    pool->out += gen != NULL;
    return gen;
}

void cg__generator_pool_put(struct cg_gen *gen)
{
    struct cg__gens *pool = gen->pool;

    if (pool == mine) {
        pool->out--;
        cg__stack_put(pool->stacks, gen);
        return;
    }
    gen->next = atomic_load(&pool->remote);
    while (!atomic_compare_exchange_weak(&pool->remote, &gen->next, gen))
        continue;
    if (atomic_fetch_sub(&pool->left, 1) == 1)
        pool_free(pool);
}

void cg__generator_pool_watch(void)
{
    cg__generator_pool_watched = true;
    cg__overflow_watch();
}

size_t cg__generator_pool_trim(size_t most)
{
    if (mine == NULL)
        return 0;
    collect(mine);
    return cg__stack_pool_trim(mine->stacks, most);
}

size_t cg_gen_trim(void)
{
    return cg__generator_pool_trim(SIZE_MAX);
}
