/* SPDX-License-Identifier: MIT */
/* Functions that block (name look-ups, disks, other libraries) run in threads while the
 * scheduler continues. See cg_offload(3). */
#ifndef COGEN_OFFLOAD_H
#define COGEN_OFFLOAD_H

#include <cogen/coro.h>

struct cg_pool;
struct cg_offload_op;

enum {
    CG_POOL_THREADS = 16,  /* most threads of the process's own pool */
    CG_POOL_QUEUE = 65536, /* most functions that wait there for a thread */
};

/* What happened to the function, and so to its argument. */
enum cg_fate {
    CG_FATE_NOT_RUN, /* it was not called and will not be */
    CG_FATE_RAN,     /* it has returned */
    CG_FATE_LEFT,    /* it still runs and owns the argument, see .abandon; or it was running
                      * when the process forked, and this is the child */
};

CG_EXTERN_C_BEGIN

/* Makes a pool of at most `threads` threads, which start when there is work and end when
 * idle for 5 s, with a queue of at most `queue` functions that wait for a thread. Use one
 * for functions that must not delay others, or be delayed by them: all that name no pool
 * share the process's own. Any number of schedulers may use a pool. With 0 threads the
 * coroutine itself calls each function at once, on its stack: for simulations that must be
 * exactly repeatable. Returns NULL if there is no memory. */
CG_API struct cg_pool *cg_pool_new(unsigned threads, size_t queue);

/* Frees a pool; no op may be waiting for it. A function that was left running keeps its
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

/* cg_offload(fn, arg): runs fn(arg) in a thread of a pool and completes with what it
 * returns. fn may block. It may use nothing of a scheduler but cg_sched_post and
 * cg_sched_stop, and cannot yield (-EPERM). Holds the run open. Keywords:
 *   .pool     the pool; NULL: the process's own
 *   .abandon  allows to leave a running function behind: when it has returned, abandon(arg)
 *             is called in its thread and owns arg
 *   .fate     &fate, an enum cg_fate: set to what has happened to fn when the op completes
 * If it times out or is cancelled, a function that still waits for a thread is taken back
 * (traceless). A running one cannot be stopped: the op completes, with the reason, when fn
 * has returned; with .abandon it completes at once, with CG_FATE_LEFT, and arg is not the
 * caller's any more. If fn runs longer than the grace period of a stopped run,
 * cg_sched_free leaves it behind: the coroutine's stack is kept until fn returns, but fn
 * must not use the scheduler any more.
 *   -EAGAIN   the queue is full, or no thread could be started
 *   -ESRCH    this process is a child made by fork(): fn stays with the parent and its
 *             threads
 *   -ENOMEM
 *   -EINVAL   fn is NULL */
#define cg_offload(...) cg__offload(__VA_ARGS__, )
#define cg__offload(f, a, ...) CG_OP(cg_offload, .fn = (f), .arg = (a), __VA_ARGS__)

#endif
#endif
