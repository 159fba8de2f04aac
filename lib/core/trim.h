/* SPDX-License-Identifier: MIT */
/* Frees the unused memory below the stack pointers of coroutines that wait for long. See
 * trim.c. */
#ifndef COGEN_LIB_CORE_TRIM_H
#define COGEN_LIB_CORE_TRIM_H

#include <cogen/coro.h>

struct cg__trim {
    struct cg_coro *next; /* the next one that this sweep examines; NULL: no sweep */
    int64_t until;        /* this sweep trims coroutines that began to wait by then */
    int64_t done;         /* coroutines that began to wait by then were already trimmed */
    int64_t begun;        /* when the last sweep began */
    int64_t active;       /* when a coroutine ran last */
};

void cg__trim_init(struct cg__trim *idle, int64_t now);

/* Called before the loop sleeps. True: call it again before sleeping. */
bool cg__trim_some(struct cg_sched *sched);

/* How long the loop may sleep before cg__trim_some is due, ns; CG_NEVER: no sweep is
 * due. */
int64_t cg__trim_next(const struct cg_sched *sched);

/* A coroutine ends: a sweep continues behind it. */
static inline void cg__trim_leave(struct cg__trim *idle, struct cg_coro *coro,
                                  struct cg_coro *next)
{
    if (idle->next == coro)
        idle->next = next;
}

#endif
