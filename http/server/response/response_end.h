/* SPDX-License-Identifier: MIT */
/* How a response ends. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_END_H
#define COGEN_HTTP_SERVER_RESPONSE_END_H

#include "http/server/server.h"

/* Completes the response after the handler has returned n: responds if the handler has not,
 * ends a body, notes an incomplete one in req->cut. Yields. */
void cg__http_response_end_rest(struct cg_http_request *req, ssize_t n);
static inline void cg__http_response_end(struct cg_http_request *req, ssize_t n)
{
    if (n < 0 || !req->ended)
        cg__http_response_end_rest(req, n);
}

#endif
