/* SPDX-License-Identifier: MIT */
/* The HTTP client over HTTP/2: streams, bodies both ways, what a server may do wrong, and how
 * requests share a connection. */
#include "config.h"

#include "http/client/h2/session.h"
#include "tests/http/h2_peer.h"
#include "tests/http/http_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct h2_peer peer;

#define PRIOR .protocols = CG_HTTP_H2 | CG_HTTP_H2C
#define AT(path) h2_peer_url(&peer, "http", path)
#define ASK(path) cg_yield(cg_http_get(client, AT(path), &reply, .why = why))

static void finish(void)
{
    cg_http_client_free(client);
    client = NULL;
    h2_peer_end(&peer);
}

static void has_big_body(void)
{
    size_t len;
    const char *body = cg_http_reply_body(reply, &len);

    ck_assert_uint_eq(len, H2_BIG);
    test_verify(body, len, 0);
    cg_http_reply_free(reply);
}

/* A request and its response: pseudo-fields instead of the first line and Host, names in
 * lower case, no fields about the connection. The connection is used again. */
static ssize_t speaks(void *arg)
{
    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/ok"),
             .fields = FIELDS({"X-Mine", "Value"}, {"Connection", "x-mine"},
                              {"Keep-Alive", "1"}, {"TE", "gzip"}, {"Host", "other.test"})),
       200);
    ck_assert_str_eq(cg_http_reply_protocol(reply), "HTTP/2");
    ck_assert_str_eq(cg_http_reply_reason(reply), "");
    ck_assert_str_eq(cg_http_reply_header(reply, "Content-Length"), "2");
    IS(cg_http_reply_length(reply), 2);
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(peer.seen, ":method: GET\n:scheme: http\n"
                                            ":authority: other.test\n:path: /ok\n"));
    ck_assert_ptr_nonnull(strstr(peer.seen, "x-mine: Value\n"));
    ck_assert_ptr_null(strstr(peer.seen, "connection:"));
    ck_assert_ptr_null(strstr(peer.seen, "keep-alive:"));
    ck_assert_ptr_null(strstr(peer.seen, "te:"));
    ck_assert_ptr_null(strstr(peer.seen, "host:"));
    IS(ASK("/status/204"), 204);
    has_body("");
    IS(FETCH(.url = AT("/status/200"), .method = "HEAD"), 200);
    has_body("");
    IS(ASK("/big"), 200);
    has_big_body();
    IS(peer.connections, 1);
    IS((ssize_t)cg_http_client_connections(client), 1);
    finish();
    return 0;
}

/* A streamed body, the trailers behind it, and interim responses before. */
static ssize_t noted;

static ssize_t note_interim(void *arg, int status, const struct cg_http_headers *headers)
{
    (void)arg;
    ck_assert_str_eq(cg_http_headers_get(headers, "link"), "</a>");
    noted += status;
    return 0;
}

static ssize_t streams(void *arg)
{
    char buf[1000];
    size_t sum = 0;
    ssize_t n;

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/big"), .stream = true), 200);
    while ((n = OK(cg_yield(cg_http_read_reply(reply, buf, sizeof buf)))) > 0) {
        test_verify(buf, (size_t)n, sum);
        sum += (size_t)n;
    }
    ck_assert_uint_eq(sum, H2_BIG);
    IS(cg_http_reply_received(reply), H2_BIG);
    cg_http_reply_free(reply);
    IS(FETCH(.url = AT("/interim"), .interim = note_interim), 200);
    IS(noted, 206);
    has_body("ok");
    IS(ASK("/trailers"), 200);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "X-T"), "yes");
    has_body("body");
    finish();
    return 0;
}

static ssize_t is_busy(void *end)
{
    while (!*(bool *)end)
        OK(cg_yield(cg_pass()));
    return 0;
}

/* What has come is there for a reader that does not wait, also when its connection has something to
 * send (that more may come) and many other coroutines are ready. */
static ssize_t reads_at_once(void *arg)
{
    enum { WINDOW = 60 * 1000, BUSY = 100 };
    struct cg_coro *coros[BUSY];
    struct cg_http_reply *other;
    bool end = false;
    char buf[1000];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .h2_window = WINDOW);
    IS(FETCH(.url = AT("/big"), .stream = true), 200);
    other = reply;
    IS(FETCH(.url = AT("/big"), .stream = true), 200);
    OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
    for (int i = 0; i < BUSY; i++)
        coros[i] = test_start(is_busy, &end);
    for (size_t sum = 0, n; sum < WINDOW; sum += n) {
        n = (size_t)OK(
            cg_yield(cg_http_read_reply(reply, buf, sizeof buf, .timeout = CG_NOWAIT)));
        test_verify(buf, n, sum);
    }
    end = true;
    for (int i = 0; i < BUSY; i++)
        test_end(coros[i]);
    cg_http_reply_free(other);
    cg_http_reply_free(reply);
    finish();
    return 0;
}

/* Bodies of requests */

