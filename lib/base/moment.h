/* SPDX-License-Identifier: MIT */
/* Arithmetic with moments, in which CG_NEVER is later than every other one. */
#ifndef COGEN_LIB_BASE_MOMENT_H
#define COGEN_LIB_BASE_MOMENT_H

#include <cogen/base.h>

/* The moment that is `length` ns after one that is not negative; CG_NEVER if the length is
 * CG_NEVER, or so large that the sum would overflow. */
static inline int64_t cg__moment_after(int64_t moment, int64_t length)
{
    return length < CG_NEVER - moment ? moment + length : CG_NEVER;
}

#endif
