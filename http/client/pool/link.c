/* SPDX-License-Identifier: MIT */
/* A connection for a request: an idle one from the pool, or a new one, directly or
 * through a proxy, with TLS for https. */
#include "config.h"

#include "http/client/h1/carrier.h"
#include "http/client/h2/h2.h"
#include "http/client/pool/dial.h"
#include "http/client/pool/link.h"
#include "http/client/why.h"

#include <cogen/coro.h>
#include <cogen/reactor.h>
#include <cogen/transport.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wakes the next request that waits for this origin, if there is something for it: it may
 * have been overtaken by a cancellation, or there is room for more than one. */
static void wake_next(struct cg__origin *origin)
{
    bool gone = origin->h2 == NULL || cg__http_client_h2_is_spent(origin->h2);

    if (origin->line.first != NULL &&
        (gone ? !origin->settling : cg__http_client_h2_has_room(origin->h2)))
        cg__http_client_pool_line_wake(origin->line.first, 0, NULL);
}

/* Ends a stream; its connection returns to the pool when it was the last one. */
static void end_stream(struct cg__link *link, struct cg_http_client *client)
{
    struct cg__h2 *h2 = cg__http_client_h2_part(link->stream);
    struct cg__origin *origin = cg__http_client_h2_lease(h2);
    bool waited = origin->line.first != NULL, retired = cg__http_client_h2_is_retired(h2);

    link->stream = NULL;
    if (cg__http_client_h2_is_idle(h2)) {
        if (origin->h2 == h2)
            origin->h2 = NULL;
        cg__http_client_h2_set(h2, NULL, NULL);
        if (cg__http_client_h2_is_spent(h2) || client->freed)
            cg__http_client_h2_free(h2);
        else
            cg__http_client_pool_keep(&client->pool, origin, (struct cg__conn){.h2 = h2},
                                      cg_sched_now(client->sched));
        origin->leaving -= retired;
        cg__http_client_pool_leave(&client->pool, origin);
    }
    if (waited)
        wake_next(origin);
}

void cg__http_client_pool_link_end(struct cg__link *link, struct cg_http_client *client,
                                   bool keep)
{
    struct cg__pool *pool = &client->pool;

    if (link->stream != NULL)
        end_stream(link, client);
    if (link->lease == NULL)
        return;
    if (link->h2 != NULL)
        cg__http_client_h2_free(link->h2);
    else if (link->sock != NULL && keep && !link->spoiled && !client->freed)
        cg__http_client_pool_keep(pool, link->lease, (struct cg__conn){.sock = link->sock},
                                  cg_sched_now(client->sched));
    else
        cg_sock_close(link->sock);
    cg__http_client_pool_leave(pool, link->lease);
    link->lease = NULL;
    link->sock = NULL;
    link->h2 = NULL;
}

/* Whether the request can be sent a second time, if the server closes the connection just when
 * it is used. */
static bool can_be_repeated(const struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->with_body ? ask->fetch->source : NULL;

    return cg__http_message_is_idempotent(ask->method) &&
           (source == NULL || source->rewind != NULL);
}

/* An idle connection is stale if anything has come on it: the end of the stream, or bytes
 * that belong to no request. What came after the reactor's last wait is not known yet. A request
 * that cannot be repeated waits a turn to learn of that, too. One that is cancelled then learns
 * nothing. */
static bool is_stale(struct cg_sock *sock, const struct cg__asking *ask)
{
    ssize_t n;

    if (can_be_repeated(ask) && cg_sock_is_quiet(sock))
        return false;
    n = cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_NOWAIT));
    return n != -ETIMEDOUT && n != -ECANCELED;
}

