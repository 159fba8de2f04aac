/* SPDX-License-Identifier: MIT */
/* Patterns and the handlers mounted on them. */
#ifndef COGEN_HTTP_SERVER_ROUTE_H
#define COGEN_HTTP_SERVER_ROUTE_H

#include "http/server/server.h"

/* The route for the request, its params set. NULL: *status is the answer, 404, 405 or, to
 * OPTIONS, 204, whose Allow is set; or 503, no memory. */
const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status);
void cg__http_route_free(struct cg_http_server *server);

#endif
