/* SPDX-License-Identifier: MIT */
/* Pools of stacks for generators: one per thread, made when the thread first needs a
 * stack. Another thread may return a stack: it puts the stack into a list, which the owner
 * empties when it next needs one. When a thread ends while stacks of its pool are in use,
 * the pool is freed when the last of them is returned. */
#include "config.h"

#include "lib/stacks/thread_stacks.h"

#include "lib/stacks/context.h"
#include "lib/stacks/stack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A stack that another thread has returned; lies where its head was. */
struct returned {
    struct returned *next;
};

struct cg__thread_stacks {
    struct cg_stacks *stacks;
    long out; /* stacks taken, less those that the owner has returned */
    _Atomic(struct returned *) returned; /* the stacks that other threads returned */
    /* Counts down with each stack that other threads return. The owner adds `out` when it
     * ends: from then on this is the number of stacks in use. */
    atomic_long left;
};

static __thread struct cg__thread_stacks *mine CG__THREAD_MODEL;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void pool_free(struct cg__thread_stacks *pool)
{
    cg__stack_pool_free(pool->stacks);
    free(pool);
}

static void thread_ends(void *arg)
{
    struct cg__thread_stacks *pool = arg;
    long out = pool->out;

    mine = NULL;
    if (atomic_fetch_add(&pool->left, out) + out == 0)
        pool_free(pool);
}

static void make_key(void)
{
    have_key = pthread_key_create(&key, thread_ends) == 0;
}

struct cg__thread_stacks *cg__thread_stacks_mine(void)
{
    struct cg__thread_stacks *pool = mine;

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

/* Puts the stacks that other threads have returned into the pool. */
static void collect(struct cg__thread_stacks *pool)
{
    struct returned *stack, *next;

    if (atomic_load_explicit(&pool->returned, memory_order_relaxed) == NULL)
        return;
    for (stack = atomic_exchange(&pool->returned, NULL); stack; stack = next) {
        next = stack->next;
        cg__stack_put(pool->stacks, stack);
    }
}

void *cg__thread_stacks_get(struct cg__thread_stacks *pool, size_t stack_size, size_t head,
                            void **low)
{
    void *at;

    collect(pool);
    at = cg__stack_get(pool->stacks, stack_size ? stack_size : CG__STACK_DEFAULT, head, low);
    pool->out += at != NULL;
    return at;
}

void cg__thread_stacks_put(struct cg__thread_stacks *pool, void *head)
{
    struct returned *stack = head;

    if (pool == mine) {
        pool->out--;
        cg__stack_put(pool->stacks, head);
        return;
    }
    stack->next = atomic_load(&pool->returned);
    while (!atomic_compare_exchange_weak(&pool->returned, &stack->next, stack))
        continue;
    if (atomic_fetch_sub(&pool->left, 1) == 1)
        pool_free(pool);
}

size_t cg__thread_stacks_used(void)
{
    return mine ? (size_t)(mine->out + atomic_load(&mine->left)) : 0;
}

size_t cg__thread_stacks_trim(size_t most)
{
    if (mine == NULL)
        return 0;
    collect(mine);
    return cg__stack_pool_trim(mine->stacks, most, CG__STACK_KEEP);
}
