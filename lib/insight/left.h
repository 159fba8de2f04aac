/* SPDX-License-Identifier: MIT */
/* Things that should not be left: a table of what exists, with the place where it was made.
 * See left.c. */
#ifndef COGEN_LIB_INSIGHT_LEFT_H
#define COGEN_LIB_INSIGHT_LEFT_H

#include "lib/insight/traces.h"

#include "lib/core/debug.h"

/* Something that exists, and who made it where. */
struct cg__left {
    struct cg__left *next, *prev; /* of its kind, in the order of their making */
    struct cg__left *chain;       /* in the table */
    const void *thing;
    const struct cg_coro *coro; /* that made it; may have ended */
    uint64_t id;                /* of that coroutine; 0: none made it */
    uint32_t trace;             /* a number in the traces; 0: not known */
    int64_t at;                 /* when that turn began */
    uint8_t kind;               /* enum cg__debug_kind */
    bool ended;                 /* the coroutine is known to have ended */
    struct cg__debug **noted;   /* of a thing that may outlive its scheduler */
    char name[40], by[40];      /* of the thing and of the coroutine, perhaps cut */
};

struct cg__lefts {
    struct cg__left **table;
    size_t mask, count, counts[CG__DEBUG_KINDS];
    struct cg__left *first[CG__DEBUG_KINDS], *last[CG__DEBUG_KINDS];
    size_t lost; /* things that were not noted, since there was no memory */
};

/* Returns 0 or -ENOMEM. */
int cg__left_init(struct cg__lefts *lefts);
void cg__left_free(struct cg__lefts *lefts);

/* The entry of a thing, new or old; NULL: there is no memory. */
struct cg__left *cg__left_put(struct cg__lefts *lefts, enum cg__debug_kind kind,
                              const void *thing);

/* The entry of a thing; NULL: there is none. */
struct cg__left *cg__left_find(struct cg__lefts *lefts, enum cg__debug_kind kind,
                               const void *thing);

/* Removes a thing, if it is there. */
void cg__left_remove(struct cg__lefts *lefts, enum cg__debug_kind kind, const void *thing);

#endif
