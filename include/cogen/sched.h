/* SPDX-License-Identifier: MIT */
/* The scheduler: runs coroutines, keeps the time, hands operations to a reactor. It belongs
 * to the thread that first runs it; only cg_sched_post, cg_sched_stop and
 * cg_sched_post_signal may be called from others. See cg_sched(3). */
#ifndef COGEN_SCHED_H
#define COGEN_SCHED_H

#include <cogen/coro.h>

struct cg_reactor;

struct cg_sched_options {
    int64_t timeout;   /* default for waits on sockets, descriptors and signals; 0: CG_NEVER */
    int64_t grace;     /* how long a stopped run waits for coroutines to end; 0: 5 s */
    size_t stack_size; /* default for coroutines, bytes; 0: 64 KiB (more under ASan) */
    uint8_t prio;      /* enum cg_prio for ops that name none; 0: CG_PRIO_LAST */
    void *reserved;
};

enum {
    CG_FAILED_LINES = 10, /* about failed coroutines that stderr takes at once, see below */
};

/* What is told of a coroutine that has failed: cg_coro_name and cg_coro_result ask it. */
typedef void cg_failed_fn(void *arg, struct cg_coro *coro);

/* Something that is kept with a scheduler and freed with it (a resolver, a pool of
 * connections), embedded in what it is. The keeper sets key and free. */
struct cg_kept {
    struct cg_kept *next;
    const void *key; /* what it is found by: the address of anything static */
    /* The scheduler is being freed: its coroutines have ended, its reactor is still open;
     * what this posts or starts is never run. */
    void (*free)(struct cg_kept *kept);
};

CG_EXTERN_C_BEGIN

/* A new scheduler on an open reactor, which is borrowed and must outlive it. NULL: no
 * memory. The options are copied; NULL means all defaults. */
CG_API struct cg_sched *cg_sched_new_with(struct cg_reactor *reactor,
                                          const struct cg_sched_options *options);

/* Cancels the coroutines that are left, runs until they have ended (at most the grace
 * period), and frees everything. A coroutine that outlasts even that is abandoned: its
 * stack is freed (if it waits in cg_offload, once its function has returned), its clean-up
 * never runs, and a line on stderr names it. NULL is ignored. */
CG_API void cg_sched_free(struct cg_sched *sched);

/* Starts a coroutine, from outside coroutines as well as inside: it will run fn(arg). The
 * options are copied (NULL: all defaults). 0, -EINVAL or -ENOMEM. */
CG_API int cg_sched_start_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                               const struct cg_coro_options *options);

/* Runs until nothing is runnable, no I/O is pending, no timer is set and nothing holds the
 * run open, or until cg_sched_stop. Answers the number of coroutines that still wait: 0 is
 * a clean end; otherwise they can never wake (a deadlock) or did not end in the grace
 * period after a stop; cg_coro_next lists them. Negative: the reactor failed, -EBUSY from
 * within a run, -EPERM on another thread than the one that runs the scheduler. */
CG_API ssize_t cg_sched_run(struct cg_sched *sched);

/* All of it in one call, for programs: opens the reactor (NULL: see cg_reactor_open), runs
 * fn(arg) as a coroutine and whatever it starts until nothing is left, and frees it all.
 * Answers what fn returned; -EDEADLK if fn itself can never go on; -ECANCELED if it did not
 * end within the grace period after cg_sched_stop; or why it could not begin (for a reactor
 * that was named and cannot be had, stderr has the reason in words). Coroutines that can
 * never go on are listed on stderr, with what they wait for, and cancelled, also if fn has
 * returned: end them (close their queue, cancel them) where that is no mistake. */
CG_API ssize_t cg_main(const char *reactor, cg_fn *fn, void *arg);

/* A turn, or two if the first woke somebody: runs what is due and runnable and looks at the
 * reactor, waiting at most timeout ns (0: not at all, CG_NEVER: without limit), but only if
 * there was nothing to run; leaves nothing unsubmitted. Answers 1 while there is something
 * to wait for, 0 once cg_sched_run would return, or a negative code as cg_sched_run. */
