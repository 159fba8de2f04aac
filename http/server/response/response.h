/* SPDX-License-Identifier: MIT */
/* Responses whose body is complete in memory. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_H
#define COGEN_HTTP_SERVER_RESPONSE_H

#include "http/server/h1/carrier.h"
#include "http/server/server.h"

/* Whether the head of a response to this request depends on nothing but its status and its body:
 * HTTP/1.1 on a connection that stays open, and no fields of a handler or layer. */
static inline bool cg__http_response_is_usual(const struct cg_http_request *req)
{
    return req->carrier == &cg__http_h1_carrier && req->out.count == 0 && req->keep &&
           req->body_done && !req->server->draining && req->minor > 0;
}

/* Notes that all of a response 200, with `sent` bytes of body, is in the output. */
static inline void cg__http_response_note(struct cg_http_request *req, uint64_t sent)
{
    req->framing = CG__HTTP_LENGTH;
    req->left = 0;
    req->sent = sent;
    req->status = 200;
    req->begun = req->ended = true;
}

/* Responds with a status and a text that names it. May yield. 0 or a negative code. */
ssize_t cg__http_response_plain(struct cg_http_request *req, int status);

#endif
