/* SPDX-License-Identifier: MIT */
/* The HTTP client with servers that behave: requests, bodies, connections that are kept,
 * redirects, proxies. Those that do not are in test_http_hostile.c. */
#include "config.h"

#include "tests/http_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct script server, other;
static struct cg_http_client *client;
static struct cg_http_reply *reply;
static char why[CG_HTTP_WHY_SIZE];

#define GET(path)                                                                      \
    cg_yield(cg_http_get(client, script_url(&server, path), &reply, .why = why))
#define FETCH(...)                                                                     \
    cg_yield(cg_http_fetch(client, (&(struct cg_http_fetch){__VA_ARGS__}), &reply,     \
                           .why = why))
#define FIELDS(...) ((const struct cg_http_field[]){__VA_ARGS__, {NULL, NULL}})

static void has_body(const char *want)
{
    size_t size;

    ck_assert_str_eq(cg_http_reply_body(reply, &size), want);
    ck_assert_uint_eq(size, strlen(want));
    cg_http_reply_free(reply);
    reply = NULL;
}

static void heard(const char *piece)
{
    ck_assert_msg(strstr(server.seen + server.from, piece) != NULL,
                  "not heard: %s in\n%s", piece, server.seen + server.from);
}

static void not_heard(const char *piece)
{
    ck_assert_msg(strstr(server.seen + server.from, piece) == NULL, "heard: %s in\n%s",
                  piece, server.seen + server.from);
}

static unsigned count(const char *text, const char *piece)
{
    unsigned n = 0;

    while ((text = strstr(text, piece)) != NULL)
        n++, text++;
    return n;
}

static void done(void)
{
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
}

/* ---- Requests -------------------------------------------------------------------- */

/* A page: what is asked, and everything that a reply tells. */
static ssize_t gets_a_page(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello")));
    client = CLIENT(.user_agent = "test/1");
    IS(GET("/a%20b?q=1#frag"), 200);
    ck_assert_str_eq(cg_http_reply_reason(reply), "Fine");
    ck_assert_str_eq(cg_http_reply_get(reply, "x-a"), "b");
    ck_assert_str_eq(cg_http_reply_url(reply), script_url(&server, "/a%20b?q=1"));
    IS(cg_http_reply_status(reply), 200);
    IS(cg_http_reply_length(reply), 5);
    IS(cg_http_reply_received(reply), 5);
    ck_assert_str_eq(why, "");
    has_body("hello");
    heard("GET /a%20b?q=1 HTTP/1.1\r\nHost: 127.0.0.1");
    heard("User-Agent: test/1\r\n");
    heard("Accept: */*\r\n");
    not_heard("Content-Length");
    done();
    return 0;
}

/* What is asked on behalf of others has no fields of ours. */
static ssize_t adds_nothing(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(0, ""))));
    client = CLIENT();
    IS(FETCH(.url = server.url, .bare = true, .fields = FIELDS({"A", "b"})), 200);
    has_body("");
    ck_assert_str_eq(strstr(strstr(server.seen, "Host: ") + 6, "\r\n"),
                     "\r\nA: b\r\n\r\n");
    done();
    return 0;
}

/* Bodies in chunks, with trailers; until the end of the connection; none at all. */
static ssize_t all_kinds_of_bodies(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n"
                            "0a\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n"),
              SAYS("HTTP/1.1 204 No Content\r\n\r\n"),
              SAYS("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
              SAYS(HEAD_200 "Content-Length: 9\r\n\r\n"), SAYS(OK_200(0, "")),
              SAYS("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
                   "HTTP/1.1 404 Oh\r\nContent-Length: 3\r\n\r\nno\n"),
              SAYS(HEAD_200 "\r\nuntil the end", .close = true)));
    client = CLIENT();
    IS(GET("/"), 200);
    IS(cg_http_reply_length(reply), -1);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "x-sum"), "7");
    ck_assert_ptr_null(cg_http_reply_get(reply, "x-sum"));
    has_body("abc0123456789");
    IS(GET("/"), 204);
    has_body("");
    IS(GET("/"), 304);
    has_body("");
    IS(FETCH(.url = server.url, .method = "HEAD"), 200);
    IS(cg_http_reply_length(reply), 9);
    has_body("");
    IS(GET("/"), 200);
    has_body("");
    IS(GET("/"), 404);
    ck_assert_ptr_null(cg_http_reply_get(reply, "a"));
    has_body("no\n");
    IS(GET("/"), 200);
    has_body("until the end");
    IS(server.connections, 1);
    IS((ssize_t)cg_http_client_connections(client), 0);
    done();
    return 0;
}

