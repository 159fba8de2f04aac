/* SPDX-License-Identifier: MIT */
/* The mutex, for operations that wait in its line beside cg_lock: waits for a condition. */
#ifndef COGEN_LIB_VOCABULARY_MUTEX_H
#define COGEN_LIB_VOCABULARY_MUTEX_H

#include <cogen/sync.h>

/* What the type of an op that waits in a mutex's line may have as its `detail`. */
struct cg__mutex_detail {
    void (*owns)(struct cg_op *op); /* its coroutine is the owner now; completed next */
};

/* Makes the op's coroutine the owner. False: the mutex is locked, and the op waits in
 * line. */
bool cg__mutex_take(struct cg_mutex *mutex, struct cg_op *op);

/* Makes the next waiter the owner. `by`: the op that does it; NULL: a function. */
void cg__mutex_give(struct cg_mutex *mutex, const struct cg_op *by);

#endif
