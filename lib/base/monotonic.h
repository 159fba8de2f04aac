/* SPDX-License-Identifier: MIT */
/* The clock of the machine that nobody sets. It is the same in all processes. */
#ifndef COGEN_LIB_BASE_MONOTONIC_H
#define COGEN_LIB_BASE_MONOTONIC_H

#include <cogen/base.h>

#include <stdint.h>
#include <time.h>

/* Nanoseconds. For signal handlers, too. */
static inline int64_t cg__monotonic_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CG_SECOND + now.tv_nsec;
}

#endif