CG_API int cg_sched_step(struct cg_sched *sched, int64_t timeout);

/* How long a foreign loop may sleep before it must call cg_sched_step again: 0 to CG_NEVER
 * ns. */
CG_API int64_t cg_sched_timeout(struct cg_sched *sched);

/* A descriptor that polls readable when cg_sched_step has work, for foreign loops: epoll,
 * kqueue and io_uring have one; -EOPNOTSUPP elsewhere. Owned by the reactor. */
CG_API int cg_sched_fd(struct cg_sched *sched);

/* Ends the run: every coroutine is cancelled and has the grace period to end. Called a
 * second time, the grace period ends. Safe in signal handlers and from other threads. */
CG_API void cg_sched_stop(struct cg_sched *sched);

/* Whether cg_sched_stop ended the last cg_sched_run. */
CG_API bool cg_sched_stopped(const struct cg_sched *sched);

/* Has fn(arg) called in the scheduler's thread, soon and outside any coroutine; from any
 * thread (not from signal handlers). Posts from one thread are run in order; those that the
 * scheduler is freed before are dropped. A run that
 * should stay open for posts to come is held open with cg_sched_hold. 0 or -ENOMEM. */
CG_API int cg_sched_post(struct cg_sched *sched, void (*fn)(void *arg), void *arg);

/* Holds the run open: cg_sched_run does not return while holds are left (after
 * cg_sched_stop only for the grace period; on the sim reactor only if its world has
 * .threads). Scheduler's thread only. */
CG_API void cg_sched_hold(struct cg_sched *sched);
CG_API void cg_sched_unhold(struct cg_sched *sched);

/* Says what is told of coroutines that fail unnoticed. fn(arg, coro) is called outside any
 * coroutine, in the turn after the last reference to such a coroutine has gone, at the
 * latest by cg_sched_free. It fails unnoticed if it ends with a negative result that nobody
 * takes: no cg_join, no cg_coro_result, nobody who holds the future of a task when it ends,
 * and no group, which takes the first failure, those whose .answer is wanted, and, unless
 * .keep_going, all. -ECANCELED is no failure: somebody has asked for it. fn may start
 * coroutines; coro is borrowed, cg_coro_ref keeps it; arg must live as long as the
 * scheduler.
 *   NULL restores the default: a line "cogen: coroutine NAME failed: TEXT" on stderr. Ten
 * (CG_FAILED_LINES) are written at once, then one a second, so that strangers who make
 * coroutines fail do not flood it; a line counts those that are left out. */
CG_API void cg_sched_set_failed(struct cg_sched *sched, cg_failed_fn *fn, void *arg);

/* The turn's clock, ns: the moment of the last look at the reactor. */
CG_API int64_t cg_sched_now(const struct cg_sched *sched);

/* The scheduler of the calling coroutine; NULL outside. */
CG_API struct cg_sched *cg_sched_self(void);

/* The reactor the scheduler was made with. */
CG_API struct cg_reactor *cg_sched_reactor(const struct cg_sched *sched);

/* Keeps something with the scheduler: kept->free(kept) is called when that is freed, the
 * latest first. Scheduler's thread only. */
CG_API void cg_sched_keep(struct cg_sched *sched, struct cg_kept *kept);

/* What is kept under a key, the latest; NULL: nothing. */
CG_API struct cg_kept *cg_sched_kept(const struct cg_sched *sched, const void *key);

CG_EXTERN_C_END

#ifndef __cplusplus
/* The same with keyword arguments: cg_sched_new(reactor, .timeout = 30 * CG_SECOND),
 * cg_sched_start(sched, fn, arg, .name = "server"). */
#define cg__sched_new(reactor, ...)                                                        \
    cg_sched_new_with(reactor, CG__OPTIONS(struct cg_sched_options, __VA_ARGS__))
#define cg_sched_new(...) cg__sched_new(__VA_ARGS__, )
#define cg__sched_start(sched, fn, arg, ...)                                               \
    cg_sched_start_with(sched, fn, arg, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__))
#define cg_sched_start(...) cg__sched_start(__VA_ARGS__, )
#endif
#endif
