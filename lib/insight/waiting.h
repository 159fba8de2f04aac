/* SPDX-License-Identifier: MIT */
/* What is to be said of the op for which a coroutine waits. */
#ifndef COGEN_LIB_INSIGHT_WAITING_H
#define COGEN_LIB_INSIGHT_WAITING_H

#include "lib/core/coro.h"

/* Calls `print`, which prints as snprintf does, for the pending op of a coroutine. Of a race it
 * calls it for the branches, up to the first of which it says something. Returns 0 if it says
 * nothing. */
int cg__waiting_print(const struct cg_coro *coro,
                      int (*print)(const struct cg_op *op, char *buf, size_t size), char *buf,
                      size_t size);

#endif
