/* SPDX-License-Identifier: MIT */
/* Lists of waiting operations: rings, so that adding, removing and waking are O(1).
 * Completing an op may remove other ops (those that it raced with) but never adds any.
 * So a loop over a list takes the first op, completes it, and starts at the head again. */
#include "config.h"

#include "lib/vocabulary/waiters.h"

#include "lib/core/branches.h"

#include <stdio.h>

static struct cg_op *op_of(struct cg_wait *wait)
{
    return (struct cg_op *)((char *)wait - offsetof(struct cg__wait_op, wait));
}

static struct cg_wait *wait_of(struct cg_op *op)
{
    return &((struct cg__wait_op *)op)->wait;
}

void cg__waiters_add(struct cg_waiters *waiters, struct cg_op *op)
{
    struct cg_wait *wait = wait_of(op), *first = waiters->first;

    if (first == NULL) {
        waiters->first = wait->next = wait->prev = wait;
        return;
    }
    wait->next = first;
    wait->prev = first->prev;
    first->prev->next = wait;
    first->prev = wait;
}

bool cg__waiters_are_rivals(const struct cg_op *a, const struct cg_op *b)
{
    for (; a->branch; a = a->owner)
        for (const struct cg_op *c = b; c->branch; c = c->owner)
            if (a->owner == c->owner)
                return ((struct cg_op *)a->owner)->type == &cg_any_type;
    return false;
}

struct cg_op *cg__waiters_take_other(struct cg_waiters *waiters, const struct cg_op *a,
                                     const struct cg_op *b)
{
    struct cg_wait *first = waiters->first, *wait = first;

    while (cg__waiters_are_rivals(op_of(wait), a) ||
           (b != NULL && cg__waiters_are_rivals(op_of(wait), b)))
        if ((wait = wait->next) == first)
            return NULL;
    cg__waiters_remove(waiters, op_of(wait));
    return op_of(wait);
}

struct cg_op *cg__waiters_take_open(struct cg_waiters *waiters)
{
    struct cg_wait *first = waiters->first, *wait = first;

    if (first == NULL)
        return NULL;
    while (cg__any_has_lost(op_of(wait)))
        if ((wait = wait->next) == first)
            return NULL;
    cg__waiters_remove(waiters, op_of(wait));
    return op_of(wait);
}

size_t cg__waiters_wake(struct cg_waiters *waiters, ssize_t result,
                        const struct cg_op *by)
{
    struct cg_op *op;
    size_t n = 0;

    for (; (op = cg__waiters_take(waiters, by)); n++)
        cg__waiters_wake_one(op, result, by);
    return n;
}

size_t cg__waiters_count(const struct cg_waiters *waiters)
{
    const struct cg_wait *wait = waiters->first;
    size_t n = 0;

    if (wait)
        do
            n++;
        while ((wait = wait->next) != waiters->first);
    return n;
}

const char *cg__waiters_name(const struct cg_op *op, const char *const *name,
                             const void *object, char buf[static CG__ADDRESS_SIZE])
{
    if (op->state >= CG_OP_PENDING && *name)
        return *name;
    snprintf(buf, CG__ADDRESS_SIZE, "%p", object);
    return buf;
}
