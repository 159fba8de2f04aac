/* SPDX-License-Identifier: MIT */
/* The operation that runs a function in a thread of a pool. The job is allocated, since it
 * may outlive the op. Only the scheduler's thread touches the op and the scheduler's list
 * of jobs. The two threads share, under the pool's lock, the job's state and whether the
 * scheduler still waits for it (job->sched). */
#include "config.h"

#include "lib/core/op.h"
#include "lib/threads/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_offload_op) <= 128, "core ops fit in 128 bytes");

static void part_drop(struct cg__part *part, struct cg_sched *sched);
static bool part_wait(struct cg__part *part, struct cg_sched *sched);
static void part_forked(struct cg__part *part, struct cg_sched *sched);

/* Of the jobs of a scheduler whose results have not come back. */
static const struct cg__part part = {
    .drop = part_drop, .wait = part_wait, .forked = part_forked};

static struct cg_offload_op *as_offload(const struct cg_op *op)
{
    return (struct cg_offload_op *)op;
}

static void tell(const struct cg_offload_op *offload, enum cg_fate fate)
{
    if (offload->fate)
        *offload->fate = fate;
}

void cg__offload_return(struct cg__job *job)
{
    struct cg_offload_op *offload = job->op;
    ssize_t result = job->result;

    cg__away_remove(&job->away, job->sched);
    free(job);
    tell(offload, CG_FATE_RAN);
    cg_op_complete(&offload->op, result);
}

/* Runs in the scheduler's thread when the function has returned. */
static void come_home(struct cg__post *post, bool dropped)
{
    struct cg__job *job = (struct cg__job *)post;

    if (dropped)
        free(job);
    else
        cg__offload_return(job);
}

/* Calls fn in this thread, for a pool without threads. As in another thread, no coroutine is
 * current, so fn cannot yield. */
static ssize_t call_here(struct cg_offload_op *offload)
{
    static struct cg__job here;
    struct cg_coro *self = cg__coro_self;
    ssize_t result;

    cg__coro_self = NULL;
    result = offload->fn(offload->arg);
    cg__coro_self = self;
    offload->job = &here;
    tell(offload, CG_FATE_RAN);
    return result;
}

/* Has a thread run the job, or acts as if one did. */
static int begin(struct cg__job *job)
{
    if (job->pool)
        return cg__pool_put(job->pool, job);
    cg__acted_begin(job);
    return 0;
}

static enum cg_verdict offload_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_offload_op *offload = as_offload(op);
    bool acted = sched->reactor->offload_takes != NULL;
    struct cg_pool *pool = NULL;
    struct cg__away_list *jobs;
    struct cg__job *job;
    int rc;

    if (offload->fn == NULL)
        return cg__op_done(op, -EINVAL);
    if (cg__reactor_lacks(sched->reactor, CG_LACKS_THREADS))
        return cg__op_done(op, -EAGAIN);
    if (offload->pool && offload->pool->limit == 0)
        return cg__op_done(op, call_here(offload));
    if (!acted)
        pool = offload->pool ? offload->pool : cg__pool_own();
    if ((pool == NULL && !acted) || (jobs = cg__away_list(sched, CG__PART_JOBS, &part)) == NULL ||
        (job = malloc(sizeof *job)) == NULL)
        return cg__op_done(op, -ENOMEM);
    *job = (struct cg__job){
        .pool = pool,
        .sched = sched,
        .op = offload,
        .fn = offload->fn,
        .arg = offload->arg,
        .abandon = offload->abandon,
        .forks = cg__fork_count(),
        .state = CG__JOB_QUEUED,
    };
    if (pool)
        job->post.run = come_home;
    cg__away_add(jobs, &job->away, sched);
    offload->job = job;
    if ((rc = begin(job)) == 0)
        return CG_PENDING;
    cg__away_remove(&job->away, sched);
    free(job);
    offload->job = NULL;
    return cg__op_done(op, rc);
}

/* Whether this is a copy, made by fork(), of a job of the parent: no thread or queue of
 * this process has it. A job that has already been posted back, or has no thread, completes
 * in both processes. */
static bool is_parents(const struct cg__job *job)
{
    return job->pool && job->forks != cg__fork_count() && job->state != CG__JOB_RETURNED;
}

/* Withdraws a job whose op is cancelled, and returns its state. A queued job leaves the
 * queue. A running job is left to its thread, which frees it, if it has an abandon
 * function or if the scheduler is being freed (`stacks`). */
static enum cg__job_state leave(struct cg__job *job, struct cg_stacks *stacks)
{
    enum cg__job_state state;

