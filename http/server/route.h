/* SPDX-License-Identifier: MIT */
/* Patterns and the handlers mounted on them. */
#ifndef COGEN_HTTP_SERVER_ROUTE_H
#define COGEN_HTTP_SERVER_ROUTE_H

#include "http/server/server.h"

/* Finds the route for a request and sets the request's parameters. NULL: *status is the
 * status of the response: 404; 405 (Allow is set); 204 to OPTIONS (Allow is set); 503, no
 * memory. */
const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status);

/* "*": every target, also those of CONNECT and "OPTIONS *". */
static inline bool cg__http_route_is_all(const char *pattern)
{
    return pattern[0] == '*' && pattern[1] == '\0';
}

/* The bucket of the hash table for a path. */
static inline uint32_t *cg__http_route_slot(struct cg__http_routes *routes, const char *path,
                                            size_t size)
{
    unsigned hash = (unsigned)size + 5 * (unsigned char)path[size / 2] +
                    17 * (unsigned char)path[size - (size > 0)];

    return &routes->whole[hash % CG__HTTP_SLOTS];
}

/* llhttp's code of a method; -1: unknown. */
int cg__http_route_code(const char *method, size_t len);

/* Frees all routes of the server: route_mount.c. */
void cg__http_route_free(struct cg_http_server *server);

#endif
