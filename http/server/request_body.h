/* SPDX-License-Identifier: MIT */
/* The body of a request. */
#ifndef COGEN_HTTP_SERVER_REQUEST_BODY_H
#define COGEN_HTTP_SERVER_REQUEST_BODY_H

#include "http/server/server.h"

/* Parses what the view has. It is given back when it has been used up, so that nobody holds
 * a buffer who waits. */
enum cg__http_event cg__http_request_body_parse_view(struct cg_http_request *req);

/* Gives it back, if it is lent: what has been parsed is gone, the rest is unread. */
void cg__http_request_body_give_back(struct cg_http_request *req);

/* Whether nothing of the body is unread, or so little that it will be drained behind the
 * answer. False: the connection must be closed, and the answer has to say so. */
bool cg__http_request_body_will_drain(const struct cg_http_request *req);

/* Reads the rest of the body away, behind an answer that lets the connection go on. False:
 * the connection must be closed. */
bool cg__http_request_body_drain(struct cg_http_request *req);

#endif
