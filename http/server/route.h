/* SPDX-License-Identifier: MIT */
/* Patterns and the handlers mounted on them. */
#ifndef COGEN_HTTP_SERVER_ROUTE_H
#define COGEN_HTTP_SERVER_ROUTE_H

#include "http/server/server.h"

/* Finds the route for a request and sets the request's parameters. NULL: *status is the
 * status of the response: 404; 405 (Allow is set); 204 to OPTIONS (Allow is set); 503, no
 * memory. */
const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status);
void cg__http_route_free(struct cg_http_server *server);

#endif
