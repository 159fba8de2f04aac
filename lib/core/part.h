/* SPDX-License-Identifier: MIT */
/* What files outside the core keep with a scheduler: tables of signals, jobs in threads,
 * requests for cg_poll. A part is made when it is first needed and freed with the
 * scheduler. The core calls its functions and knows nothing else of it.
 *
 * Why not struct cg_kept, which programs embed: each signal needs its part, and a part is
 * found by its index, but a cg_kept by a search. And a part ends in two steps, since posts
 * that are dropped between the two still use it. */
#ifndef COGEN_LIB_CORE_PART_H
#define COGEN_LIB_CORE_PART_H

#include <stdbool.h>

struct cg_sched;

/* The places, so that a part is found without a search. */
enum cg__part_place {
    CG__PART_CHANNELS,
    CG__PART_DISK,
    CG__PART_ERRANDS,
    CG__PART_JOBS,
    CG__PART_OS_SIGNALS,
    CG__PART_PIPES,
    CG__PART_POLLS,
    CG__PART_SIGNALS,
    CG__PARTS,
};

struct cg__part {
    /* Called when the scheduler is freed: its coroutines have ended or are abandoned, its
     * posts are dropped next. NULL: nothing to do. */
    void (*drop)(struct cg__part *part, struct cg_sched *sched);
    /* Called last of all, when nothing uses the part any more. */
    void (*free)(struct cg__part *part);
    /* Called when nothing will ever happen in the scheduler by itself: waits until a
     * thread has posted something. False: no thread will. NULL: as if false. */
    bool (*wait)(struct cg__part *part, struct cg_sched *sched);
    /* Called in a child made by fork(), once, outside coroutines: completes the ops that
     * only the parent's threads could complete. NULL: there are none. */
    void (*forked)(struct cg__part *part, struct cg_sched *sched);
};

#endif
