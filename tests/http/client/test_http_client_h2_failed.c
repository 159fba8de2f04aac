/* SPDX-License-Identifier: MIT */
/* Connections of HTTP/2 that fail, or that a server floods: which of their requests are sent again,
 * and which must not be. */
#include "config.h"

#include "tests/http/http2/h2_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a server does wrong with one stream ends the connection, but is no fault of the requests on
 * other streams: they are sent again. */
static ssize_t blames_nobody_else(void *arg)
{
    static const char *const paths[] = {"/late-interims", "/late-resets"};

    (void)arg;
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct asked never = {.peer = &peer, .path = "/never", .scheme = "http"};
        struct cg_coro *coro;

        h2_peer_start(&peer);
        client = CLIENT(PRIOR, .h2_window = 10000, .h2_useless = 10000);
        coro = test_start(asks, &never);
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        IS(ASK(paths[i]), 200);
        has_body("ok");
        test_end(coro);
        ck_assert_int_lt(never.result, 0);
        IS(peer.connections, 2);
        finish();
    }
    return 0;
}

/* Makes requests in vain until the connection takes no more bytes. A reply that stays open keeps it
 * from being closed. */
static struct cg_http_reply *fill(void)
{
    static char large[30 * 1000];
    struct cg_http_reply *open;

    IS(FETCH(.url = AT("/head"), .stream = true), 200);
    open = reply;
    peer.deaf = true;
    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < 20; i++)
        IS(cg_yield(cg_http_fetch(client,
                                  (&(struct cg_http_fetch){
                                      .url = AT("/never"), .fields = FIELDS({"X-Large", large})}),
                                  &reply, .timeout = CG_MILLISECOND)),
           -ETIMEDOUT);
    return open;
}

/* A request that is cancelled while it writes leaves the rest to the coroutine that reads, if
 * there is no other: the rest may be the reader's own request. */
static ssize_t leaves_the_rest(void *arg)
{
    struct asked first = {.peer = &peer, .path = "/never", .scheme = "http"},
                 second = {.peer = &peer, .path = "/ok", .scheme = "http"};
    struct cg_http_reply *open;
    struct cg_coro *coros[2];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    open = fill();
    coros[0] = test_start(asks, &first);
    coros[1] = test_start(asks, &second);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    cg_coro_cancel(coros[0]);
    test_end(coros[0]);
    peer.deaf = false;
    test_end(coros[1]);
    IS(second.result, 200);
    IS(peer.connections, 1);
    cg_http_reply_free(open);
    finish();
    return 0;
}

/* Frames that belong to no stream, and bring nothing. */
static void flood(void)
{
    static char all[1000][17];

    for (size_t i = 0; i < COUNT(all); i++)
        memcpy(all[i], "\0\0\10\6\0\0\0\0\0abcdefgh", sizeof *all);
    OK(cg_yield(cg_writeall(peer.socks[0], all, sizeof all)));
}

static ssize_t posts(void *arg)
{
    ssize_t *result = arg;
    char byte;

    test_fill(&byte, 1, 0);
    *result = FETCH(.url = AT("/count"), .method = "POST", .body = &byte, .len = 1);
    return 0;
}

/* A request that was never sent goes to a new connection when that of all has failed, whatever its
 * method is. */
static ssize_t is_not_sent(void *arg)
{
    struct cg_http_reply *open;
    struct cg_coro *coro;
    ssize_t result = 0;

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .h2_window = 100, .h2_useless = 10000);
    open = fill();
    coro = test_start(posts, &result);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    flood();
    peer.deaf = false;
    test_end(coro);
    IS(result, 200);
    has_body("1");
    IS(peer.connections, 2);
    cg_http_reply_free(open);
    finish();
    return 0;
}

struct posted {
    ssize_t result;
    struct cg_coro *coro;
    const char *path, *method;
};

static ssize_t posts_much(void *arg)
{
    static char large[30 * 1000];
    struct posted *posted = arg;
    struct cg_http_reply *own;

    memset(large, 'x', sizeof large - 1);
    posted->result = cg_yield(cg_http_fetch(
        client,
        (&(struct cg_http_fetch){.url = AT(posted->path),
                                 .method = posted->method,
                                 .fields = FIELDS({"X-Large", large})}),
        &own));
    cg_http_reply_free(own);
    return 0;
}

/* Makes more requests at a time than the connection has room for; the server then reads. The first
 * one has a path of its own, and is sent once. */
static void post_much(struct posted *all, size_t count, const char *method, const char *path)
{
    peer.deaf = true;
    for (size_t i = 0; i < count; i++) {
        all[i].method = i == 0 ? "POST" : method;
        all[i].path = i == 0 ? path : "/count";
        all[i].coro = test_start(posts_much, &all[i]);
    }
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    peer.deaf = false;
    for (size_t i = 0; i < count; i++)
        test_end(all[i].coro);
}

