/* SPDX-License-Identifier: MIT */
/* Waits whose wake-up was lost. See lost.c. */
#ifndef COGEN_LIB_INSIGHT_LOST_H
#define COGEN_LIB_INSIGHT_LOST_H

#include "lib/core/coro.h"

/* Prints, as snprintf does, why a coroutine that waits may have missed its wake-up: "but the
 * event is set". Returns 0 if nothing says so. */
int cg__lost_print(const struct cg_coro *coro, char *buf, size_t size);

#endif
