/* SPDX-License-Identifier: MIT */
/* Lets the faults of a plan happen: a coroutine on a host of its own sleeps from one to the
 * next, and puts everything right at the end. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include <cogen/sched.h>

#include "reactors/explore/explore.h"

struct event {
    int64_t at; /* since the world began */
    const struct cg__plan_item *item; /* NULL: the end of the storm */
    bool ends;
};

struct fate {
    struct cg__explore_running *world;
    size_t count;
    struct event events[];
};

static bool is_fault(const struct cg__plan_item *item)
{
    return item->what >= CG__PLAN_CUT && item->what <= CG__PLAN_NAMES;
}

static bool is_noise(const struct cg__plan_item *item)
{
    return item->what >= CG__PLAN_RESET && item->what <= CG__PLAN_REORDER;
}

static int64_t length_of(const struct cg__plan_item *item)
{
    switch (item->what) {
    case CG__PLAN_CUT:
    case CG__PLAN_SLOW:
        return item->values[3];
    case CG__PLAN_PAUSE:
    case CG__PLAN_KILL:
    case CG__PLAN_MEMORY:
    case CG__PLAN_THREADS:
    case CG__PLAN_NAMES:
        return item->values[2];
    default:
        return item->values[1];
    }
}

/* Two hosts, unless one of them is gone. */
static bool pair(struct cg__explore_running *world, const struct cg__plan_item *item,
                 struct cg_reactor **from, struct cg_reactor **to)
{
    *from = world->places[item->values[1]].reactor;
    *to = world->places[item->values[2]].reactor;
    return *from != NULL && *to != NULL;
}

static void kill_host(struct cg__explore_running *world, unsigned place)
{
    struct cg_reactor *reactor = world->places[place].reactor;

    world->places[place].reactor = NULL;
    if (reactor != NULL)
        cg_sim_kill(reactor);
}

/* Only what holds in all worlds goes on. */
static void calm(struct cg__explore_running *world)
{
    struct cg_sim_options *now = &cg__sim_of(world->fate.reactor)->opt;
    const struct cg_sim_options *always = &world->explore->world;

    cg__sim_note(cg__sim_of(world->fate.reactor), -1, "the storm is over");
    now->reset_permille = always->reset_permille;
    now->refuse_permille = always->refuse_permille;
    now->abort_permille = always->abort_permille;
    now->lose_permille = always->lose_permille;
    now->double_permille = always->double_permille;
    now->reorder_permille = always->reorder_permille;
}

/* A world that lacks memory must not make the explorer's own allocations fail. */
static void start_again(struct cg__explore_running *world, unsigned place)
{
    struct cg_sim *sim = cg__sim_of(world->fate.reactor);
    unsigned lacks = sim->lacks[CG_LACKS_MEMORY];

    sim->lacks[CG_LACKS_MEMORY] = 0;
    cg__explore_start(world, place);
    sim->lacks[CG_LACKS_MEMORY] = lacks;
}

static void happen(struct cg__explore_running *world, const struct event *event)
{
    const struct cg__plan_item *item = event->item;
    struct cg_reactor *from, *to;
    unsigned place = (unsigned)item->values[1];

    switch (item->what) {
    case CG__PLAN_CUT:
        if (pair(world, item, &from, &to))
            cg_sim_set_link(from, to, event->ends);
        break;
    case CG__PLAN_SLOW:
        if (pair(world, item, &from, &to))
            cg_sim_set_delay(from, to, event->ends ? 0 : item->values[4]);
        break;
    case CG__PLAN_PAUSE:
        if (world->places[place].reactor)
            cg_sim_set_paused(world->places[place].reactor, !event->ends);
        break;
    case CG__PLAN_KILL:
        if (!event->ends)
            kill_host(world, place);
        else if (!world->places[place].reactor)
            start_again(world, place);
        break;
    case CG__PLAN_HANDLES:
        cg_sim_set_handles(world->fate.reactor,
                           event->ends ? world->explore->world.handles
                           : cg_sim_handles(world->fate.reactor) > 0
                               ? (unsigned)cg_sim_handles(world->fate.reactor)
                               : 1);
        break;
    case CG__PLAN_JUMP:
        if (!event->ends)
            cg_sim_advance(world->fate.reactor, item->values[1]);
        break;
    default: /* what the world lacks */
        cg_sim_set_lack(world->fate.reactor, (enum cg_lack)(item->what - CG__PLAN_MEMORY),
                        event->ends ? 0 : (unsigned)item->values[1]);
    }
}

static ssize_t fate_run(void *arg)
{
    struct fate *fate = arg;
    int64_t begin = cg_sched_now(cg_sched_self());
    size_t next = 0;

    for (; next < fate->count; next++) {
        if (cg_yield(cg_sleep_until(begin + fate->events[next].at)) < 0)
            break;
        if (fate->events[next].item)
            happen(fate->world, &fate->events[next]);
        else
            calm(fate->world);
    }
    /* The program has ended. The network must work again, so that the rest can end. */
    for (; next < fate->count; next++)
        if (fate->events[next].ends && fate->events[next].item->what != CG__PLAN_KILL)
            happen(fate->world, &fate->events[next]);
    free(fate);
    return 0;
}

static int earlier(const void *left, const void *right)
{
    const struct event *a = left, *b = right;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->item == NULL || b->item == NULL)
        return (a->item == NULL) - (b->item == NULL);
    return a->item < b->item ? -1 : a->item > b->item; /* qsort is not stable */
}

void cg__explore_fate(struct cg__explore_running *world)
{
    const struct cg__plan *plan = world->plan;
    struct fate *fate;
    size_t faults = 0;
    bool noise = false;

    for (size_t i = 0; i < plan->count; i++) {
        faults += is_fault(&plan->items[i]);
        noise |= is_noise(&plan->items[i]);
    }
    if (faults == 0 && !noise)
        return;
    if (!(fate = malloc(sizeof *fate + (2 * faults + 1) * sizeof *fate->events)))
        cg__explore_fail(world, CG_SIM_FAILED, "no memory");
    fate->world = world;
    fate->count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cg__plan_item *item = &plan->items[i];

        if (!is_fault(item))
            continue;
        fate->events[fate->count++] = (struct event){.at = item->values[0], .item = item};
        fate->events[fate->count++] =
            (struct event){.at = item->values[0] + length_of(item), .item = item, .ends = true};
    }
    if (noise)
        fate->events[fate->count++] = (struct event){.at = world->explore->options.storm};
    qsort(fate->events, fate->count, sizeof *fate->events, earlier);
    if (cg_sim_host(world->places[0].reactor, &world->fate.reactor) < 0 ||
        !(world->fate.sched = cg_sched_new(world->fate.reactor)) ||
        cg_sched_start(world->fate.sched, fate_run, fate, .name = "fate") < 0)
        cg__explore_fail(world, CG_SIM_FAILED, "no memory for its faults");
}
