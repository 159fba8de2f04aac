/* SPDX-License-Identifier: MIT */
/* The resolver that calls the system's getaddrinfo and getnameinfo, which block, in threads.
 * A look-up cannot be interrupted: its thread counts until they return, even if the op was
 * cancelled. So each look-up is an allocated job, which may outlive its op and its
 * scheduler. Only work, look_up and post run in the thread. */
#include "config.h"

#include "lib/base/fork.h"
#include "lib/base/thread.h"
#include "sockets/resolve/records.h"
#include "sockets/resolve/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS_MOST = 8,       /* at the same time; further look-ups wait for one to end */
    THREAD_STACK = 1 << 20, /* bytes; large, since NSS modules may need any amount */
};

struct job {
    struct job *next;
    struct threads *threads;  /* used in the scheduler's thread only */
    struct cg_resolve_op *op; /* likewise; NULL: cancelled */
    struct cg_sched *sched;   /* where to post; NULL: freed, the thread frees the job */
    bool posted;
    unsigned forks; /* the fork count (fork.h) of the process that has the job's thread */
    int result;
    enum cg_resolve_kind kind;
    union cg__records found;
    struct cg_addr addr; /* the one whose names are wanted */
    char host[CG_HOST_SIZE];
};

struct threads {
    struct cg_resolver base;
    struct job *running; /* also those whose op was cancelled */
    struct job *waiting, **waiting_tail;
    unsigned count; /* of the running jobs */
};

/* Protects `sched` and `posted` of every job. It is held during a fork(), so that in the
 * child `posted` tells whether the child has a copy of the post. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void lock_jobs(void)
{
    pthread_mutex_lock(&lock);
}

static void unlock_jobs(void)
{
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
    pthread_atfork(lock_jobs, unlock_jobs, unlock_jobs);
}

/* errno tells more about EAI_SYSTEM, but the cause is always local to this host. */
static int code_of(int status)
{
    switch (status) {
    case 0:
        return 0;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
    case EAI_FAIL:
    case EAI_SYSTEM:
        return CG_ELOOKUP;
    default:
        return CG_EHOST;
    }
}

static int find_addrs(struct job *job)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int rc = code_of(getaddrinfo(job->host, NULL, &hints, &found));

    if (rc < 0)
        return rc;
    for (struct addrinfo *info = found; info != NULL; info = info->ai_next)
        cg__resolve_add(&job->found.addrs, info->ai_addr);
    freeaddrinfo(found);
    return 0;
}

static int find_name(struct job *job)
{
    int rc = code_of(getnameinfo(&job->addr.base, job->addr.len, job->host,
                                 sizeof job->host, NULL, 0, NI_NAMEREQD));

    if (rc == 0)
        cg__records_add_name(&job->found.names, job->host);
    return rc;
}

/* Returns the number of records, or an error. */
static int look_up(struct job *job)
{
    int rc = job->kind == CG_RESOLVE_PTR ? find_name(job) : find_addrs(job);

    if (rc < 0)
        return rc;
    return job->found.count > 0 ? job->found.count : CG_EHOST;
}

static void arrived(void *arg);

/* Posts the result. If there is no memory for the post, it tries again until there is:
 * nothing else would wake the op that waits. */
static bool post(struct job *job)
{
    const struct timespec pause = {.tv_nsec = 10 * CG_MILLISECOND};
    int rc = 0;

    do {
        if (rc < 0)
            nanosleep(&pause, NULL);
        lock_jobs();
        rc = job->sched != NULL ? cg_sched_post(job->sched, arrived, job) : -ESRCH;
        job->posted = rc == 0;
        unlock_jobs();
    } while (rc == -ENOMEM);
    return rc == 0;
}

static void *work(void *arg)
{
    struct job *job = arg;

    job->result = look_up(job);
    if (!post(job))
        free(job);
    return NULL;
}

static int start_thread(struct job *job)
{
    job->forks = cg__fork_count();
    return cg__thread_start(work, job, THREAD_STACK) == 0 ? 0 : CG_ELOOKUP;
}

/* Completes the op, if any, of a job that no thread works on any more, and frees the
 * job. */
static void settle(struct job *job)
{
    struct cg_resolve_op *op = job->op;
    struct cg_sched *sched = job->threads->base.sched;

    if (op != NULL) {
        if (job->result > 0)
            cg__records_store(op, &job->found);
        cg_sched_unhold(sched);
        cg_op_complete(&op->op, job->result);
    }
    free(job);
}