static bool take_kept(struct cg__link *link, struct cg__asking *ask)
{
    struct cg_http_client *client = ask->client;
    struct cg__conn conn;

    while (cg__http_client_pool_take(&client->pool, link->lease,
                                     cg_sched_now(client->sched), &conn)) {
        link->sock = conn.sock;
        link->h2 = conn.h2;
        if (!ask->fresh && (conn.h2 != NULL ? cg__http_client_h2_revive(conn.h2)
                                            : !is_stale(conn.sock, ask)))
            return link->kept = true;
        if (conn.h2 != NULL)
            cg__http_client_h2_free(conn.h2);
        else
            cg_sock_close(conn.sock);
        link->sock = NULL;
        link->h2 = NULL;
    }
    return false;
}

/* A connection of HTTP/2 passes to its session. */
static ssize_t settle(struct cg__link *link, struct cg__asking *ask,
                      const struct cg__route *route)
{
    const char *chosen = cg_sock_protocol(link->sock);
    bool h2 = route->url->https ? chosen != NULL && strcmp(chosen, "h2") == 0
                                : (route->protocols & CG_HTTP_H2C) != 0;

    if (!h2 && (route->protocols & CG_HTTP_H1))
        return 0;
    if (!h2 || !(route->protocols & (CG_HTTP_H2 | CG_HTTP_H2C)))
        return cg__http_client_because(ask->why, CG_EHTTP, "%s: the server does not speak %s",
                                       route->url->host, h2 ? "HTTP/1.1" : "HTTP/2");
    link->h2 = cg__http_client_h2_new(ask->client, link->sock);
    if (link->h2 == NULL)
        return -ENOMEM;
    link->sock = NULL;
    return 0;
}

static ssize_t open_new(struct cg__link *link, struct cg__asking *ask,
                        const struct cg__route *route)
{
    ssize_t n = cg__http_client_pool_dial(link, ask, route);

    return n < 0 ? n : settle(link, ask, route);
}

/* Gets a connection that nobody else uses: link->sock, or link->h2. */
static ssize_t open_own(struct cg__link *link, struct cg__asking *ask,
                        const struct cg__route *route)
{
    struct cg_http_client *client = ask->client;
    ssize_t n = cg_yield(cg__pool_enter(&client->pool, route->origin, &link->lease));

    if (n < 0)
        return n;
    link->to_proxy = cg__http_client_pool_route_asks_proxy(route);
    if (!take_kept(link, ask))
        n = open_new(link, ask, route);
    if (n < 0)
        cg__http_client_pool_link_end(link, client, false);
    return n;
}

/* Begins a stream. The lease is now the connection's. */
static ssize_t join(struct cg__link *link, struct cg__h2 *h2)
{
    link->stream = cg__http_client_h2_join(h2);
    if (link->stream == NULL)
        return -ENOMEM;
    link->carrier = &cg__http_client_h2;
    link->h2 = NULL;
    link->lease = NULL;
    return 0;
}

/* Begins the first stream of a connection, and shares it unless another one is shared. */
static ssize_t begin(struct cg__link *link, struct cg_http_client *client)
{
    struct cg__origin *origin = link->lease;
    struct cg__h2 *h2 = link->h2;
    ssize_t n = join(link, h2);

    if (n < 0) {
        cg__http_client_pool_link_end(link, client, false);
        return n;
    }
    if (origin->h2 == NULL)
        origin->h2 = h2;
    origin->plain = false; /* a server that spoke HTTP/1.1 before */
    cg__http_client_h2_set(h2, origin, origin->h2 == h2 ? &origin->line : NULL);
    return 0;
}

/* Opens a connection for all that wait in the origin's line. They share its failure, unless
 * only this request was cancelled. */
static ssize_t open_for_all(struct cg__link *link, struct cg__asking *ask,
                            const struct cg__route *route, struct cg__origin *origin)
{
    ssize_t n;

    origin->settling = true;
    n = open_own(link, ask, route);
    origin->settling = false;
    origin->plain = n == 0 && link->h2 == NULL;
    if (n == 0 && link->h2 != NULL)
        n = begin(link, ask->client);
    cg__http_client_pool_line_wake_all(&origin->line, n == -ECANCELED ? 0 : n, ask->why);
    return n;
}

