/* SPDX-License-Identifier: MIT */
/* The inside of cg_sim_explore: plan.c and plan_draw.c have what a world is to be,
 * explore_world.c runs one, explore_fate.c has its faults, explore_child.c the processes in
 * which worlds run, explore_shrink.c makes a failing world smaller, explore_main.c is the
 * command line. A world that fails ends its process; what is known about
 * it lies in memory that the parent shares. */
#ifndef COGEN_REACTORS_EXPLORE_EXPLORE_H
#define COGEN_REACTORS_EXPLORE_EXPLORE_H

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>

#include "reactors/explore/plan.h"
#include "reactors/sim/sim.h"

enum {
    CG__EXPLORE_RUNS = 8192, /* most places where an order that is recorded is not the usual */
    CG__EXPLORE_JOBS = 256,
    CG__EXPLORE_HOSTS = 16, /* most hosts with programs, and the first */
};

/* Of a child: what it does. The parent reads it when the child has ended. */
struct cg__explore_slot {
    bool running; /* a world; its process has not said why it ended */
    uint64_t seed, worlds;
    off_t said; /* where in the file of the child's output this world's begins */
    enum cg_sim_failure failure;
    char why[CG_SIM_WHY_SIZE];
};

/* Where the order of a world was not first come, first served. */
struct cg__explore_record {
    uint32_t count;
    bool full;
    struct {
        uint32_t host, step, index;
    } runs[CG__EXPLORE_RUNS];
};

struct cg__explore_shared {
    atomic_uint_fast64_t next;  /* the next seed to be tried */
    atomic_uint_fast64_t limit; /* where to stop */
    struct cg__explore_record record;
    struct cg__explore_slot slots[];
};

struct cg__explore {
    cg_fn *fn;
    void *arg;
    struct cg_sim_explore_options options; /* with all defaults filled in */
    struct cg_sim_options world;
    unsigned hosts; /* the first, those of programs, and that of the name server */
    struct cg__explore_shared *shared;
    struct cg__plan plan;
    uint64_t trials; /* worlds run to make a failure smaller */
};

/* How a child ended. */
struct cg__explore_end {
    enum cg_sim_failure failure;
    uint64_t seed;
    char why[CG_SIM_WHY_SIZE];
};

/* explore_world.c: runs the plan's world; returns if it does not fail, otherwise ends the
 * process. `record`: writes its order down. */
void cg__explore_world(const struct cg__explore *explore, const struct cg__plan *plan,
                       struct cg__explore_slot *slot, bool trace, bool record);

/* A world that runs. */
struct cg__explore_place {
    struct cg_reactor *reactor; /* NULL: it was killed */
    struct cg_sched *sched;
};

struct cg__explore_running {
    struct cg__sim_watch watch; /* must be first */
    const struct cg__explore *explore;
    const struct cg__plan *plan;
    struct cg__explore_slot *slot;
    struct cg__explore_record *record; /* NULL: none is wanted */
    bool trace, listed, done;
    ssize_t result;
    uint64_t turns;
    size_t cursors[64]; /* by host: the next item of the plan that may be about it */
    struct cg__explore_place places[CG__EXPLORE_HOSTS];
    struct cg__explore_place fate; /* whose program makes the faults happen */
};

__attribute__((noreturn, format(printf, 3, 4))) void
cg__explore_fail(struct cg__explore_running *world, enum cg_sim_failure failure,
                 const char *format, ...);

/* Starts a program on a new host. */
void cg__explore_start(struct cg__explore_running *world, unsigned place);

/* explore_fate.c: makes the host whose program lets the plan's faults happen, if there are
 * any. */
void cg__explore_fate(struct cg__explore_running *world);

/* explore_child.c: search runs worlds in all jobs until `seeds` are tried, or one failed and
 * all smaller ones are done; try runs one world. Both return 0 or a negative code, and say how
 * it ended. */
int cg__explore_search(struct cg__explore *explore, struct cg__explore_end *end,
                       uint64_t *worlds);
int cg__explore_try(struct cg__explore *explore, const struct cg__plan *plan, bool trace,
                    bool record, struct cg__explore_end *end);

/* explore_shrink.c: leaves out of explore->plan, which fails, what the failure does not need.
 * *again: it failed again in a process of its own. Returns 0 or a negative code. */
int cg__explore_shrink(struct cg__explore *explore, struct cg__explore_end *end, bool *again);

#endif
