/* SPDX-License-Identifier: MIT */
/* Functions that block (name look-ups, disks, other people's libraries), run in threads
 * while the scheduler goes on. See cg_offload(3). */
#ifndef COGEN_OFFLOAD_H
#define COGEN_OFFLOAD_H

#include <cogen/coro.h>

struct cg_pool;
struct cg_offload_op;

enum {
    CG_POOL_THREADS = 16,  /* of the process's own pool, at most */
    CG_POOL_QUEUE = 65536, /* functions that may wait there for a thread */
};

/* What has become of the function, and so of its argument. */
enum cg_fate {
    CG_FATE_NOT_RUN, /* it has not been called and will not be */
    CG_FATE_RAN,     /* it has returned */
    CG_FATE_LEFT,    /* it is still running and has the argument: see .abandon; or it was
                      * running when the process forked, and this is the child */
};

CG_EXTERN_C_BEGIN

/* A pool of at most so many threads, which are started when there is work and end when they
 * have been idle for 5 s, and of a queue of at most so many functions that wait for one.
 * For what must not starve others, or not be starved: the process's own is shared by all
 * that name none. Any number of schedulers may use it. With 0 threads each function is
 * called at once, by the coroutine itself, on its stack: for simulations that are to be
 * repeated exactly. NULL: no memory. */
CG_API struct cg_pool *cg_pool_new(unsigned threads, size_t queue);

/* Gives it back; no op may be waiting for it. A function that was left behind keeps its
 * thread until it returns. NULL is ignored. */
CG_API void cg_pool_free(struct cg_pool *pool);

extern CG_API const struct cg_op_type cg_offload_type;

CG_EXTERN_C_END

#ifndef __cplusplus

struct cg__job;

struct cg_offload_op {
    CG_OP_HEAD;
    cg_fn *fn;
    void *arg;
    struct cg_pool *pool;
    void (*abandon)(void *arg);
    enum cg_fate *fate;
    struct cg__job *job;
};

/* cg_offload(fn, arg): runs fn(arg) in a thread of a pool, and answers what it returns. fn
 * may block; it may not use anything of a scheduler but cg_sched_post and cg_sched_stop,
 * and yields nothing (-EPERM). Holds the run open. Keywords:
 *   .pool     where; NULL: the process's own
 *   .abandon  a running function may be left behind: abandon(arg) is called in its thread
 *             when it has returned, and owns arg from then on
 *   .fate     &fate, an enum cg_fate: what has become of fn and arg when this answers
 * Timed out or cancelled: a function that still waits for a thread is taken back
 * (traceless). One that runs cannot be stopped: the op ends when it has returned, with the
 * reason for its answer; with .abandon at once, CG_FATE_LEFT, and arg is not the caller's
 * any more. If it outlasts the grace period of a stopped run, cg_sched_free leaves it
 * behind: the coroutine's stack stays until fn returns, but fn may not use the scheduler
 * any more. -EAGAIN: the queue is full, or no thread could be started; -ESRCH: this is a
 * child made by fork(), and fn stays with the parent, whose threads the child does not
 * have; -ENOMEM; -EINVAL: no * fn. */
#define cg_offload(...) cg__offload(__VA_ARGS__, )
#define cg__offload(f, a, ...) CG_OP(cg_offload, .fn = (f), .arg = (a), __VA_ARGS__)

#endif
#endif
