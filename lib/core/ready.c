/* SPDX-License-Identifier: MIT */
/* The ready queue: its memory, and the order of a burst. See ready.h. */
#include "config.h"

#include "lib/core/ready.h"

#include <stdlib.h>

void cg__ready_init(struct cg__ready *ready)
{
    *ready = (struct cg__ready){.mask = CG__READY_FIRST - 1, .bursts = CG__READY_BURSTS};
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

void cg__ready_order(struct cg__ready *ready)
{
    size_t low = ready->head, high = low + ready->burst - 1;

    for (; (ptrdiff_t)(high - low) > 0; low++, high--) {
        struct cg_coro **a = &ready->ring[low & ready->mask];
        struct cg_coro **b = &ready->ring[high & ready->mask], *coro = *a;

        *a = *b;
        *b = coro;
    }
}