struct made {
    size_t at, len, step;
    unsigned rewound;
};

static ssize_t make(void *arg, void *buf, size_t size)
{
    struct made *made = arg;
    size_t len = made->len - made->at;

    len = len < size ? len : size;
    len = made->step && len > made->step ? made->step : len;
    test_fill(buf, len, made->at);
    made->at += len;
    return (ssize_t)len;
}

static int make_again(void *arg)
{
    struct made *made = arg;

    made->at = 0;
    made->rewound++;
    return 0;
}

/* Memory, a file, a source of a known or unknown length; the latter may have trailers. They
 * exceed the windows that the server opens. */
static ssize_t sends_bodies(void *arg)
{
    static char big[H2_BIG];
    struct made made = {.len = 200000, .step = 7777};
    struct cg_http_headers *trailers = cg_http_headers_new();
    struct cg_http_source source = {.read = make, .rewind = make_again, .arg = &made,
                                    .len = -1, .trailers = trailers};
    int file = test_file(150000);

    (void)arg;
    OK(cg_http_headers_add(trailers, "X-T", "end"));
    test_fill(big, sizeof big, 0);
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/count"), .body = big, .len = sizeof big), 200);
    has_body("300000");
    ck_assert_ptr_nonnull(strstr(peer.seen, ":method: POST\n"));
    ck_assert_ptr_nonnull(strstr(peer.seen, "content-length: 300000\n"));
    IS(FETCH(.url = AT("/count"), .body = "", .len = 0), 200);
    has_body("0");
    IS(FETCH(.url = AT("/count"), .file = &file, .len = 150000), 200);
    has_body("150000");
    IS(FETCH(.url = AT("/count"), .source = &source), 200);
    has_body("200000 and trailers");
    made.at = 0;
    source.len = 200000;
    IS(FETCH(.url = AT("/count"), .source = &source), 200);
    has_body("200000");
    made.at = 0;
    source.len = 300000;
    IS(FETCH(.url = AT("/count"), .source = &source), -EIO);
    ck_assert_str_eq(why, "the source of the body has less than announced");
    IS(FETCH(.url = AT("/count"), .file = &file, .len = 150001), -EIO);
    ck_assert_str_eq(why, "the file is shorter than announced");
    IS(FETCH(.url = AT("/ok"), .body = big, .len = 10, .expect = true), 200);
    has_body("ok");
    IS(peer.connections, 1);
    close(file);
    cg_http_headers_free(trailers);
    finish();
    return 0;
}

/* A final response ends the sending of a body that the server does not take. A server that
 * takes nothing and says nothing is given up after .send_timeout. */
static ssize_t stops_sending(void *arg)
{
    static char big[H2_BIG];

    (void)arg;
    test_fill(big, sizeof big, 0);
    peer.stingy = true;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .send_timeout = CG_SECOND);
    IS(FETCH(.url = AT("/early"), .body = big, .len = sizeof big), 200);
    has_body("early");
    IS(FETCH(.url = AT("/never"), .body = big, .len = sizeof big), -ETIMEDOUT);
    ck_assert_str_eq(why, "the server stopped reading the request");
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.resets, 2);
    IS(peer.connections, 1);
    finish();
    return 0;
}

/* Each failure of a server has a code and a message, and ends only its own request where
 * that is possible. */
static ssize_t fails(void *arg)
{
    static const struct {
        const char *path;
        ssize_t code;
        const char *why;
        bool lost; /* the connection ends, too */
    } cases[] = {
        {"/reset", -ECONNRESET, "the server reset the stream: INTERNAL_ERROR", false},
        {"/half", -ECONNRESET, "the server reset the stream: INTERNAL_ERROR", false},
        {"/head", -ECONNRESET, "the server reset the stream: INTERNAL_ERROR", false},
        {"/short", CG_EHTTP, "the response is not valid HTTP", false},
        {"/bad", CG_EHTTP, "the response is not valid HTTP: a field is invalid", false},
        {"/status/0", CG_EHTTP, "a field is invalid", false},
        {"/fields/50", CG_EHTTP_LIMIT, "too many header fields", false},
        {"/long/5000", CG_EHTTP_LIMIT, "the header fields are too long", false},
        {"/never", -ETIMEDOUT, "the server does not respond", true}, /* is it alive? */
        {"/refuse", -ECONNRESET, "the server reset the stream: REFUSED_STREAM", false},
        {"/1.1", -ECONNRESET, "the server reset the stream: HTTP_1_1_REQUIRED", false},
        {"/cut", CG_EOF, "the connection ended", true},
        {"/pings", CG_EHTTP, "not valid HTTP/2", true},
        {"/settings", CG_EHTTP, "not valid HTTP/2", true},
        {"/unknown", CG_EHTTP, "too many frames without content", true},
        {"/push", CG_EHTTP, "", true},
        {"/idle", CG_EHTTP, "not valid HTTP/2: DATA: stream in idle", true},
    };

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .headers_count = 40, .headers_limit = 4000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned before;
        ssize_t n;

        IS(ASK("/ok"), 200);
        has_body("ok");
        before = peer.connections;
        n = ASK(cases[i].path);
        ck_assert_msg(n == cases[i].code && strstr(why, cases[i].why), "%s: %zd, %s",
                      cases[i].path, n, why);
        ck_assert_ptr_null(reply);
        IS(ASK("/ok"), 200);
        has_body("ok");
        ck_assert_msg((peer.connections > before) == cases[i].lost, "%s: %u connections",
                      cases[i].path, peer.connections - before);
    }
    finish();
    return 0;
}

