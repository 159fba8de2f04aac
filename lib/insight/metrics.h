/* SPDX-License-Identifier: MIT */
/* The metrics of one scheduler. Its thread is the only one that writes them, so that a
 * relaxed load and store does; any thread reads them. */
#ifndef COGEN_LIB_INSIGHT_METRICS_H
#define COGEN_LIB_INSIGHT_METRICS_H

#include "lib/core/sched.h"

#include <cogen/metrics.h>

#include <stdatomic.h>

enum {
    CG__METRICS_TYPES = 96, /* types of operations that are told apart, by their names */
    CG__METRICS_PLACES = 256, /* of the table of types; a power of two */
};

/* Counters and gauges that are not divided. */
enum cg__metrics_count {
    CG__METRICS_STARTED,
    CG__METRICS_RESUMED,
    CG__METRICS_TURNS,
    CG__METRICS_RECEIVED,
    CG__METRICS_SENT,
    CG__METRICS_ACCEPTED,
    CG__METRICS_REFUSED,
    CG__METRICS_COROUTINES,
    CG__METRICS_READY,
    CG__METRICS_TIMERS,
    CG__METRICS_SOCKETS,
    CG__METRICS_IDLE,
    CG__METRICS_HOLDS,
    CG__METRICS_BUFFERS,
    CG__METRICS_BUFFERS_FREE,
    CG__METRICS_COUNTS,
};

enum cg__metrics_length {
    CG__METRICS_DELAY, /* in the ready queue */
    CG__METRICS_RUN,   /* of a coroutine, between two suspensions */
    CG__METRICS_TURN,  /* between two waits */
    CG__METRICS_WAIT,  /* in the reactor */
    CG__METRICS_LENGTHS,
};

/* Counters of each type of operation. */
enum cg__metrics_op {
    CG__METRICS_OPS,
    CG__METRICS_FAILURES,
    CG__METRICS_TIMEOUTS,
    CG__METRICS_OP_COUNTS,
};

struct cg__histogram {
    atomic_ullong sum, buckets[CG_METRIC_BUCKETS];
};

/* Of the operations with one name. */
struct cg__metrics_type {
    const char *name;
    atomic_ullong counts[CG__METRICS_OP_COUNTS];
    struct cg__histogram length;
};

struct cg__metrics {
    struct cg__observer observer; /* must be first */
    struct cg_sched *sched;
    unsigned number;
    atomic_ullong counts[CG__METRICS_COUNTS];
    struct cg__histogram lengths[CG__METRICS_LENGTHS];
    atomic_uint ntypes;
    struct cg__metrics_type types[CG__METRICS_TYPES]; /* the last one is for all others */
    /* The rest is for the scheduler's thread only. */
    struct {
        const struct cg_op_type *type;
        struct cg__metrics_type *counts;
    } places[CG__METRICS_PLACES]; /* by a hash of the type's address */
    bool runs;       /* a coroutine has been resumed, and its run is not in the histogram */
    int64_t resumed; /* when one was last resumed */
    int64_t slept, woke;
    int64_t *since; /* of each place of the ready queue: when it was filled */
    size_t mask, head, tail; /* as those of the queue when it was last looked at */
};

/* Makes a scheduler count. Returns 0 or -ENOMEM. */
int cg__metrics_add(struct cg_sched *sched);

/* The metrics of a scheduler; NULL: it does not count. From any thread. */
struct cg__metrics *cg__metrics_of(const struct cg_sched *sched);

#endif
