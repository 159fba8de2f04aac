/* SPDX-License-Identifier: MIT */
/* Starters, for dumps. */
#ifndef COGEN_LIB_CORE_STARTER_H
#define COGEN_LIB_CORE_STARTER_H

#include <cogen/starter.h>

/* How many operations wait in the starters of a scheduler, without a coroutine. */
size_t cg__starter_waiting(const struct cg_sched *sched);

#endif
