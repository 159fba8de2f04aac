/* SPDX-License-Identifier: MIT */
/* The internals of a crew, for crew.c and run_on.c here, and for reactors/crew.c, which
 * runs it. */
#ifndef COGEN_LIB_THREADS_CREW_H
#define COGEN_LIB_THREADS_CREW_H

#include "lib/core/sched.h"

#include <cogen/crew.h>

#include <pthread.h>

struct cg_worker {
    struct cg__crew *crew;
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    struct cg_coro *coro;     /* runs the crew's fn */
    struct cg__guest *guests; /* coroutines that other workers have started here */
    pthread_t thread;
    unsigned number;
    bool resting; /* it has nothing to do, and is not counted as busy; under crew->lock */
    char name[24];
};

struct cg__crew {
    struct cg_crew_options options;
    struct cg_reactor *world; /* if the workers are simulated */
    cg_fn *fn;
    void *arg;
    pthread_mutex_t lock; /* protects the following fields */
    pthread_cond_t changed;
    unsigned busy;    /* workers that have something to do; at 0 the crew ends */
    bool opened;      /* all workers could be made, and may run */
    bool abandoned;   /* not all could be made: the threads end */
    unsigned ended;   /* workers whose runs have ended */
    ssize_t failure;  /* the first */
    struct cg__service *services; /* that share their connections; spread.h */
    unsigned count;
    struct cg_worker workers[];
};

/* Sets the process's crew. NULL: there is no crew any more; then it waits until no thread
 * is in cg_crew_stop. */
void cg__crew_set(struct cg__crew *crew);

/* Called when the run of a worker has ended: completes the operations that wait for
 * functions on it. */
void cg__run_on_refuse(struct cg_worker *worker);

#endif
