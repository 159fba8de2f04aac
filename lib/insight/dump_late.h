/* SPDX-License-Identifier: MIT */
/* Dumps that are late, since something does not yield. See dump_late.c. */
#ifndef COGEN_LIB_INSIGHT_DUMP_LATE_H
#define COGEN_LIB_INSIGHT_DUMP_LATE_H

#include "lib/core/sched.h"

/* Begins to wait for the dump of a scheduler. False: one that was asked for earlier has not been
 * made yet. */
bool cg__dump_late_begin(struct cg_sched *sched);

/* The dump is being made. */
void cg__dump_late_end(struct cg_sched *sched);

/* Called if a dump that was asked for earlier has not been made: if that is long ago, says on
 * stderr what keeps the scheduler from it. If this is not the scheduler's thread, that gets the
 * signal. */
void cg__dump_late_tell(struct cg_sched *sched, int signo);

/* Called for each signal first. True: cg__dump_late_tell has sent it to this thread, and it has
 * been answered. */
bool cg__dump_late_answer(void);

#endif
