/* SPDX-License-Identifier: MIT */
/* See handle.h. */
#include "config.h"

#include "http/server/handle.h"
#include "http/server/layer.h"
#include "http/server/request/request_target.h"
#include "http/server/response/response.h"
#include "http/server/response/response_end.h"
#include "lib/base/ascii.h"

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

void cg__http_handle(struct cg_http_request *req)
{
    cg__http_response_end(req, cg__http_layer_handle(req));
}

void cg__http_handle_refuse(struct cg_http_request *req, int status)
{
    req->keep = false;
    req->body_done = true;
    cg__http_response_end(req, cg__http_response_plain(req, status));
}