    if (job->pool == NULL)
        return cg__acted_leave(job, stacks != NULL);
    pthread_mutex_lock(&job->pool->lock);
    state = job->state;
    if (state == CG__JOB_QUEUED) {
        cg__pool_unlink(job->pool, job);
    } else if (state == CG__JOB_RUNNING && (job->abandon || stacks)) {
        job->sched = NULL;
        if ((job->stacks = stacks))
            cg__stack_pool_keep(stacks);
    }
    pthread_mutex_unlock(&job->pool->lock);
    return state;
}

static enum cg_verdict offload_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_offload_op *offload = as_offload(op);
    struct cg__job *job = offload->job;
    struct cg__away away = job->away; /* its thread may free the job */
    bool copied = is_parents(job), may_be_left = copied || job->abandon;
    enum cg__job_state state = copied ? job->state : leave(job, NULL);

    if (state == CG__JOB_RETURNED || (state == CG__JOB_RUNNING && !may_be_left))
        return CG_PENDING;
    if (state == CG__JOB_QUEUED || copied)
        free(job);
    tell(offload, state == CG__JOB_QUEUED ? CG_FATE_NOT_RUN : CG_FATE_LEFT);
    cg__away_remove(&away, sched);
    return CG_DONE;
}

/* If there is no job, the op was refused, by process or because the coroutine was
 * cancelled. */
static ssize_t offload_finish(struct cg_op *op)
{
    struct cg_offload_op *offload = as_offload(op);

    if (offload->job == NULL)
        tell(offload, CG_FATE_NOT_RUN);
    offload->job = NULL;
    return op->result;
}

static int offload_print(const struct cg_op *op, char *buf, size_t size)
{
    static const char *const states[] = {"queued", "running", "returned"};
    const struct cg_offload_op *offload = as_offload(op);

    if (op->state <= CG_OP_UNHEARD)
        return snprintf(buf, size, "idle");
    /* A thread may change it now. GCC reads an index of this type without an atomic load. */
    return snprintf(buf, size, "%s", states[atomic_load(&offload->job->state)]);
}

const struct cg_op_type cg_offload_type = {
    .name = "offload",
    .process = offload_process,
    .cancel = offload_cancel,
    .finish = offload_finish,
    .print = offload_print,
};

static struct cg__job *first(const struct cg__away_list *jobs)
{
    return jobs ? CG__AWAY_OF(struct cg__job, jobs->first) : NULL;
}

static struct cg__job *next(const struct cg__job *job)
{
    return CG__AWAY_OF(struct cg__job, job->away.next);
}

static struct cg__job *find_parents(const struct cg__away_list *jobs)
{
    struct cg__job *job = first(jobs);

    while (job && !is_parents(job))
        job = next(job);
    return job;
}

/* Completes the ops whose jobs stayed in the parent. It searches from the start each time,
 * because completing an op may cancel others, which frees their jobs. */
static void part_forked(struct cg__part *jobs, struct cg_sched *sched)
{
    struct cg__job *job;

    while ((job = find_parents((struct cg__away_list *)jobs))) {
        struct cg_offload_op *offload = job->op;

        tell(offload, job->state == CG__JOB_QUEUED ? CG_FATE_NOT_RUN : CG_FATE_LEFT);
        cg__away_remove(&job->away, sched);
        free(job);
        cg_op_complete(&offload->op, -ESRCH);
    }
}

void cg__offload_count(const struct cg_sched *sched, size_t counts[CG__JOB_RETURNED + 1])
{
    const struct cg__away_list *jobs =
        (const struct cg__away_list *)sched->parts[CG__PART_JOBS];

    for (int state = 0; state <= CG__JOB_RETURNED; state++)
        counts[state] = 0;
    for (struct cg__job *job = first(jobs); job; job = next(job))
        counts[atomic_load(&job->state)]++;
}

static bool part_wait(struct cg__part *jobs, struct cg_sched *sched)
{
    if (((struct cg__away_list *)jobs)->first == NULL)
        return false;
    cg__pool_wait(sched);
    return true;
}

/* Called when the scheduler is freed: the coroutines that waited are abandoned. A function
 * that still runs may use their stacks, so the job keeps a reference until it returns. A
 * job that has already been posted back is freed when the post is dropped. */
static void part_drop(struct cg__part *jobs, struct cg_sched *sched)
{
    struct cg__away_list *list = (struct cg__away_list *)jobs;
    struct cg__job *job, *after;

    for (job = first(list); job; job = after) {
        after = next(job);
        if (is_parents(job) || leave(job, sched->stacks) == CG__JOB_QUEUED)
            free(job);
    }
    list->first = NULL;
}
