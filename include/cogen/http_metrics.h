/* SPDX-License-Identifier: MIT */
/* Counts of HTTP servers, as Prometheus reads them. See cg_http_metrics(3).
 *
 *     struct cg_http_metrics *metrics = cg_http_metrics_new();
 *     struct cg_http_server *server = cg_http_server_new(.metrics = metrics);
 *
 *     cg_http_server_mount(server, "GET /metrics", cg_http_metrics_handler, metrics); */
#ifndef COGEN_HTTP_METRICS_H
#define COGEN_HTTP_METRICS_H

#include <cogen/http_server.h>

/* Several servers may share one, also those of several threads. */
struct cg_http_metrics;

CG_EXTERN_C_BEGIN

/* Makes counts, all 0, to be freed with cg_http_metrics_free (NULL is ignored) after the
 * servers that use them. Returns NULL if there is no memory. */
CG_API struct cg_http_metrics *cg_http_metrics_new(void);
CG_API void cg_http_metrics_free(struct cg_http_metrics *metrics);

/* A handler whose arg is the metrics: responds with the text format of Prometheus:
 *   http_connections                  open connections
 *   http_connections_total            accepted ones
 *   http_requests_in_flight           requests that handlers work on
 *   http_requests_total{code="200"}   responses by status; invalid requests count, too
 *   http_refusals_total{limit="connections"}   connections that were closed and requests that
 *                                     were refused, by the server's option that was exceeded
 *   http_response_body_bytes_total    bytes of their bodies
 *   http_request_duration_seconds     histogram: from the end of the head until the handler
 *                                     has returned
 * Then come the metrics of all schedulers that count (cg_metrics_print). */
CG_API ssize_t cg_http_metrics_handler(struct cg_http_request *req, void *metrics);

CG_EXTERN_C_END
#endif