/* What was given to a write that has not returned may have left: a request in there is not sent
 * twice, though the connection fails before the writer runs again. */
static ssize_t is_being_sent(void *arg)
{
    struct asked reads = {.peer = &peer, .path = "/never", .scheme = "http"};
    struct posted all[20];
    struct cg_http_reply *open;
    struct cg_coro *coro;

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .h2_useless = 10000);
    IS(FETCH(.url = AT("/head"), .stream = true), 200);
    open = reply;
    coro = test_start(asks, &reads);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    post_much(all, COUNT(all), "POST", "/few-pings");
    IS(all[0].result, CG_EHTTP);
    ck_assert_uint_le(peer.requests, 3 + COUNT(all)); /* each at most once, the reader's twice */
    cg_coro_cancel(coro);
    test_end(coro);
    cg_http_reply_free(open);
    finish();
    return 0;
}

/* When reading and then also writing fails, all requests that may be sent twice are sent again,
 * also that of the writer. */
static ssize_t fails_twice(void *arg)
{
    struct asked reads = {.peer = &peer, .path = "/never", .scheme = "http"};
    struct posted all[20];
    struct cg_coro *coro;

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(ASK("/ok"), 200);
    has_body("ok");
    coro = test_start(asks, &reads);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    post_much(all, COUNT(all), "PUT", "/cut");
    for (size_t i = 1; i < COUNT(all); i++)
        IS(all[i].result, 200);
    ck_assert_uint_gt(peer.connections, 1);
    cg_coro_cancel(coro);
    test_end(coro);
    finish();
    return 0;
}

/* A flood that belongs to no stream is no fault of a request on a kept connection: what may be sent
 * twice is sent again, once. */
static ssize_t survives_a_flood(void *arg)
{
    struct asked never = {.peer = &peer, .path = "/never", .scheme = "http"};
    struct cg_coro *coro;

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .h2_useless = 10000);
    IS(ASK("/ok"), 200);
    has_body("ok");
    coro = test_start(asks, &never);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    flood();
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    IS(peer.connections, 2);
    IS(peer.requests, 3);
    cg_coro_cancel(coro);
    test_end(coro);
    IS(never.result, -ECANCELED);
    IS(ASK("/pings"), CG_EHTTP);
    IS(peer.connections, 3);
    finish();
    return 0;
}

/* A connection that the kernel has given up is not waited for, nor used again, nor taken for one
 * that has ended in order. */
static ssize_t is_given_up(void *arg)
{
    struct h2_alpn alpn = {.accepts = "h2"};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    char url[256], buf[8];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(.tls = &tls);
    IS(FETCH(.url = h2_peer_url(&peer, "https", "/ok")), 200);
    has_body("ok");
    alpn.broken = -ETIMEDOUT;
    IS(FETCH(.url = h2_peer_url(&peer, "https", "/never")), -ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(why, "the connection failed"));
    alpn.broken = 0;
    IS(FETCH(.url = h2_peer_url(&peer, "https", "/ok")), 200);
    has_body("ok");
    IS(alpn.handshakes, 2);
    finish();

    alpn.accepts = "http/1.1";
    script_start(&server, TURNS(SAYS(HEAD_200 "\r\nhalf")));
    client = CLIENT(.tls = &tls);
    snprintf(url, sizeof url, "https://%s/", server.addr);
    IS(FETCH(.url = url, .stream = true), 200);
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf)), 4);
    alpn.broken = -ETIMEDOUT;
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf)), -ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(cg_http_reply_why(reply), "receiving the body failed"));
    alpn.broken = 0;
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf)), -ETIMEDOUT);
    cg_http_reply_free(reply);
    done();
    return 0;
}

/* A lack of memory is not taken for a time that is over. */
static ssize_t cannot_poll(void *arg)
{
    struct h2_alpn alpn = {.accepts = "h2", .unpolled = -ENOMEM};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    static char body[4 * 1024 * 1024];

    (void)arg;
    test_fill(body, sizeof body, 0);
    h2_peer_start(&peer);
    client = CLIENT(.tls = &tls);
    IS(FETCH(.url = h2_peer_url(&peer, "https", "/count"), .body = body, .len = sizeof body),
       -ENOMEM);
    ck_assert_str_eq(why, "the connection failed: Cannot allocate memory");
    finish();
    return 0;
}

static const struct test_case cases[] = {
    CORO(blames_nobody_else, .where = ON_SIM),
    CORO(leaves_the_rest, .where = ON_SIM),
    CORO(is_not_sent, .where = ON_SIM),
    CORO(is_being_sent),
    CORO(fails_twice),
    CORO(survives_a_flood, .where = ON_SIM),
    CORO(cannot_poll, .where = ON_SIM),
    CORO(is_given_up, .where = ON_SIM),
};

int main(void)
{
    return test_main("http client h2 failed", cases, COUNT(cases));
}
