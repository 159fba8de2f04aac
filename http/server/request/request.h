/* SPDX-License-Identifier: MIT */
/* Requests, and the server's list of spare ones. */
#ifndef COGEN_HTTP_SERVER_REQUEST_H
#define COGEN_HTTP_SERVER_REQUEST_H

#include "http/server/server.h"

/* Takes a spare request, or makes one; NULL: no memory. _put returns it to the list of
 * spare ones; _reset prepares it for the next request of its connection. */
struct cg_http_request *cg__http_request_get(struct cg__http_conn *conn);
void cg__http_request_put(struct cg_http_request *req);
void cg__http_request_reset(struct cg_http_request *req);

/* Frees the spare requests. */
void cg__http_request_free_spare(struct cg_http_server *server);

#endif
