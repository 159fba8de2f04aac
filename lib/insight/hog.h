/* SPDX-License-Identifier: MIT */
/* Hogs: coroutines that run or block for too long without yielding. See hog.c. */
#ifndef COGEN_LIB_INSIGHT_HOG_H
#define COGEN_LIB_INSIGHT_HOG_H

#include "lib/core/sched.h"

/* Has a scheduler watched. A system that lacks the means is told on stderr. Returns 0 or
 * -ENOMEM. */
int cg__hog_add(struct cg_sched *sched, int64_t limit);

#endif
