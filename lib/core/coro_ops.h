/* SPDX-License-Identifier: MIT */
/* The operations on coroutines: what the end of a coroutine does with them. */
#ifndef COGEN_LIB_CORE_CORO_OPS_H
#define COGEN_LIB_CORE_CORO_OPS_H

#include <cogen/coro.h>

/* Completes the joins of a coroutine that has finished. */
void cg__coro_ops_wake_joiners(struct cg_coro *coro);

#endif
