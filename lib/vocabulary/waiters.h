/* SPDX-License-Identifier: MIT */
/* Lists of waiting operations, for all objects by which coroutines wait for each other. */
#ifndef COGEN_LIB_VOCABULARY_WAITERS_H
#define COGEN_LIB_VOCABULARY_WAITERS_H

#include "lib/core/op.h"

#include <cogen/wait.h>

#include <stddef.h>

/* Ops in such lists begin with these fields. */
struct cg__wait_op {
    CG_OP_HEAD;
    struct cg_wait wait;
};

/* Adds an op at the end. */
void cg__waiters_add(struct cg_waiters *waiters, struct cg_op *op);

/* Removes an op from any place of the list. */
static inline void cg__waiters_remove(struct cg_waiters *waiters, struct cg_op *op)
{
    struct cg_wait *wait = &((struct cg__wait_op *)op)->wait;

    if (waiters->first == wait)
        waiters->first = wait->next == wait ? NULL : wait->next;
    wait->next->prev = wait->prev;
    wait->prev->next = wait->next;
}

/* Whether two ops belong to different branches of the same cg_any. */
bool cg__waiters_are_rivals(const struct cg_op *a, const struct cg_op *b);

/* Removes and returns the first op that races neither with a nor with b (NULL: only a counts);
 * NULL: there is none. The list must not be empty. */
struct cg_op *cg__waiters_take_other(struct cg_waiters *waiters, const struct cg_op *a,
                                     const struct cg_op *b);

/* Removes and returns the first op that is not a branch of a race that is over; NULL: there is
 * none. For cancel slots, which may be called while other branches are still in the list. */
struct cg_op *cg__waiters_take_open(struct cg_waiters *waiters);

/* Removes and returns the first op; NULL: there is none. `by` is the op that is being
 * processed (NULL: a function calls). Ops that race with it are skipped, because only one
 * branch of a cg_any may complete. */
static inline struct cg_op *cg__waiters_take(struct cg_waiters *waiters,
                                             const struct cg_op *by)
{
    struct cg_wait *first = waiters->first;
    struct cg_op *op;

    if (first == NULL)
        return NULL;
    if (by && by->branch)
        return cg__waiters_take_other(waiters, by, NULL);
    op = (struct cg_op *)((char *)first - offsetof(struct cg__wait_op, wait));
    cg__waiters_remove(waiters, op);
    return op;
}

/* Completes all of them with the same result; returns how many. */
size_t cg__waiters_wake(struct cg_waiters *waiters, ssize_t result, const struct cg_op *by);

size_t cg__waiters_count(const struct cg_waiters *waiters);

/* The name of an op's object for a dump. If it has no name, or if the op is not pending, so
 * that the object may have been freed: its address, written to `buf`. */
enum { CG__ADDRESS_SIZE = 24 };
const char *cg__waiters_name(const struct cg_op *op, const char *const *name,
                             const void *object, char buf[static CG__ADDRESS_SIZE]);

/* Completes an op that was removed from its list. `by`: see cg__waiters_take. */
static inline void cg__waiters_wake_one(struct cg_op *op, ssize_t result,
                                        const struct cg_op *by)
{
    if (by)
        cg_op_complete_by(op, result, by);
    else
        cg_op_complete(op, result);
}

#endif
