/* SPDX-License-Identifier: MIT */
/* See route.h. */
#include "config.h"

#include "http/client/fields.h"
#include "http/client/pool/route.h"
#include "http/client/pool/site.h"
#include "http/client/pool/target.h"
#include "http/client/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool cg__http_client_pool_route_asks_proxy(const struct cg__route *route)
{
    return route->proxy.memory != NULL && !route->socks && !route->url->https;
}

const char *cg__http_client_pool_route_addr(const struct cg__route *route)
{
    return route->target != NULL         ? route->target
           : route->proxy.memory != NULL ? route->proxy.addr
                                         : route->url->addr;
}

void cg__http_client_pool_route_free(struct cg__route *route, struct cg_http_client *client)
{
    cg__http_url_free(&route->proxy);
    free(route->target);
    if (route->origin != NULL)
        cg__http_client_pool_unuse(&client->pool, route->origin);
}

/* An HTTP proxy takes the password in a field, one of SOCKS in its handshake. */
static ssize_t set_auth(struct cg__asking *ask, const struct cg__route *route)
{
    free(ask->proxy_auth);
    ask->proxy_auth = NULL;
    if (route->proxy.user == NULL || route->socks)
        return 0;
    ask->proxy_auth = cg__http_client_fields_basic(route->proxy.user);
    return ask->proxy_auth ? 0 : -ENOMEM;
}

/* The protocols that may be spoken on a route. To a proxy it is HTTP/1.1. */
static unsigned possible(const struct cg__route *route, const struct cg__asking *ask)
{
    unsigned protocols = ask->client->protocols;

    if (ask->plain)
        return protocols & CG_HTTP_H1;
    if (route->url->https)
        return protocols & (CG_HTTP_H1 | CG_HTTP_H2);
    if (cg__http_client_pool_route_asks_proxy(route))
        return protocols & CG_HTTP_H1;
    return protocols & (protocols & CG_HTTP_H2C ? CG_HTTP_H2C : CG_HTTP_H1);
}

static ssize_t parse_proxy(struct cg__route *route, const char *proxy, char *why)
{
    const char *wrong;
    int rc = cg__http_url_parse_proxy(&route->proxy, proxy, &wrong);

    if (rc == CG_EHTTP_URL)
        return cg__http_client_because(why, CG_EHTTP_PROXY, "the proxy %s: %s", proxy,
                                       wrong);
    route->socks = rc == 0 && strcmp(route->proxy.scheme, "http") != 0;
    return rc;
}

/* The client in a key, and the length of what is said of it. */
static const char *text_of(const char *end)
{
    return end != NULL ? end : "-";
}

static size_t size_of(const struct cg_http_proxied *proxied)
{
    return proxied != NULL ? strlen(text_of(proxied->client)) +
                                 strlen(text_of(proxied->server)) + sizeof CG__ROUTE_FOR "1  "
                           : 0;
}

/* Composes the key of an origin in the pool. */
static void print_key(char *key, const struct cg__route *route, const char *proxy, bool plain,
                      const struct cg_http_proxied *proxied)
{
    char *at;

    if (cg__http_client_pool_route_asks_proxy(route)) {
        strcpy(stpcpy(key, "proxy "), proxy);
        return;
    }
    at = stpcpy(key, route->url->https ? "https " : "http ");
    at = stpcpy(stpcpy(at, plain ? "1.1 " : ""), route->url->addr);
    if (proxy != NULL)
        at = stpcpy(stpcpy(at, " by "), proxy);
    if (proxied != NULL) {
        at = stpcpy(stpcpy(at, CG__ROUTE_FOR), proxied->version == 1 ? "1 " : "2 ");
        at = stpcpy(stpcpy(at, text_of(proxied->client)), " ");
        strcpy(at, text_of(proxied->server));
    }
}

/* The key has the proxy's password: connections are shared only by those who know it. A
 * target needs no place in it: the client always has the same one for a host. */
static struct cg__origin *find_origin(const struct cg__route *route, struct cg__pool *pool,
                                      const char *proxy, bool plain,
                                      const struct cg_http_proxied *proxied)
{
    size_t size = strlen(route->url->addr) + (proxy ? strlen(proxy) : 0) + 32 + size_of(proxied);
    char room[128], *key = size <= sizeof room ? room : malloc(size);
    struct cg__origin *origin;

    if (key == NULL)
        return NULL;
    print_key(key, route, proxy, plain, proxied);
    origin = cg__http_client_pool_use(pool, key);
    if (key != room)
        free(key);
    return origin;
}

/* Sets the origin. Where only the URL decides, its site knows the origin of earlier requests. */
static ssize_t set_origin(struct cg__route *route, struct cg__asking *ask, const char *proxy,
                          const struct cg_http_proxied *proxied)
{
    struct cg__origin *none = NULL, **known = &none;

    if (ask->site != NULL && proxy == NULL && proxied == NULL && !ask->plain)
        known = cg__http_client_pool_site_origin(ask->site);
    if (*known == NULL) {
        *known = find_origin(route, &ask->client->pool, proxy, ask->plain, proxied);
        if (*known == NULL)
            return -ENOMEM;
    }
    (*known)->refs += known != &none;
    route->origin = *known;
    return 0;
}

/* An HTTP proxy would take the header for its own client's. */
static ssize_t check_proxied(const struct cg__route *route,
                             const struct cg_http_proxied *proxied, char *why)
{
    if (proxied == NULL)
        return 0;
    if (proxied->version > 2)
        return cg__http_client_because(why, -EINVAL, "the PROXY protocol has no version %u",
                                       proxied->version);
    if (cg__http_client_pool_route_asks_proxy(route))
        return cg__http_client_because(why, -EINVAL,
                                       "the PROXY protocol does not pass an HTTP proxy");
    return 0;
}

ssize_t cg__http_client_pool_route_choose(struct cg__route *route, struct cg__asking *ask)
{
    struct cg_http_client *client = ask->client;
    const struct cg_http_proxied *proxied = cg__http_client_pool_route_proxied(ask);
    const char *proxy = NULL;
    ssize_t n =
        cg__http_client_pool_target_find(client->targets, route->url, &route->target);

    if (n == 0 && route->target == NULL)
        proxy = cg__http_client_pool_proxy_for(&client->proxies, route->url);
    if (proxy != NULL)
        n = parse_proxy(route, proxy, ask->why);
    if (n == 0)
        n = set_auth(ask, route);
    if (n == 0)
        n = check_proxied(route, proxied, ask->why);
    if (n == 0)
        n = set_origin(route, ask, proxy, proxied);
    route->protocols = possible(route, ask);
    return n;
}
