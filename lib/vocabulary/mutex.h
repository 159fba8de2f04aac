/* SPDX-License-Identifier: MIT */
/* What else takes and gives a mutex: waits for a condition. */
#ifndef COGEN_LIB_VOCABULARY_MUTEX_H
#define COGEN_LIB_VOCABULARY_MUTEX_H

#include <cogen/sync.h>

/* Makes the op's coroutine the owner; false: it is not free, and the op waits in line. */
bool cg__mutex_take(struct cg_mutex *mutex, struct cg_op *op);

/* An op that waited in a mutex's line owns it now: a condition that sent it there is
 * told. */
void cg__condition_left(struct cg_op *op);

/* Makes the next in line the owner; `by`: the op that does it, NULL: none. */
void cg__mutex_give(struct cg_mutex *mutex, const struct cg_op *by);

#endif
