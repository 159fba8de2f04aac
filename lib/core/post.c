/* SPDX-License-Identifier: MIT */
/* Posts from other threads: a lock-free stack that threads push to and the scheduler
 * empties. */
#include "config.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <stdlib.h>

struct call {
    struct cg__post post;
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct cg__post *post, bool dropped)
{
    struct call *call = (struct call *)post;

    if (!dropped)
        call->fn(call->arg);
    free(call);
}

int cg_sched_post(struct cg_sched *sched, void (*fn)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof *call);

    if (call == NULL)
        return -ENOMEM;
    *call = (struct call){.post.run = run_call, .fn = fn, .arg = arg};
    cg__post(sched, &call->post);
    return 0;
}

void cg__post(struct cg_sched *sched, struct cg__post *post)
{
    post->next = atomic_load(&sched->posts);
    while (!atomic_compare_exchange_weak(&sched->posts, &post->next, post))
        continue;
    sched->reactor->type->wake(sched->reactor);
}

/* Takes all posts; returns them in order, the oldest first. */
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

static void run_all(struct cg_sched *sched, bool dropped)
{
    struct cg__post *post = take(sched);

    while (post) {
        struct cg__post *next = post->next;

        post->run(post, dropped);
        post = next;
    }
}

void cg__post_run_all(struct cg_sched *sched)
{
    run_all(sched, false);
}

void cg__post_drop_all(struct cg_sched *sched)
{
    run_all(sched, true);
}
