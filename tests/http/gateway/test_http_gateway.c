/* SPDX-License-Identifier: MIT */
/* The gateway: what is forwarded. */
#include "config.h"

#include "tests/http/gateway/gateway_on.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Fields of the message are forwarded, those of a connection and false claims are not. */
static ssize_t fields(void *arg)
{
    (void)arg;
    script_start(&up[0], TURNS(SAYS("HTTP/1.1 200 Fine\r\nX-One: 1\r\nConnection: X-Hop\r\n"
                                    "X-Hop: 2\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok"),
                               SAYS(OK_200(0, "")), SAYS(OK_200(0, ""))));
    GATEWAY(1, .hop = {.name = "here", .reveal = true});
    ck_assert_str_eq(ask("GET /up/x?y=%2f" V CLOSE "Accept: a/b\r\nConnection: X-Mine, Host\r\n"
                         "X-Mine: 1\r\nUpgrade: h2c\r\nX-Forwarded-For: 1.2.3.4\r\n"
                         "x_forwarded_for: 5.6.7.8\r\nContent_Length: 3\r\n"
                         "Forwarded: for=1.2.3.4\r\n"
                         "X-Real-IP: 1.2.3.4\r\nTE: trailers\r\nVia: 1.0 there\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\nVia: 1.1 here\r\n"
                     "Connection: close\r\n\r\nok");
    ck_assert_str_eq(up[0].seen,
                     "GET /up/x?y=%2f HTTP/1.1\r\nHost: x\r\nAccept: a/b\r\n"
                     "Via: 1.0 there\r\nTE: trailers\r\nConnection: TE\r\nVia: 1.1 here\r\n"
                     "Forwarded: for=127.0.0.1;host=\"x\";proto=http\r\n"
                     "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
                     "X-Forwarded-Host: x\r\n\r\n");
    IS(status_of("GET http://y/up/z" V CLOSE "\r\n"), 200);
    saw(&up[0], "GET /up/z HTTP/1.1\r\nHost: y\r\n");
    IS(status_of("OPTIONS /up/x" V CLOSE "Max-Forwards: 5\r\n\r\n"), 200);
    saw(&up[0], "\r\nMax-Forwards: 4\r\n");
    IS(status_of("OPTIONS /up/x" V CLOSE "Max-Forwards: 0\r\n\r\n"), 200);
    IS(status_of("GET /up/x" V CLOSE "Via: 1.1 a, 1.1 here\r\n\r\n"), 508);
    ck_assert_str_eq(said, "");
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* The longest target that the server takes is forwarded. */
static ssize_t long_target(void *arg)
{
    static char text[CG_HTTP_TARGET_LIMIT + 100], target[CG_HTTP_TARGET_LIMIT + 1] = "/up/";

    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(0, ""))));
    GATEWAY(1);
    memset(target + 4, 'x', CG_HTTP_TARGET_LIMIT - 4);
    snprintf(text, sizeof text, "GET %s" V CLOSE "\r\n", target);
    IS(status_of(text), 200);
    saw(&up[0], target);
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* A trusted proxy's fields are continued. */
static ssize_t trusted(void *arg)
{
    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(0, "")), SAYS(OK_200(0, ""))));
    GATEWAY(1, .hop = {.reveal = true, .trusted = "127.0.0.0/8", .own_host = true,
                       .underscores = true});
    IS(status_of(GET_UP "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.1\r\n"
                        "X-Forwarded-Proto: https\r\nForwarded: for=1.2.3.4\r\n\r\n"),
       200);
    saw(&up[0], "\r\nX-Forwarded-For: 1.2.3.4,10.0.0.1, 127.0.0.1\r\n");
    saw(&up[0], "\r\nForwarded: for=1.2.3.4, for=127.0.0.1;host=\"x\";proto=http\r\n");
    saw(&up[0], "\r\nX-Forwarded-Proto: https\r\n");
    saw_not(&up[0], "\r\nX-Forwarded-Proto: http\r\n");
    saw_not(&up[0], "\r\nHost: x\r\n");
    saw_not(&up[0], "\r\nVia:");
    IS(status_of(GET_UP "X_Y: 1\r\n\r\n"), 200);
    saw(&up[0], "\r\nX_Y: 1\r\n");
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* Nothing is forwarded while the list is not one of addresses. */
static ssize_t trusts_no_nonsense(void *arg)
{
    char list[] = "127.0.0.0/33";

    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(0, ""))));
    GATEWAY(1, .hop = {.reveal = true, .trusted = list});
    IS(status_of(GET_UP "\r\n"), 502);
    strcpy(list, "127.0.0.0/8");
    IS(status_of(GET_UP "\r\n"), 200);
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* A path must not lead elsewhere on the upstream than it leads here. */
static ssize_t dots(void *arg)
{
    static const char *const bad[] = {"/up/a/../x", "/up/a/..", "/up/.", "/up/./x",
                                      "/up/a/%2e%2E/x", "/up/a/.%2e?x", "/up/a/%2E?"};
    static const char *const good[] = {"/up/.x", "/up/..x", "/up/...", "/up/x?/../", "/up/x.",
                                       "/up/%2ex"};
    char text[100];

    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(0, "")), SAYS(OK_200(0, "")),
                               SAYS(OK_200(0, "")), SAYS(OK_200(0, "")), SAYS(OK_200(0, "")),
                               SAYS(OK_200(0, ""))));
    GATEWAY(1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(text, sizeof text, "GET %s" V CLOSE "\r\n", bad[i]);
        IS(status_of(text), 400);
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(text, sizeof text, "GET %s" V CLOSE "\r\n", good[i]);
        IS(status_of(text), 200);
    }
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* The PROXY protocol tells the upstream the client's address. A connection serves the requests of
 * one connection, and not those of others; another attempt tells the same. */
