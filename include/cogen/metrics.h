/* SPDX-License-Identifier: MIT */
/* Metrics: what schedulers have done so far, as counters, gauges and histograms. A scheduler
 * counts if it was made with .metrics (cg_sched_new, cg_crew_main); any thread may read. See
 * cg_metrics(3). */
#ifndef COGEN_METRICS_H
#define COGEN_METRICS_H

#include <cogen/base.h>

#include <stdio.h>

enum {
    CG_METRIC_BUCKETS = 16, /* of a histogram */
};

enum cg_metric_kind {
    CG_METRIC_COUNTER,   /* only grows */
    CG_METRIC_GAUGE,     /* as it was when the scheduler last waited for its reactor */
    CG_METRIC_HISTOGRAM, /* of lengths of time */
};

/* One metric of one scheduler, or of the process, with the value that it had when it was read. */
struct cg_metric {
    const char *name;  /* "cogen_ops_total"; static */
    const char *help;  /* a sentence; static */
    const char *label; /* the name of its label: "op"; static. NULL: it has none */
    const char *of;    /* the value of its label: "read" */
    enum cg_metric_kind kind;
    unsigned sched; /* the scheduler: they are numbered from 1, in the order in which they were
                     * made; 0: it is of the process */
    uint64_t value; /* a histogram's: how many lengths it holds */
    uint64_t sum;   /* a histogram's: their sum, ns */
    const uint64_t *buckets; /* a histogram's: how many lengths each bucket has, that is,
                              * lengths above the limit of the bucket before it and up to its
                              * own */
};

/* Called for each metric. A result other than 0 ends the walk. */
typedef int cg_metrics_fn(void *arg, const struct cg_metric *metric);

CG_EXTERN_C_BEGIN

/* Calls fn(arg, metric) for each metric of each scheduler of the process that counts and, if
 * there is such a scheduler, for the metrics of the process. Metrics of one name follow each
 * other; all values are of about the same moment. May be called in any thread; no scheduler
 * waits for it. What fn gets is valid until it returns. Returns 0, what fn returned if that is
 * not 0, or -ENOMEM. */
CG_API int cg_metrics_walk(cg_metrics_fn *fn, void *arg);

/* The greatest length that bucket `index` of each histogram counts, in ns: 1 us times 4 to the
 * power of the index; CG_NEVER for the last one. */
CG_API int64_t cg_metrics_limit(int index);

/* Writes all metrics in the text format of Prometheus. In any thread. Returns 0, -ENOMEM, or
 * -EIO if it could not be written. */
CG_API int cg_metrics_print(FILE *out);

CG_EXTERN_C_END
#endif
