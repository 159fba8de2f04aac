/* SPDX-License-Identifier: MIT */
/* Where the connection for a request leads. */
#ifndef COGEN_HTTP_CLIENT_POOL_ROUTE_H
#define COGEN_HTTP_CLIENT_POOL_ROUTE_H

#include "http/client/client.h"

/* Before that part of a key that says whom the connection serves. */
#define CG__ROUTE_FOR " for "

/* Begins with the URL set and the rest zero; freed with cg__http_client_pool_route_free. */
struct cg__route {
    const struct cg__url *url;
    struct cg__url proxy; /* its memory is NULL if there is none */
    bool socks;           /* the proxy speaks SOCKS5 */
    char *target;         /* an address that the client's options name; or NULL */
    struct cg__origin *origin; /* in the pool; a reference */
    unsigned protocols;   /* enum cg_http_protocol */
};

/* 0 or a negative code. Also makes the value of Proxy-Authorization. */
ssize_t cg__http_client_pool_route_choose(struct cg__route *route, struct cg__asking *ask);

/* Whom a connection for the request serves, of which other hosts are not told after a redirect; or
 * NULL. */
static inline const struct cg_http_proxied *
cg__http_client_pool_route_proxied(const struct cg__asking *ask)
{
    return ask->fetch == NULL || ask->foreign ? NULL : ask->fetch->proxied;
}

/* The address to connect to. */
const char *cg__http_client_pool_route_addr(const struct cg__route *route);

/* Whether the request itself goes to a proxy, which forwards it. */
bool cg__http_client_pool_route_asks_proxy(const struct cg__route *route);

void cg__http_client_pool_route_free(struct cg__route *route, struct cg_http_client *client);

#endif
