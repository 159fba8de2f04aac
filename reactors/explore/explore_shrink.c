/* SPDX-License-Identifier: MIT */
/* Makes a failing plan smaller: leaves out items, halves of them first, as long as the world
 * fails in the same manner. First modes and faults; then the order is written down as what
 * differs from first come, first served, and the places where it need not differ are left
 * out. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "reactors/explore/explore.h"

enum {
    TRIALS = 3000, /* most worlds for it */
    SINGLES = 400, /* most of them to find a single switch */
};

/* Whether a plan fails in the manner that is looked for. *rc: a trial could not be made. */
static bool fails(struct cg__explore *explore, const struct cg__plan *plan,
                  enum cg_sim_failure failure, int *rc)
{
    struct cg__explore_end end;

    if (*rc < 0)
        return false;
    explore->trials++;
    *rc = cg__explore_try(explore, plan, false, false, &end);
    return *rc == 0 && end.failure == failure;
}

/* Tries to leave out `count` items from `start` on. */
static bool leave_out(struct cg__explore *explore, size_t start, size_t count,
                      enum cg_sim_failure failure, int *rc)
{
    struct cg__plan *plan = &explore->plan;
    size_t behind = plan->count - start - count;
    struct cg__plan smaller = {.items = NULL};
    bool is_smaller;

    smaller = *plan;
    smaller.items = NULL;
    smaller.count = smaller.room = 0;
    for (size_t i = 0; i < plan->count && *rc == 0; i++)
        if (i < start || i >= start + count)
            *rc = cg__plan_add(&smaller, &plan->items[i]);
    is_smaller = fails(explore, &smaller, failure, rc);
    cg__plan_free(&smaller);
    if (!is_smaller)
        return false;
    memmove(&plan->items[start], &plan->items[start + count], behind * sizeof *plan->items);
    plan->count -= count;
    return true;
}

/* Leaves out what is not needed of the items from `first` on, but of the last `rest` none. */
static int reduce(struct cg__explore *explore, size_t first, size_t rest,
                  enum cg_sim_failure failure)
{
    struct cg__plan *plan = &explore->plan;
    int rc = 0;

    for (size_t size = plan->count - rest - first; size > 0;) {
        bool any = false;

        for (size_t at = first; at + rest < plan->count && explore->trials < TRIALS;) {
            size_t left = plan->count - rest - at, count = left < size ? left : size;

            if (leave_out(explore, at, count, failure, &rc))
                any = true;
            else
                at += count;
            if (rc < 0)
                return rc;
        }
        if (explore->trials >= TRIALS)
            break;
        size = size > 1 ? size / 2 : any;
    }
    return 0;
}

static uint32_t last_step(const struct cg__explore_record *record, uint32_t host)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < record->count; i++)
        if (record->runs[i].host == host)
            last = record->runs[i].step;
    return last;
}

/* Looks for a single place at which another coroutine than the first must run. Leaving out
 * alone does not find it: with each place that is left out the later ones mean something
 * else. */
static bool find_single(struct cg__explore *explore, enum cg_sim_failure failure, int *rc)
{
    const struct cg__explore_record *record = &explore->shared->record;
    struct cg__plan *plan = &explore->plan;
    uint64_t most = explore->trials + SINGLES;
    uint32_t last[CG__EXPLORE_HOSTS];

    for (uint32_t host = 0; host < explore->hosts; host++)
        last[host] = last_step(record, host);
    for (uint32_t step = 1; explore->trials < most; step++) {
        bool any = false;

        for (uint32_t i = 0; i < 2 * explore->hosts; i++) {
            uint32_t host = i / 2;
            struct cg__plan_item run = {.what = CG__PLAN_RUN, .values = {host, step, 1 + i % 2}};

            if (step > last[host])
                continue;
            any = true;
            if ((*rc = cg__plan_add(plan, &run)) < 0)
                return false;
            if (fails(explore, plan, failure, rc))
                return true;
            plan->count--;
            if (*rc < 0)
                return false;
        }
        if (!any)
            break;
    }
    return false;
}

/* Adds the recorded order to the plan. Returns whether that fails. */
static bool list_order(struct cg__explore *explore, enum cg_sim_failure failure, int *rc)
{
    const struct cg__explore_record *record = &explore->shared->record;
    struct cg__plan *plan = &explore->plan;

    for (uint32_t i = 0; i < record->count && *rc == 0; i++)
        *rc = cg__plan_add(plan, &(struct cg__plan_item){
                                     .what = CG__PLAN_RUN,
                                     .values = {record->runs[i].host, record->runs[i].step,
                                                record->runs[i].index}});
    return *rc == 0 && fails(explore, plan, failure, rc);
}

static int reduce_order(struct cg__explore *explore, enum cg_sim_failure failure)
{
    struct cg__plan *plan = &explore->plan;
    enum cg_order_kind order = plan->order;
    size_t before = plan->count, runs;
    struct cg__explore_end end;
    char text[CG_SIM_PLAN_SIZE];
    int rc = 0;

    plan->order = CG_ORDER_USUAL;
    if (fails(explore, plan, failure, &rc) || rc < 0)
        return rc;
    plan->order = order;
    rc = cg__explore_try(explore, plan, false, true, &end);
    if (rc < 0 || end.failure != failure || explore->shared->record.full)
        return rc;
    rc = cg__plan_add(plan, &(struct cg__plan_item){.what = CG__PLAN_LISTED});
    if (rc < 0)
        return rc;
    if (!find_single(explore, failure, &rc) && rc == 0) {
        if (list_order(explore, failure, &rc))
            rc = reduce(explore, before + 1, 0, failure);
        else
            plan->count = before;
    }
    runs = plan->count - before;
    if (rc == 0 && runs > 0) /* with fewer switches fewer faults may do */
        rc = reduce(explore, 0, runs, failure);
    if (cg__plan_print(plan, text, sizeof text) >= sizeof text)
        plan->count -= runs; /* nobody could read it */
    return rc;
}

static bool has(const struct cg__plan *plan, enum cg__plan_what what)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].what == what)
            return true;
    return false;
}

int cg__explore_shrink(struct cg__explore *explore, struct cg__explore_end *end, bool *again)
{
    int rc = 0;

    explore->trials = 0;
    *again = fails(explore, &explore->plan, end->failure, &rc);
    if (!*again || end->failure == CG_SIM_HANGS)
        return rc;
    rc = reduce(explore, 0, 0, end->failure);
    if (rc == 0 && !has(&explore->plan, CG__PLAN_LISTED))
        rc = reduce_order(explore, end->failure);
    return rc;
}
