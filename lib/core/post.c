/* SPDX-License-Identifier: MIT */
/* Posts from other threads: a lock-free stack that threads push to and the scheduler
 * empties. */
#include "config.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <sched.h>
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

void cg__post_enter(struct cg_sched *sched)
{
    atomic_fetch_add(&sched->inside, 1);
}

void cg__post_leave(struct cg_sched *sched)
{
    atomic_fetch_sub(&sched->inside, 1);
}

void cg__post_wait_until_left(struct cg_sched *sched)
{
    while (atomic_load(&sched->inside) > sched->inside_forever)
        sched_yield();
}

void cg__post_forked(struct cg_sched *sched)
{
    sched->inside_forever = atomic_load(&sched->inside);
}

/* Whether the caller is a coroutine of the scheduler, or a signal handler in one: then the
 * scheduler looks at its posts before it sleeps, and need not be woken. */
static bool is_home(const struct cg_sched *sched)
{
    return cg__coro_self && cg__coro_self->sched == sched;
}

static void push(struct cg_sched *sched, struct cg__post *post)
{
    post->next = atomic_load(&sched->posts);
    while (!atomic_compare_exchange_weak(&sched->posts, &post->next, post))
        continue;
}

void cg__post(struct cg_sched *sched, struct cg__post *post)
{
    cg__post_enter(sched);
    push(sched, post);
    if (!is_home(sched))
        sched->reactor->type->wake(sched->reactor);
    cg__post_leave(sched);
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

void cg__post_drop_some(struct cg_sched *sched, bool (*is)(const struct cg__post *post))
{
    struct cg__post *post = take(sched);

    while (post) {
        struct cg__post *next = post->next;

        if (is(post))
            post->run(post, true);
        else
            push(sched, post);
        post = next;
    }
}
