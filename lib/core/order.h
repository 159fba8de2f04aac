/* SPDX-License-Identifier: MIT */
/* An order of ready coroutines that a seed decides: see enum cg_order_kind. */
#ifndef COGEN_LIB_CORE_ORDER_H
#define COGEN_LIB_CORE_ORDER_H

#include "lib/core/ready.h"

#include <cogen/reactor.h>

struct cg__order;

/* Makes the order that a reactor asks for; NULL: no memory. */
struct cg__order *cg__order_new(const struct cg_order *wanted);

/* The rank of a new coroutine. */
uint32_t cg__order_rank(struct cg__order *order);

/* Puts the coroutine that is to run next at the head of the queue, which is not empty. */
void cg__order_choose(struct cg__order *order, struct cg__ready *ready);

#endif
