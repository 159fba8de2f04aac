/* SPDX-License-Identifier: MIT */
/* Affinity by sched_setaffinity(2), which on Linux applies to the calling thread. */
#include "config.h"

#include "lib/base/affinity.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 1 << 14 }; /* processors, more than the kernel can have */

struct cg__affinity {
    size_t size;
    cpu_set_t set[];
};

static struct cg__affinity *get(void)
{
    size_t size = CPU_ALLOC_SIZE(MOST);
    struct cg__affinity *affinity = calloc(1, sizeof *affinity + size);

    if (affinity == NULL)
        return NULL;
    affinity->size = size;
    if (sched_getaffinity(0, size, affinity->set) == 0)
        return affinity;
    free(affinity);
    return NULL;
}

unsigned cg__affinity_count(void)
{
    struct cg__affinity *affinity = get();
    long count = affinity ? CPU_COUNT_S(affinity->size, affinity->set)
                          : sysconf(_SC_NPROCESSORS_ONLN);

    free(affinity);
    return count > 0 ? (unsigned)count : 1;
}

struct cg__affinity *cg__affinity_pin(unsigned k)
{
    struct cg__affinity *before = get(), *one = before ? get() : NULL;
    size_t cpu = 0;

    if (one == NULL)
        goto fail;
    for (k %= (unsigned)CPU_COUNT_S(before->size, before->set);; cpu++)
        if (CPU_ISSET_S(cpu, before->size, before->set) && k-- == 0)
            break;
    CPU_ZERO_S(one->size, one->set);
    CPU_SET_S(cpu, one->size, one->set);
    if (sched_setaffinity(0, one->size, one->set) < 0)
        goto fail;
    free(one);
    return before;
fail:
    free(one);
    free(before);
    return NULL;
}

void cg__affinity_restore(struct cg__affinity *before)
{
    if (before)
        sched_setaffinity(0, before->size, before->set);
    free(before);
}
