/* SPDX-License-Identifier: MIT */
/* The ready queue: a ring with a place for every coroutine there is, so that putting one in
 * never fails. An array and not a list through the coroutines, because those to come can be
 * told from it before they are in any cache.
 *
 * A coroutine that is favoured is put first. Those that are put first between two takes
 * make a burst: it runs in the order in which they were put, before earlier bursts. After
 * CG__READY_BURSTS of them in which nobody else ran, those who are favoured go to the tail
 * like everybody, until somebody who was not favoured has run. So favour is an order and
 * starves nobody. */
#ifndef COGEN_LIB_CORE_READY_H
#define COGEN_LIB_CORE_READY_H

#include "lib/core/coro.h"

enum {
    CG__READY_FIRST = 32,  /* places before the first growth */
    CG__READY_BURSTS = 16, /* that may pass those who wait in line */
    CG__READY_BLOCK = 8,   /* so far ahead a control block is fetched, */
    CG__READY_FRAMES = 4,  /* and so far the frames that its stack pointer leads to: */
    CG__READY_LINES = 4,   /* so many cache lines */
};

struct cg__ready {
    struct cg_coro **ring;
    size_t mask;       /* a power of two, less one */
    size_t head, tail; /* counted on, never wrapped */
    size_t burst;      /* put first since the last take: the latest stands at the head */
    size_t line;       /* where those began who were not favoured, and how many more bursts */
    unsigned bursts;   /* may pass them; looked at only when somebody is put first */
    size_t places;     /* taken: coroutines that have not finished */
    struct cg_coro *embedded[CG__READY_FIRST];
};

void cg__ready_init(struct cg__ready *ready);
void cg__ready_free(struct cg__ready *ready);

/* A place for one more coroutine; false: no memory. */
bool cg__ready_grow(struct cg__ready *ready);

static inline bool cg__ready_reserve(struct cg__ready *ready)
{
    if (ready->places > ready->mask && !cg__ready_grow(ready))
        return false;
    ready->places++;
    return true;
}

static inline void cg__ready_release(struct cg__ready *ready)
{
    ready->places--;
}

static inline bool cg__ready_empty(const struct cg__ready *ready)
{
    return ready->head == ready->tail;
}

static inline size_t cg__ready_count(const struct cg__ready *ready)
{
    return ready->tail - ready->head;
}

/* Whether one more may be put first. */
static inline bool cg__ready_favour(struct cg__ready *ready)
{
    if (ready->burst++ > 0)
        return true;
    if ((ptrdiff_t)(ready->head - ready->line) > 0) { /* one of the line has been taken */
        ready->line = ready->head;
        ready->bursts = CG__READY_BURSTS;
    }
    if (ready->bursts-- > 0)
        return true;
    ready->burst = ready->bursts = 0;
    return false;
}

static inline void cg__ready_put(struct cg__ready *ready, struct cg_coro *coro, bool first)
{
    if (first && cg__ready_favour(ready))
        ready->ring[--ready->head & ready->mask] = coro;
    else
        ready->ring[ready->tail++ & ready->mask] = coro;
}

/* Brings a burst of more than one into its order. */
void cg__ready_order(struct cg__ready *ready);

/* Takes out the first; there must be one. With many coroutines the memory of those behind
 * it is cold, so it is fetched while others run. */
static inline struct cg_coro *cg__ready_take(struct cg__ready *ready)
{
    struct cg_coro *coro;

    if (ready->burst > 0) {
        if (ready->burst > 1)
            cg__ready_order(ready);
        ready->burst = 0;
    }
    coro = ready->ring[ready->head & ready->mask];
    if (ready->tail - ready->head > CG__READY_BLOCK) {
        __builtin_prefetch(ready->ring[(ready->head + CG__READY_BLOCK) & ready->mask]);
        const char *sp =
            ready->ring[(ready->head + CG__READY_FRAMES) & ready->mask]->ctx.sp;

        for (int line = 0; line < CG__READY_LINES; line++)
            __builtin_prefetch(sp + line * 64);
    }
    ready->head++;
    return coro;
}

#endif