static ssize_t some_read(void *arg, void *buf, size_t len)
{
    int *left = arg;

    ck_assert_uint_ge(len, 3);
    OK(cg_yield(cg_sleep(1)));
    if (*left == 0)
        return 0;
    --*left;
    memcpy(buf, "abc", 3);
    return 3;
}

static int some_rewind(void *arg)
{
    *(int *)arg = 2;
    return 0;
}

/* Bodies from memory, from a file, from a source; with and without a length. */
static ssize_t sends_bodies(void *arg)
{
    static char large[100000];
    int file = test_file(200000), left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .size = -1};
    struct cg_http_headers *trailers = cg_http_headers_new();

    (void)arg;
    OK(cg_http_headers_add(trailers, "X-Sum", "7"));
    OK(cg_http_headers_add(trailers, "content-length", "7")); /* left out */
    memset(large, 'x', sizeof large);
    script_start(&server, TURNS(SAYS(OK_200(1, "1"), .body = 5),
                                SAYS(OK_200(1, "2"), .body = 70000),
                                SAYS(OK_200(1, "3"), .body = 8000),
                                SAYS(OK_200(1, "4"), .body = 21),
                                SAYS(OK_200(1, "4"), .body = 23),
                                SAYS(OK_200(1, "5"), .body = 6), SAYS(OK_200(1, "6"))));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = "hello", .size = 5,
             .fields = FIELDS({"Content-Type", "text/plain"}, {"user-agent", "mine"})),
       200);
    has_body("1");
    ck_assert_str_eq(strstr(server.seen, "\r\n\r\n"), "\r\n\r\nhello");
    heard("POST / HTTP/1.1\r\n");
    heard("Content-Type: text/plain\r\n");
    heard("user-agent: mine\r\n");
    not_heard("cogen/");
    IS(FETCH(.url = server.url, .method = "PUT", .body = large, .size = 70000), 200);
    has_body("2");
    heard("PUT / HTTP/1.1\r\n");
    heard("Content-Length: 70000\r\n");
    server.from = server.used;
    IS(FETCH(.url = server.url, .file = &file, .offset = 1000, .size = 8000), 200);
    has_body("3");
    test_verify(strstr(server.seen + server.from, "\r\n\r\n") + 4, 8000, 1000);
    server.from = server.used;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("4");
    heard("Transfer-Encoding: chunked\r\n");
    heard("\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
    source.size = -1;
    source.trailers = trailers;
    left = 1;
    server.from = server.used;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("4");
    heard("\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
    source.size = 6;
    left = 2;
    server.from = server.used;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("5");
    not_heard("X-Sum");
    heard("Content-Length: 6\r\n");
    heard("\r\n\r\nabcabc");
    IS(FETCH(.url = server.url, .method = "POST"), 200);
    has_body("6");
    heard("Content-Length: 0\r\n");
    IS(server.connections, 1);
    cg_http_headers_free(trailers);
    close(file);
    done();
    return 0;
}

/* What could end a head early, or say where a body ends, cannot be sent. */
static ssize_t refuses_to_send(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);
    static const struct cg_http_field bad[][2] = {
        {{"A", "b\r\nC: d"}},
        {{"A b", "c"}},
        {{"", "c"}},
        {{"A", NULL}},
        {{"A", "b\n"}},
        {{"content-length", "5"}},
        {{"Transfer-Encoding", "chunked"}},
    };

    (void)arg;
    client = CLIENT();
    for (size_t i = 0; i < COUNT(bad); i++) {
        IS(FETCH(.url = addr, .fields = bad[i]), -EINVAL);
        ck_assert_ptr_null(reply);
        ck_assert_str_ne(why, "");
    }
    IS(FETCH(.url = addr, .method = "GET / HTTP/1.1\r\nX:"), -EINVAL);
    IS(FETCH(.url = addr, .method = "CONNECT"), -EINVAL);
    IS(FETCH(.url = addr, .bearer = "a\r\nb"), -EINVAL);
    IS(FETCH(.url = "http://h/\r\n"), CG_EHTTP_URL);
    IS(FETCH(.url = NULL), CG_EHTTP_URL);
    IS(FETCH(.url = "ftp://h/"), CG_EHTTP_URL);
    ck_assert_str_eq(
        why, "ftp://h/ is no URL to fetch: its scheme is neither http nor https");
    IS(FETCH(.url = ""), CG_EHTTP_URL);
    ck_assert_str_eq(why, "\"\" is no URL to fetch: it is empty");
    IS(FETCH(.url = "https://127.0.0.1/"), CG_EHTTP_TLS);
    ck_assert_str_eq(why, "https needs TLS, and there is none");
    cg_http_client_free(client);
    cg_close(listener);
    return 0;
}

