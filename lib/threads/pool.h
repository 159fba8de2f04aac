/* SPDX-License-Identifier: MIT */
/* Pools of threads, and their jobs. A job is a function that a thread of a pool (pool.c)
 * runs for an op (offload.c). */
#ifndef COGEN_LIB_THREADS_POOL_H
#define COGEN_LIB_THREADS_POOL_H

#include "lib/threads/away.h"

#include <cogen/offload.h>

enum cg__job_state {
    CG__JOB_QUEUED,
    CG__JOB_RUNNING,
    CG__JOB_RETURNED, /* its post is on the way */
};

struct cg__job {
    union {
        struct cg__post post;   /* from the thread back to the scheduler */
        struct cg__alarm alarm; /* of a job without a pool: its next step */
    };
    struct cg__job *next, *prev;      /* in the queue */
    struct cg__away away;             /* in the scheduler's list */
    struct cg_pool *pool;     /* NULL: no thread runs it, see acted.c */
    struct cg_sched *sched;   /* NULL: nothing waits for the job; its thread frees it */
    struct cg_stacks *stacks; /* referenced by the job if its scheduler has been freed */
    struct cg_offload_op *op;
    cg_fn *fn;
    void *arg;
    void (*abandon)(void *arg);
    ssize_t result;
    unsigned forks; /* the fork count (fork.h) of the process that made it */
    _Atomic enum cg__job_state state;
};

struct cg_pool {
    struct cg_pool *next, **link; /* in the list of all pools */
    pthread_mutex_t lock; /* protects the fields below, and the state of its jobs */
    pthread_cond_t work;
    struct cg__job *first, *last; /* the queue */
    size_t queued, running;       /* jobs; together at most limit + queue_limit */
    size_t limit, queue_limit;
    size_t threads, idle;
    bool closing; /* freed by the caller; the last thread frees the memory */
};

/* The default pool of the process; NULL: no memory. */
struct cg_pool *cg__pool_own(void);

/* What all pools of the process have. */
struct cg__pool_counts {
    size_t threads, idle;   /* idle ones are among the threads */
    size_t queued, running; /* jobs */
};

struct cg__pool_counts cg__pool_count(void);

/* Queues a job, and starts a thread for it if no idle one can take it. Returns 0, or
 * -EAGAIN: the queue is full, or there is no thread and none could be started. */
int cg__pool_put(struct cg_pool *pool, struct cg__job *job);

/* Takes a job out of the queue. The caller holds the lock. */
void cg__pool_unlink(struct cg_pool *pool, struct cg__job *job);

/* Begins a job without a pool. */
void cg__acted_begin(struct cg__job *job);

/* Withdraws such a job, whose op is cancelled or whose scheduler is being freed (`dropped`), and
 * returns its state. It is the caller's if it was still queued. If it runs, it frees itself later
 * if it has an abandon function or is dropped; otherwise it still returns. */
enum cg__job_state cg__acted_leave(struct cg__job *job, bool dropped);

/* Frees a job, and completes its op with its result. */
void cg__offload_return(struct cg__job *job);

/* Counts the scheduler's jobs by their states. */
void cg__offload_count(const struct cg_sched *sched, size_t counts[CG__JOB_RETURNED + 1]);

/* Waits until something has been posted to the scheduler. */
void cg__pool_wait(struct cg_sched *sched);

#endif
