/* SPDX-License-Identifier: MIT */
/* The scheduler's own struct, for the files of lib/. */
#ifndef COGEN_LIB_CORE_SCHED_H
#define COGEN_LIB_CORE_SCHED_H

#include "lib/core/coro.h"
#include "lib/core/failed.h"
#include "lib/base/fork.h"
#include "lib/core/trim.h"
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
    CG__TURN_RESUMPTIONS = 64, /* then the reactor and the timers are looked at */
    CG__TURN_CLOCK = 8,        /* resumptions before the first look at the clock */
    CG__TURNS_UNLOOKED = 15,   /* turns without a look at a reactor that nobody waits for */
    CG__BUDGET = 64 * 1024,    /* bytes a coroutine may move before others run */
    CG__BUDGET_STEP = 4 * 1024, /* what an immediate completion counts at least: 16 do */
    CG__TRIM = 16,             /* stacks handed or cut back before a sleep */
};

#define CG__TURN_LENGTH (200 * CG_MICROSECOND)
#define CG__GRACE (5 * CG_SECOND)
#define CG__IDLE (5 * CG_SECOND) /* then a stack that has grown is cut back */

/* A deferred call that has something to free if the scheduler is freed before it is made:
 * drop is called instead. deferred.droppable is set. */
struct cg__call {
    struct cg_deferred deferred;
    void (*drop)(struct cg__call *call);
};

struct cg_sched {
    struct cg_context ctx; /* of the loop */
    struct cg__ready ready;
    struct cg_reactor *reactor;
    int64_t now;
    unsigned ran;      /* resumptions in this turn, */
    unsigned most;     /* and after how many it is over */
    cg_fn *left_fn;    /* of the coroutine that was suspended last; NULL: the loop ran then */
    unsigned unlooked; /* turns since the last look at the reactor */
    struct cg_coro *dead; /* has finished; whoever runs next frees its stack */
    struct cg_coro *first, *last; /* all that have not finished */
    size_t count;                 /* of them, internal ones left out */
    size_t holds;
    struct cg_stacks *stacks;
    struct cg__trim idle;
    struct cg_sched_options options;
    struct cg__timers timers;
    struct cg__part *parts[CG__PARTS]; /* NULL: not needed yet */
    struct cg_kept *kept; /* the latest first */
    struct cg_deferred *deferred, **deferred_tail;
    struct cg_scope *ended, **ended_tail; /* scopes whose end has yet to reach what is inside */
    bool reaching;                        /* it does just now */
    struct cg__failed failed;
    pthread_t thread;
    bool bound;    /* thread is set */
    bool running;  /* within cg_sched_step or cg_sched_run */
    bool stopping; /* all coroutines have been cancelled */
    bool stopped;  /* so it was in the last run */
    int64_t grace_end;
    atomic_int stops;                 /* calls of cg_sched_stop */
    _Atomic(struct cg__post *) posts; /* the newest first */
    atomic_uint forks; /* the count (fork.h) of the process that runs it, */
    unsigned left_at;  /* and that at which threads' work was last left to the parent */
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

/* Puts a coroutine that has used up its budget to the end of the queue. If that went to the
 * kernel, the turn ends before it runs again: those whose sockets became ready meanwhile
 * are not in the queue yet. Between coroutines nothing can have happened that is not. */
static inline void cg__sched_spent(struct cg_sched *sched, struct cg_coro *coro, bool local)
{
    size_t before = cg__ready_count(&sched->ready);

    if (!local && sched->most - sched->ran > before)
        sched->most = sched->ran + (unsigned)before;
    cg__sched_ready(sched, coro, false);
}

/* Ends the turn if it takes too long. */
void cg__sched_watch(struct cg_sched *sched);

/* Takes the next coroutine to run out of the queue; NULL: this turn is over. */
static inline struct cg_coro *cg__sched_next(struct cg_sched *sched)
{
    struct cg_coro *coro;

    if (cg__ready_empty(&sched->ready) || sched->ran == sched->most)
        return NULL;
    sched->ran++;
    if ((sched->ran & (sched->ran - 1)) == 0 && sched->ran >= CG__TURN_CLOCK)
        cg__sched_watch(sched);
    coro = cg__ready_take(&sched->ready);
    coro->state = CG_CORO_RUNNING;
    coro->budget = CG__BUDGET;
    return coro;
}

/* Frees the stack of the coroutine that has ended last, by whoever runs after it: nobody
 * can free the stack that he stands on. */
static inline void cg__sched_bury(struct cg_sched *sched)
{
    if (sched->dead) {
        cg_coro_unref(sched->dead);
        sched->dead = NULL;
    }
}

/* The clock itself, not the turn's. */
static inline int64_t cg__sched_clock(const struct cg_sched *sched)
{
    return sched->reactor->type->now(sched->reactor);
}

#endif
