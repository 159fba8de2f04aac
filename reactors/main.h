/* SPDX-License-Identifier: MIT */
/* What cg_main and cg_crew_main tell of a run. */
#ifndef COGEN_REACTORS_MAIN_H
#define COGEN_REACTORS_MAIN_H

#include "lib/core/sched.h"

/* Reports why a reactor that was named cannot be opened. */
void cg__main_tell_why_none(const char *name, int code);

/* The result of a run after which `left` coroutines are left, if `coro` ran the program's
 * function. `who` is written before what is reported ("worker 1: "). */
ssize_t cg__main_outcome(const struct cg_sched *sched, const struct cg_coro *coro, ssize_t left,
                         const char *who);

#endif