/* What one request leaves behind does not harm the next: a head that was begun and never
 * completed, whether its client gave up or refused it, and a server that allows no further streams
 * on this connection. */
static ssize_t leaves_no_harm(void *arg)
{
    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .idle_timeout = CG_SECOND, .headers_count = HALF_FIELDS - 5);
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(ASK("/half-head"), -ETIMEDOUT);
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.connections, 2);
    IS(ASK("/half-fields"), CG_EHTTP_LIMIT);
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.connections, 3);
    IS(ASK("/no-streams"), 200);
    has_body("ok");
    IS(ASK("/ok"), 200);
    has_body("ok");
    IS(peer.connections, 4);
    finish();
    return 0;
}

/* Requests at the same time */

struct asked {
    struct h2_peer *peer;
    const char *path, *scheme;
    int64_t timeout;
    ssize_t result;
    char body[32];
};

static ssize_t asks(void *arg)
{
    struct asked *asked = arg;
    struct cg_http_reply *mine;

    asked->result = cg_yield(
        cg_http_get(client, h2_peer_url(asked->peer, asked->scheme, asked->path), &mine,
                    .timeout = asked->timeout));
    if (asked->result >= 0)
        snprintf(asked->body, sizeof asked->body, "%s", cg_http_reply_body(mine, NULL));
    cg_http_reply_free(mine);
    return 0;
}

enum { MANY = 60 };

static void ask_many(struct asked *all, const char *path, const char *scheme)
{
    struct cg_coro *coros[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        all[i] = (struct asked){.peer = &peer, .path = path, .scheme = scheme};
        coros[i] = test_start(asks, &all[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        test_end(coros[i]);
}

static void all_are(const struct asked *all, ssize_t result)
{
    for (unsigned i = 0; i < MANY; i++)
        IS(all[i].result, result);
}

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

/* What has come is there for a reader that does not wait, also while another coroutine waits for
 * all streams of the connection. */
static ssize_t reads_beside_another(void *arg)
{
    struct asked never = {.peer = &peer, .path = "/never", .scheme = "http"};
    struct cg_coro *coro;
    char buf[8];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    IS(FETCH(.url = AT("/hold"), .stream = true), 200);
    coro = test_start(asks, &never);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    OK(cg_yield(cg_writeall(peer.socks[0], "\0\0\5\0\1\0\0\0\1hello", 14)));
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf, .timeout = CG_NOWAIT)), 5);
    cg_http_reply_free(reply);
    cg_coro_cancel(coro);
    test_end(coro);
    finish();
    return 0;
}

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

/* The response of one stream that nobody reads does not stop the others. */
static ssize_t does_not_block(void *arg)
{
    struct cg_http_reply *unread[3];

    (void)arg;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR);
    for (int i = 0; i < 3; i++)
        IS(cg_yield(cg_http_fetch(
               client, (&(struct cg_http_fetch){.url = AT("/big"), .stream = true}),
               &unread[i])),
           200);
    IS(ASK("/big"), 200);
    has_big_body();
    for (int i = 0; i < 3; i++)
        cg_http_reply_free(unread[i]);
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

static const struct test_case cases[] = {
    CORO(speaks),         CORO(streams),
    CORO(reads_at_once, .where = ON_SIM), CORO(reads_beside_another, .where = ON_SIM),
    CORO(sends_bodies),   CORO(stops_sending, .where = ON_SIM),
    CORO(fails, .where = ON_SIM), CORO(leaves_no_harm, .where = ON_SIM),
    CORO(blames_nobody_else, .where = ON_SIM),
    CORO(shares),         CORO(sends_together, .where = ON_SIM),
    CORO(goes_away),
    CORO(is_left_out),    CORO(is_closed, .where = ON_SIM),
    CORO(leaves_the_rest, .where = ON_SIM),
    CORO(is_not_sent, .where = ON_SIM), CORO(is_being_sent),
    CORO(fails_twice), CORO(survives_a_flood, .where = ON_SIM),
    CORO(is_cancelled),   CORO(does_not_block),
    CORO(negotiates, .where = ON_SIM),
    CORO(first_is_cancelled, .where = ON_SIM),
    CORO(falls_back),
    CORO(is_given_up, .where = ON_SIM),
    CORO(runs_out_of_numbers),
};

int main(void)
{
    return test_main("http client h2", cases, COUNT(cases));
}
