/* SPDX-License-Identifier: MIT */
/* Coroutines that wait for each other, and nobody else can wake. See deadlock.c. */
#ifndef COGEN_LIB_INSIGHT_DEADLOCK_H
#define COGEN_LIB_INSIGHT_DEADLOCK_H

#include "lib/insight/survey.h"

/* The cycles, one after the other: the references (survey.h) of a cycle's coroutines, each
 * of which waits for the next one and the last for the first; then 0. */
struct cg__deadlock {
    uint32_t *list;
    size_t len;
    size_t cycles;
};

/* Searches. Returns 0 or -ENOMEM. Free deadlock->list afterwards. */
int cg__deadlock_find(const struct cg__survey *survey, struct cg__deadlock *deadlock);

/* Whether the coroutine waits for one that has ended, so that nobody will ever wake it: it
 * ended without unlocking a mutex. */
bool cg__deadlock_orphan(const struct cg__survey *survey, const struct cg__seen *seen);

/* The only coroutine that this one waits for; 0: there are none, or several. */
uint32_t cg__deadlock_awaited(const struct cg__survey *survey, const struct cg__seen *seen);

#endif
