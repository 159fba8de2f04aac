/* SPDX-License-Identifier: MIT */
/* A new connection: directly or through a proxy, with TLS for https. */
#include "config.h"

#include "http/client/h1/head.h"
#include "http/client/interim.h"
#include "http/client/pool/dial.h"
#include "http/client/pool/socks.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <cogen/coro.h>
#include <cogen/proxied.h>
#include <cogen/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t dial(struct cg__link *link, struct cg_http_client *client,
                    const char *addr, char *why)
{
    ssize_t n = cg_yield(
        cg_connect(addr, &link->sock, .timeout = client->options.connect_timeout));

    if (n < 0) {
        link->sock = NULL;
        return cg__http_client_because(why, n, "%s: %s", addr,
                                       n == -ETIMEDOUT ? "it takes too long to connect"
                                                       : cg_strerror(n));
    }
    return 0;
}

/* Puts TLS over a connection. Not with cg_call and a timeout: if the handshake completed
 * in the turn in which the timeout fires, its socket would be lost. */
static ssize_t secure(struct cg__link *link, struct cg_http_client *client,
                      const char *host, const char *alpn, char *why)
{
    const struct cg_http_tls *tls = client->options.tls;
    struct cg_sock *inner = link->sock;
    struct cg_scope scope;
    ssize_t n;
    int ended;

    cg__http_client_because(why, 0, "%s", "");
    cg_scope_open(&scope, cg__http_client_wait_end(client, client->options.tls_timeout), false);
    n = tls->connect(tls->arg, inner, host, alpn, &link->sock, why);
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
    unsigned heads = 0;
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
        n = cg__http_client_h1_head_read(reply, "CONNECT",
                                         client->options.response_timeout, ask->why);
    while (n == 0 && cg__http_client_is_interim(reply) &&
           heads++ < CG__HTTP_MOST_INTERIM);
    reply->link.sock = NULL;
    reply->touched = false; /* that was not the response to the request itself */
    if (n < 0) /* the words blame a server, which has not been asked yet */
        return cg__http_client_because(ask->why, cg__http_client_why_proxy(n), "the proxy: %s",
                                       ask->why);
    if (reply->parser.status / 100 != 2)
        return cg__http_client_because(
            ask->why, CG_EHTTP_PROXY, "the proxy responds with %d %s",
            reply->parser.status,
            cg__http_message_at(&reply->headers, reply->parser.text));
    return 0;
}

/* Tells the server whom the connection serves. */
static ssize_t announce(struct cg__link *link, const struct cg__asking *ask)
{
    const struct cg_http_proxied *proxied = cg__http_client_pool_route_proxied(ask);
    ssize_t n = cg_yield(cg_write_proxy_header(link->sock, proxied->client, proxied->server,
                                               .version = proxied->version,
                                               .timeout = ask->client->options.send_timeout));

    return n < 0 ? cg__http_client_because(ask->why, n, "the PROXY protocol: %s", cg_strerror(n))
                 : 0;
}

ssize_t cg__http_client_pool_dial(struct cg__link *link, struct cg__asking *ask,
                                  const struct cg__route *route)
{
    static const char *const alpn[] = {"", "http/1.1", "h2", "h2,http/1.1"};
    struct cg_http_client *client = ask->client;
    bool proxied = route->proxy.memory != NULL;
    ssize_t n = dial(link, client, cg__http_client_pool_route_addr(route), ask->why);

    if (n == 0 && route->socks)
        n = cg__http_client_pool_socks(link->sock, &route->proxy, route->url, client,
                                       ask->why);
    else if (n == 0 && proxied && route->url->https)
        n = tunnel(link, ask);
    if (n == 0 && cg__http_client_pool_route_proxied(ask) != NULL)
        n = announce(link, ask);
    if (n == 0 && route->url->https)
        n = secure(link, client, route->url->host,
                   alpn[route->protocols & (CG_HTTP_H1 | CG_HTTP_H2)], ask->why);
    return n;
}
