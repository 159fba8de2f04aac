/* SPDX-License-Identifier: MIT */
/* The bodies of the HTTP client: of requests, from memory, files and sources, and of
 * replies, stored or streamed. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/http/http_ask.h"
#include "tests/support/child.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bodies in chunks, with trailers; bodies that last until the connection ends; no body. */
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
              SAYS(HEAD_200 "\r\nuntil the end", .close = true),
              SAYS(HEAD_200 "\r\n", .close = true, .fresh = true),
              SAYS("HTTP/1.0 404 No\r\nContent-Encoding: gzip\r\n\r\n", .close = true),
              SAYS("HTTP/1.1 302 No\r\nLocation: /b\r\n\r\n", .close = true),
              SAYS(HEAD_200 "\r\n"), SAYS(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n"),
              SAYS(HEAD_200 "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", .close = true)));
    client = CLIENT();
    IS(GET("/"), 200);
    IS(cg_http_reply_length(reply), -1);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "x-sum"), "7");
    ck_assert_ptr_null(cg_http_reply_header(reply, "x-sum"));
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
    ck_assert_ptr_null(cg_http_reply_header(reply, "a"));
    has_body("no\n");
    IS(GET("/"), 200);
    has_body("until the end");
    IS((ssize_t)cg_http_client_connections(client), 0);
    for (int i = 0; i < 2; i++) { /* ended by the close, and empty */
        IS(GET("/"), i == 0 ? 200 : 404);
        IS(cg_http_reply_length(reply), -1);
        has_body("");
    }
    server.from = server.used;
    IS(FETCH(.url = server.url, .method = "HEAD", .redirects = 1), 200);
    heard("HEAD /b ");
    IS(cg_http_reply_length(reply), -1);
    has_body("");
    IS(FETCH(.url = server.url, .method = "HEAD"), 200);
    IS(cg_http_reply_length(reply), -1);
    has_body("");
    IS(GET("/"), 200);
    ck_assert_str_eq(cg_http_reply_header(reply, "A"), "b   c");
    has_body("");
    IS(server.connections, 5);
    done();
    return 0;
}

/* Request bodies from memory, from a file and from a source, with and without a length. */
static ssize_t sends_bodies(void *arg)
{
    static char large[100000];
    int file = test_file(200000), left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .len = -1};
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
    IS(FETCH(.url = server.url, .body = "hello", .len = 5,
             .fields = FIELDS({"Content-Type", "text/plain"}, {"user-agent", "mine"})),
       200);
    has_body("1");
    ck_assert_str_eq(strstr(server.seen, "\r\n\r\n"), "\r\n\r\nhello");
    heard("POST / HTTP/1.1\r\n");
    heard("Content-Type: text/plain\r\n");
    heard("user-agent: mine\r\n");
    not_heard("cogen/");
    IS(FETCH(.url = server.url, .method = "PUT", .body = large, .len = 70000), 200);
    has_body("2");
    heard("PUT / HTTP/1.1\r\n");
    heard("Content-Length: 70000\r\n");
    server.from = server.used;
    IS(FETCH(.url = server.url, .file = &file, .offset = 1000, .len = 8000), 200);
    has_body("3");
    test_verify(strstr(server.seen + server.from, "\r\n\r\n") + 4, 8000, 1000);
    server.from = server.used;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("4");
    heard("Transfer-Encoding: chunked\r\n");
    heard("\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
    source.len = -1;
    source.trailers = trailers;
    left = 1;
    server.from = server.used;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("4");
    heard("\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
    source.len = 6;
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

/* Text that could end a head early, or change the length of a body, is refused. */
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
    IS(FETCH(.url = addr, .priority = "a\r\nb"), -EINVAL);
    IS(FETCH(.url = "http://h/\r\n"), CG_EHTTP_URL);
    IS(FETCH(.url = NULL), CG_EHTTP_URL);
    IS(FETCH(.url = "ftp://h/"), CG_EHTTP_URL);
    ck_assert_str_eq(
        why, "ftp://h/ is not a valid URL: its scheme is neither http nor https");
    IS(FETCH(.url = ""), CG_EHTTP_URL);
    ck_assert_str_eq(why, "\"\" is not a valid URL: it is empty");
    IS(FETCH(.url = "https://127.0.0.1/"), CG_EHTTP_TLS);
    ck_assert_str_eq(why, "https needs TLS, which this client does not have");
    cg_http_client_free(client);
    cg_sock_close(listener);
    return 0;
}

/* With Expect: 100-continue the body is sent after a 100, or after a while, or not at all.
 * After a 417 the request is sent again without the field. */
static ssize_t expects(void *arg)
{
    struct cg_http_fetch fetch = {.body = "hello", .len = 5, .expect = true};
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
    before = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
    IS(cg_sched_now(cg_sched_self()) - before, 2 * CG_SECOND);
    has_body("2");
    heard("Expect: 100-continue\r\n");
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 413);
    has_body("3");
    IS((ssize_t)cg_http_client_connections(client),
       0); /* the body that the server waits for never came */
    IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
    has_body("4");
    ck_assert_ptr_null(strstr(script_last(&server), "Expect"));
    IS(server.connections, 3);
    done();
    return 0;
}

