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

/* Posts without memory of its own: never fails. From any thread or signal handler. The
 * scheduler may take the post, end, and be freed by its thread before this has returned: see
 * cg__post_enter. */
void cg__post(struct cg_sched *sched, struct cg__post *post);

/* While somebody has entered a scheduler, its memory and its reactor stay: cg_sched_free
 * waits until all have left. So nobody may wait for anything in between. Whoever enters must
 * know that the scheduler is not freed yet. From any thread or signal handler. */
void cg__post_enter(struct cg_sched *sched);
void cg__post_leave(struct cg_sched *sched);

/* The scheduler is being freed: waits until nobody is inside. */
void cg__post_wait_until_left(struct cg_sched *sched);

/* This is a child made by fork(): whoever is inside is one of the parent's threads, and will
 * never leave. */
void cg__post_forked(struct cg_sched *sched);

/* Runs what has been posted, the oldest first; drops it. */
void cg__post_run_all(struct cg_sched *sched);
void cg__post_drop_all(struct cg_sched *sched);

/* Drops only those that are such posts; the others stay. */
void cg__post_drop_some(struct cg_sched *sched, bool (*is)(const struct cg__post *post));

#endif
