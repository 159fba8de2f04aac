/* SPDX-License-Identifier: MIT */
/* The ready queue: a ring buffer with a place for every coroutine, so that to add one
 * never fails. It is an array and not a linked list, because an array tells the addresses
 * of the next coroutines without reading their memory, so that they can be prefetched.
 *
 * A favoured coroutine is put at the head. All coroutines that are put at the head between
 * two takes form a burst. A burst runs before earlier bursts, and its coroutines run in
 * the order in which they were put. After CG__READY_BURSTS bursts in a row, favoured
 * coroutines go to the tail like others, until one that was not favoured has run. So no
 * coroutine starves. */
#ifndef COGEN_LIB_CORE_READY_H
#define COGEN_LIB_CORE_READY_H

#include "lib/core/coro.h"

enum {
    CG__READY_FIRST = 32,  /* places before the first growth */
    CG__READY_BURSTS = 16, /* bursts in a row that may overtake the other coroutines */
    CG__READY_BLOCK = 8,   /* prefetch the struct of the coroutine so many places ahead, */
    CG__READY_FRAMES = 4,  /* and the frames at its stack pointer so many places ahead: */
    CG__READY_LINES = 4,   /* this number of cache lines */
};

struct cg__ready {
    struct cg_coro **ring;
    size_t mask;       /* the number of places, a power of two, less one */
    size_t head, tail; /* grow without limit; masked on access */
    size_t burst;      /* coroutines put at the head since the last take, newest first */
    size_t line;       /* where the coroutines that were not favoured began when `bursts` */
    unsigned bursts;   /* was set; so many more bursts may overtake them */
    size_t places;     /* reserved places: one for each coroutine that has not finished */
    struct cg_coro *embedded[CG__READY_FIRST];
};

void cg__ready_init(struct cg__ready *ready);
void cg__ready_free(struct cg__ready *ready);

/* Doubles the number of places; false: no memory. */
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

/* Whether one more coroutine may be put at the head; counts it if so. */
static inline bool cg__ready_favour(struct cg__ready *ready)
{
    if (ready->burst++ > 0)
        return true;
    if ((ptrdiff_t)(ready->head - ready->line) > 0) { /* one not favoured was taken */
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

/* Reverses a burst of more than one coroutine, so that the oldest is at the head. */
void cg__ready_order(struct cg__ready *ready);

/* Takes the first coroutine; the queue must not be empty. If there are many coroutines,
 * the memory of the next ones is not in the cache, so it is prefetched while others
 * run. */
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
