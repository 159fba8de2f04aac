/* SPDX-License-Identifier: MIT */
/* Functions that block until they may go on: see gate.h. */
#include "config.h"

#include "tests/threads/gate.h"

ssize_t through(void *arg)
{
    struct gate *gate = arg;
    int calls;

    pthread_mutex_lock(&gate->lock);
    calls = ++gate->calls;
    if (++gate->inside > gate->most)
        gate->most = gate->inside;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
    pthread_mutex_unlock(&gate->lock);
    return calls;
}

void abandoned(void *arg)
{
    struct gate *gate = arg;

    pthread_mutex_lock(&gate->lock);
    gate->abandoned++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void await_inside(struct gate *gate, int n)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < n)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

void await_abandoned(struct gate *gate, int n)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->abandoned < n)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

struct cg_pool *pool_of(unsigned threads, size_t queue)
{
    struct cg_pool *pool = cg_pool_new(threads, queue);

    ck_assert_ptr_nonnull(pool);
    return pool;
}

ssize_t visit(void *arg)
{
    struct visit *v = arg;

    return cg_yield(cg_offload(through, v->gate, .pool = v->pool, .timeout = v->timeout,
                               .abandon = v->abandon, .fate = &v->fate));
}