/* Whoever asks first sends the body after a 100, or after a while, or not at all; a server
 * that does not know the question is not asked. */
static ssize_t expects(void *arg)
{
    struct cg_http_fetch fetch = {.body = "hello", .size = 5, .expect = true};
    int64_t before;

    (void)arg;
    script_start(
        &server,
        TURNS(SAYS("HTTP/1.1 100 Continue\r\n\r\n"),
              SAYS(OK_200(1, "1"), .deaf = true, .pause = CG_SECOND),
              SAYS(NULL, .pause = 2 * CG_SECOND), SAYS(OK_200(1, "2"), .deaf = true),
              SAYS("HTTP/1.1 413 No\r\nContent-Length: 1\r\n\r\n3"),
              SAYS("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", .fresh = true),
              SAYS(OK_200(1, "4"), .fresh = true, .body = 5)));
    client = CLIENT();
    fetch.url = server.url;
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
    has_body("1");
    before = cg_now(cg_sched_self());
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
    IS(cg_now(cg_sched_self()) - before, 2 * CG_SECOND);
    has_body("2");
    heard("Expect: 100-continue\r\n");
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 413);
    has_body("3");
    IS((ssize_t)cg_http_client_connections(client),
       0); /* the body it waits for never came */
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
    has_body("4");
    ck_assert_ptr_null(strstr(script_last(&server), "Expect"));
    IS(server.connections, 3);
    done();
    return 0;
}

/* An answer that comes while the body is being sent ends the sending; an interim one does
 * not. */
static ssize_t answers_early(void *arg)
{
    static char large[1024 * 1024];

    (void)arg;
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno",
                            .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = large, .size = sizeof large), 413);
    has_body("no");
    IS((ssize_t)cg_http_client_connections(client), 0);
    done();
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 100 Go on\r\n\r\n"),
                       SAYS(OK_200(2, "ok"), .deaf = true, .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = large, .size = 50000), 200);
    has_body("ok");
    done();
    return 0;
}

/* Interim answers are handed on, whenever they come, with their fields; who cannot use them
 * any more ends the request. */
struct hints {
    char text[128];
    ssize_t answer;
};

static ssize_t hears_hints(void *arg, int status, const struct cg_http_headers *headers)
{
    struct hints *hints = arg;
    const char *link = cg_http_headers_get(headers, "Link");
    size_t used = strlen(hints->text);

    IS(cg_yield(cg_pass()), 0);
    snprintf(hints->text + used, sizeof hints->text - used, "%d %s;", status,
             link ? link : "-");
    return hints->answer;
}

static ssize_t interim(void *arg)
{
    static char large[50000];
    struct hints hints = {.answer = 0};

    (void)arg;
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 102 x\r\n\r\n"
                            OK_200(2, "ok")),
                       SAYS("HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\nLink: b\r\n\r\n"),
                       SAYS(OK_200(2, "ok"), .deaf = true, .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .interim = hears_hints, .interim_arg = &hints), 200);
    has_body("ok");
    ck_assert_str_eq(hints.text, "103 a;102 -;");
    IS(FETCH(.url = server.url, .body = large, .size = sizeof large,
             .interim = hears_hints, .interim_arg = &hints), 200);
    has_body("ok");
    ck_assert_str_eq(hints.text, "103 a;102 -;100 -;103 b;");
    done();
    script_start(&server, TURNS(SAYS("HTTP/1.1 103 x\r\nLink: c\r\n\r\n", .close = true)));
    client = CLIENT();
    hints.answer = -EIO;
    IS(FETCH(.url = server.url, .interim = hears_hints, .interim_arg = &hints), -EIO);
    ck_assert_str_eq(why, "an interim answer could not be handed on: Input/output error");
    done();
    return 0;
}

