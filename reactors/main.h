/* SPDX-License-Identifier: MIT */
/* What cg_main and cg_crew_main report about a run. */
#ifndef COGEN_REACTORS_MAIN_H
#define COGEN_REACTORS_MAIN_H

#include "lib/core/sched.h"

/* Reports why a reactor that was named cannot be opened. */
void cg__main_tell_why_none(const char *name, int code);

/* Returns the result of a run that has left `left` coroutines; `coro` ran the program's
 * function. `who` is put before reports ("worker 1: "). */
ssize_t cg__main_outcome(struct cg_sched *sched, const struct cg_coro *coro, ssize_t left,
                         const char *who);

#endif