static void add_waiting(struct threads *threads, struct job *job)
{
    job->next = NULL;
    *threads->waiting_tail = job;
    threads->waiting_tail = &job->next;
}

static struct job *take_waiting(struct threads *threads)
{
    struct job *job = threads->waiting;

    threads->waiting = job->next;
    if (threads->waiting == NULL)
        threads->waiting_tail = &threads->waiting;
    return job;
}

/* Starts threads for waiting jobs. If no further thread can be started, the jobs wait for
 * the running ones; if none runs, they fail. */
static void start_waiting(struct threads *threads)
{
    while (threads->waiting != NULL && threads->count < THREADS_MOST) {
        struct job *job = threads->waiting;
        int rc = start_thread(job);

        if (rc < 0 && threads->count > 0)
            return;
        take_waiting(threads);
        if (rc < 0) {
            job->result = rc;
            settle(job);
            continue;
        }
        job->next = threads->running;
        threads->running = job;
        threads->count++;
    }
}

static void arrived(void *arg)
{
    struct job *job = arg;
    struct threads *threads = job->threads;
    struct job **at = &threads->running;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    threads->count--;
    lock_jobs(); /* wait until the thread has returned from cg_sched_post */
    unlock_jobs();
    settle(job);
    start_waiting(threads);
}

static enum cg_verdict thread_start(struct cg_resolver *resolver,
                                    struct cg_resolve_op *op)
{
    struct threads *threads = (struct threads *)resolver;
    struct job *job = calloc(1, sizeof *job);

    op->result = -ENOMEM;
    if (job == NULL)
        return CG_DONE;
    job->threads = threads;
    job->op = op;
    job->sched = resolver->sched;
    job->kind = op->kind;
    if (op->kind == CG_RESOLVE_PTR)
        cg__records_addr(op->host, &job->addr);
    else
        strcpy(job->host, op->host); /* fits: the caller has checked its length */
    op->lookup = job;
    add_waiting(threads, job);
    cg_sched_hold(resolver->sched);
    start_waiting(threads);
    return CG_PENDING;
}

static void thread_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    struct threads *threads = (struct threads *)resolver;
    struct job *job = op->lookup, **at = &threads->waiting;

    job->op = NULL;
    cg_sched_unhold(resolver->sched);
    while (*at != NULL && *at != job)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = job->next;
    if (*at == NULL)
        threads->waiting_tail = at;
    free(job);
}

/* Whether the job's thread exists only in the parent, so that its result will not arrive.
 * A result that was posted before the fork arrives in the child, too. */
static bool is_lost(const struct job *job)
{
    return job->forks != cg__fork_count() && !job->posted;
}

/* Starts the look-ups of lost jobs again. */
static void thread_forked(struct cg_resolver *resolver)
{
    struct threads *threads = (struct threads *)resolver;
    struct job *job, **at = &threads->running;

    while ((job = *at) != NULL) {
        if (!is_lost(job)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        threads->count--;
        job->found.count = 0; /* the parent's thread may have begun to fill it */
        if (job->op != NULL)
            add_waiting(threads, job);
        else
            free(job);
    }
    start_waiting(threads);
}

static void thread_close(struct cg_resolver *resolver)
{
    struct threads *threads = (struct threads *)resolver;

    while (threads->waiting != NULL)
        free(take_waiting(threads));
    while (threads->running != NULL) {
        struct job *job = threads->running;
        bool ours;

        threads->running = job->next;
        lock_jobs();
        ours = job->posted || is_lost(job);
        job->sched = NULL;
        unlock_jobs();
        if (ours)
            free(job);
    }
    free(threads);
}

static const struct cg_resolver_type thread_type = {
    .name = "thread",
    .start = thread_start,
    .cancel = thread_cancel,
    .close = thread_close,
    .forked = thread_forked,
    .kinds = 1 << CG_RESOLVE_PTR,
};

int cg__resolve_thread_open(const struct cg_resolver_options *options,
                            struct cg_resolver **resolver)
{
    struct threads *threads;

    if (options->servers != NULL || options->resolv_conf != NULL)
        return -EOPNOTSUPP;
    threads = calloc(1, sizeof *threads);
    if (threads == NULL)
        return -ENOMEM;
    pthread_once(&fork_once, watch_forks);
    threads->base.type = &thread_type;
    threads->waiting_tail = &threads->waiting;
    *resolver = &threads->base;
    return 0;
}