/* A server that takes nothing is given up; its last words are heard if it says any. */
static ssize_t cannot_send(void *arg)
{
    static char large[1024 * 1024];
    int left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .size = 100};

    (void)arg;
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_HOUR, .close = true)));
    client = CLIENT(.send_timeout = 5 * CG_SECOND);
    IS(FETCH(.url = server.url, .body = large, .size = sizeof large), -ETIMEDOUT);
    ck_assert_str_eq(why, "the server takes nothing more of the request");
    done();
    script_start(&server, TURNS(SAYS(NULL, .reset = true)));
    client = CLIENT();
    OK(-FETCH(.url = server.url, .body = large, .size = sizeof large));
    ck_assert_str_ne(why, "");
    done();
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_SECOND, .close = true)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .source = &source), -EIO);
    ck_assert_str_eq(why, "the source of the body has less than it said");
    done();
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_SECOND, .close = true)));
    client = CLIENT();
    source.size = 4;
    left = 2;
    IS(FETCH(.url = server.url, .source = &source), -EIO);
    ck_assert_str_eq(why, "the source of the body has more than it said");
    done();
    return 0;
}

/* ---- Streams --------------------------------------------------------------------- */

/* A body is read piece by piece, as it comes; the trailers are there at its end. */
static ssize_t streams(void *arg)
{
    char buf[8];

    (void)arg;
    script_start(&server,
                 TURNS(SAYS(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n"),
                       SAYS("5\r\nhello\r\n", .deaf = true, .pause = CG_SECOND),
                       SAYS("b\r\nhello again\r\n", .deaf = true, .pause = CG_SECOND),
                       SAYS("0\r\nT: u\r\n\r\n", .deaf = true, .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .stream = true), 200);
    IS(cg_yield(cg_http_reply_read(reply, buf, 8, .timeout = CG_SECOND / 2)),
       -ETIMEDOUT);
    IS(cg_yield(cg_http_reply_read(reply, buf, 3)), 3);
    ck_assert_mem_eq(buf, "hel", 3);
    IS(cg_yield(cg_http_reply_read(reply, buf, 8)), 2);
    IS(cg_yield(cg_http_reply_read(reply, buf, 8, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (size_t size = 0; size < 11;)
        size += (size_t)OK(cg_yield(cg_http_reply_read(reply, buf, 8)));
    IS(cg_http_reply_received(reply), 16);
    IS((ssize_t)cg_http_client_connections(client), 1);
    IS(cg_yield(cg_http_reply_read(reply, buf, 8)), 0);
    IS(cg_yield(cg_http_reply_read(reply, buf, 8)), 0);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "T"), "u");
    cg_http_reply_free(reply);
    IS((ssize_t)cg_http_client_connections(client), 1);
    done();
    return 0;
}

/* A body that is not read to its end costs the connection, and nothing else; a client may be
 * freed before its last reply. */
static ssize_t leaves_early(void *arg)
{
    char buf[4];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(10, "01234")),
                                SAYS(OK_200(2, "ok"), .fresh = true)));
    client = CLIENT(.per_origin = 1);
    IS(FETCH(.url = server.url, .stream = true), 200);
    IS(cg_yield(cg_http_reply_read(reply, buf, 4)), 4);
    cg_http_reply_free(reply);
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(FETCH(.url = server.url, .stream = true), 200);
    cg_http_client_free(client);
    IS(cg_yield(cg_http_reply_read(reply, buf, 4)), 2);
    IS(cg_yield(cg_http_reply_read(reply, buf, 4)), 0);
    cg_http_reply_free(reply);
    script_end(&server);
    IS(server.connections, 2);
    return 0;
}

/* ---- Connections ----------------------------------------------------------------- */

/* One connection serves many; one that is to be closed, or too old, or has something to say
 * unasked, does not. */
static ssize_t keeps_connections(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
              SAYS(HEAD_200 "Connection: close\r\nContent-Length: 1\r\n\r\n3"),
              SAYS("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n4", .fresh = true),
              SAYS("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                   "Content-Length: 1\r\n\r\n5",
                   .fresh = true),
              SAYS(OK_200(1, "6")), SAYS(OK_200(1, "7"), .fresh = true),
              SAYS(OK_200(1, "8extra"), .fresh = false),
              SAYS(OK_200(1, "9"), .fresh = true),
              SAYS(OK_200(1, "late"), .deaf = true, .pause = CG_SECOND),
              SAYS(OK_200(1, "A"), .fresh = true)));
    client = CLIENT(.keep_timeout = 10 * CG_SECOND);
    for (char want[] = "1"; *want <= '6'; ++*want) {
        IS(GET("/"), 200);
        has_body(want);
    }
    IS(server.connections, 3);
    IS((ssize_t)cg_http_client_connections(client), 1);
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    cg_http_client_tidy(client);
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("7");
    IS(GET("/"), 200);
    has_body("8");
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("9");
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    IS(GET("/"), 200);
    has_body("A");
    IS(server.connections, 6);
    done();
    return 0;
}

