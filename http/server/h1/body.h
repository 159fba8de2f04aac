/* SPDX-License-Identifier: MIT */
/* The body of a request over HTTP/1. */
#ifndef COGEN_HTTP_SERVER_H1_BODY_H
#define COGEN_HTTP_SERVER_H1_BODY_H

#include "http/server/h1/h1.h"

/* Operations of the carrier. */
ssize_t cg__http_h1_body_more(struct cg_http_request *req);
struct cg_sock *cg__http_h1_body_sock(struct cg_http_request *req);

#endif
