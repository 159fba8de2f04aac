/* SPDX-License-Identifier: MIT */
/* The plan of a world: its seed, its order, and items that can be left out one by one: modes
 * and faults, and, once a failure's order was written down, the places where the order is not
 * first come, first served. As text a plan is one line of words:
 *
 *     seed=17 order=random latency=3ms cut=1.5s,0,1,400ms listed run=0,12,2 */
#ifndef COGEN_REACTORS_EXPLORE_PLAN_H
#define COGEN_REACTORS_EXPLORE_PLAN_H

#include <cogen/explore.h>

enum cg__plan_what {
    CG__PLAN_LATENCY, /* modes, which hold all the time */
    CG__PLAN_JITTER,
    CG__PLAN_WINDOW,
    CG__PLAN_SHORT,
    CG__PLAN_COMPLETION,
    CG__PLAN_MULTISHOT,
    CG__PLAN_LATE,
    CG__PLAN_RESET,
    CG__PLAN_REFUSE,
    CG__PLAN_ABORT,
    CG__PLAN_LOSE,
    CG__PLAN_DOUBLE,
    CG__PLAN_REORDER,
    CG__PLAN_CUT, /* faults, which have a moment */
    CG__PLAN_PAUSE,
    CG__PLAN_KILL,
    CG__PLAN_SLOW,
    CG__PLAN_HANDLES,
    CG__PLAN_JUMP,
    CG__PLAN_MEMORY, /* these three in the order of enum cg_lack */
    CG__PLAN_THREADS,
    CG__PLAN_NAMES,
    CG__PLAN_LISTED, /* the order is that of the items RUN */
    CG__PLAN_RUN,    /* on this host, at this step, of the ready coroutines this one */
    CG__PLAN_WHATS,
};

struct cg__plan_item {
    enum cg__plan_what what;
    int64_t values[5]; /* as the table in plan.c says */
};

struct cg__plan {
    uint64_t seed;
    enum cg_order_kind order;
    uint64_t depth, steps; /* of PCT */
    size_t count, room;
    struct cg__plan_item *items;
};

/* Draws the plan of a seed, for so many hosts, of which all but the first have programs.
 * Returns 0 or -ENOMEM. `plan` is empty before the first use; its memory is used again. */
int cg__plan_draw(struct cg__plan *plan, uint64_t seed,
                  const struct cg_sim_explore_options *options, unsigned hosts);

/* Adds an item. Returns 0 or -ENOMEM. */
int cg__plan_add(struct cg__plan *plan, const struct cg__plan_item *item);

/* Writes the plan. Returns its length; if that is not below `size`, it was cut. */
size_t cg__plan_print(const struct cg__plan *plan, char *buf, size_t size);

/* Reads a plan. Returns 0, -EINVAL or -ENOMEM. */
int cg__plan_parse(struct cg__plan *plan, const char *text, unsigned hosts);

void cg__plan_free(struct cg__plan *plan);

#endif
