/* SPDX-License-Identifier: MIT */
/* What a server does with a request, whatever carries it. */
#ifndef COGEN_HTTP_SERVER_HANDLE_H
#define COGEN_HTTP_SERVER_HANDLE_H

#include "http/server/server.h"

/* Checks a valid head against the server's limits, and sets the path. 0, or the status of
 * the response. */
int cg__http_handle_check(struct cg_http_request *req);

/* Calls the handler of the request's route, and completes its response. Yields. */
void cg__http_handle(struct cg_http_request *req);

/* Responds to an invalid request. Yields. */
void cg__http_handle_refuse(struct cg_http_request *req, int status);

#endif