static ssize_t proxied(void *arg)
{
    static const char get[] = "GET /up/x HTTP/1.1\r\nHost: x\r\n\r\n";
    struct cg_sock *sock;
    char addr[CG_ADDR_SIZE], want[200];

    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
                               SAYS(OK_200(1, "3"), .fresh = true)));
    GATEWAY(1, .hop = {.proxy_protocol = 1});
    sock = serve_client();
    OK(cg_sock_local_addr(sock, addr, sizeof addr));
    for (int i = 0; i < 2; i++) {
        char text[512];
        size_t len = 0;

        IS(cg_yield(cg_writeall(sock, get, sizeof get - 1)), (ssize_t)sizeof get - 1);
        do {
            len += (size_t)OK(cg_yield(cg_read(sock, text + len, sizeof text - 1 - len)));
            text[len] = '\0';
        } while (strstr(text, "\r\n\r\n") == NULL || text[len - 1] != '1' + i);
    }
    snprintf(want, sizeof want, "PROXY TCP4 127.0.0.1 127.0.0.1 %s ", strchr(addr, ':') + 1);
    IS(strncmp(up[0].seen, want, strlen(want)), 0);
    ck_assert_uint_eq(times(up[0].seen, "PROXY "), 1);
    ck_assert_uint_eq(up[0].connections, 1);
    IS(cg_http_client_connections_to(client, up[0].url), 1);
    has(ask(GET_UP "\r\n"), "\r\n\r\n3");
    ck_assert_uint_eq(times(up[0].seen, "PROXY "), 2);
    ck_assert_uint_eq(up[0].connections, 2);
    IS(cg_http_client_connections_to(client, up[0].url), 2);
    IS(cg_http_client_close_idle(client, up[0].url), 2);
    cg_sock_close(sock);
    gateway_off();
    script_end(&up[0]);
    return 0;
}

static ssize_t probe_all(void *arg)
{
    return cg_yield(cg_http_watch_upstreams(arg));
}

/* Two upstreams with versions of their own, in a set that has another one: whether the first and
 * the second are told of the clients, and of the probes that these serve nobody. */
static void tells(uint8_t set, const uint8_t own[2], const bool told[2])
{
    /* An upstream is told of a client on a new connection. */
    const struct turn turns[][3] = {{SAYS(OK_200(1, "p")), SAYS(OK_200(1, "x"), .fresh = told[0])},
                                    {SAYS(OK_200(1, "p")), SAYS(OK_200(1, "x"), .fresh = told[1])}};
    struct cg_coro *watcher;

    for (int i = 0; i < 2; i++)
        script_start(&up[i], turns[i]);
    GATEWAY(0, .hop = {.proxy_protocol = set}, .probe = "/up/probe");
    IS(cg_http_upstreams_add(upstreams, up[0].url, .proxy_protocol = 3), -EINVAL);
    for (int i = 0; i < 2; i++)
        OK(cg_http_upstreams_add(upstreams, up[i].url, .proxy_protocol = own[i]));
    watcher = test_start(probe_all, upstreams);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    cg_coro_cancel(watcher);
    IS(test_end(watcher), -ECANCELED);
    for (int i = 0; i < 2; i++)
        has(ask(GET_UP "\r\n"), "\r\n\r\nx");
    for (int i = 0; i < 2; i++) {
        const char *begin = told[i] ? "PROXY UNKNOWN\r\nGET /up/probe " : "GET /up/probe ";

        IS(strncmp(up[i].seen, begin, strlen(begin)), 0);
        ck_assert_uint_eq(times(up[i].seen, "PROXY TCP4 127.0.0.1 127.0.0.1 "), told[i]);
    }
    gateway_off();
    for (int i = 0; i < 2; i++)
        script_end(&up[i]);
}

static ssize_t proxied_each(void *arg)
{
    static const bool first[] = {true, false};

    (void)arg;
    tells(0, (const uint8_t[]){1, 0}, first);
    tells(0, (const uint8_t[]){1, CG_HTTP_NO_PROXY_PROTOCOL}, first);
    tells(1, (const uint8_t[]){0, CG_HTTP_NO_PROXY_PROTOCOL}, first);
    return 0;
}

static ssize_t removes(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    return cg_http_upstreams_remove(upstreams, up[0].url);
}

