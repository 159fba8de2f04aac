/* SPDX-License-Identifier: MIT */
/* Validates stale responses of the cache that were used (stale-while-revalidate, RFC 5861), in
 * coroutines that belong to the client. */
#ifndef COGEN_HTTP_CLIENT_REFRESH_H
#define COGEN_HTTP_CLIENT_REFRESH_H

#include "http/client/client.h"

/* Makes a request whose response goes to the cache alone. */
typedef void cg__refresh_fn(struct cg_http_client *client, const struct cg_http_fetch *fetch);

struct cg__refresh {
    struct cg__refresh *next, **link; /* in the client's list */
    struct cg_http_client *client;
    struct cg_coro *coro;
    cg__refresh_fn *fn;
    struct cg__cached *stored;
    struct cg_http_headers fields; /* of the request that was answered */
    struct cg_http_proxied nobody; /* if its connection began with the PROXY protocol */
    bool proxied;
    char *url;
};

/* Starts a coroutine that refreshes the stored response of ask->reply by fn. Does nothing if one
 * does that already, if there are CG_HTTP_REFRESHES, or without memory: a later request that
 * finds the response stale tries again. */
void cg__http_client_refresh(struct cg__asking *ask, cg__refresh_fn *fn);

/* Ends all of them when the client is freed. */
static inline void cg__http_client_refresh_cancel(struct cg_http_client *client)
{
    for (struct cg__refresh *at = client->refreshes; at != NULL; at = at->next)
        cg_coro_cancel(at->coro);
}

#endif
