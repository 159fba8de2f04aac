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

/* Limits whose excess has cost a client its connection or its request. They are called after the
 * server's options, but for CG__HTTP_REFUSED_DESCRIPTOR: the kernel had no descriptor left. */
enum cg__http_refused {
    CG__HTTP_REFUSED_CONNECTION,
    CG__HTTP_REFUSED_ADDRESS,
    CG__HTTP_REFUSED_DESCRIPTOR,
    CG__HTTP_REFUSED_PROXY,
    CG__HTTP_REFUSED_HEADER_TIME, /* also header_rate */
    CG__HTTP_REFUSED_TARGET,
    CG__HTTP_REFUSED_HEADERS, /* also headers_count */
    CG__HTTP_REFUSED_BODY,
    CG__HTTP_REFUSED_BODY_TIME, /* also body_rate */
    CG__HTTP_REFUSED_WRITE_TIME,
    CG__HTTP_REFUSED_STREAM,
    CG__HTTP_REFUSED_WORK, /* h2_burst and h2_rate */
    CG__HTTP_REFUSALS,
};

struct cg_http_metrics {
    atomic_ullong codes[CG__HTTP_CODES];
    atomic_ullong refusals[CG__HTTP_REFUSALS];
    atomic_ullong buckets[CG__HTTP_BUCKETS];
    atomic_ullong duration; /* the sum, ns */
    atomic_ullong bytes, accepted;
    atomic_llong open, in_flight;
};

/* The upper limits of the buckets but the last, in ns. */
extern const int64_t cg__http_metrics_limits[CG__HTTP_BUCKETS - 1];

/* A connection has come, or has ended. */
void cg__http_metrics_connection(struct cg_http_metrics *metrics, int change);

/* A limit of a server was exceeded; it may have no metrics. */
void cg__http_metrics_refuse(const struct cg_http_server *server, enum cg__http_refused limit);

/* An invalid request is refused with this status; most have nothing to do with a limit. */
void cg__http_metrics_refuse_head(const struct cg_http_server *server, int status);

/* The present time, exactly: the turn's clock does not see how long a handler computes. */
int64_t cg__http_metrics_now(const struct cg_http_server *server);

/* A request begins, or has ended; an invalid one only ends. */
void cg__http_metrics_begin(struct cg_http_metrics *metrics);
void cg__http_metrics_end(struct cg_http_metrics *metrics, const struct cg_http_request *req);

#endif
