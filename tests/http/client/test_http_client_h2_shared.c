/* SPDX-License-Identifier: MIT */
/* How requests share a connection of HTTP/2: who makes it, how many it takes, and when another one
 * takes its place. */
#include "config.h"

#include "http/client/h2/session.h"
#include "tests/http/http2/h2_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Many requests share one connection, made once, and as many streams at a time as the server
 * allows. */
static ssize_t shares(void *arg)
{
    struct asked all[MANY];

    (void)arg;
    peer.most = 7;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    ask_many(all, "/ok", "http");
    all_are(all, 200);
    IS(peer.connections, 1);
    IS(peer.requests, MANY);
    ck_assert_uint_le(peer.most_open, 7);
    ck_assert_uint_ge(peer.most_open, 5);
    ask_many(all, "/big", "http");
    all_are(all, 200);
    IS(peer.connections, 1);
    finish();
    return 0;
}

/* Requests that are made together are sent together. */
static ssize_t sends_together(void *arg)
{
    struct h2_alpn alpn = {.accepts = "h2"};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    struct asked all[MANY];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(.tls = &tls);
    IS(cg_yield(cg_http_get(client, h2_peer_url(&peer, "https", "/ok"), &reply, .why = why)),
       200);
    has_body("ok");
    alpn.sends = 0;
    ask_many(all, "/ok", "https");
    all_are(all, 200);
    IS(peer.connections, 1);
    ck_assert_uint_le(alpn.sends, MANY / 4);
    finish();
    return 0;
}

/* A connection that says GOAWAY completes what it has accepted; the others go on with a new
 * one, none is lost. */
static ssize_t goes_away(void *arg)
{
    struct asked all[MANY];

    (void)arg;
    peer.lives = 9;
    peer.most = 4;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    ask_many(all, "/ok", "http");
    all_are(all, 200);
    ck_assert_uint_ge(peer.connections, MANY / 9);
    finish();
    return 0;
}

/* A connection that has said GOAWAY, and still has a response to complete, does not count for the
 * limit of its origin; it does for that of all connections. */
static ssize_t makes_room(void *arg)
{
    struct cg_http_reply *held;

    (void)arg;
    for (unsigned most = 2; most >= 1; most--) {
        h2_peer_start(&peer);
        client = CLIENT(PRIOR, .per_origin = 1, .connections = most);
        IS(FETCH(.url = AT("/hold"), .stream = true), 200);
        held = reply;
        IS(ASK("/goaway"), 200);
        has_body("ok");
        IS(cg_yield(cg_http_get(client, AT("/ok"), &reply, .timeout = CG_SECOND)),
           most == 2 ? 200 : -ETIMEDOUT);
        IS(peer.connections, most);
        IS((ssize_t)cg_http_client_connections_to(client, AT("/")), most);
        if (most == 2)
            has_body("ok");
        cg_http_reply_free(held);
        IS(ASK("/ok"), 200);
        has_body("ok");
        IS(peer.connections, 2);
        finish();
    }
    return 0;
}

/* A request that the server has left out is sent again; a body is rewound for it, and a body
 * that cannot be rewound is not sent twice. */
static ssize_t is_left_out(void *arg)
{
    struct made made = {.len = 10};
    struct cg_http_source source = {.read = make, .rewind = make_again, .arg = &made,
                                    .len = -1};

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/leave"), .source = &source), -ECONNRESET);
    IS(made.rewound, 5);
    IS(peer.connections, 6);
    source.rewind = NULL;
    made.at = made.rewound = 0;
    IS(FETCH(.url = AT("/leave"), .source = &source), -ECONNRESET);
    IS(peer.connections, 7);
    finish();
    return 0;
}

/* A server closes a kept connection: the next request notices, or is sent again. */
static ssize_t is_closed(void *arg)
{
    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .keep_timeout = 10 * CG_SECOND);
    IS(ASK("/ok"), 200);
    has_body("ok");
    h2_peer_hang_up(&peer);
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.connections, 2);
    OK(cg_yield(cg_sleep(11 * CG_SECOND)));
    cg_http_client_tidy(client);
    IS((ssize_t)cg_http_client_connections(client), 0);
    finish();
    return 0;
}

/* A request that is cancelled, and a streamed reply that is freed, reset their streams and
 * leave the connection to the others. */