/* A kept connection that the server closes in the very moment: what may be done twice is,
 * once, on a new connection; anything else is not; nor what has begun to be answered. */
static ssize_t tries_again(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(NULL, .close = true),
                                SAYS(OK_200(1, "2")), SAYS(NULL, .close = true),
                                SAYS(NULL, .close = true), SAYS(OK_200(1, "3")),
                                SAYS(NULL, .close = true), SAYS(OK_200(1, "4")),
                                SAYS("H", .close = true), SAYS(NULL, .close = true)));
    client = CLIENT();
    IS(GET("/"), 200);
    has_body("1");
    IS(GET("/"), 200);
    has_body("2");
    IS(server.connections, 2);
    IS(GET("/"), CG_EOF);
    ck_assert_str_eq(why, "the server closed the connection without an answer");
    IS(server.connections, 3);
    IS(GET("/"), 200);
    has_body("3");
    IS(FETCH(.url = server.url, .body = "x", .size = 1), CG_EOF);
    IS(server.connections, 4);
    IS(GET("/"), 200);
    has_body("4");
    IS(GET("/"), CG_EOF);
    ck_assert_str_eq(why, "the connection ended within the head of the answer");
    IS(GET("/"), CG_EOF); /* a new connection is given no second chance */
    IS(server.connections, 6);
    done();
    return 0;
}

struct many {
    struct cg_sock *listener;
    unsigned open, most, served;
};

static ssize_t serve_one(void *arg)
{
    struct cg_sock *conn = arg;
    char line[256];

    for (;;) {
        ssize_t n;

        while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 2)
            ;
        if (n <= 0)
            break;
        cg_yield(cg_sleep(CG_SECOND));
        if (cg_yield(cg_writeall(conn, OK_200(2, "ok"), sizeof OK_200(2, "ok") - 1)) <
            0)
            break;
    }
    cg_close(conn);
    return 0;
}

static ssize_t serve_many(void *arg)
{
    struct many *many = arg;
    struct cg_sock *conn;

    while (cg_yield(cg_accept(many->listener, &conn)) >= 0) {
        many->open++;
        cg_yield(cg_add(serve_one, conn));
    }
    return 0;
}

static const char *many_url;
static char order[64];

static ssize_t ask_one(void *arg)
{
    struct cg_http_reply *mine;
    ssize_t n = cg_yield(cg_http_get(client, many_url, &mine));

    if (n == 200)
        strcat(order, (char[]){(char)(intptr_t)arg, 0});
    cg_http_reply_free(mine);
    return n;
}

/* No more connections than allowed; whoever waits comes in order, and a waiter that goes
 * away leaves the others their places. */
static ssize_t waits_in_order(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct many many = {.listener = test_listen(addr)};
    struct cg_coro *accepting = test_start(serve_many, &many), *asking[8];
    int64_t before = cg_now(cg_sched_self());

    (void)arg;
    client = CLIENT(.per_origin = 2);
    many_url = addr;
    order[0] = '\0';
    for (int i = 0; i < 8; i++)
        asking[i] = test_start(ask_one, (void *)(intptr_t)('a' + i));
    OK(cg_yield(cg_sleep(CG_SECOND / 2)));
    IS((ssize_t)cg_http_client_connections(client), 2);
    IS(cg_yield(cg_cancel(asking[4])), 0); /* waits */
    IS(cg_yield(cg_cancel(asking[0])), 0); /* is being answered */
    for (int i = 0; i < 8; i++)
        IS(test_end(asking[i]), i == 4 || i == 0 ? -ECANCELED : 200);
    ck_assert_str_eq(order, "bcdfgh");
    IS(many.open, 3); /* one in the place of the cancelled one */
    IS((cg_now(cg_sched_self()) - before) / CG_SECOND, 3);
    cg_http_client_free(client);
    IS(cg_yield(cg_cancel(accepting)), 0);
    test_end(accepting);
    cg_close(many.listener);
    return 0;
}

