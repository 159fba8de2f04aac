/* SPDX-License-Identifier: MIT */
/* Virtual hosts: the routes of single hosts. */
#ifndef COGEN_HTTP_SERVER_ROUTE_HOST_H
#define COGEN_HTTP_SERVER_ROUTE_HOST_H

#include "http/server/server.h"

/* The routes of the host in front of a pattern's path, which has len bytes; they are made if
 * need be. NULL: the host is invalid (*rc is -EINVAL), or there is no memory (-ENOMEM). */
struct cg__http_routes *cg__http_route_host_make(struct cg_http_server *server,
                                                 const char *text, size_t len, int *rc);

/* The routes of the request's host: its own, else those of the most specific "*.name" that
 * matches it, else those of all hosts. */
struct cg__http_routes *cg__http_route_host_of(const struct cg_http_request *req);

#endif
