/* SPDX-License-Identifier: MIT */
/* A ring of the latest events of a scheduler. See trace.c. */
#ifndef COGEN_LIB_INSIGHT_TRACE_H
#define COGEN_LIB_INSIGHT_TRACE_H

#include "lib/core/sched.h"

#include <stdio.h>

enum {
    CG__TRACE_DEFAULT = 64 * 1024,      /* events that $COGEN_TRACE keeps */
    CG__TRACE_MOST = 1024 * 1024,
};

enum cg__trace_kind {
    CG__TRACE_RAN,        /* a coroutine */
    CG__TRACE_SLEPT,      /* the scheduler, in its reactor */
    CG__TRACE_OP,         /* was done */
    CG__TRACE_BEGIN,      /* of an op that yields others, */
    CG__TRACE_END,        /* and its end */
    CG__TRACE_SPAN_BEGIN, /* result: its number */
    CG__TRACE_SPAN_END,
};

struct cg__event {
    int64_t at, length; /* ns */
    uint64_t coro;      /* its id; 0: none */
    int64_t result;
    uint8_t kind;
    char name[31]; /* of the coroutine, operation or span, perhaps cut */
};

struct cg__trace_ring {
    struct cg__observer observer; /* must be first */
    struct cg_sched *sched;
    struct cg__event *events;
    size_t mask;
    uint64_t count;  /* events so far */
    uint64_t spans;  /* so far */
    struct cg__event running; /* the coroutine that runs; .coro 0: none */
    int64_t asleep;  /* since when it waits in the reactor */
    char *file;      /* to be written in the end; NULL: none */
    unsigned forks;  /* the process (fork.h) that made it */
};

/* Begins a trace if the options or $COGEN_TRACE say so. Returns 0 or -ENOMEM. */
int cg__trace_begin(struct cg_sched *sched);

/* Writes `before` and the events as elements of a JSON list, in which `number` is the
 * scheduler's. Returns 0, or -ENOMEM: nothing was written. */
int cg__trace_json(const struct cg__trace_ring *ring, FILE *out, const char *before,
                   unsigned number);

#endif
