/* SPDX-License-Identifier: MIT */
/* Posts: functions that threads and signal handlers give to a scheduler to run. See
 * post.c. */
#ifndef COGEN_LIB_CORE_POST_H
#define COGEN_LIB_CORE_POST_H

#include <stdbool.h>

struct cg_sched;

/* Embedded in the object that is posted, which `run` may free. `dropped`: the scheduler is
 * being freed, and `run` must not use the scheduler. */
struct cg__post {
    struct cg__post *next;
    void (*run)(struct cg__post *post, bool dropped);
};

/* Posts without an allocation, so that it never fails. May be called from any thread or
 * signal handler. The scheduler may take the post, end, and be freed by its thread before
 * this has returned: see cg__post_enter. */
void cg__post(struct cg_sched *sched, struct cg__post *post);

/* Between enter and leave the scheduler's memory and reactor stay valid: cg_sched_free
 * waits until every poster has left. So a poster must not wait for anything in between. A
 * poster may enter only a scheduler that is not freed yet. May be called from any thread
 * or signal handler. */
void cg__post_enter(struct cg_sched *sched);
void cg__post_leave(struct cg_sched *sched);

/* Waits until every poster has left; called when the scheduler is freed. */
void cg__post_wait_until_left(struct cg_sched *sched);

/* Called in a child made by fork(): posters that have entered are threads of the parent,
 * and will never leave. */
void cg__post_forked(struct cg_sched *sched);

/* Run all posts, the oldest first; drop all posts. */
void cg__post_run_all(struct cg_sched *sched);
void cg__post_drop_all(struct cg_sched *sched);

/* Drops only the posts for which `is` returns true; the others stay. */
void cg__post_drop_some(struct cg_sched *sched, bool (*is)(const struct cg__post *post));

#endif
