/* SPDX-License-Identifier: MIT */
/* Posts from other threads: a stack that anybody may push on and the scheduler empties. */
#include "config.h"

#include "lib/sched.h"

#include <errno.h>
#include <stdlib.h>

struct cg__post {
    struct cg__post *next;
    void (*fn)(void *arg);
    void *arg;
};

int cg_post(struct cg_sched *sched, void (*fn)(void *arg), void *arg)
{
    struct cg__post *post = malloc(sizeof *post);

    if (post == NULL)
        return -ENOMEM;
    *post = (struct cg__post){atomic_load(&sched->posts), fn, arg};
    while (!atomic_compare_exchange_weak(&sched->posts, &post->next, post))
        continue;
    sched->reactor->type->wake(sched->reactor);
    return 0;
}

/* All of them, the oldest first. */
static struct cg__post *take(struct cg_sched *sched)
{
    struct cg__post *newest, *oldest = NULL;

    if (atomic_load(&sched->posts) == NULL)
        return NULL;
    newest = atomic_exchange(&sched->posts, NULL);
    while (newest) {
        struct cg__post *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void cg__posts_run(struct cg_sched *sched)
{
    struct cg__post *post = take(sched);

    while (post) {
        struct cg__post *next = post->next;

        post->fn(post->arg);
        free(post);
        post = next;
    }
}

void cg__posts_drop(struct cg_sched *sched)
{
    struct cg__post *post = take(sched);

    while (post) {
        struct cg__post *next = post->next;

        free(post);
        post = next;
    }
}
