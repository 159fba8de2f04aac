/* SPDX-License-Identifier: MIT */
/* How busy the workers of a crew are with a service that all of them offer. Each worker has
 * a seat. Its counters are read by all workers and have cache lines of their own. */
#ifndef COGEN_LIB_THREADS_SPREAD_H
#define COGEN_LIB_THREADS_SPREAD_H

#include "lib/threads/crew.h"

#include <cogen/reactor.h>

#include <stdatomic.h>

struct cg__seat {
    _Alignas(CG__LINE) atomic_uint load; /* connections that the worker serves, or that go to it */
    atomic_uint coming;            /* connections that go to it and are not served yet */
    atomic_bool open;              /* the worker takes connections */
    struct cg_worker *worker;
    void *server; /* only the worker's thread uses it, while `open` or `coming` is set */
};

/* Those of one service. They live as long as the crew. */
struct cg__spread {
    struct cg__spread *next;
    char *name;
    unsigned count;
    struct cg__seat seats[];
};

/* Returns the seats of a service of the calling worker's crew, which are made if there are
 * none yet. Returns NULL if there is no memory. */
struct cg__spread *cg__spread_find(struct cg__crew *crew, const char *name);

/* Takes a place at the seat for one more connection: at the one with the lowest load if
 * that is lower than the worker's own, otherwise at its own. At another seat `coming` is
 * counted, too. */
struct cg__seat *cg__spread_take(struct cg__spread *spread, unsigned self);

/* Frees those of all services, when the crew has ended. */
void cg__spread_free_all(struct cg__crew *crew);

#endif
