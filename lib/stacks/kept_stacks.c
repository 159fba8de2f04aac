/* SPDX-License-Identifier: MIT */
/* A thread keeps as many pools as a world with a few hosts needs, until it ends. */
#include "config.h"

#include "lib/stacks/kept_stacks.h"

#include "lib/stacks/context.h"
#include "lib/stacks/stack.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST = 8 };

struct kept {
    unsigned count;
    struct cg_stacks *pools[MOST]; /* the latest one last: it is in the caches */
};

static __thread struct kept *mine CG__THREAD_MODEL;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void thread_ends(void *arg)
{
    struct kept *kept = arg;

    mine = NULL;
    while (kept->count > 0)
        cg__stack_pool_free(kept->pools[--kept->count]);
    free(kept);
}

static void make_key(void)
{
    have_key = pthread_key_create(&key, thread_ends) == 0;
}

static struct kept *make_mine(void)
{
    struct kept *kept;

    pthread_once(&once, make_key);
    if (!have_key || (kept = calloc(1, sizeof *kept)) == NULL)
        return NULL;
    if (pthread_setspecific(key, kept) != 0) {
        free(kept);
        return NULL;
    }
    return mine = kept;
}

struct cg_stacks *cg__kept_stacks_take(void)
{
    return mine != NULL && mine->count > 0 ? mine->pools[--mine->count] : cg__stack_pool_new();
}

void cg__kept_stacks_give(struct cg_stacks *stacks)
{
    struct kept *kept = mine != NULL ? mine : make_mine();

    if (kept == NULL || kept->count == MOST || !cg__stack_pool_is_idle(stacks)) {
        cg__stack_pool_free(stacks);
        return;
    }
    cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP);
    kept->pools[kept->count++] = stacks;
}
