/* SPDX-License-Identifier: MIT */
/* The body of a request. */
#ifndef COGEN_HTTP_SERVER_REQUEST_BODY_H
#define COGEN_HTTP_SERVER_REQUEST_BODY_H

#include "http/server/server.h"

/* Parses the view up to the next event. A view without unparsed bytes is released, so
 * that a waiting connection holds no buffer. */
enum cg__http_event cg__http_request_body_parse_view(struct cg_http_request *req);

/* Releases the view if it is lent: parsed bytes are consumed, the rest stays unread. */
void cg__http_request_body_give_back(struct cg_http_request *req);

/* Whether the unread part of the body is at most drain_limit, so that it will be
 * discarded after the response. False: the connection must be closed, and the response
 * must say so. */
bool cg__http_request_body_will_drain(const struct cg_http_request *req);

/* Discards the rest of the body after a response that keeps the connection open. False: the
 * connection must be closed. Yields. */
bool cg__http_request_body_drain(struct cg_http_request *req);

#endif
