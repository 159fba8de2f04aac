/* SPDX-License-Identifier: MIT */
/* Coroutines that have failed and whose result nobody has taken. */
#ifndef COGEN_LIB_CORE_FAILED_H
#define COGEN_LIB_CORE_FAILED_H

#include <cogen/sched.h>

struct cg__failed {
    struct cg_deferred deferred;
    struct cg_coro *first, **last; /* to be told; linked by their `next` */
    cg_failed_fn *fn;
    void *arg;
    int64_t paid;     /* lines on stderr are paid for up to this moment, one a second */
    size_t left_out;  /* failures since the last line */
};

void cg__failed_init(struct cg__failed *failed);

/* Takes a coroutine whose last reference has gone, tells it in the next turn, outside any
 * coroutine, and frees it. */
void cg__failed_put(struct cg_coro *coro);

/* The scheduler is being freed: tells what has not been told. */
void cg__failed_end(struct cg_sched *sched);

#endif
