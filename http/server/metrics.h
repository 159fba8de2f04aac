/* SPDX-License-Identifier: MIT */
/* Counts of requests and connections. Threads share them, so they are atomic; each is exact,
 * but they are not of one moment. */
#ifndef COGEN_HTTP_SERVER_METRICS_H
#define COGEN_HTTP_SERVER_METRICS_H

#include "http/server/server.h"

#include <cogen/http_metrics.h>
#include <stdatomic.h>

enum {
    CG__HTTP_CODES = 1000,  /* status codes */
    CG__HTTP_BUCKETS = 12, /* of the histogram; the last one is for all that is longer */
};

struct cg_http_metrics {
    atomic_ullong codes[CG__HTTP_CODES];
    atomic_ullong buckets[CG__HTTP_BUCKETS];
    atomic_ullong duration; /* the sum, ns */
    atomic_ullong bytes, accepted;
    atomic_llong open, in_flight;
};

/* The upper limits of the buckets but the last, in ns. */
extern const int64_t cg__http_metrics_limits[CG__HTTP_BUCKETS - 1];

/* A connection has come, or has ended. */
void cg__http_metrics_connection(struct cg_http_metrics *metrics, int change);

/* The present time, exactly: the turn's clock does not see how long a handler computes. */
int64_t cg__http_metrics_now(const struct cg_http_server *server);

/* A request begins, or has ended; an invalid one only ends. */
void cg__http_metrics_begin(struct cg_http_metrics *metrics);
void cg__http_metrics_end(struct cg_http_metrics *metrics, const struct cg_http_request *req);

#endif
