/* SPDX-License-Identifier: MIT */
/* Lists of waiting operations, for everything that coroutines wait for among themselves. */
#ifndef COGEN_LIB_VOCABULARY_WAITERS_H
#define COGEN_LIB_VOCABULARY_WAITERS_H

#include "lib/core/op.h"

#include <cogen/wait.h>

#include <stddef.h>

/* How the ops that are kept in such lists begin. */
struct cg__wait_op {
    CG_OP_HEAD;
    struct cg_wait wait;
};

/* Joins at the end. */
void cg__waiters_add(struct cg_waiters *waiters, struct cg_op *op);

/* Takes one out, wherever it stands. */
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

/* Takes the first one out with which a branch does not race; NULL: nobody. There is one who
 * waits. */
struct cg_op *cg__waiters_take_other(struct cg_waiters *waiters, const struct cg_op *branch);

/* Takes the first one out; NULL: nobody. An op that is being processed, `by` (NULL: it is
 * no op that asks), passes over those with which it races: of the branches of one cg_any
 * only one may complete. */
static inline struct cg_op *cg__waiters_take(struct cg_waiters *waiters,
                                             const struct cg_op *by)
{
    struct cg_wait *first = waiters->first;
    struct cg_op *op;

    if (first == NULL)
        return NULL;
    if (by && by->branch)
        return cg__waiters_take_other(waiters, by);
    op = (struct cg_op *)((char *)first - offsetof(struct cg__wait_op, wait));
    cg__waiters_remove(waiters, op);
    return op;
}

/* Completes all of them with the same answer; answers how many. */
size_t cg__waiters_wake(struct cg_waiters *waiters, ssize_t result, const struct cg_op *by);

size_t cg__waiters_count(const struct cg_waiters *waiters);

/* What a dump calls the object of an op: its name, or, in `buf`, where it lies; always that
 * where the op does not wait, for then the object may be gone. */
enum { CG__ADDRESS_SIZE = 24 };
const char *cg__waiters_name(const struct cg_op *op, const char *const *name,
                             const void *object, char buf[static CG__ADDRESS_SIZE]);

/* Completes an op that has been taken out, for `by` or for nobody. */
static inline void cg__waiters_wake_one(struct cg_op *op, ssize_t result,
                                        const struct cg_op *by)
{
    if (by)
        cg_op_complete_by(op, result, by);
    else
        cg_op_complete(op, result);
}

#endif