/* Upstreams come and go while requests are forwarded, and none of these is lost. One that is
 * removed finishes its requests, and gets no more. */
static ssize_t come_and_go(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    script_start(&up[0], TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"),
                                                          .pause = 20 * CG_MILLISECOND)));
    script_start(&up[1], TURNS(SAYS(OK_200(1, "3"))));
    GATEWAY(1);
    has(ask(GET_UP "\r\n"), "\r\n\r\n1");
    coro = test_start(removes, NULL);
    has(ask(GET_UP "\r\n"), "\r\n\r\n2");
    IS(test_end(coro), 0);
    IS(cg_http_upstreams_remove(upstreams, up[0].url), -ENOENT);
    IS(cg_http_upstreams_available(upstreams), 0);
    IS(status_of(GET_UP "\r\n"), 503);
    OK(cg_http_upstreams_add(upstreams, up[1].url));
    has(ask(GET_UP "\r\n"), "\r\n\r\n3");
    gateway_off();
    script_end(&up[0]);
    script_end(&up[1]);
    return 0;
}

/* Bodies of both kinds in both directions, trailers, and responses without a body. */
static ssize_t bodies(void *arg)
{
    (void)arg;
    script_start(
        &up[0],
        TURNS(SAYS(OK_200(2, "ab"), .body = 5),
              SAYS(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
                   .body = 25),
              SAYS(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
              SAYS(HEAD_200 "Content-Length: 77\r\n\r\n"), SAYS("HTTP/1.1 204 No\r\n\r\n"),
              SAYS("HTTP/1.1 304 Same\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n"),
              SAYS(HEAD_200 "\r\nto the end", .close = true)));
    GATEWAY(1);
    has(ask(POST_UP "Content-Length: 5\r\n\r\nhello"), "\r\nContent-Length: 2\r\n");
    has(got, "\r\n\r\nab");
    saw(&up[0], "\r\nContent-Length: 5\r\n\r\nhello");
    has(ask(POST_UP "Transfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
                    "2\r\nhe\r\n3\r\nllo\r\n0\r\nX_Forwarded_For: 1.2.3.4\r\n"
                    "X-R: 2\r\nX-Forwarded-For: 1.2.3.4\r\nKeep-Alive: 1\r\n\r\n"),
        "\r\nTransfer-Encoding: chunked\r\n");
    has(got, "\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
    saw(&up[0], "\r\nTransfer-Encoding: chunked\r\n\r\n");
    saw(&up[0], "0\r\nX-R: 2\r\n\r\n");
    has(ask(GET_UP "\r\n"), "\r\nContent-Length: 3\r\n");
    has(ask("HEAD /up/x" V CLOSE "\r\n"), "\r\nContent-Length: 77\r\n");
    has(ask(GET_UP "\r\n"), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    has(ask(GET_UP "\r\n"), "HTTP/1.1 304 Not Modified\r\n");
    has(got, "\r\nETag: \"x\"\r\n");
    has(ask(GET_UP "\r\n"), "to the end");
    gateway_off();
    script_end(&up[0]);
    return 0;
}

/* A WebSocket is upgraded through the gateway, with bytes that come early on either side;
 * another protocol is not asked for. */
static ssize_t upgrades(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    script_start(&up[0], TURNS(SAYS("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nX-Key: k\r\n"
                                    "Connection: upgrade\r\n\r\nearly"),
                               SAYS("bye", .close = true),
                               SAYS(OK_200(2, "no"), .fresh = true),
                               SAYS("HTTP/1.1 101 Go\r\nUpgrade: x\r\n"
                                    "Connection: upgrade\r\n\r\n",
                                    .fresh = true)));
    GATEWAY(1);
    sock = serve_client();
    send_text(sock, "GET /up/x" V "Upgrade: websocket\r\nConnection: upgrade\r\n\r\nping\r\n\r\n");
    has(receive(sock, NULL), "HTTP/1.1 101 Switching Protocols\r\n");
    has(got, "\r\nX-Key: k\r\n");
    has(got, "\r\nUpgrade: websocket\r\n");
    has(got, "\r\n\r\nearlybye");
    saw(&up[0], "\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nping");
    cg_sock_close(sock);
    up[0].used = 0;
    has(ask("GET /up/x" V "Upgrade: h2c\r\nConnection: upgrade, close\r\n\r\n"), "\r\n\r\nno");
    saw_not(&up[0], "Upgrade");
    IS(status_of("GET /up/x" V "Upgrade: websocket\r\nConnection: upgrade, close\r\n\r\n"), 502);
    gateway_off();
    script_end(&up[0]);
    return 0;
}

static const struct test_case cases[] = {
    CORO(fields),
    CORO(long_target),
    CORO(trusted),
    CORO(trusts_no_nonsense),
    CORO(dots),
    CORO(bodies),
    CORO(proxied, .where = ON_SIM),
    CORO(proxied_each, .where = ON_SIM),
    CORO(come_and_go, .where = ON_SIM),
    CORO(upgrades),
};

int main(void)
{
    return test_main("http gateway", cases, COUNT(cases));
}
