/* SPDX-License-Identifier: MIT */
/* cg_sim_explore: fills in the options, searches, makes smaller what was found, and shows
 * it. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <cogen/crew.h>
#include <cogen/explore.h>

#include "lib/base/plural.h"
#include "reactors/explore/explore.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum {
    SEEDS = 1000,
    STORM = 10,       /* s */
    TIME_LIMIT = 24,  /* h */
    TURNS = 1000000,
    PATIENCE = 10, /* s */
};

static uint64_t or_else(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void fill_in(struct cg__explore *explore, const struct cg_sim_explore_options *options)
{
    struct cg_sim_explore_options *all = &explore->options;
    unsigned cpus = cg_cpus();

    *all = *options;
    all->seeds = or_else(all->seeds, SEEDS);
    if (all->jobs == 0)
        all->jobs = cpus < CG__EXPLORE_JOBS ? cpus : CG__EXPLORE_JOBS;
    if (all->seeds < all->jobs)
        all->jobs = (unsigned)all->seeds;
    all->storm = (int64_t)or_else((uint64_t)all->storm, STORM * CG_SECOND);
    all->time_limit = (int64_t)or_else((uint64_t)all->time_limit, TIME_LIMIT * CG_HOUR);
    all->turn_limit = or_else(all->turn_limit, TURNS);
    all->trace = all->trace && !all->quiet;
    all->patience = (int64_t)or_else((uint64_t)all->patience, PATIENCE * CG_SECOND);
    if (all->world)
        explore->world = *all->world;
    while (all->programs && all->programs[explore->hosts - 1].name)
        explore->hosts++;
    if (!all->names)
        return;
    explore->hosts++;
    explore->world.name_server = CG_SIM_NAME_SERVER;
}

static bool lacks_function(const struct cg_sim_program *program)
{
    while (program && program->name && program->fn)
        program++;
    return program && program->name;
}

static bool bad(const struct cg__explore *explore)
{
    const struct cg_sim_explore_options *options = &explore->options;

    return explore->fn == NULL || lacks_function(options->programs) ||
           explore->hosts > CG__EXPLORE_HOSTS || cg__sim_is_bad(&explore->world) ||
           options->jobs > CG__EXPLORE_JOBS || options->order > CG_ORDER_PCT ||
           options->faults > CG_SIM_ALL_FAULTS || options->storm < 0 ||
           options->storm > CG_NEVER / 8 || options->time_limit < 0 || options->patience < 0 ||
           options->patience > CG_HOUR * 24 || options->first > UINT64_MAX - options->seeds;
}

/* A plan that was given may be too long for *found. */
static void print_plan(const struct cg__plan *plan, char text[CG_SIM_PLAN_SIZE])
{
    cg__plan_print(plan, text, CG_SIM_PLAN_SIZE);
}

/* Makes the world that failed smaller, and runs it once more with its trace. */
static int examine(struct cg__explore *explore, struct cg__explore_end *end,
                   struct cg_sim_found *found)
{
    bool quiet = explore->options.quiet, again;
    size_t len;
    int rc;

    if (!quiet)
        fprintf(stderr, "explore: seed %llu fails, of %llu world%s: %s\n",
                (unsigned long long)end->seed, (unsigned long long)found->worlds,
                cg__plural(found->worlds), end->why);
    rc = cg__explore_shrink(explore, end, &again);
    print_plan(&explore->plan, found->plan);
    found->failure = end->failure;
    found->seed = end->seed;
    memcpy(found->why, end->why, sizeof found->why);
    len = strlen(found->why);
    if (rc == 0 && !again)
        snprintf(found->why + len, sizeof found->why - len,
                 "%s", " (but not in a new process: does something remain of earlier worlds?)");
    if (quiet || rc < 0)
        return rc;
    fprintf(stderr, "explore: the trace of its smallest plan, after %llu more world%s:\n",
            (unsigned long long)explore->trials, cg__plural(explore->trials));
    rc = cg__explore_try(explore, &explore->plan, true, false, end);
    if (rc == 0 && again)
        fprintf(stderr, "explore: %s\n", end->why);
    else if (rc == 0)
        fprintf(stderr, "explore: %s\n", found->why);
    fprintf(stderr, "explore: to run it again: --replay '%s'\n", found->plan);
    return rc;
}

static int search(struct cg__explore *explore, struct cg_sim_found *found)
{
    struct cg__explore_end end;
    int rc;

    atomic_store(&explore->shared->next, explore->options.first);
    atomic_store(&explore->shared->limit, explore->options.first + explore->options.seeds);
    rc = cg__explore_search(explore, &end, &found->worlds);
    if (rc == 0 && end.failure != CG_SIM_NO_FAILURE)
        rc = cg__plan_draw(&explore->plan, end.seed, &explore->options, explore->hosts);
    if (rc < 0 && !explore->options.quiet)
        fprintf(stderr, "explore: after %llu world%s: %s\n", (unsigned long long)found->worlds,
                cg__plural(found->worlds), rc == -EINTR ? "interrupted" : cg_strerror(rc));
    if (rc < 0)
        return rc;
    if (end.failure != CG_SIM_NO_FAILURE) {
        rc = examine(explore, &end, found);
        return rc < 0 ? rc : 1;
    }
    if (!explore->options.quiet)
        fprintf(stderr, "explore: %llu world%s, and none failed\n",
                (unsigned long long)found->worlds, cg__plural(found->worlds));
    return 0;
}

/* Runs the world of a given plan only. */
static int replay(struct cg__explore *explore, struct cg_sim_found *found)
{
    bool quiet = explore->options.quiet;
    struct cg__explore_end end;
    int rc = cg__plan_parse(&explore->plan, explore->options.plan, explore->hosts);

    if (rc == 0)
        rc = cg__explore_try(explore, &explore->plan, !quiet, false, &end);
    if (rc < 0)
        return rc;
    found->worlds = 1;
    found->seed = explore->plan.seed;
    found->failure = end.failure;
    memcpy(found->why, end.why, sizeof found->why);
    print_plan(&explore->plan, found->plan);
    if (!quiet)
        fprintf(stderr, "explore: %s\n",
                end.failure != CG_SIM_NO_FAILURE ? end.why : "the world does not fail");
    return end.failure != CG_SIM_NO_FAILURE;
}

int cg_sim_explore_with(cg_fn *fn, void *arg, const struct cg_sim_explore_options *options,
                        struct cg_sim_found *found)
{
    static const struct cg_sim_explore_options usual;
    struct cg__explore explore = {.fn = fn, .arg = arg, .hosts = 1};
    struct cg_sim_found own;
    size_t size;
    int rc;

    if (found == NULL)
        found = &own;
    *found = (struct cg_sim_found){.failure = CG_SIM_NO_FAILURE};
    if (cg_coro_self())
        return -EBUSY;
    fill_in(&explore, options ? options : &usual);
    if (bad(&explore))
        return -EINVAL;
    size = sizeof *explore.shared + explore.options.jobs * sizeof *explore.shared->slots;
    explore.shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (explore.shared == MAP_FAILED)
        return -errno;
    rc = explore.options.plan ? replay(&explore, found) : search(&explore, found);
    cg__plan_free(&explore.plan);
    munmap(explore.shared, size);
    return rc;
}
