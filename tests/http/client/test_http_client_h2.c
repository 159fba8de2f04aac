/* SPDX-License-Identifier: MIT */
/* The HTTP client over HTTP/2: streams, bodies both ways, and what a server may do wrong with one
 * request. */
#include "config.h"

#include "tests/http/carried.h"
#include "tests/http/http2/h2_ask.h"

#include <cogen/http_layers.h>
#include <cogen/transport.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* The same URL with https. */
static const char *secure(const char *url)
{
    static char text[CG_ADDR_SIZE + 32];

    snprintf(text, sizeof text, "https%s", url + strlen("http"));
    return text;
}

static ssize_t says_nothing(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_respond(req, 204, "", 0));
}

static ssize_t moves(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_redirect(req, 307, secure(carried_url("/"))));
}

static ssize_t serves(void *listener)
{
    return cg_yield(cg_http_serve(carried_server, listener));
}

/* An upgrade that one server gets by HTTP/1.1 goes by HTTP/2 to the server to which that one
 * redirects it, if there is a connection of HTTP/2 to it. */
static ssize_t is_redirected(void *arg)
{
    char addr[CG_ADDR_SIZE], url[CG_ADDR_SIZE + 16];
    struct cg_sock *listener = test_listen(addr), *served, *asked;
    struct h2_alpn alpn = {.accepts = "h2"};
    struct cg_http_tls tls = {h2_alpn_connect, &alpn};
    struct cg_coro *serving;

    (void)arg;
    carried_begin(true);
    cg_http_client_free(carried_client);
    carried_client = cg_http_client_new(.no_environment = true, .tls = &tls);
    OK(cg_http_server_mount(carried_server, "/move", moves, NULL));
    OK(cg_http_server_mount(carried_server, "/nothing", says_nothing, NULL));
    serving = test_start(serves, listener);
    IS(cg_yield(cg_http_get(carried_client, secure(carried_url("/nothing")), &reply)), 204);
    cg_http_reply_free(reply);
    snprintf(url, sizeof url, "https://%s/move", addr);
    carried_pair_at(url, &served, &asked);
    ck_assert_str_eq(cg_sock_transport(served)->name, "http/2");
    cg_sock_close(asked);
    cg_sock_close(served);
    carried_end();
    IS(test_end(serving), 0);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(speaks),
    CORO(streams),
    CORO(is_redirected, .where = ON_SIM),
    CORO(reads_at_once, .where = ON_SIM),
    CORO(reads_beside_another, .where = ON_SIM),
    CORO(sends_bodies),
    CORO(stops_sending, .where = ON_SIM),
    CORO(fails, .where = ON_SIM),
    CORO(leaves_no_harm, .where = ON_SIM),
    CORO(does_not_block),
};

int main(void)
{
    return test_main("http client h2", cases, COUNT(cases));
}
