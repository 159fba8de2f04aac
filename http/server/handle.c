/* SPDX-License-Identifier: MIT */
/* See handle.h. */
#include "config.h"

#include "http/server/handle.h"
#include "http/server/layer.h"
#include "http/server/metrics.h"
#include "http/server/request/request_target.h"
#include "http/server/response/response.h"
#include "http/server/response/response_end.h"
#include "lib/base/ascii.h"
#include "lib/base/probe.h"

int cg__http_handle_check(struct cg_http_request *req)
{
    const char *expect;

    if (!req->has_body)
        return cg__http_request_target_path(req);
    if (!req->unsized && req->length > req->server->options.body_limit)
        return 413;
    if (req->minor > 0 && (expect = cg_http_headers_get(&req->in, "Expect")) != NULL) {
        if (!cg__ascii_equal(expect, "100-continue"))
            return 417;
        req->expects = true;
    }
    return cg__http_request_target_path(req);
}

/* When a handler is called is noted only for those who ask for it. */
static bool is_timed(const struct cg_http_server_options *options)
{
    return options->metrics != NULL || options->access_format == CG_HTTP_LOG_JSON;
}

void cg__http_handle(struct cg_http_request *req)
{
    struct cg_http_metrics *metrics = req->server->options.metrics;
    ssize_t n;

    if (is_timed(&req->server->options))
        req->began = cg__http_metrics_now(req->server);
    if (metrics != NULL)
        cg__http_metrics_begin(metrics);
    CG__PROBE(http_begin, req, req->method, req->path);
    n = req->conn->told ? cg_http_request_set_param(req, "client-address", req->conn->peer) : 0;
    cg__http_response_end(req, n < 0 ? n : cg__http_layer_handle(req));
    req->server->changes += req->code != HTTP_GET && req->code != HTTP_HEAD;
    CG__PROBE(http_end, req, req->status);
    if (metrics != NULL)
        cg__http_metrics_end(metrics, req);
}

void cg__http_handle_refuse(struct cg_http_request *req, int status)
{
    req->keep = false;
    req->body_done = true;
    cg__http_metrics_refuse_head(req->server, status);
    cg__http_response_end(req, cg__http_response_plain(req, status));
    if (req->server->options.metrics != NULL)
        cg__http_metrics_end(req->server->options.metrics, req);
}
