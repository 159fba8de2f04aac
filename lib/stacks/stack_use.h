/* SPDX-License-Identifier: MIT */
/* How much of a stack has been used. See stack_use.c. */
#ifndef COGEN_LIB_STACKS_STACK_USE_H
#define COGEN_LIB_STACKS_STACK_USE_H

#include "lib/stacks/stack.h"

/* The bytes from the lowest word that was ever written to, and is not zero, up to the head
 * (stack.h). The stack may have been used by another coroutine before, and a long wait may
 * have had its pages returned to the system since. 0: this cannot be told here. */
size_t cg__stack_use_get(const void *low, const void *head);

/* A size that leaves room: at least twice as many bytes as were used. */
static inline size_t cg__stack_use_suggest(size_t used)
{
    size_t size = CG__STACK_MIN;

    while (size < used * 2)
        size *= 2;
    return size;
}

#endif