/* A final response that comes while the body is being sent ends the sending. An interim one
 * does not. */
static ssize_t answers_early(void *arg)
{
    static char large[1024 * 1024];

    (void)arg;
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno",
                            .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = large, .len = sizeof large), 413);
    has_body("no");
    IS((ssize_t)cg_http_client_connections(client), 0);
    done();
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 100 Go on\r\n\r\n"),
                       SAYS(OK_200(2, "ok"), .deaf = true, .pause = CG_SECOND)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = large, .len = 50000), 200);
    has_body("ok");
    done();
    return 0;
}

/* When a server stops reading, the sending fails. A response that the server has sent
 * before is read. */
static ssize_t cannot_send(void *arg)
{
    static char large[1024 * 1024];
    int left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .len = 100};

    (void)arg;
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_HOUR, .close = true)));
    client = CLIENT(.send_timeout = 5 * CG_SECOND);
    IS(FETCH(.url = server.url, .body = large, .len = sizeof large), -ETIMEDOUT);
    ck_assert_str_eq(why, "the server stopped reading the request");
    done();
    script_start(&server, TURNS(SAYS(NULL, .reset = true)));
    client = CLIENT();
    OK(-FETCH(.url = server.url, .body = large, .len = sizeof large));
    ck_assert_str_ne(why, "");
    done();
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_SECOND, .close = true)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .source = &source), -EIO);
    ck_assert_str_eq(why, "the source of the body has less than announced");
    done();
    script_start(&server, TURNS(SAYS(NULL, .pause = CG_SECOND, .close = true)));
    client = CLIENT();
    source.len = 4;
    left = 2;
    IS(FETCH(.url = server.url, .source = &source), -EIO);
    ck_assert_str_eq(why, "the source of the body has more than announced");
    done();
    return 0;
}

/* A streamed body is read in pieces as they come. The trailers are available at its end. */
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
    IS(cg_yield(cg_http_read_reply(reply, buf, 8, .timeout = CG_SECOND / 2)),
       -ETIMEDOUT);
    IS(cg_yield(cg_http_read_reply(reply, buf, 3)), 3);
    ck_assert_mem_eq(buf, "hel", 3);
    IS(cg_yield(cg_http_read_reply(reply, buf, 8)), 2);
    IS(cg_yield(cg_http_read_reply(reply, buf, 8, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (size_t size = 0; size < 11;)
        size += (size_t)OK(cg_yield(cg_http_read_reply(reply, buf, 8)));
    IS(cg_http_reply_received(reply), 16);
    IS((ssize_t)cg_http_client_connections(client), 1);
    IS(cg_yield(cg_http_read_reply(reply, buf, 8)), 0);
    IS(cg_yield(cg_http_read_reply(reply, buf, 8)), 0);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "T"), "u");
    cg_http_reply_free(reply);
    IS((ssize_t)cg_http_client_connections(client), 1);
    done();
    return 0;
}

/* A body that is not read to its end closes the connection, and has no other effect. A
 * client may be freed before its last reply. */
static ssize_t leaves_early(void *arg)
{
    char buf[4];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(10, "01234")),
                                SAYS(OK_200(2, "ok"), .fresh = true)));
    client = CLIENT(.per_origin = 1);
    IS(FETCH(.url = server.url, .stream = true), 200);
    IS(cg_yield(cg_http_read_reply(reply, buf, 4)), 4);
    cg_http_reply_free(reply);
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(FETCH(.url = server.url, .stream = true), 200);
    cg_http_client_free(client);
    IS(cg_yield(cg_http_read_reply(reply, buf, 4)), 2);
    IS(cg_yield(cg_http_read_reply(reply, buf, 4)), 0);
    cg_http_reply_free(reply);
    script_end(&server);
    IS(server.connections, 2);
    return 0;
}

static void free_twice(void)
{
    cg_http_reply_free(reply);
    cg_http_reply_free(reply);
}

static void read_freed(void)
{
    cg_http_reply_free(reply);
    IS(cg_http_reply_status(reply), 200);
}

/* A client keeps the memory of freed replies, but that hides no fault of its caller: a second
 * cg_http_reply_free ends the program, and so does any use of a freed reply with ASan. */
static ssize_t freed_replies(void *arg)
{
    char said[16 * 1024];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok"))));
    client = CLIENT();
    IS(GET("/"), 200);
    ck_assert_int_ne(child_run(free_twice, said, sizeof said), 0);
    if (CG__ASAN)
        ck_assert_int_ne(child_run(read_freed, said, sizeof said), 0);
    cg_http_reply_free(reply);
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(all_kinds_of_bodies),
    CORO(sends_bodies),
    CORO(refuses_to_send, .where = ON_SIM),
    CORO(expects, .where = ON_SIM),
    CORO(answers_early, .where = ON_SIM),
    CORO(cannot_send, .where = ON_SIM),
    CORO(streams, .where = ON_SIM),
    CORO(leaves_early),
    CORO(freed_replies, .where = ON_SIM),
};

int main(void)
{
    return test_main("http client bodies", cases, COUNT(cases));
}
