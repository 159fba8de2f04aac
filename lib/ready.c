/* SPDX-License-Identifier: MIT */
/* The ready queue's memory. */
#include "config.h"

#include "lib/ready.h"

#include <stdlib.h>

void cg__ready_init(struct cg__ready *ready)
{
    *ready = (struct cg__ready){.mask = CG__READY_FIRST - 1};
    ready->ring = ready->embedded;
}

void cg__ready_free(struct cg__ready *ready)
{
    if (ready->ring != ready->embedded)
        free(ready->ring);
}

bool cg__ready_grow(struct cg__ready *ready)
{
    size_t mask = ready->mask * 2 + 1;
    struct cg_coro **ring = malloc((mask + 1) * sizeof(struct cg_coro *));

    if (ring == NULL)
        return false;
    for (size_t i = ready->head; i != ready->tail; i++)
        ring[i & mask] = ready->ring[i & ready->mask];
    cg__ready_free(ready);
    ready->ring = ring;
    ready->mask = mask;
    return true;
}
