/* SPDX-License-Identifier: MIT */
/* For systems where a thread cannot be bound to a processor. */
#include "config.h"

#include "lib/base/affinity.h"

#include <stddef.h>
#include <unistd.h>

unsigned cg__affinity_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (unsigned)count : 1;
}

struct cg__affinity *cg__affinity_pin(unsigned k)
{
    (void)k;
    return NULL;
}

void cg__affinity_restore(struct cg__affinity *before)
{
    (void)before;
}
