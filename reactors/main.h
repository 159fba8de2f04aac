/* SPDX-License-Identifier: MIT */
/* What cg_main and cg_crew_main report about a run. */
#ifndef COGEN_REACTORS_MAIN_H
#define COGEN_REACTORS_MAIN_H

#include "lib/core/sched.h"

/* Reports why a run could not start or go on: programs end with `return cg_main(...) < 0`. */
void cg__main_tell(ssize_t code);

/* The same for a reactor that cannot be opened. If it was named, its error code alone does not
 * say much. */
void cg__main_tell_why_none(const char *name, int code);

/* Returns the result of a run that has left `left` coroutines; `coro` ran the program's
 * function. `who` is put before reports ("worker 1: "). */
ssize_t cg__main_outcome(struct cg_sched *sched, const struct cg_coro *coro, ssize_t left,
                         const char *who);

#endif
