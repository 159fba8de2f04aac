/* SPDX-License-Identifier: MIT */
/* The branches of a race (cg_any, cg_all). */
#ifndef COGEN_LIB_CORE_BRANCHES_H
#define COGEN_LIB_CORE_BRANCHES_H

#include <cogen/any.h>

static inline size_t cg__branches_count(const struct cg_any_op *any)
{
    size_t count = 0;

    if (any->count != CG__ENDS_WITH_NULL)
        return any->count;
    while (any->ops[count])
        count++;
    return count;
}

/* Whether a race in which the op is a branch, at any depth, is over: the op can only be cancelled,
 * and must take nothing any more. */
bool cg__any_has_lost(const struct cg_op *op);

#endif
