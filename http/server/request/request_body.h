/* SPDX-License-Identifier: MIT */
/* The body of a request. */
#ifndef COGEN_HTTP_SERVER_REQUEST_BODY_H
#define COGEN_HTTP_SERVER_REQUEST_BODY_H

#include "http/server/server.h"

/* For carriers: notes why the body cannot be read, as the status of the response, and
 * returns the code. */
ssize_t cg__http_request_body_failed(struct cg_http_request *req, int status,
                                     ssize_t code);

/* How long a carrier may wait for the next bytes of the body. It adds the time that it waits
 * to req->waited. */
int64_t cg__http_request_body_patience(const struct cg_http_request *req);

/* Whether the unread part of the body is at most drain_limit, or may be, so that it will be
 * discarded after the response. False: the connection must be closed, and the response
 * must say so. */
bool cg__http_request_body_will_drain(const struct cg_http_request *req);

/* Discards the rest of the body after a response that keeps the connection open. False: the
 * connection must be closed, because the rest is longer than drain_limit, for example. Yields. */
bool cg__http_request_body_drain(struct cg_http_request *req);

#endif
