/* SPDX-License-Identifier: MIT */
/* The HTTP client with correct servers: its requests, and the replies that it returns.
 * Bodies, connections, redirects and proxies are in test_http_client_*.c, incorrect servers
 * in test_http_hostile.c. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A page: the request, and every part of the reply. */
static ssize_t gets_a_page(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello")));
    client = CLIENT(.user_agent = "test/1");
    IS(GET("/a%20b?q=1#frag"), 200);
    ck_assert_str_eq(cg_http_reply_reason(reply), "Fine");
    ck_assert_str_eq(cg_http_reply_header(reply, "x-a"), "b");
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

/* A request on behalf of another client gets no fields of ours. */
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

/* Fields of a list come first, and replace ours as those of the array do. A list may have fields
 * that frame a body, since a message has them; they are refused. */
static ssize_t sends_a_list(void *arg)
{
    struct cg_http_headers *list = cg_http_headers_new();

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(0, ""))));
    client = CLIENT(.user_agent = "test/1");
    OK(cg_http_headers_add(list, "user-agent", "list"));
    OK(cg_http_headers_add(list, "X", ""));
    IS(FETCH(.url = server.url, .headers = list, .fields = FIELDS({"A", "b"})), 200);
    heard("\r\nuser-agent: list\r\nX: \r\nA: b\r\n\r\n");
    not_heard("test/1");
    cg_http_reply_free(reply);
    OK(cg_http_headers_add(list, "content-length", "1"));
    IS(FETCH(.url = server.url, .headers = list), -EINVAL);
    ck_assert_str_eq(why, "the field content-length is invalid");
    cg_http_headers_free(list);
    done();
    return 0;
}

/* Interim responses reach the callback with their fields, whenever they come. The callback
 * may end the request by an error. */
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
    IS(FETCH(.url = server.url, .body = large, .len = sizeof large,
             .interim = hears_hints, .interim_arg = &hints), 200);
    has_body("ok");
    ck_assert_str_eq(hints.text, "103 a;102 -;100 -;103 b;");
    done();
    script_start(&server, TURNS(SAYS("HTTP/1.1 103 x\r\nLink: c\r\n\r\n", .close = true)));
    client = CLIENT();
    hints.answer = -EIO;
    IS(FETCH(.url = server.url, .interim = hears_hints, .interim_arg = &hints), -EIO);
    ck_assert_str_eq(why, "passing on an interim response failed: Input/output error");
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(gets_a_page),
    CORO(adds_nothing),
    CORO(sends_a_list),
    CORO(interim, .where = ON_SIM),
};

int main(void)
{
    return test_main("http client", cases, COUNT(cases));
}
