/* SPDX-License-Identifier: MIT */
/* The scheduler: runs coroutines, keeps the time, passes operations to a reactor. It
 * belongs to the thread that first runs it; other threads may call only cg_sched_post,
 * cg_sched_stop and cg_sched_post_signal. See cg_sched(3). */
#ifndef COGEN_SCHED_H
#define COGEN_SCHED_H

#include <cogen/coro.h>

struct cg_reactor;

struct cg_sched_options {
    int64_t timeout;   /* ns, default of waits on sockets, descriptors, signals; 0: none */
    int64_t grace;     /* ns, how long a stopped run waits for coroutines to end; 0: 5 s; CG_NEVER:
                        * without limit */
    size_t stack_size; /* default for coroutines, bytes; 0: 64 KiB (more under ASan) */
    uint8_t prio;      /* enum cg_prio of ops without .prio; 0: CG_PRIO_LAST */
    bool debug;        /* reports what is left locked, open or referenced: see cogen-debug(7) */
    int64_t hog;       /* ns: a coroutine that runs or blocks for so long without yielding is named
                        * on stderr; 0: as $COGEN_HOG says; negative: none. See cogen-debug(7) */
    unsigned trace;    /* how many events it keeps for cg_trace_write; 0: none */
    bool metrics;      /* counts what it does: see cogen/metrics.h */
    void *reserved;
};

enum {
    CG_FAILED_LINES = 10, /* lines about failed coroutines at once: cg_sched_set_failed */
};

/* Called for a coroutine that has failed; query it with cg_coro_name and cg_coro_result. */
typedef void cg_failed_fn(void *arg, struct cg_coro *coro);

/* Something that lives as long as a scheduler (a resolver, a connection pool), embedded in
 * its own struct. Its owner sets all fields except next. */
struct cg_kept {
    struct cg_kept *next;
    const void *key; /* the address of anything static; cg_sched_kept searches for it */
    /* Called while the scheduler is being freed: its coroutines have ended, its reactor is
     * still open. What this posts or starts does not run. */
    void (*free)(struct cg_kept *kept);
    /* Called once in each child made by fork() that runs its copy of the scheduler, in the
     * first turn, after the coroutines: restarts the work of the parent's threads, and
     * replaces kernel objects that are shared with the parent. May be NULL. */
    void (*forked)(struct cg_kept *kept);
};

CG_EXTERN_C_BEGIN

/* Makes a scheduler on an open reactor, which is borrowed and must outlive it. The options
 * are copied (NULL: all defaults). Returns NULL if there is no memory. Free it with
 * cg_sched_free. */
CG_API struct cg_sched *cg_sched_new_with(struct cg_reactor *reactor,
                                          const struct cg_sched_options *options);

/* Cancels the remaining coroutines, runs until they have ended (at most for the grace
 * period), and frees everything. A coroutine that has not ended by then is abandoned: its
 * stack is freed (if it waits in cg_offload, once its function has returned), its clean-up
 * never runs, and a line on stderr names it. NULL is ignored. */
CG_API void cg_sched_free(struct cg_sched *sched);

/* Starts a coroutine that will run fn(arg), inside or outside coroutines. The options are
 * copied (NULL: all defaults). Returns 0, -EINVAL or -ENOMEM. */
CG_API int cg_sched_start_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                               const struct cg_coro_options *options);

/* Runs until no coroutine is ready, no I/O is pending, no timer is set and nothing holds
 * the run open; or until cg_sched_stop. Returns the number of coroutines that still wait.
 * 0 is a clean end; otherwise they can never wake (a deadlock) or did not end within the
 * grace period after a stop; cg_coro_next lists them. Returns a negative code if the
 * reactor failed, -EBUSY inside a run, -EPERM on another thread than the scheduler's. */
CG_API ssize_t cg_sched_run(struct cg_sched *sched);

/* All in one call, for programs: opens the reactor (NULL: see cg_reactor_open), runs
 * fn(arg) as a coroutine and whatever it starts until nothing remains, and frees
 * everything. Returns what fn returned, or:
 *   -EDEADLK    fn itself can never continue
 *   -ECANCELED  fn did not end within the grace period after cg_sched_stop
 *   other       why it could not start or go on: a line on stderr has the reason
 * Coroutines that can never continue are cancelled and listed on stderr with what they wait
 * for, also if fn has returned. Where such coroutines are intended, end them: close the
 * queue that they read, or cancel them. */
CG_API ssize_t cg_main(const char *reactor, cg_fn *fn, void *arg);

/* Makes one turn, or two if the first woke a coroutine: runs due timers, posts and ready
 * coroutines, and polls the reactor. Waits at most timeout ns (0: not at all, CG_NEVER: no
 * limit), and only if there was nothing to run. Submits all pending requests. Returns 1 if
 * there is something to wait for, 0 if cg_sched_run would return, or a negative code as
 * cg_sched_run does. */
