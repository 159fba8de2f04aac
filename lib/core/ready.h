/* SPDX-License-Identifier: MIT */
/* The ready queue: a ring array with a place for every coroutine, so that adding one never
 * fails. An array and not a linked list, because it names the next coroutines before their
 * memory is in the cache, and so they can be prefetched.
 *
 * A favoured coroutine is put at the head. All that are put at the head between two takes
 * form a burst: a burst runs in the order in which its coroutines were put, before earlier
 * bursts. After CG__READY_BURSTS bursts in a row favoured coroutines go to the tail like
 * others, until one that was not favoured has run. So nobody starves. */
#ifndef COGEN_LIB_CORE_READY_H
#define COGEN_LIB_CORE_READY_H

#include "lib/core/coro.h"

enum {
    CG__READY_FIRST = 32,  /* places before the first growth */
    CG__READY_BURSTS = 16, /* that may overtake the others */
    CG__READY_BLOCK = 8,   /* so many places ahead control blocks are prefetched, */
    CG__READY_FRAMES = 4,  /* and so many places ahead the frames at the stack pointer: */
    CG__READY_LINES = 4,   /* so many cache lines of them */
};

struct cg__ready {
    struct cg_coro **ring;
    size_t mask;       /* a power of two, less one */
    size_t head, tail; /* only ever incremented or decremented; masked on access */
    size_t burst;      /* put first since the last take: the latest stands at the head */
    size_t line;       /* where the coroutines that were not favoured began when `bursts` */
    unsigned bursts;   /* was set: so many more bursts may overtake them */
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

/* Whether one more may be put at the head. */
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

/* Reverses a burst of more than one, so that the oldest stands at the head. */
void cg__ready_order(struct cg__ready *ready);

/* Takes the first one; the queue must not be empty. With many coroutines the memory of the
 * next ones is not in the cache, so it is prefetched while others run. */
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
