/* SPDX-License-Identifier: MIT */
/* Posts: what threads and signal handlers have the scheduler run. See post.c. */
#ifndef COGEN_LIB_CORE_POST_H
#define COGEN_LIB_CORE_POST_H

#include <stdbool.h>

struct cg_sched;

/* Embedded in what it is for. run frees that, or keeps it. `dropped`: the scheduler is
 * being freed, and run must not use it. */
struct cg__post {
    struct cg__post *next;
    void (*run)(struct cg__post *post, bool dropped);
};

/* Posts without memory of its own: never fails. From any thread or signal handler. */
void cg__post(struct cg_sched *sched, struct cg__post *post);

/* Runs what has been posted, the oldest first; drops it. */
void cg__post_run_all(struct cg_sched *sched);
void cg__post_drop_all(struct cg_sched *sched);

#endif
