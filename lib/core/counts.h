/* SPDX-License-Identifier: MIT */
/* What a scheduler with metrics counts. Its thread is the only one that writes the counts, so
 * that a relaxed load and store does; any thread reads them. What happens for each operation is
 * inline: through an observer's functions it took twice the time. Names and texts are in
 * lib/insight/metrics_walk.c. */
#ifndef COGEN_LIB_CORE_COUNTS_H
#define COGEN_LIB_CORE_COUNTS_H

#include "lib/core/observe.h"
#include "lib/core/ready.h"

#include <cogen/metrics.h>
#include <cogen/op.h>

#include <stdatomic.h>

enum {
    CG__COUNTS_FEW = 4,    /* ready coroutines, with which every turn is timed; */
    CG__COUNTS_SAMPLE = 8, /* with more, one of so many */
    CG__COUNTS_TYPES = 96, /* types of operations that are told apart, by their names */
    CG__COUNTS_PLACES = 256, /* of the table of types; a power of two */
};

/* Counters and gauges that are not divided. */
enum cg__counts_value {
    CG__COUNTS_STARTED,
    CG__COUNTS_RESUMED,
    CG__COUNTS_TURNS,
    CG__COUNTS_RECEIVED,
    CG__COUNTS_SENT,
    CG__COUNTS_ACCEPTED,
    CG__COUNTS_REFUSED,
    CG__COUNTS_COROUTINES,
    CG__COUNTS_READY,
    CG__COUNTS_TIMERS,
    CG__COUNTS_SOCKETS,
    CG__COUNTS_IDLE,
    CG__COUNTS_HOLDS,
    CG__COUNTS_BUFFERS,
    CG__COUNTS_BUFFERS_FREE,
    CG__COUNTS_STACKS,
    CG__COUNTS_STACKS_FREE,
    CG__COUNTS_VALUES,
};

enum cg__counts_length {
    CG__COUNTS_DELAY, /* in the ready queue; in turns that are timed */
    CG__COUNTS_RUN,   /* of a coroutine, between two suspensions; in turns that are timed */
    CG__COUNTS_TURN,  /* between two waits */
    CG__COUNTS_WAIT,  /* in the reactor */
    CG__COUNTS_LENGTHS,
};

/* Lengths mostly are in the bucket of the length before: it is at hand, with its limits. */
struct cg__histogram {
    atomic_ullong sum;
    uint64_t low, width; /* the bucket is for `width` lengths from `low` on; 0: not known */
    atomic_ullong *bucket;
    atomic_ullong buckets[CG_METRIC_BUCKETS];
};

/* Of the operations with one name. */
struct cg__counts_type {
    const char *name;
    atomic_ullong at_once; /* that did not wait; those that did are in the histogram */
    atomic_ullong failures, timeouts, branches;
    struct cg__histogram length;
};

struct cg__counts {
    struct cg__observer observer; /* must be first; for what happens once a turn */
    struct cg_sched *sched;
    unsigned number;
    bool runs;       /* a coroutine has been resumed, and its run is not in the histogram */
    int64_t resumed; /* when one was last resumed */
    int64_t slept, woke;
    int64_t *since; /* of each place of the ready queue: when it was filled */
    size_t mask, head, tail; /* as those of the queue when it was last looked at */
    struct cg__histogram lengths[CG__COUNTS_LENGTHS];
    atomic_ullong values[CG__COUNTS_VALUES];
    struct {
        const struct cg_op_type *type;
        struct cg__counts_type *counts;
    } places[CG__COUNTS_PLACES]; /* by the type's address */
    atomic_uint ntypes;
    struct cg__counts_type types[CG__COUNTS_TYPES]; /* the last one is for all others */
};

/* Makes a scheduler count. Returns 0 or -ENOMEM. */
int cg__counts_begin(struct cg_sched *sched);

/* Parts of the functions below that are rare. */
struct cg__counts_type *cg__counts_find(struct cg__counts *counts,
                                        const struct cg_op_type *type, size_t at);
void cg__counts_special(struct cg__counts *counts, struct cg__counts_type *type,
                        const struct cg_op *op, ssize_t result);
void cg__counts_find_bucket(struct cg__histogram *histogram, uint64_t length);
void cg__counts_request(struct cg__counts *counts, const struct cg_io *io, ssize_t result);

/* Where a type is looked for first. */
static inline size_t cg__counts_place(const struct cg_op_type *type)
{
    return (uintptr_t)type / 16 % CG__COUNTS_PLACES;
}

static inline void cg__counts_add(atomic_ullong *count, unsigned long long more)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* A clock that was set back makes a length 0. */
static inline void cg__counts_add_length(struct cg__histogram *histogram, int64_t length)
{
    uint64_t ns = length > 0 ? (uint64_t)length : 0;

    if (ns - histogram->low >= histogram->width)
        cg__counts_find_bucket(histogram, ns);
    cg__counts_add(histogram->bucket, 1);
    cg__counts_add(&histogram->sum, ns);
}

/* An operation ends: the arguments are those of an observer's `ends`. */
static inline void cg__counts_end(struct cg__counts *counts, const struct cg_op *op,
                                  ssize_t result, int64_t length)
{
    size_t at = cg__counts_place(op->type);
    struct cg__counts_type *type = counts->places[at].type == op->type
                                       ? counts->places[at].counts
                                       : cg__counts_find(counts, op->type, at);

    if (length >= 0)
        cg__counts_add_length(&type->length, length);
    else
        cg__counts_add(&type->at_once, 1);
    if (result < 0 || op->type->settled) /* it may have branches */
        cg__counts_special(counts, type, op, result);
}

/* A request to the reactor has completed. */
static inline void cg__counts_complete(struct cg__counts *counts, const struct cg_io *io,
                                       ssize_t result)
{
    if (io->code > CG_IO_SENDFILE)
        cg__counts_request(counts, io, result);
    else if (result > 0)
        cg__counts_add(&counts->values[io->code == CG_IO_RECV ? CG__COUNTS_RECEIVED
                                                              : CG__COUNTS_SENT],
                       (size_t)result);
}

/* A coroutine is about to run. */
static inline void cg__counts_resume(struct cg__counts *counts)
{
    cg__counts_add(&counts->values[CG__COUNTS_RESUMED], 1);
}

/* A turn begins, at `now`: its first coroutine is about to run. Returns whether it is timed. */
bool cg__counts_turn(struct cg__counts *counts, const struct cg__ready *ready, int64_t now);

/* A coroutine is about to run in a turn that is timed: the arguments are those of an observer's
 * `resumes`; `first`: it is the first one. */
void cg__counts_time(struct cg__counts *counts, const struct cg__ready *ready, bool first,
                     int64_t now, int64_t ended);

#endif