/* The limit to all hosts counts kept connections, too, of which the oldest goes. */
static ssize_t limits_all(void *arg)
{
    (void)arg;
    script_start(&server,
                 TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"), .fresh = true)));
    script_start(&other, TURNS(SAYS(OK_200(1, "x"))));
    client = CLIENT(.connections = 1);
    IS(GET("/"), 200);
    has_body("1");
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("x");
    IS((ssize_t)cg_http_client_connections(client), 1);
    IS(GET("/"), 200);
    has_body("2");
    IS(server.connections, 2);
    done();
    script_end(&other);
    script_start(&server,
                 TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"), .fresh = true)));
    client = CLIENT(.no_keep = true);
    IS(GET("/"), 200);
    has_body("1");
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("2");
    heard("Connection: close\r\n");
    done();
    return 0;
}

/* ---- Redirects ------------------------------------------------------------------- */

#define MOVED(status, to)                                                              \
    "HTTP/1.1 " #status " Moved\r\nLocation: " to "\r\nContent-Length: 4\r\n\r\nmove"

/* References are followed; the reply knows the last URL; the connection is kept. */
static ssize_t follows(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(MOVED(301, "b/./c")), SAYS(MOVED(302, "?x#y")),
                                SAYS(MOVED(303, "/z z")), SAYS(OK_200(2, "ok")),
                                SAYS(MOVED(308, "/")),
                                SAYS("HTTP/1.1 302 Oh\r\nContent-Length: 0\r\n\r\n")));
    client = CLIENT();
    IS(GET("/a/b"), 200);
    ck_assert_str_eq(cg_http_reply_url(reply), script_url(&server, "/z%20z"));
    has_body("ok");
    heard("GET /a/b/c HTTP/1.1");
    heard("GET /a/b/c?x HTTP/1.1");
    heard("GET /z%20z HTTP/1.1");
    IS(FETCH(.url = server.url, .stay = true), 308);
    ck_assert_str_eq(cg_http_reply_get(reply, "Location"), "/");
    has_body("move");
    IS(GET("/"), 302);
    has_body("");
    IS(server.connections, 1);
    done();
    return 0;
}

/* Methods: POST becomes GET after 301 and 302, everything after 303; 307 and 308 send the
 * body once more. */
static ssize_t changes_methods(void *arg)
{
    static const struct {
        const char *says, *method, *first, *then;
        size_t again;
    } cases[] = {
        {MOVED(301, "/n"), NULL, "POST / ", "GET /n ", 0},
        {MOVED(302, "/n"), NULL, "POST / ", "GET /n ", 0},
        {MOVED(302, "/n"), "PUT", "PUT / ", "PUT /n ", 5},
        {MOVED(303, "/n"), "PUT", "PUT / ", "GET /n ", 0},
        {MOVED(307, "/n"), NULL, "POST / ", "POST /n ", 5},
        {MOVED(308, "/n"), "PATCH", "PATCH / ", "PATCH /n ", 5},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        script_start(&server, TURNS(SAYS(cases[i].says, .body = 5),
                                    SAYS(OK_200(2, "ok"), .body = cases[i].again)));
        client = CLIENT();
        IS(FETCH(.url = server.url, .method = cases[i].method, .body = "hello",
                 .size = 5, .fields = FIELDS({"Content-Type", "text/x"}, {"X-Y", "z"})),
           200);
        has_body("ok");
        heard(cases[i].first);
        heard(cases[i].then);
        IS(count(server.seen, "hello"), cases[i].again ? 2 : 1);
        IS(count(server.seen, "Content-Type"), cases[i].again ? 2 : 1);
        IS(count(server.seen, "X-Y"), 2);
        done();
    }
    return 0;
}

/* A source that cannot begin anew leaves the redirect to the caller. */
static ssize_t rewinds(void *arg)
{
    int left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .size = 6};

    (void)arg;
    script_start(&server, TURNS(SAYS(MOVED(307, "/n"), .body = 6),
                                SAYS(MOVED(307, "/n"), .body = 6),
                                SAYS(OK_200(2, "ok"), .body = 6)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .source = &source), 307);
    has_body("move");
    source.rewind = some_rewind;
    left = 2;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("ok");
    done();
    return 0;
}

/* Credentials and cookies are for one host: not for another, nor for another port. */
static ssize_t keeps_secrets(void *arg)
{
    char moved[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok")), SAYS(MOVED(302, "/back")),
                                SAYS(OK_200(2, "ok"))));
    snprintf(moved, sizeof moved, MOVED(302, "http://evil:pw@%s/"), server.addr);
    script_start(&other, TURNS(SAYS(moved), SAYS(OK_200(2, "ok"))));
    client = CLIENT();
    IS(FETCH(.url = other.url, .basic = "me:secret",
             .fields = FIELDS({"Cookie", "a=b"}, {"X-Y", "z"})),
       200);
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(other.seen, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    ck_assert_ptr_nonnull(strstr(other.seen, "Cookie: a=b\r\n"));
    not_heard("Authorization");
    not_heard("Cookie");
    heard("X-Y: z");
    IS(FETCH(.url = server.url, .bearer = "tok", .fields = FIELDS({"Cookie", "a=b"})),
       200);
    has_body("ok");
    IS(count(server.seen, "Authorization: Bearer tok\r\n"), 2);
    IS(count(server.seen, "Cookie: a=b\r\n"), 2);
    snprintf(moved, sizeof moved, "http://you:p%%40ss@%s/", other.addr);
    IS(cg_yield(cg_http_get(client, moved, &reply)), 200);
    ck_assert_ptr_null(strstr(cg_http_reply_url(reply), "you"));
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(other.seen, "Authorization: Basic eW91OnBAc3M=\r\n"));
    done();
    script_end(&other);
    return 0;
}

