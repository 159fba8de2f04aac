/* SPDX-License-Identifier: MIT */
/* A connection for a request: an idle one from the pool, or a new one, directly or
 * through a proxy, with TLS for https. */
#include "config.h"

#include "http/client/client_fields.h"
#include "http/client/client_head.h"
#include "http/client/client_http1.h"
#include "http/client/client_link.h"
#include "http/client/client_why.h"

#include <cogen/coro.h>
#include <cogen/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a connection leads, and its key in the pool. */
struct route {
    const struct cg__url *url;
    struct cg__url proxy; /* its memory is NULL if there is none */
    char *key;
};

void cg__http_client_link_end(struct cg__link *link, struct cg_http_client *client,
                              bool keep)
{
    struct cg__pool *pool = &client->pool;

    if (link->lease == NULL)
        return;
    if (link->sock != NULL && keep && !link->spoiled && !client->freed)
        cg__http_client_pool_keep(pool, link->lease, link->sock,
                                  cg_sched_now(client->sched));
    else
        cg_sock_close(link->sock);
    cg__http_client_pool_leave(pool, link->lease);
    link->lease = NULL;
    link->sock = NULL;
}

/* An idle connection is stale if anything has come on it: the end of the stream, or bytes
 * that belong to no request. */
static bool is_stale(struct cg_sock *sock)
{
    ssize_t n = cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_NOWAIT));

    return n != -ETIMEDOUT;
}

static bool take_kept(struct cg__link *link, struct cg__asking *ask)
{
    struct cg_http_client *client = ask->client;

    while ((link->sock = cg__http_client_pool_take(
                &client->pool, link->lease, cg_sched_now(client->sched))) != NULL) {
        if (!ask->fresh && !is_stale(link->sock))
            return link->kept = true;
        cg_sock_close(link->sock);
    }
    return false;
}

static ssize_t dial(struct cg__link *link, struct cg_http_client *client,
                    const struct cg__url *to, char *why)
{
    ssize_t n = cg_yield(
        cg_connect(to->addr, &link->sock, .timeout = client->options.connect_timeout));

    if (n < 0) {
        link->sock = NULL;
        return cg__http_client_because(why, n, "%s: %s", to->addr,
                                       n == -ETIMEDOUT ? "it takes too long to connect"
                                                       : cg_strerror(n));
    }
    return 0;
}

/* Puts TLS over a connection. Not with cg_call and a timeout: if the handshake completed
 * in the turn in which the timeout fires, its socket would be lost. */
static ssize_t secure(struct cg__link *link, struct cg_http_client *client,
                      const char *host, char *why)
{
    const struct cg_http_tls *tls = client->options.tls;
    int64_t length = client->options.tls_timeout, now = cg_sched_now(client->sched);
    struct cg_sock *inner = link->sock;
    struct cg_scope scope;
    ssize_t n;
    int ended;

    cg__http_client_because(why, 0, "%s", "");
    cg_scope_open(&scope, length < CG_NEVER - now ? now + length : CG_NEVER, false);
    n = tls->connect(tls->arg, inner, host, "http/1.1", &link->sock, why);
    ended = cg_scope_close(&scope);
    if (n >= 0)
        return 0;
    link->sock = inner;
    if (ended == -ETIMEDOUT)
        return cg__http_client_because(why, ended,
                                       "%s: the TLS handshake takes too long", host);
    if (*why == '\0')
        return cg__http_client_because(why, n, "%s: TLS: %s", host, cg_strerror(n));
    return cg__http_client_because(why, n, "%s", why);
}