CG_API int cg_sched_step(struct cg_sched *sched, int64_t timeout);

/* How long a foreign loop may sleep before it must call cg_sched_step again, in ns: 0 to
 * CG_NEVER. */
CG_API int64_t cg_sched_timeout(struct cg_sched *sched);

/* For foreign loops: a descriptor that is readable when cg_sched_step has work. Belongs to
 * the reactor. Returns -EOPNOTSUPP unless the reactor is epoll, kqueue or io_uring. */
CG_API int cg_sched_fd(struct cg_sched *sched);

/* Ends the run: every coroutine is cancelled and has the grace period to end. A second call
 * ends the grace period. Safe in signal handlers and from other threads: if the run ends
 * and the scheduler is freed before the call has returned, cg_sched_free waits for it. */
CG_API void cg_sched_stop(struct cg_sched *sched);

/* Whether cg_sched_stop ended the last cg_sched_run. */
CG_API bool cg_sched_stopped(const struct cg_sched *sched);

/* Has fn(arg) called in the scheduler's thread, soon and outside any coroutine. May be
 * called from any thread, but not from signal handlers. Posts from one thread run in order.
 * They do not hold the run open (cg_sched_hold does); those still queued when the scheduler
 * is freed are dropped. What fn does may end the run before this call has returned:
 * cg_sched_free then waits for it. Returns 0 or -ENOMEM. */
CG_API int cg_sched_post(struct cg_sched *sched, void (*fn)(void *arg), void *arg);

/* Holds the run open: cg_sched_run does not return until each hold has its unhold (after
 * cg_sched_stop: or the grace period is over; on the sim reactor only if its world has
 * .threads). Scheduler's thread only. */
CG_API void cg_sched_hold(struct cg_sched *sched);
CG_API void cg_sched_unhold(struct cg_sched *sched);

/* Sets the function that is called for coroutines that fail unnoticed: fn(arg, coro), in
 * the turn after the last reference to the coroutine was released, at the latest in
 * cg_sched_free, and outside any coroutine. coro is borrowed (cg_coro_ref keeps it); arg
 * must live as long as the scheduler; fn may start coroutines. A coroutine fails unnoticed
 * if it ends with a negative code other than -ECANCELED and nobody takes the result. These
 * take it:
 *   - cg_join and cg_coro_result
 *   - the holder of a task's future when the task ends
 *   - a group: the first failure, those whose .returned is set, and all unless .keep_going
 * With fn NULL the default is restored: a line "cogen: coroutine NAME failed: TEXT" on
 * stderr. At most CG_FAILED_LINES lines are written at once, then one a second, so that
 * remote peers cannot flood the log; a line counts those that were left out. */
CG_API void cg_sched_set_failed(struct cg_sched *sched, cg_failed_fn *fn, void *arg);

/* Sets how late the scheduler may be, in ns, 0 (the default) to CG_SECOND: before it waits
 * for the reactor it adds so much to the moment of the next timer, and runs all timers that
 * are due when it wakes. So timeouts and sleeps that end at about the same time cost one
 * wake-up. None is early, and their order stays. Returns 0 or -EINVAL. */
CG_API int cg_sched_set_slack(struct cg_sched *sched, int64_t slack);

/* The turn's clock, in ns: the moment of the last poll of the reactor. */
CG_API int64_t cg_sched_now(const struct cg_sched *sched);

/* The scheduler of the calling coroutine; NULL outside coroutines. */
CG_API struct cg_sched *cg_sched_self(void);

/* The reactor that the scheduler was made with. */
CG_API struct cg_reactor *cg_sched_reactor(const struct cg_sched *sched);

/* Attaches `kept` to the scheduler. When that is freed, kept->free(kept) is called, latest
 * first. Scheduler's thread only. */
CG_API void cg_sched_keep(struct cg_sched *sched, struct cg_kept *kept);

/* The latest attachment with this key; NULL: none. */
CG_API struct cg_kept *cg_sched_kept(const struct cg_sched *sched, const void *key);

CG_EXTERN_C_END

#ifndef __cplusplus
/* Macro forms of cg_sched_new_with and cg_sched_start_with that take the options as
 * keywords, as in cg_sched_new(reactor, .timeout = 30 * CG_SECOND) and
 * cg_sched_start(sched, fn, arg, .name = "server"). */
#define cg__sched_new(reactor, ...)                                                        \
    cg_sched_new_with(reactor, CG__OPTIONS(struct cg_sched_options, __VA_ARGS__))
#define cg_sched_new(...) cg__sched_new(__VA_ARGS__, )
#define cg__sched_start(sched, fn, arg, ...)                                               \
    cg_sched_start_with(sched, fn, arg, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__))
#define cg_sched_start(...) cg__sched_start(__VA_ARGS__, )
#endif
#endif
