/* SPDX-License-Identifier: MIT */
/* Pools of threads for blocking functions. Threads are started on demand, are detached,
 * and end by themselves when they have been idle for a while. */
#include "config.h"

#include "lib/base/thread.h"
#include "lib/threads/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    IDLE = 5 /* seconds after which an idle thread ends */
};

static _Atomic(struct cg_pool *) own;

/* Wakes schedulers that have nothing to do but wait for a thread: see cg__pool_wait. */
static pthread_mutex_t returns_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t returns = PTHREAD_COND_INITIALIZER;

/* The list of all pools, since none of their threads exist in a child of fork(). Its lock
 * is taken before those of the pools. */
static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cg_pool *pools;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* Takes all locks, so that in the child no lock is held by a thread that does not exist
 * there, and no list is half changed. */
static void before_fork(void)
{
    pthread_mutex_lock(&pools_lock);
    for (struct cg_pool *pool = pools; pool; pool = pool->next)
        pthread_mutex_lock(&pool->lock);
    pthread_mutex_lock(&returns_lock);
}

static void unlock_all(void)
{
    pthread_mutex_unlock(&returns_lock);
    for (struct cg_pool *pool = pools; pool; pool = pool->next)
        pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&pools_lock);
}

/* Empties the queues: the parent runs the queued functions, and they must not run
 * twice. The child's schedulers complete their operations (struct cg__part, forked).
 * The conditions are initialised again, because the copies may say that threads wait on
 * them. */
static void in_child(void)
{
    for (struct cg_pool *pool = pools; pool; pool = pool->next) {
        pool->first = pool->last = NULL;
        pool->queued = pool->running = pool->threads = pool->idle = 0;
        pthread_cond_init(&pool->work, NULL);
    }
    pthread_cond_init(&returns, NULL);
    unlock_all();
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, unlock_all, in_child);
}

static void list(struct cg_pool *pool)
{
    pthread_once(&fork_once, watch_forks);
    pthread_mutex_lock(&pools_lock);
    pool->next = pools;
    if (pools)
        pools->link = &pool->next;
    pool->link = &pools;
    pools = pool;
    pthread_mutex_unlock(&pools_lock);
}

static void unlist(struct cg_pool *pool)
{
    pthread_mutex_lock(&pools_lock);
    *pool->link = pool->next;
    if (pool->next)
        pool->next->link = pool->link;
    pthread_mutex_unlock(&pools_lock);
}

struct cg__pool_counts cg__pool_count(void)
{
    struct cg__pool_counts sum = {.threads = 0};

    pthread_mutex_lock(&pools_lock);
    for (struct cg_pool *pool = pools; pool; pool = pool->next) {
        pthread_mutex_lock(&pool->lock);
        sum.threads += pool->threads;
        sum.idle += pool->idle;
        sum.queued += pool->queued;
        sum.running += pool->running;
        pthread_mutex_unlock(&pool->lock);
    }
    pthread_mutex_unlock(&pools_lock);
    return sum;
}

struct cg_pool *cg_pool_new(unsigned threads, size_t queue)
{
    struct cg_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->limit = threads;
    pool->queue_limit = queue;
    list(pool);
    return pool;
}

static void destroy(struct cg_pool *pool)
{
    unlist(pool);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void cg_pool_free(struct cg_pool *pool)
{
    unsigned threads;

    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    assert(pool->queued == 0); /* ops are waiting for it */
    pool->closing = true;
    threads = pool->threads;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    if (threads == 0)
        destroy(pool);
}

/* Without memory it is NULL, and tried again the next time. */
struct cg_pool *cg__pool_own(void)
{
    struct cg_pool *pool = atomic_load(&own), *made;

    if (pool)
        return pool;
    made = cg_pool_new(CG_POOL_THREADS, CG_POOL_QUEUE);
    if (made && atomic_compare_exchange_strong(&own, &pool, made))
        return made;
    cg_pool_free(made); /* another thread was faster, or there is no memory */
    return pool;
}

static void enqueue(struct cg_pool *pool, struct cg__job *job)
{
    job->next = NULL;
    job->prev = pool->last;
    *(pool->last ? &pool->last->next : &pool->first) = job;
    pool->last = job;
    pool->queued++;
}

void cg__pool_unlink(struct cg_pool *pool, struct cg__job *job)
{
    *(job->prev ? &job->prev->next : &pool->first) = job->next;
    *(job->next ? &job->next->prev : &pool->last) = job->prev;
    pool->queued--;
}

/* Takes the next job, and waits for one up to IDLE seconds. NULL: the thread must end. */
static struct cg__job *next_job(struct cg_pool *pool)
{
    struct cg__job *job;
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE;
    while (pool->first == NULL && !pool->closing && rc == 0) {
        pool->idle++;
        rc = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
        pool->idle--;
    }
    if ((job = pool->first) != NULL) {
        cg__pool_unlink(pool, job);
        job->state = CG__JOB_RUNNING;
        pool->running++;
    }
    return job;
}

/* Posts a job back to its scheduler. The caller holds the pool's lock, so that a fork()
 * finds either both the new state and the post, or neither. */
static void send_home(struct cg__job *job)
{
    job->state = CG__JOB_RETURNED;
    cg__post(job->sched, &job->post);
    pthread_mutex_lock(&returns_lock);
    pthread_cond_broadcast(&returns);
    pthread_mutex_unlock(&returns_lock);
}

static void *work(void *arg)
{
    struct cg_pool *pool = arg;
    struct cg__job *job;
    bool last;

    pthread_mutex_lock(&pool->lock);
    while ((job = next_job(pool))) {
        pthread_mutex_unlock(&pool->lock);
        job->result = job->fn(job->arg);
        pthread_mutex_lock(&pool->lock);
        if (job->sched) {
            send_home(job);
        } else {
            pthread_mutex_unlock(&pool->lock);
            if (job->abandon)
                job->abandon(job->arg);
            cg__stack_pool_free(job->stacks);
            free(job);
            pthread_mutex_lock(&pool->lock);
        }
        pool->running--;
    }
    last = --pool->threads == 0 && pool->closing;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        destroy(pool);
    return NULL;
}

static bool is_full(const struct cg_pool *pool)
{
    size_t jobs = pool->running + pool->queued;

    return jobs >= pool->limit && jobs - pool->limit >= pool->queue_limit;
}

/* A thread is started under the lock: meanwhile nobody else relies on a thread that may not
 * come. */
int cg__pool_put(struct cg_pool *pool, struct cg__job *job)
{
    bool refused;

    pthread_mutex_lock(&pool->lock);
    refused = is_full(pool);
    if (!refused && pool->idle < pool->queued + 1 && pool->threads < pool->limit) {
        pool->threads += cg__thread_start(work, pool, 0) == 0;
        refused = pool->threads == 0;
    }
    if (!refused) {
        enqueue(pool, job);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return refused ? -EAGAIN : 0;
}

void cg__pool_wait(struct cg_sched *sched)
{
    pthread_mutex_lock(&returns_lock);
    while (atomic_load(&sched->posts) == NULL)
        pthread_cond_wait(&returns, &returns_lock);
    pthread_mutex_unlock(&returns_lock);
}
