/* SPDX-License-Identifier: MIT */
/* How busy the workers of a crew are with a service that all of them offer. Each worker has
 * a seat, a struct cg_spread. Its counters are read by all workers and have cache lines of
 * their own. */
#ifndef COGEN_LIB_THREADS_SPREAD_H
#define COGEN_LIB_THREADS_SPREAD_H

#include "lib/threads/crew.h"

#include <cogen/reactor.h>
#include <cogen/serve.h>

#include <stdatomic.h>

struct cg_spread {
    _Alignas(CG__LINE) atomic_uint load; /* connections that the worker serves, or that go to it */
    atomic_uint coming;            /* connections that go to it and are not served yet */
    atomic_bool open;              /* the worker takes connections */
    struct cg_worker *worker;
    struct cg__service *service;
    /* Only the worker's thread uses these, while `open` or `coming` is set. */
    cg_handler *fn;
    void *arg;
};

/* The seats of one service. They live as long as the crew. */
struct cg__service {
    struct cg__service *next;
    char *name;
    unsigned count;
    struct cg_spread seats[];
};

/* Returns a service of the calling worker's crew, which is made if there is none of this
 * name yet. Returns NULL if there is no memory. */
struct cg__service *cg__spread_find(struct cg__crew *crew, const char *name);

/* Takes a place at a seat for one more connection: at the one with the lowest load if that
 * is lower than this worker's own, otherwise at its own. At another seat `coming` is
 * counted, too. */
struct cg_spread *cg__spread_take(struct cg_spread *own);

/* Frees those of all services, when the crew has ended. */
void cg__spread_free_all(struct cg__crew *crew);

#endif