static ssize_t is_cancelled(void *arg)
{
    struct asked never = {.peer = &peer, .path = "/never", .scheme = "http"},
                 big = {.peer = &peer, .path = "/big", .scheme = "http"};
    struct cg_coro *coros[2];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    coros[0] = test_start(asks, &never); /* it reads for both */
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    coros[1] = test_start(asks, &big);
    cg_coro_cancel(coros[0]);
    test_end(coros[0]);
    IS(never.result, -ECANCELED);
    test_end(coros[1]);
    IS(big.result, 200);
    IS(FETCH(.url = AT("/big"), .stream = true), 200);
    cg_http_reply_free(reply);
    IS(cg_yield(cg_http_get(client, AT("/never"), &reply, .timeout = CG_SECOND)),
       -ETIMEDOUT);
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.connections, 1);
    ck_assert_uint_ge(peer.resets, 2);
    IS(peer.open, 0);
    finish();
    return 0;
}

/* When a connection has no more numbers for streams, another one takes its place. */
static ssize_t runs_out_of_numbers(void *arg)
{
    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/head"), .stream = true), 200);
    IS(nghttp2_session_set_next_stream_id(reply->link.stream->h2->session, INT32_MAX), 0);
    cg_http_reply_free(reply);
    for (int i = 0; i < 3; i++) {
        IS(ASK("/ok"), 200);
        has_body("ok");
    }
    IS(peer.connections, 2);
    finish();
    return 0;
}

/* By ALPN the server chooses. The first connection is made once and all wait for it; where
 * HTTP/1.1 is chosen, each request then has its own. */
static ssize_t negotiates(void *arg)
{
    struct h2_alpn alpn = {.accepts = "h2", .pause = CG_SECOND};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    struct asked all[MANY];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(.tls = &tls);
    ask_many(all, "/ok", "https");
    all_are(all, 200);
    IS(alpn.handshakes, 1);
    ck_assert_str_eq(alpn.offered, "h2,http/1.1");
    cg_http_client_free(client);
    client = CLIENT(.tls = &tls, .protocols = CG_HTTP_H2);
    alpn.accepts = "http/1.1";
    IS(cg_yield(cg_http_get(client, h2_peer_url(&peer, "https", "/ok"), &reply,
                            .why = why)),
       CG_EHTTP);
    ck_assert_str_eq(why, "127.0.0.1: the server does not speak HTTP/2");
    ck_assert_str_eq(alpn.offered, "h2");
    IS(ASK("/ok"), CG_EHTTP);
    ck_assert_ptr_nonnull(strstr(why, "the client has no protocol for this URL"));
    alpn.fails = -EPROTO;
    ask_many(all, "/ok", "https");
    all_are(all, -EPROTO);
    IS(alpn.handshakes, 3);
    finish();
    return 0;
}

/* A request of the first connection that is cancelled leaves that to the next one. */
static ssize_t first_is_cancelled(void *arg)
{
    struct h2_alpn alpn = {.accepts = "h2", .pause = CG_SECOND};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    struct asked one = {&peer, "/ok", "https", CG_MILLISECOND, 0, ""},
                 two = {&peer, "/ok", "https", 0, 0, ""};
    struct cg_coro *coros[2];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(.tls = &tls);
    coros[0] = test_start(asks, &one);
    coros[1] = test_start(asks, &two);
    test_end(coros[0]);
    test_end(coros[1]);
    IS(one.result, -ETIMEDOUT);
    IS(two.result, 200);
    IS(alpn.handshakes, 2);
    finish();
    return 0;
}

/* Servers that choose HTTP/1.1 get it. */
static ssize_t falls_back(void *arg)
{
    struct h2_alpn alpn = {.accepts = "http/1.1"};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    char url[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"))));
    client = CLIENT(.tls = &tls);
    snprintf(url, sizeof url, "https://%s/", server.addr);
    for (char want[] = "1"; *want <= '2'; ++*want) {
        IS(cg_yield(cg_http_get(client, url, &reply, .why = why)), 200);
        ck_assert_str_eq(cg_http_reply_protocol(reply), "HTTP/1.1");
        has_body(want);
    }
    IS(alpn.handshakes, 1);
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(shares),
    CORO(sends_together, .where = ON_SIM),
    CORO(makes_room, .where = ON_SIM),
    CORO(goes_away),
    CORO(is_left_out),
    CORO(is_closed, .where = ON_SIM),
    CORO(is_cancelled),
    CORO(runs_out_of_numbers),
    CORO(negotiates, .where = ON_SIM),
    CORO(first_is_cancelled, .where = ON_SIM),
    CORO(falls_back),
};

int main(void)
{
    return test_main("http client h2 shared", cases, COUNT(cases));
}
