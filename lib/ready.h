/* SPDX-License-Identifier: MIT */
/* The ready queue: a ring with a place for every coroutine there is, so that putting one in
 * never fails. An array and not a list through the coroutines, because those to come can be
 * told from it before they are in any cache. */
#ifndef COGEN_LIB_READY_H
#define COGEN_LIB_READY_H

#include "lib/coro.h"

enum {
    CG__READY_FIRST = 32,  /* places before the first growth */
    CG__READY_BLOCK = 8,   /* so far ahead a control block is fetched, */
    CG__READY_FRAMES = 4,  /* and so far the frames that its stack pointer leads to: */
    CG__READY_LINES = 4,   /* so many cache lines */
};

struct cg__ready {
    struct cg_coro **ring;
    size_t mask;       /* a power of two, less one */
    size_t head, tail; /* counted on, never wrapped */
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

static inline void cg__ready_put(struct cg__ready *ready, struct cg_coro *coro, bool first)
{
    if (first)
        ready->ring[--ready->head & ready->mask] = coro;
    else
        ready->ring[ready->tail++ & ready->mask] = coro;
}

/* Takes out the first; there must be one. With many coroutines the memory of those behind it
 * is cold, so it is fetched while others run. */
static inline struct cg_coro *cg__ready_take(struct cg__ready *ready)
{
    struct cg_coro *coro = ready->ring[ready->head & ready->mask];

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
