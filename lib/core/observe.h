/* SPDX-License-Identifier: MIT */
/* Observers are told what a scheduler does. Its metrics are one, but what they count for each
 * operation is inline (counts.h), since they stay on in production. A scheduler that has none
 * pays nothing for them: the places that tell them are behind tests that are made anyway, of
 * whether a coroutine is cancelled and of whether a simulated world chooses who runs next;
 * and a copy of the reactor's functions sees the requests and the waits. */
#ifndef COGEN_LIB_CORE_OBSERVE_H
#define COGEN_LIB_CORE_OBSERVE_H

#include <cogen/reactor.h>

#include <stdbool.h>
#include <stdint.h>

struct cg__counts;
struct cg_coro;
struct cg_sched;

enum { CG__OBSERVERS = 4 }; /* of a scheduler, at most */

/* Embedded in the observer's own struct. Each function but sleeps, wakes and free may be NULL.
 * None may yield, nor start, wake or cancel anything. `now` is the reactor's clock at that
 * moment. */
struct cg__observer {
    /* The scheduler runs for the first time, in the thread to which it belongs from now on. */
    void (*binds)(struct cg__observer *observer);
    /* A coroutine is about to run: the first one of the ready queue. `ended`: when the one
     * that ran before was suspended or finished; 0: not known, or told by sleeps. */
    void (*resumes)(struct cg__observer *observer, struct cg_coro *coro, int64_t now,
                    int64_t ended);
    /* A coroutine has yielded an op that yields others, which now begins. */
    void (*begins)(struct cg__observer *observer, struct cg_op *op, int64_t now);
    /* The yield returns `result`, `length` ns after the coroutine was suspended; of an op that
     * has yielded others (op->compound), after it began; -1: the op completed at once. */
    void (*ends)(struct cg__observer *observer, struct cg_op *op, ssize_t result,
                 int64_t length);
    /* The scheduler is about to wait in its reactor, where it has nothing more to do since
     * `now`; and has waited there. */
    void (*sleeps)(struct cg__observer *observer, int64_t now);
    void (*wakes)(struct cg__observer *observer, int64_t now);
    void (*free)(struct cg__observer *observer); /* the scheduler is being freed */
};

/* Some of the observers of a scheduler; NULL ends the list. */
struct cg__observers {
    struct cg__observer *list[CG__OBSERVERS + 1];
};

/* The observers of a scheduler. */
struct cg__observe {
    struct cg_reactor_type type; /* of the reactor meanwhile; must be first */
    const struct cg_reactor_type *own; /* the reactor's own */
    struct cg_sched *sched;
    struct cg__observers all;
    struct cg__observers resumes, begins, ends; /* those with this function */
    struct cg__counts *counts; /* NULL: it does not count */
    bool exact; /* there are such observers, so that each turn is timed */
    bool timed; /* the clock is read whenever a coroutine is suspended in this turn */
    int64_t suspended, resumed; /* when a coroutine was last; suspended 0: not known. In a turn
                                 * that is not timed, when that began */
    int64_t woke; /* when the reactor's wait ended, until the scheduler asks for that; or 0 */
};

/* Adds an observer to a scheduler that nobody knows yet. Returns 0 or -ENOMEM. */
int cg__observe_add(struct cg_sched *sched, struct cg__observer *observer);

/* Adds the observer that begins with the counts, which are also for all else that is counted. */
int cg__observe_count(struct cg_sched *sched, struct cg__counts *counts);

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

/* Whether somebody wants to know what coroutines do. */
static inline bool cg__observe_coros(const struct cg__observe *observe)
{
    return observe->counts || observe->exact;
}

/* The reactor's clock. */
static inline int64_t cg__observe_clock(const struct cg__observe *observe,
                                        struct cg_reactor *reactor)
{
    return observe->own->now(reactor);
}

/* Each of these tells all observers that have such a function. */
#define CG__TELL(observers, what, ...)                                                     \
    for (struct cg__observer *const *at = (observers)->list; *at; at++)                    \
    (*at)->what(*at, __VA_ARGS__)

void cg__observe_resumes(struct cg_sched *sched);

/* A request of a socket to the reactor has completed; others are told of only if they complete at
 * once. A multishot one completes more than once. */
void cg__observe_completes(struct cg__observe *observe, const struct cg_io *io, ssize_t result);

#endif
