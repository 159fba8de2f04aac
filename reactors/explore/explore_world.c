/* SPDX-License-Identifier: MIT */
/* One world: its hosts are made, run, and checked. Whatever fails ends the process, so that
 * nothing of a failed world is left for the next one. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cogen/sched.h>

#include "reactors/explore/explore.h"

/* Adds the names of a scheduler's coroutines to a text. */
static void add_names(char *buf, size_t size, const struct cg_sched *sched)
{
    for (struct cg_coro *coro = NULL; (coro = cg_coro_next(sched, coro));) {
        size_t len = strlen(buf);

        snprintf(buf + len, size - len, "%s%s", len > 0 ? ", " : "", cg_coro_name(coro));
    }
}

static void dump(const struct cg__explore_place *place)
{
    if (place->reactor && place->sched && cg_coro_next(place->sched, NULL))
        cg_coro_dump(place->sched, stderr);
}

void cg__explore_fail(struct cg__explore_running *world, enum cg_sim_failure failure,
                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(world->slot->why, sizeof world->slot->why, format, args);
    va_end(args);
    for (unsigned i = 0; world->trace && i < world->explore->hosts; i++)
        dump(&world->places[i]);
    world->slot->failure = failure;
    world->slot->running = false;
    fflush(NULL);
    _exit(0);
}

static struct cg__explore_running *running(struct cg__sim_watch *watch)
{
    return (struct cg__explore_running *)watch;
}

/* The plan's choice of a step, or 0. The items of each host are in the order of its steps. */
static size_t listed(struct cg__explore_running *world, unsigned host, uint64_t step)
{
    const struct cg__plan *plan = world->plan;
    size_t *at = &world->cursors[host];

    for (; *at < plan->count; ++*at) {
        const struct cg__plan_item *item = &plan->items[*at];

        if (item->what != CG__PLAN_RUN || item->values[0] != host)
            continue;
        if (item->values[1] == (int64_t)step)
            return (size_t)item->values[2];
        if (item->values[1] > (int64_t)step)
            break;
    }
    return 0;
}

static void note(struct cg__explore_record *record, unsigned host, uint64_t step, size_t chosen)
{
    if (record->count == CG__EXPLORE_RUNS || step > UINT32_MAX) {
        record->full = true;
        return;
    }
    record->runs[record->count].host = host;
    record->runs[record->count].step = (uint32_t)step;
    record->runs[record->count++].index = (uint32_t)chosen;
}

static size_t ask(struct cg__sim_watch *watch, unsigned host, uint64_t step, size_t count,
                  size_t chosen)
{
    struct cg__explore_running *world = running(watch);

    if (world->listed)
        chosen = host < sizeof world->cursors / sizeof *world->cursors
                     ? listed(world, host, step) % count
                     : 0;
    if (world->record && chosen != 0)
        note(world->record, host, step, chosen);
    return chosen;
}

static void waits(struct cg__sim_watch *watch, int64_t now)
{
    struct cg__explore_running *world = running(watch);
    const struct cg_sim_explore_options *options = &world->explore->options;

    if (++world->turns > options->turn_limit)
        cg__explore_fail(world, CG_SIM_TOO_LONG, "its hosts waited more than %llu times",
                         (unsigned long long)options->turn_limit);
    if (now > options->time_limit)
        cg__explore_fail(world, CG_SIM_TOO_LONG, "its clock shows more than %lld s",
                         (long long)(options->time_limit / CG_SECOND));
}

static void apply(struct cg_sim_options *options, const struct cg__plan_item *item)
{
    unsigned value = (unsigned)item->values[0];

    switch (item->what) {
    case CG__PLAN_LATENCY:
        options->latency = item->values[0];
        break;
    case CG__PLAN_JITTER:
        options->jitter = item->values[0];
        break;
    case CG__PLAN_WINDOW:
        options->window = value;
        break;
    case CG__PLAN_SHORT:
        options->short_permille = value;
        break;
    case CG__PLAN_COMPLETION:
        options->completion = true;
        break;
    case CG__PLAN_MULTISHOT:
        options->multishot = true;
        break;
    case CG__PLAN_LATE:
        options->late_cancel = true;
        break;
    case CG__PLAN_RESET:
        options->reset_permille = value;
        break;
    case CG__PLAN_REFUSE:
        options->refuse_permille = value;
        break;
    case CG__PLAN_ABORT:
        options->abort_permille = value;
        break;
    case CG__PLAN_LOSE:
        options->lose_permille = value;
        break;
    case CG__PLAN_DOUBLE:
        options->double_permille = value;
        break;
    case CG__PLAN_REORDER:
        options->reorder_permille = value;
        break;
    default:
        break;
    }
}

