/* SPDX-License-Identifier: MIT */
/* Counts of requests and connections. See metrics.h. */
#include "config.h"

#include "http/server/metrics.h"

#include <cogen/reactor.h>
#include <stdlib.h>

#define MS CG_MILLISECOND

const int64_t cg__http_metrics_limits[CG__HTTP_BUCKETS - 1] = {
    MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
    CG_SECOND, 5 * CG_SECOND / 2,
};

/* No order among the counts is needed. */
#define ADD(count, value) atomic_fetch_add_explicit(&(count), (value), memory_order_relaxed)

struct cg_http_metrics *cg_http_metrics_new(void)
{
    return calloc(1, sizeof(struct cg_http_metrics));
}

void cg_http_metrics_free(struct cg_http_metrics *metrics)
{
    free(metrics);
}

void cg__http_metrics_connection(struct cg_http_metrics *metrics, int change)
{
    ADD(metrics->open, change);
    if (change > 0)
        ADD(metrics->accepted, 1);
}

void cg__http_metrics_refuse(const struct cg_http_server *server, enum cg__http_refused limit)
{
    if (server->options.metrics != NULL)
        ADD(server->options.metrics->refusals[limit], 1);
}

void cg__http_metrics_refuse_head(const struct cg_http_server *server, int status)
{
    switch (status) {
    case 408:
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_HEADER_TIME);
        break;
    case 413:
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_BODY);
        break;
    case 414:
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_TARGET);
        break;
    case 431:
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_HEADERS);
        break;
    }
}

int64_t cg__http_metrics_now(const struct cg_http_server *server)
{
    struct cg_reactor *reactor = cg_sched_reactor(server->sched);

    return reactor->type->now(reactor);
}

void cg__http_metrics_begin(struct cg_http_metrics *metrics)
{
    ADD(metrics->in_flight, 1);
}

static void add_duration(struct cg_http_metrics *metrics, int64_t duration)
{
    int i = 0;

    while (i < CG__HTTP_BUCKETS - 1 && duration > cg__http_metrics_limits[i])
        i++;
    ADD(metrics->buckets[i], 1);
    ADD(metrics->duration, (unsigned long long)duration);
}

/* A request whose client has left before the response began has no status: it counts as 499,
 * as nginx has it. */
void cg__http_metrics_end(struct cg_http_metrics *metrics, const struct cg_http_request *req)
{
    int status = req->begun && req->status > 0 && req->status < CG__HTTP_CODES ? req->status
                                                                             : 499;

    ADD(metrics->codes[status], 1);
    ADD(metrics->bytes, req->sent);
    if (req->began == 0)
        return;
    ADD(metrics->in_flight, -1);
    add_duration(metrics, cg__http_metrics_now(req->server) - req->began);
}