/* A shared connection that takes no more requests: another one can take its place. */
static void retire(struct cg__origin *origin, struct cg_http_client *client)
{
    cg__http_client_h2_retire(origin->h2);
    origin->h2 = NULL;
    cg__http_client_pool_retire(&client->pool, origin);
}

/* Gets a stream on the connection that all requests to an origin share, or a connection of
 * HTTP/1.1 if the server has chosen that. The first request finds out; the others wait. */
static ssize_t open_shared(struct cg__link *link, struct cg__asking *ask,
                           const struct cg__route *route, struct cg__origin *origin)
{
    bool woken = false;
    ssize_t n = 0;

    while (n == 0) {
        if (origin->h2 != NULL && cg__http_client_h2_is_spent(origin->h2))
            retire(origin, ask->client);
        if (origin->plain)
            return open_own(link, ask, route);
        if (origin->h2 == NULL && !origin->settling)
            return open_for_all(link, ask, route, origin);
        if (origin->h2 != NULL && cg__http_client_h2_has_room(origin->h2) &&
            (woken || origin->line.first == NULL)) {
            link->kept = true;
            n = join(link, origin->h2);
            break;
        }
        n = cg_yield(&cg__line_wait(&origin->line, .why = ask->why)->op);
        woken = true;
    }
    wake_next(origin);
    return n;
}

static ssize_t open_by(struct cg__link *link, struct cg__asking *ask,
                       const struct cg__route *route)
{
    ssize_t n;

    if (route->protocols == 0)
        return cg__http_client_because(ask->why, CG_EHTTP,
                                       "%s: the client has no protocol for this URL",
                                       route->url->text);
    if (!(route->protocols & (CG_HTTP_H2 | CG_HTTP_H2C)))
        return open_own(link, ask, route);
    n = open_shared(link, ask, route, route->origin);
    if (n == 0 && link->h2 != NULL)
        n = begin(link, ask->client);
    return n;
}

/* An upgrade goes by HTTP/2 if there is a connection already on which the server has said
 * that it takes them, as browsers do it, and which has room; or if HTTP/1.1 is not allowed. */
static bool upgrades_by_h2(struct cg__route *route, const struct cg__asking *ask)
{
    struct cg__origin *origin = route->origin;
    struct cg__h2 *h2 = origin->h2;

    if (!(route->protocols & (CG_HTTP_H2 | CG_HTTP_H2C)))
        return false;
    if (!(route->protocols & CG_HTTP_H1))
        return true;
    if (h2 == NULL)
        h2 = cg__http_client_pool_kept(&ask->client->pool, origin);
    return h2 != NULL && !cg__http_client_h2_is_spent(h2) &&
           cg__http_client_h2_connects(h2) && cg__http_client_h2_has_room(h2);
}

static ssize_t choose_for_upgrade(struct cg__route *route, struct cg__asking *ask)
{
    ssize_t n = cg__http_client_pool_route_choose(route, ask);

    if (n < 0 || ask->plain || upgrades_by_h2(route, ask))
        return n;
    ask->plain = true;
    cg__http_client_pool_route_free(route, ask->client);
    *route = (struct cg__route){.url = &ask->url};
    return cg__http_client_pool_route_choose(route, ask);
}

ssize_t cg__http_client_pool_link_open(struct cg__link *link, struct cg__asking *ask)
{
    struct cg__route route = {.url = &ask->url};
    ssize_t n;

    *link = (struct cg__link){.carrier = &cg__http_client_h1_carrier};
    if (ask->url.https && ask->client->options.tls == NULL)
        return cg__http_client_because(ask->why, CG_EHTTP_TLS, "%s",
                                       cg_strerror(CG_EHTTP_TLS));
    n = ask->fetch->upgrade ? choose_for_upgrade(&route, ask)
                            : cg__http_client_pool_route_choose(&route, ask);
    if (n == 0)
        n = open_by(link, ask, &route);
    cg__http_client_pool_route_free(&route, ask->client);
    return n;
}
