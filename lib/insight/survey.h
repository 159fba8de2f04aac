/* SPDX-License-Identifier: MIT */
/* What a dump prints: the coroutines of a scheduler as a tree, in which those that are
 * alike are one. See survey.c. */
#ifndef COGEN_LIB_INSIGHT_SURVEY_H
#define COGEN_LIB_INSIGHT_SURVEY_H

#include "lib/insight/traces.h"

#include "lib/core/sched.h"

enum {
    CG__SURVEY_LIMIT = 16 * 1024, /* coroutines examined, unless the caller says otherwise */
    CG__SURVEY_LOOK = 64,         /* coroutines between two looks at the clock */
};
#define CG__SURVEY_TIME (30 * CG_MILLISECOND) /* after which no further one is examined, */
#define CG__SURVEY_MEASURE (10 * CG_MILLISECOND) /* or its use of stack measured */

/* How a coroutine hangs on the one above it. */
enum cg__seen_how {
    CG__SEEN_STARTED, /* was started by it */
    CG__SEEN_MEMBER,  /* is a member of a group of it */
    CG__SEEN_BRANCH,  /* runs a branch of its cg_any or cg_all */
};

/* A coroutine, or several that are alike: they have the same parent, name, function, state,
 * kind of operation and backtrace, await the same coroutine if any, and have started nothing
 * that still runs. References are indices plus one; 0: none. */
struct cg__seen {
    struct cg_coro *coro; /* the first of them */
    uint32_t parent, first, last, next; /* parent, children, next sibling */
    uint32_t like;  /* it is alike to this one, which stands for it */
    uint32_t count; /* how many this one stands for, itself included */
    uint32_t trace; /* number in traces */
    uint8_t how;    /* enum cg__seen_how */
    bool parent_ended; /* it was started by a coroutine that has ended */
    int64_t earliest;  /* when the first of them began to wait, */
    int64_t oldest;    /* and when the oldest was started */
    size_t used;       /* bytes of stack, at most; 0: not known */
    uint32_t measured; /* of how many of them the use of stack is known */
};

struct cg__survey {
    struct cg_sched *sched;
    struct cg__seen *seen; /* in the order of their start */
    size_t count;
    size_t left_out;  /* coroutines that were not examined */
    bool out_of_time; /* because it took too long */
    uint32_t first, last; /* those without a parent */
    uint32_t *table;      /* for cg__survey_find: references by address */
    struct cg__traces traces;
};

/* Examines at most `limit` coroutines (0: the default, and then no longer than
 * CG__SURVEY_TIME). Only in the scheduler's thread. Returns 0 or -ENOMEM. */
int cg__survey_init(struct cg__survey *survey, struct cg_sched *sched, size_t limit);
void cg__survey_free(struct cg__survey *survey);

/* The next one in the order in which a tree is printed, or NULL. *depth is its depth; `seen`
 * NULL: the first. */
const struct cg__seen *cg__survey_next(const struct cg__survey *survey,
                                       const struct cg__seen *seen, unsigned *depth);

/* The index of a coroutine plus one; 0: it was not examined, or has ended. The pointer may
 * be invalid. */
uint32_t cg__survey_find(const struct cg__survey *survey, const struct cg_coro *coro);

#endif
