/* SPDX-License-Identifier: MIT */
/* Observers are told what a scheduler does; its metrics are one. A scheduler that has none
 * pays nothing for them: the places that tell them are behind tests that are made anyway, of
 * whether a coroutine is cancelled and of whether a simulated world chooses who runs next;
 * and a copy of the reactor's functions sees the requests and the waits. */
#ifndef COGEN_LIB_CORE_OBSERVE_H
#define COGEN_LIB_CORE_OBSERVE_H

#include <cogen/reactor.h>

#include <stdbool.h>
#include <stdint.h>

struct cg_coro;
struct cg_sched;

/* Embedded in the observer's own struct. Each function but free may be NULL. None may yield,
 * nor start, wake or cancel anything. `now` is the reactor's clock at that moment. */
struct cg__observer {
    struct cg__observer *next;
    /* The scheduler runs for the first time, in the thread to which it belongs from now on. */
    void (*binds)(struct cg__observer *observer);
    /* A coroutine is about to run: the first one of the ready queue. */
    void (*resumes)(struct cg__observer *observer, struct cg_coro *coro, int64_t now);
    /* A coroutine yields an op. */
    void (*begins)(struct cg__observer *observer, struct cg_op *op);
    /* It is suspended: the op has to wait, or others must run first. */
    void (*waits)(struct cg__observer *observer, struct cg_op *op, int64_t now);
    /* The yield returns `result`, `length` ns after the coroutine was suspended; of a compound
     * op, after it began; -1: the op completed at once. */
    void (*ends)(struct cg__observer *observer, struct cg_op *op, ssize_t result,
                 int64_t length);
    /* The scheduler is about to wait in its reactor, and has waited there. */
    void (*sleeps)(struct cg__observer *observer, int64_t now);
    void (*wakes)(struct cg__observer *observer, int64_t now);
    /* A request of a socket to the reactor has completed; others are told of only if they
     * complete at once. A multishot one completes more than once. */
    void (*completes)(struct cg__observer *observer, const struct cg_io *io, ssize_t result);
    void (*free)(struct cg__observer *observer); /* the scheduler is being freed */
};

/* The observers of a scheduler. */
struct cg__observe {
    struct cg_reactor_type type; /* of the reactor meanwhile; must be first */
    const struct cg_reactor_type *own; /* the reactor's own */
    struct cg_sched *sched;
    struct cg__observer *first;
    bool coros; /* somebody wants to be told what coroutines do */
    int64_t suspended, resumed; /* when a coroutine was last; suspended 0: not known */
};

/* Adds an observer to a scheduler that nobody knows yet. Returns 0 or -ENOMEM. */
int cg__observe_add(struct cg_sched *sched, struct cg__observer *observer);

/* Adds the observers that the scheduler's options ask for. Defined in lib/insight/observers.c:
 * the core does not know them. Returns 0 or -ENOMEM. */
int cg__observers_begin(struct cg_sched *sched);

/* Finds a scheduler's observer of a kind, by its function; NULL: it has none. Safe in signal
 * handlers. */
struct cg__observer *cg__observe_find(const struct cg_sched *sched,
                                      void (*free)(struct cg__observer *observer));

/* Frees all observers. */
void cg__observe_end(struct cg_sched *sched);

/* The scheduler is bound to its thread; it may have no observers. */
void cg__observe_binds(struct cg_sched *sched);

/* Each of these tells all observers. The first three are called only if there are some. */
void cg__observe_resumes(struct cg_sched *sched);
void cg__observe_begins(struct cg_sched *sched, struct cg_op *op);
int64_t cg__observe_waits(struct cg_sched *sched, struct cg_op *op); /* returns the clock */
void cg__observe_ends(struct cg_sched *sched, struct cg_op *op, ssize_t result,
                      int64_t length);
void cg__observe_completes(struct cg_sched *sched, const struct cg_io *io, ssize_t result);

/* The reactor's clock. */
static inline int64_t cg__observe_clock(const struct cg__observe *observe,
                                        struct cg_reactor *reactor)
{
    return observe->own->now(reactor);
}

#endif
