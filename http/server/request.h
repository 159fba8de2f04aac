/* SPDX-License-Identifier: MIT */
/* Requests: taken from those that the server has spare, and returned to them. */
#ifndef COGEN_HTTP_SERVER_REQUEST_H
#define COGEN_HTTP_SERVER_REQUEST_H

#include "http/server/server.h"

/* A request with everything reset, and back; NULL: no memory. */
struct cg_http_request *cg__http_request_get(struct cg__http_conn *conn);
void cg__http_request_put(struct cg_http_request *req);
void cg__http_request_reset(struct cg_http_request *req);

/* Frees the spare ones. */
void cg__http_request_free_spare(struct cg_http_server *server);

#endif
