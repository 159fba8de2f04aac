/* SPDX-License-Identifier: MIT */
/* Giving back what coroutines that wait for long no longer use of their stacks. See
 * idle.c. */
#ifndef COGEN_LIB_CORE_TRIM_H
#define COGEN_LIB_CORE_TRIM_H

#include <cogen/coro.h>

struct cg__trim {
    struct cg_coro *next; /* to be looked at in this sweep; NULL: there is none now */
    int64_t until;        /* this sweep is for those who have waited since then or longer */
    int64_t done;         /* those who have waited since then or longer have had theirs */
    int64_t begun;        /* when the last sweep was */
    int64_t active;       /* when a coroutine ran last */
};

void cg__trim_init(struct cg__trim *idle, int64_t now);

/* The loop is about to sleep. True: there is more to be done at once. */
bool cg__trim_some(struct cg_sched *sched);

/* How long the loop may sleep until it is to be called again; CG_NEVER. */
int64_t cg__trim_next(const struct cg_sched *sched);

/* A coroutine ends. */
static inline void cg__trim_leave(struct cg__trim *idle, struct cg_coro *coro,
                                  struct cg_coro *next)
{
    if (idle->next == coro)
        idle->next = next;
}

#endif