/* Some redirects are not followed. */
static ssize_t refuses_redirects(void *arg)
{
    (void)arg;
    script_start(&server,
                 TURNS(SAYS(MOVED(302, "/"), .again = 0), SAYS(MOVED(302, "/")),
                       SAYS(MOVED(302, "/")),
                       SAYS(MOVED(302, "ftp://x/"), .fresh = true),
                       SAYS(MOVED(302, "http://"), .fresh = true),
                       SAYS(MOVED(302, "https://127.0.0.1:1/"), .fresh = true)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .redirects = 2), CG_EHTTP_REDIRECT);
    ck_assert_str_eq(why, "more than 2 redirects");
    IS(GET("/"), CG_EHTTP_REDIRECT);
    ck_assert_str_eq(why,
                     "redirected to ftp://x/: its scheme is neither http nor https");
    IS(GET("/"), CG_EHTTP_REDIRECT);
    IS(GET("/"), CG_EHTTP_TLS);
    done();
    return 0;
}

/* ---- TLS and proxies ------------------------------------------------------------- */

/* TLS that is none: notes the host, and may fail. */
struct fake {
    ssize_t answer;
    char host[64];
    int64_t pause;
};

static ssize_t fake_connect(void *arg, struct cg_sock *inner, const char *host,
                            struct cg_sock **sock, char *words)
{
    struct fake *fake = arg;

    snprintf(fake->host, sizeof fake->host, "%s", host);
    if (fake->pause && cg_yield(cg_sleep(fake->pause)) < 0)
        return -ECANCELED;
    if (fake->answer < 0)
        snprintf(words, CG_HTTP_WHY_SIZE, "because");
    else
        *sock = inner;
    return fake->answer;
}

static const char *https_url(void)
{
    static char url[256];

    snprintf(url, sizeof url, "https://%s/s", server.addr);
    return url;
}

/* https goes through what the client was given, which is told the host; its failures are
 * answered in its own words; it may not take for ever. From https nobody is led back to
 * http. */
static ssize_t speaks_tls(void *arg)
{
    struct fake fake = {.answer = 0};
    char moved[256];

    (void)arg;
    script_start(&other, TURNS(SAYS(OK_200(4, "open"))));
    snprintf(moved, sizeof moved, MOVED(302, "http://%s/"), other.addr);
    script_start(&server, TURNS(SAYS(OK_200(2, "ok")), SAYS(OK_200(2, "ok")),
                                SAYS(moved), SAYS(moved, .fresh = true),
                                SAYS(NULL, .fresh = true, .deaf = true, .pause = 1,
                                     .close = true),
                                SAYS(NULL, .fresh = true, .deaf = true,
                                     .pause = CG_MINUTE, .close = true)));
    client = CLIENT(.tls = (&(struct cg_http_tls){fake_connect, &fake}));
    IS(cg_yield(cg_http_get(client, https_url(), &reply)), 200);
    ck_assert_str_eq(cg_http_reply_url(reply), https_url());
    has_body("ok");
    ck_assert_str_eq(fake.host, "127.0.0.1");
    fake.host[0] = '\0';
    IS(cg_yield(cg_http_get(client, https_url(), &reply)), 200);
    has_body("ok");
    ck_assert_str_eq(fake.host, ""); /* the connection was there */
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)),
       CG_EHTTP_REDIRECT);
    ck_assert_ptr_nonnull(strstr(why, "which is not secure"));
    IS(FETCH(.url = https_url(), .downgrade = true), 200);
    has_body("open");
    fake.answer = -EPROTO;
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)), -EPROTO);
    ck_assert_str_eq(why, "because");
    fake.pause = CG_MINUTE;
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)), -ETIMEDOUT);
    ck_assert_str_eq(why, "127.0.0.1: the TLS handshake takes too long");
    done();
    script_end(&other);
    return 0;
}

