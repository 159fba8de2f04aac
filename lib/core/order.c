/* SPDX-License-Identifier: MIT */
/* Orders of ready coroutines by a seed, for simulated worlds. Programs that have few
 * coroutines run in one and the same order again and again; a fault that needs another one
 * is not found however many worlds are tried. */
#include "config.h"

#include "lib/core/order.h"

#include <stdlib.h>

/* New coroutines rank above this, those that have been demoted below. */
#define RANK_NEW (UINT32_C(1) << 31)

struct cg__order {
    const struct cg_order *wanted;   /* the reactor's */
    uint64_t random;                 /* the state of the random numbers */
    uint64_t step;                   /* choices made */
    uint64_t points[CG_ORDER_DEPTH]; /* the choices at which a coroutine is demoted */
    unsigned depth;                  /* their number, plus one */
};

/* splitmix64 */
static uint64_t draw(struct cg__order *order)
{
    uint64_t x = order->random += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

struct cg__order *cg__order_new(const struct cg_order *wanted)
{
    struct cg__order *order = calloc(1, sizeof *order);

    if (order == NULL)
        return NULL;
    order->wanted = wanted;
    order->random = wanted->seed;
    order->depth = wanted->depth;
    for (unsigned i = 0; i + 1 < order->depth; i++)
        order->points[i] = 1 + draw(order) % wanted->steps;
    return order;
}

uint32_t cg__order_rank(struct cg__order *order)
{
    return RANK_NEW | (uint32_t)draw(order);
}

static struct cg_coro **at(struct cg__ready *ready, size_t index)
{
    return &ready->ring[(ready->head + index) & ready->mask];
}

static size_t highest(struct cg__ready *ready)
{
    size_t best = 0;

    for (size_t i = 1; i < cg__ready_count(ready); i++)
        if ((*at(ready, i))->rank > (*at(ready, best))->rank)
            best = i;
    return best;
}

/* Probabilistic concurrency testing (Burckhardt and others, 2010): always the coroutine of
 * the highest rank, but at each of depth - 1 random choices the one that would run is
 * demoted below all others. A fault that needs `depth` steps in a certain order is found
 * with a known probability. */
static size_t by_rank(struct cg__order *order, struct cg__ready *ready)
{
    size_t best = highest(ready);

    for (unsigned i = 0; i + 1 < order->depth; i++)
        if (order->points[i] == order->step) {
            (*at(ready, best))->rank = order->depth - i;
            best = highest(ready);
        }
    return best;
}

static size_t choose(struct cg__order *order, struct cg__ready *ready)
{
    switch (order->wanted->kind) {
    case CG_ORDER_PCT:
        return by_rank(order, ready);
    case CG_ORDER_RANDOM:
        return draw(order) % cg__ready_count(ready);
    default:
        return 0;
    }
}

void cg__order_choose(struct cg__order *order, struct cg__ready *ready)
{
    const struct cg_order *wanted = order->wanted;
    struct cg_coro *chosen;
    size_t index;

    order->step++;
    index = choose(order, ready);
    if (wanted->ask)
        index = wanted->ask(wanted, order->step, cg__ready_count(ready), index);
    chosen = *at(ready, index);
    if (wanted->tell)
        wanted->tell(wanted, chosen);
    *at(ready, index) = *at(ready, 0);
    *at(ready, 0) = chosen;
    ready->burst = 0; /* favours do not count here */
}