static struct cg_sim_options properties(const struct cg__explore_running *world)
{
    const struct cg__plan *plan = world->plan;
    struct cg_sim_options options = world->explore->world;

    options.seed = plan->seed;
    options.order = plan->order;
    options.depth = (unsigned)plan->depth;
    options.steps = plan->steps;
    for (size_t i = 0; i < plan->count; i++)
        apply(&options, &plan->items[i]);
    return options;
}

/* The end of the program is the end of the world. */
static ssize_t lead(void *arg)
{
    struct cg__explore_running *world = arg;

    world->result = world->explore->fn(world->explore->arg);
    world->done = true;
    for (unsigned i = 1; i < world->explore->hosts; i++)
        if (world->places[i].reactor)
            cg_sched_stop(world->places[i].sched);
    if (world->fate.reactor)
        cg_sched_stop(world->fate.sched);
    return 0;
}

static void need(struct cg__explore_running *world, int rc)
{
    if (rc < 0)
        cg__explore_fail(world, CG_SIM_FAILED, "cannot make a host: %s", cg_strerror(rc));
}

/* The last host may be that of the name server. */
static struct cg_sim_program program_of(const struct cg__explore *explore, unsigned place)
{
    if (explore->options.names && place == explore->hosts - 1)
        return (struct cg_sim_program){"names", cg_sim_serve_names, (void *)explore->options.names};
    return explore->options.programs[place - 1];
}

void cg__explore_start(struct cg__explore_running *world, unsigned place)
{
    struct cg_sim_program program = program_of(world->explore, place);
    struct cg__explore_place *at = &world->places[place];

    need(world, cg_sim_host(world->places[0].reactor, &at->reactor));
    if (!(at->sched = cg_sched_new(at->reactor)))
        need(world, -ENOMEM);
    need(world, cg_sched_start(at->sched, program.fn, program.arg, .name = program.name));
}

static void begin(struct cg__explore_running *world)
{
    struct cg_sim_options options = properties(world);
    struct cg__explore_place *first = &world->places[0];

    need(world, cg_sim_open(&options, &first->reactor));
    cg__sim_watch(first->reactor, &world->watch);
    if (world->trace)
        cg_sim_trace(first->reactor, cg_sim_print, stderr);
    if (!(first->sched = cg_sched_new(first->reactor)))
        need(world, -ENOMEM);
    need(world, cg_sched_start(first->sched, lead, world, .name = "program"));
    for (unsigned i = 1; i < world->explore->hosts; i++)
        cg__explore_start(world, i);
    cg__explore_fate(world);
}

static void check(struct cg__explore_running *world, ssize_t left)
{
    char names[CG_SIM_WHY_SIZE - 64] = "";

    for (unsigned i = 0; left > 0 && i < world->explore->hosts; i++)
        if (world->places[i].reactor)
            add_names(names, sizeof names, world->places[i].sched);
    if (left < 0)
        cg__explore_fail(world, CG_SIM_FAILED, "the run failed: %s", cg_strerror(left));
    if (left > 0)
        cg__explore_fail(world, CG_SIM_STUCK, "%zd coroutine%s for ever: %s", left,
                         left == 1 ? " waits" : "s wait", names);
    if (world->result < 0)
        cg__explore_fail(world, CG_SIM_FAILED, "the program returned %zd: %s", world->result,
                         cg_strerror(world->result));
}

static void end(struct cg__explore_running *world)
{
    size_t handles;

    for (unsigned i = 0; i < world->explore->hosts; i++)
        if (world->places[i].reactor)
            cg_sched_free(world->places[i].sched);
    if (world->fate.reactor)
        cg_sched_free(world->fate.sched);
    if ((handles = cg_sim_handles(world->places[0].reactor)) > 0)
        cg__explore_fail(world, CG_SIM_LEFT, "%zu handle%s open at the end", handles,
                         handles == 1 ? " is" : "s are");
    if (world->fate.reactor)
        cg_reactor_close(world->fate.reactor);
    for (unsigned i = world->explore->hosts; i-- > 0;)
        if (world->places[i].reactor)
            cg_reactor_close(world->places[i].reactor);
}

static bool is_listed(const struct cg__plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].what == CG__PLAN_LISTED)
            return true;
    return false;
}

void cg__explore_world(const struct cg__explore *explore, const struct cg__plan *plan,
                       struct cg__explore_slot *slot, bool trace, bool record)
{
    struct cg__explore_running world = {
        .watch = {.ask = ask, .waits = waits},
        .explore = explore,
        .plan = plan,
        .slot = slot,
        .record = record ? &explore->shared->record : NULL,
        .trace = trace,
        .listed = is_listed(plan),
    };

    begin(&world);
    check(&world, cg_sim_run(world.places[0].reactor));
    end(&world);
    if (world.record && world.record->full)
        world.record->count = 0;
}
