/* SPDX-License-Identifier: MIT */
/* The scheduler's own struct, for the files of lib/. */
#ifndef COGEN_LIB_CORE_SCHED_H
#define COGEN_LIB_CORE_SCHED_H

#include "lib/core/coro.h"
#include "lib/core/failed.h"
#include "lib/base/fork.h"
#include "lib/base/probe.h"
#include "lib/core/trim.h"
#include "lib/core/observe.h"
#include "lib/core/order.h"
#include "lib/core/part.h"
#include "lib/core/post.h"
#include "lib/core/ready.h"
#include "lib/stacks/stack.h"
#include "lib/core/timers.h"

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
    CG__TURN_RESUMPTIONS = 64, /* at most in a turn */
    CG__TURN_CLOCK = 8,        /* resumptions before the clock is read first */
    CG__TURNS_UNLOOKED = 15,   /* turns that skip a reactor for which nobody waits */
    CG__BUDGET = 64 * 1024,    /* bytes a coroutine may move before others run */
    CG__BUDGET_STEP = 4 * 1024, /* the least that an immediate completion costs */
    CG__TRIM = 16,             /* stacks trimmed in a turn before a sleep */
};

#define CG__TURN_LENGTH (200 * CG_MICROSECOND)
#define CG__GRACE (5 * CG_SECOND)
#define CG__IDLE (5 * CG_SECOND) /* after so long a wait a grown stack is trimmed */

/* A deferred call that has something to free if the scheduler is freed before it is made:
 * drop is called instead. deferred.droppable is set. */
struct cg__call {
    struct cg_deferred deferred;
    void (*drop)(struct cg__call *call);
};

struct cg_sched {
    struct cg_context ctx; /* of the loop */
    struct cg__ready ready;
    struct cg__debug *debug; /* NULL: the debug mode is off */
    struct cg_reactor *reactor;
    struct cg_worker *worker; /* of a crew; NULL: of none */
    int64_t now;
    unsigned ran;      /* resumptions in this turn */
    unsigned most;     /* resumptions after which this turn ends */
    bool unusual;      /* there is an order or an observer: cg__sched_choose is to be called */
    cg_fn *left_fn;    /* of the coroutine that was suspended last; NULL: the loop ran */
    unsigned unlooked; /* turns since the reactor was last polled */
    struct cg_coro *dead; /* has finished; the next one to run frees its stack */
    struct cg_coro *first, *last; /* all coroutines that have not finished */
    size_t count;                 /* of them, without internal ones */
    uint64_t started;             /* coroutines so far */
    size_t holds;
    size_t socks;                 /* sockets that were opened and whose memory is not freed */
    struct cg_starter *starters;  /* all of them */
    struct cg__order *order;      /* NULL: the usual one */
    struct cg__observe *observe;  /* NULL: nobody observes it */
    struct cg_stacks *stacks;
    struct cg__trim idle;
    struct cg_sched_options options;
    struct cg__timers timers;
    int64_t slack; /* how late timers may be, ns */
    struct cg__part *parts[CG__PARTS]; /* NULL: not needed yet */
    struct cg_kept *kept; /* the latest first */
    struct cg_deferred *deferred, **deferred_tail;
    struct cg_scope *ended, **ended_tail; /* scopes whose waits must be cancelled */
    bool reaching;                        /* the list `ended` is being processed */
    struct cg__failed failed;
    pthread_t thread;
    bool bound;    /* thread is set */
    bool running;  /* within cg_sched_step or cg_sched_run */
    bool stopping; /* all coroutines have been cancelled */
    bool stopped;  /* cg_sched_stop ended the last run */
    int64_t grace_end;
    atomic_int stops;                 /* calls of cg_sched_stop */
    _Atomic(struct cg__post *) posts; /* the newest first */
    struct cg__post asked; /* posted by the signal that asks for a dump */
    _Atomic int64_t asked_at; /* when that was, by the monotonic clock; 0: not posted */
    atomic_bool is_urged;     /* its thread was sent the signal, to say what keeps it */
    atomic_int inside;  /* callers of cg__post_enter that have not left */
    atomic_bool refuses; /* no run will follow: see cg__errand_refuse */
    int inside_forever; /* how many of them are threads of a parent: see cg__post_forked */
    atomic_uint forks; /* the fork count (fork.h) of the process that runs it */
    unsigned left_at;  /* the fork count at which parts were last told of a fork */
};

/* Whether this is a child made by fork() that has not run the scheduler itself. From any
 * thread or signal handler. */
static inline bool cg__sched_is_parents(struct cg_sched *sched)
{
    return atomic_load_explicit(&sched->forks, memory_order_relaxed) != cg__fork_count();
}

/* Puts a coroutine into the ready queue. */
static inline void cg__sched_ready(struct cg_sched *sched, struct cg_coro *coro, bool first)
{
    coro->state = CG_CORO_READY;
    cg__ready_put(&sched->ready, coro, first);
}

/* Moves a coroutine that has exhausted its budget to the end of the queue. Unless its op
 * was local, the turn ends before the coroutine runs again: other sockets may have
 * become ready, and their coroutines are not in the queue yet. */
static inline void cg__sched_spent(struct cg_sched *sched, struct cg_coro *coro, bool local)
{
    size_t before = cg__ready_count(&sched->ready);

    if (!local && sched->most - sched->ran > before)
        sched->most = sched->ran + (unsigned)before;
    cg__sched_ready(sched, coro, false);
}

/* Cancels what is left after a run, and runs until that has ended, for the grace period at
 * most. */
void cg__sched_end(struct cg_sched *sched);

/* Ends the turn if it takes too long. */
void cg__sched_watch(struct cg_sched *sched);

/* Before a coroutine is taken: lets the order choose it, and tells the observers. */
void cg__sched_choose(struct cg_sched *sched);

/* Takes the next coroutine to run out of the queue; NULL: this turn is over. Always inline,
 * because gcc takes the text of a probe for many instructions. */
static inline __attribute__((always_inline)) struct cg_coro *
cg__sched_next(struct cg_sched *sched)
{
    struct cg_coro *coro;

    if (cg__ready_empty(&sched->ready) || sched->ran == sched->most)
        return NULL;
    sched->ran++;
    if ((sched->ran & (sched->ran - 1)) == 0 && sched->ran >= CG__TURN_CLOCK)
        cg__sched_watch(sched);
    if (sched->unusual)
        cg__sched_choose(sched);
    coro = cg__ready_take(&sched->ready);
    coro->state = CG_CORO_RUNNING;
    coro->budget = CG__BUDGET;
    CG__PROBE(resume, coro, coro->name, coro->id);
    return coro;
}

/* Frees the stack of the coroutine that ended last. The next coroutine, or the loop, calls
 * this: a coroutine cannot free the stack on which it runs. */
static inline void cg__sched_bury(struct cg_sched *sched)
{
    if (sched->dead) {
        cg_coro_unref(sched->dead);
        sched->dead = NULL;
    }
}

/* Reads the clock; cg_sched_now is the time at which the turn began. */
static inline int64_t cg__sched_clock(const struct cg_sched *sched)
{
    return sched->reactor->type->now(sched->reactor);
}

#endif
