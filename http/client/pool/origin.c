/* SPDX-License-Identifier: MIT */
/* The connections of a client to one host and port. */
#include "config.h"

#include "http/client/pool/route.h"

#include <stdlib.h>

typedef size_t pool_fn(struct cg__pool *pool, const char *key);

/* Adds up what fn returns for the keys of a URL: connections for upgrades have one of their
 * own. */
static ssize_t sum_keys(struct cg_http_client *client, struct cg__asking *ask, pool_fn *fn)
{
    ssize_t sum = 0, n = 0;

    for (int plain = 0; plain < 2 && n == 0; plain++) {
        struct cg__route route = {.url = &ask->url};

        ask->plain = plain;
        n = cg__http_client_pool_route_choose(&route, ask);
        if (n == 0 && (plain == 0 || !cg__http_client_pool_route_asks_proxy(&route)))
            sum += (ssize_t)fn(&client->pool, route.origin->key);
        cg__http_client_pool_route_free(&route, client);
    }
    return n < 0 ? n : sum;
}

static ssize_t sum_url(struct cg_http_client *client, const char *url, pool_fn *fn)
{
    struct cg__asking ask = {.client = client};
    const char *wrong;
    ssize_t n = cg__http_url_parse(&ask.url, url, &wrong);

    if (n == 0)
        n = sum_keys(client, &ask, fn);
    cg__http_url_free(&ask.url);
    free(ask.proxy_auth);
    return n;
}

ssize_t cg_http_client_connections_to(struct cg_http_client *client, const char *url)
{
    return sum_url(client, url, cg__http_client_pool_count);
}

ssize_t cg_http_client_close_idle(struct cg_http_client *client, const char *url)
{
    return sum_url(client, url, cg__http_client_pool_clear);
}