/* Sends "CONNECT host:443", after which the proxy forwards bytes. */
static ssize_t tunnel(struct cg__link *link, struct cg__asking *ask)
{
    struct cg_http_client *client = ask->client;
    struct cg_http_reply *reply = ask->reply;
    const char *addr = ask->url.addr, *auth = ask->proxy_auth;
    size_t size = 2 * strlen(addr) + (auth ? strlen(auth) : 0) + 80;
    char *text = malloc(size);
    ssize_t n;
    int len;

    if (text == NULL)
        return -ENOMEM;
    len = snprintf(text, size, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", addr,
                   addr, auth ? "Proxy-Authorization: " : "", auth ? auth : "",
                   auth ? "\r\n" : "");
    n = cg_yield(cg_writeall(link->sock, text, (size_t)len,
                             .timeout = client->options.send_timeout));
    free(text);
    if (n < 0)
        return cg__http_client_because(ask->why, n, "the proxy: %s", cg_strerror(n));
    reply->link.sock = link->sock;
    do
        n = cg__http_client_head_read(reply, "CONNECT", client->options.response_timeout,
                                       ask->why);
    while (n == 0 && cg__http_client_head_is_interim(reply));
    reply->link.sock = NULL;
    reply->touched = false; /* that was not the response to the request itself */
    if (n < 0)
        return n == -ETIMEDOUT || n == -ECANCELED ? n : CG_EHTTP_PROXY;
    if (reply->parser.status / 100 != 2)
        return cg__http_client_because(
            ask->why, CG_EHTTP_PROXY, "the proxy responds with %d %s", reply->parser.status,
            cg__http_message_at(&reply->headers, reply->parser.text));
    return 0;
}

static ssize_t set_auth(struct cg__asking *ask, const struct cg__url *proxy)
{
    free(ask->proxy_auth);
    ask->proxy_auth = NULL;
    if (proxy->user == NULL)
        return 0;
    ask->proxy_auth = cg__http_client_fields_basic(proxy->user);
    return ask->proxy_auth ? 0 : -ENOMEM;
}

static ssize_t choose(struct route *route, struct cg__asking *ask)
{
    const char *proxy = cg__http_client_proxy_for(&ask->client->proxies, route->url),
               *wrong;
    size_t size;
    ssize_t n = 0;

    if (proxy != NULL) {
        n = cg__http_url_parse(&route->proxy, proxy, &wrong);
        if (n == 0 && route->proxy.https)
            n = CG_EHTTP_URL, wrong = "its scheme is not http";
        if (n == CG_EHTTP_URL)
            return cg__http_client_because(ask->why, CG_EHTTP_PROXY, "the proxy %s: %s",
                                           proxy, wrong);
    }
    if (n == 0)
        n = set_auth(ask, &route->proxy);
    if (n < 0)
        return n;
    size = strlen(route->url->addr) + (proxy ? strlen(proxy) : 0) + 32;
    route->key = malloc(size);
    if (route->key == NULL)
        return -ENOMEM;
    /* The key has the proxy's password: connections are shared only by those who know
     * it. */
    if (proxy != NULL && !route->url->https)
        snprintf(route->key, size, "proxy %s", proxy);
    else
        snprintf(route->key, size, "%s%s%s%s", route->url->https ? "https " : "http ",
                 route->url->addr, proxy ? " by " : "", proxy ? proxy : "");
    return 0;
}

static ssize_t open_new(struct cg__link *link, struct cg__asking *ask,
                        const struct route *route)
{
    bool proxied = route->proxy.memory != NULL;
    ssize_t n = dial(link, ask->client, proxied ? &route->proxy : route->url, ask->why);

    if (n == 0 && proxied && route->url->https)
        n = tunnel(link, ask);
    if (n == 0 && route->url->https)
        n = secure(link, ask->client, route->url->host, ask->why);
    return n;
}

ssize_t cg__http_client_link_open(struct cg__link *link, struct cg__asking *ask)
{
    struct cg_http_client *client = ask->client;
    struct route route = {.url = &ask->url};
    ssize_t n;

    *link = (struct cg__link){.carrier = &cg__http_client_http1};
    if (ask->url.https && client->options.tls == NULL)
        return cg__http_client_because(ask->why, CG_EHTTP_TLS, "%s",
                                       cg_strerror(CG_EHTTP_TLS));
    n = choose(&route, ask);
    if (n == 0)
        n = cg_yield(cg__pool_enter(&client->pool, route.key, &link->lease));
    if (n == 0) {
        link->to_proxy = route.proxy.memory != NULL && !route.url->https;
        if (!take_kept(link, ask))
            n = open_new(link, ask, &route);
        if (n < 0)
            cg__http_client_link_end(link, client, false);
    }
    cg__http_url_free(&route.proxy);
    free(route.key);
    return n;
}
