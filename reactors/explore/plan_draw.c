/* SPDX-License-Identifier: MIT */
/* Draws plans by seeds. Each world has few of the modes and faults that it may have: with all
 * of them at once a program gets nowhere, and what is rare hides behind what is frequent. */
#include "config.h"

#include "reactors/explore/plan.h"

enum {
    FAULTS_MOST = 6, /* in a world */
};

struct draw {
    struct cg__plan *plan;
    uint64_t random; /* a stream of its own, so that the world's does not depend on it */
    int64_t storm;
    unsigned hosts, faults;
    int rc;
};

/* SplitMix64 by Steele, Lea and Flood. */
static uint64_t below(struct draw *draw, uint64_t limit)
{
    uint64_t z = draw->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % limit;
}

static bool one_in(struct draw *draw, unsigned n)
{
    return below(draw, n) == 0;
}

static void add(struct draw *draw, enum cg__plan_what what, const int64_t values[5])
{
    struct cg__plan_item item = {.what = what};

    for (int i = 0; i < 5; i++)
        item.values[i] = values[i];
    if (draw->rc == 0)
        draw->rc = cg__plan_add(draw->plan, &item);
}

#define ADD(draw, what, ...) add(draw, what, (const int64_t[5]){__VA_ARGS__})

/* A length from 1 ns on; short ones are as likely as long ones. */
static int64_t length(struct draw *draw, int64_t most)
{
    int64_t scale = CG_MICROSECOND;

    if (most < scale)
        return 1;
    while (scale < most && !one_in(draw, 4))
        scale *= 4;
    if (scale > most)
        scale = most;
    return 1 + (int64_t)below(draw, (uint64_t)scale / CG_MICROSECOND) * CG_MICROSECOND;
}

static void draw_modes(struct draw *draw)
{
    if (one_in(draw, 2))
        ADD(draw, CG__PLAN_LATENCY, length(draw, CG_SECOND / 10));
    if (one_in(draw, 4))
        ADD(draw, CG__PLAN_JITTER, length(draw, CG_SECOND / 10));
    if (one_in(draw, 8))
        ADD(draw, CG__PLAN_WINDOW, 64 + (int64_t)below(draw, 8192));
    if (one_in(draw, 2))
        ADD(draw, CG__PLAN_SHORT, 1 + (int64_t)below(draw, 900));
    if (one_in(draw, 2))
        ADD(draw, CG__PLAN_COMPLETION, 0);
    if (one_in(draw, 2))
        ADD(draw, CG__PLAN_MULTISHOT, 0);
    if (one_in(draw, 2))
        ADD(draw, CG__PLAN_LATE, 0);
}

static void draw_noise(struct draw *draw)
{
    for (int what = CG__PLAN_RESET; what <= CG__PLAN_ABORT; what++)
        if ((draw->faults & CG_SIM_RESETS) && one_in(draw, 4))
            ADD(draw, (enum cg__plan_what)what, 1 + (int64_t)below(draw, 100));
    for (int what = CG__PLAN_LOSE; what <= CG__PLAN_REORDER; what++)
        if ((draw->faults & CG_SIM_LOSS) && one_in(draw, 2))
            ADD(draw, (enum cg__plan_what)what, 1 + (int64_t)below(draw, 300));
}

/* Two hosts that differ. */
static void pick_pair(struct draw *draw, int64_t *from, int64_t *to)
{
    *from = (int64_t)below(draw, draw->hosts);
    *to = (int64_t)below(draw, draw->hosts - 1);
    *to += *to >= *from;
}

static void draw_fault(struct draw *draw)
{
    unsigned fault = CG_SIM_CUTS << below(draw, draw->faults < CG_SIM_MEMORY ? 6 : 9);
    int64_t at = length(draw, draw->storm), most = draw->storm - at;
    int64_t lasts = most > 0 ? length(draw, most) : 0, from, to;
    bool pairs = draw->hosts > 1;

    if (!(fault & draw->faults) || lasts > most)
        return;
    if (fault == CG_SIM_HANDLES)
        ADD(draw, CG__PLAN_HANDLES, at, lasts);
    if (fault == CG_SIM_JUMPS)
        ADD(draw, CG__PLAN_JUMP, at, lasts);
    for (int lack = 0; lack <= CG_LACKS_NAMES; lack++)
        if (fault == (unsigned)CG_SIM_MEMORY << lack)
            ADD(draw, (enum cg__plan_what)(CG__PLAN_MEMORY + lack), at,
                1 + (int64_t)below(draw, one_in(draw, 2) ? 1000 : 50), lasts);
    if (!pairs)
        return;
    pick_pair(draw, &from, &to);
    if (fault == CG_SIM_CUTS)
        ADD(draw, CG__PLAN_CUT, at, from, to, lasts);
    if (fault == CG_SIM_CUTS && one_in(draw, 2))
        ADD(draw, CG__PLAN_CUT, at, to, from, lasts);
    if (fault == CG_SIM_PAUSES)
        ADD(draw, CG__PLAN_PAUSE, at, from, lasts);
    if (fault == CG_SIM_KILLS)
        ADD(draw, CG__PLAN_KILL, at, from != 0 ? from : to, lasts);
    if (fault == CG_SIM_SLOWNESS)
        ADD(draw, CG__PLAN_SLOW, at, from, to, lasts, length(draw, CG_SECOND));
}

static void draw_order(struct draw *draw, const struct cg_sim_explore_options *options)
{
    struct cg__plan *plan = draw->plan;
    uint64_t depth = 2 + below(draw, 3);
    uint64_t steps = UINT64_C(16) << below(draw, 8); /* programs differ in length */

    plan->order = options->order != CG_ORDER_USUAL ? options->order
                  : plan->seed % 2                 ? CG_ORDER_PCT
                                                   : CG_ORDER_RANDOM;
    plan->depth = plan->order == CG_ORDER_PCT ? depth : 0;
    plan->steps = plan->order == CG_ORDER_PCT ? steps : 0;
}

int cg__plan_draw(struct cg__plan *plan, uint64_t seed,
                  const struct cg_sim_explore_options *options, unsigned hosts)
{
    struct draw draw = {
        .plan = plan,
        .random = ~seed,
        .storm = options->storm,
        .hosts = hosts,
        .faults = options->faults,
    };

    plan->seed = seed;
    plan->count = 0;
    draw_order(&draw, options);
    draw_modes(&draw);
    draw_noise(&draw);
    if (draw.faults & ~(unsigned)(CG_SIM_RESETS | CG_SIM_LOSS))
        for (uint64_t i = below(&draw, FAULTS_MOST + 1); i > 0; i--)
            draw_fault(&draw);
    return draw.rc;
}