/* Through a proxy: http names the whole URL, https asks for a tunnel; each with the proxy's
 * password, which the server never sees; exceptions go directly. */
static ssize_t uses_proxies(void *arg)
{
    struct fake fake = {.answer = 0};
    char proxy[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
                                SAYS("HTTP/1.1 200 Connected\r\n\r\n", .fresh = true),
                                SAYS(OK_200(1, "3")), SAYS(OK_200(1, "4")),
                                SAYS("HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n",
                                     .fresh = true),
                                SAYS("nonsense\r\n\r\n", .fresh = true)));
    script_start(&other, TURNS(SAYS(OK_200(6, "direct"))));
    snprintf(proxy, sizeof proxy, "http://me:pw@%s", server.addr);
    client = CLIENT(.http_proxy = proxy, .https_proxy = proxy, .no_proxy = "127.0.0.1",
                    .tls = (&(struct cg_http_tls){fake_connect, &fake}));
    IS(cg_yield(cg_http_get(client, "http://no.such.host.invalid/a", &reply)), 200);
    has_body("1");
    heard(
        "GET http://no.such.host.invalid/a HTTP/1.1\r\nHost: no.such.host.invalid\r\n");
    heard("Proxy-Authorization: Basic bWU6cHc=\r\n");
    IS(cg_yield(cg_http_get(client, "http://other.invalid:81/", &reply)), 200);
    has_body("2");
    heard("GET http://other.invalid:81/ HTTP/1.1\r\nHost: other.invalid:81\r\n");
    IS(server.connections, 1); /* to the proxy, whatever is asked for */
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("direct");
    server.from = server.used;
    IS(cg_yield(cg_http_get(client, "https://a.invalid/s", &reply)), 200);
    has_body("3");
    heard("CONNECT a.invalid:443 HTTP/1.1\r\nHost: "
          "a.invalid:443\r\nProxy-Authorization: ");
    heard("GET /s HTTP/1.1\r\nHost: a.invalid\r\n");
    IS(count(server.seen + server.from, "Proxy-Authorization"), 1);
    ck_assert_str_eq(fake.host, "a.invalid");
    IS(cg_yield(cg_http_get(client, "https://a.invalid/", &reply)), 200);
    has_body("4");
    IS(server.connections, 2);
    IS(cg_yield(cg_http_get(client, "https://b.invalid/", &reply, .why = why)),
       CG_EHTTP_PROXY);
    ck_assert_str_eq(why, "the proxy answers 407 Who?");
    IS(cg_yield(cg_http_get(client, "https://b.invalid/", &reply)), CG_EHTTP_PROXY);
    done();
    script_end(&other);
    client = CLIENT(.http_proxy = "socks5://h:1");
    IS(cg_yield(cg_http_get(client, "http://b.invalid/", &reply, .why = why)),
       CG_EHTTP_PROXY);
    ck_assert_str_eq(why,
                     "the proxy socks5://h:1: its scheme is neither http nor https");
    cg_http_client_free(client);
    return 0;
}

/* The environment names proxies, unless it is not to be looked at. */
static ssize_t looks_at_the_environment(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1"))));
    setenv("http_proxy", server.addr, 1);
    setenv("no_proxy", "localhost", 1);
    client = cg_http_client_new();
    IS(cg_yield(cg_http_get(client, "http://a.invalid/", &reply)), 200);
    has_body("1");
    IS(cg_yield(cg_http_get(client, "http://localhost:1/", &reply)), -ECONNREFUSED);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    done();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(gets_a_page),
        CORO(adds_nothing),
        CORO(all_kinds_of_bodies),
        CORO(sends_bodies),
        CORO(refuses_to_send, .where = ON_SIM),
        CORO(expects, .where = ON_SIM),
        CORO(answers_early, .where = ON_SIM),
        CORO(interim, .where = ON_SIM),
        CORO(cannot_send, .where = ON_SIM),
        CORO(streams, .where = ON_SIM),
        CORO(leaves_early),
        CORO(keeps_connections, .where = ON_SIM),
        CORO(tries_again),
        CORO(waits_in_order, .where = ON_SIM),
        CORO(limits_all),
        CORO(follows),
        CORO(changes_methods),
        CORO(rewinds),
        CORO(keeps_secrets),
        CORO(refuses_redirects),
        CORO(speaks_tls, .where = ON_SIM),
        CORO(uses_proxies),
        CORO(looks_at_the_environment, .where = ON_SIM),
    };

    return test_main("http_client", cases, COUNT(cases));
}
