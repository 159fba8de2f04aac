/* SPDX-License-Identifier: MIT */
/* Why waits will never end. See stuck.c. */
#ifndef COGEN_LIB_INSIGHT_STUCK_H
#define COGEN_LIB_INSIGHT_STUCK_H

#include "lib/core/coro.h"

/* Prints, as snprintf does, what was not done for a coroutine that can never continue: "the queue
 * was not closed". Returns 0 if nothing can be told. */
int cg__stuck_print(const struct cg_coro *coro, char *buf, size_t size);

#endif
