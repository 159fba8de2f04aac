/* SPDX-License-Identifier: MIT */
/* Coroutines that have failed, and whose result nobody has taken. See failed.c. */
#ifndef COGEN_LIB_CORE_FAILED_H
#define COGEN_LIB_CORE_FAILED_H

#include <cogen/sched.h>

struct cg__failed {
    struct cg_deferred deferred;
    struct cg_coro *first, **last; /* to be reported; linked by their `next` */
    cg_failed_fn *fn;
    void *arg;
    int64_t paid;     /* the rate limit: each line moves this moment on by a second */
    size_t left_out;  /* failures since the last line */
};

void cg__failed_init(struct cg__failed *failed);

/* Takes over a coroutine whose last reference was released; the next turn reports it,
 * outside any coroutine, and frees it. */
void cg__failed_put(struct cg_coro *coro);

/* Called when the scheduler is freed: reports the failures that are not reported yet. */
void cg__failed_end(struct cg_sched *sched);

#endif
