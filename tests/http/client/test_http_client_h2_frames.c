/* SPDX-License-Identifier: MIT */
/* The HTTP client over HTTP/2, with servers that send fixed frames: heads that come together, or
 * are not complete, before the body of the request is sent. */
#include "config.h"

#include "http/client/interim.h"
#include "tests/http/http_ask.h"

#include <errno.h>
#include <string.h>

#define PRIOR .protocols = CG_HTTP_H2C
#define FRAMES(...) FRAMES_(__VA_ARGS__, )
#define FRAMES_(bytes, ...)                                                                \
    {                                                                                      \
        .says = (bytes), .size = sizeof(bytes) - 1, __VA_ARGS__                            \
    }

/* Frames. The first request has the stream 1. */
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define NO_WINDOW "\0\0\6\4\0\0\0\0\0" "\0\4\0\0\0\0" /* SETTINGS: no bytes of a body */
#define HEAD_OK "\0\0\1\1\4\0\0\0\1" "\x88"
#define LAST_HEAD(status) "\0\0\5\1\5\0\0\0\1" "\x08\3" status
#define INTERIM "\0\0\5\1\4\0\0\0\1" "\x08\3" "103"
#define TRAILERS "\0\0\11\1\5\0\0\0\1" "\0\3x-t\3yes"
#define INVALID_HEAD "\0\0\6\1\5\0\0\0\1" "\x88\0\1X\1v"

static void is_said(const char *words)
{
    ck_assert_msg(strstr(why, words) != NULL, "%s", why);
}

/* A response without a body has its trailers also if they have come with the head. */
static ssize_t trails_no_body(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(FRAMES(SETTINGS HEAD_OK TRAILERS)));
    client = CLIENT(PRIOR);
    IS(GET(""), 200);
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "X-T"), "yes");
    has_body("");
    done();
    return 0;
}

/* A head that is refused before it is complete is no response, also when it comes before the body
 * of the request was sent. */
static ssize_t needs_whole_heads(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(FRAMES(SETTINGS INVALID_HEAD)));
    client = CLIENT(PRIOR);
    IS(FETCH(.url = server.url, .body = "body", .len = 4, .expect = true, .stream = true),
       CG_EHTTP);
    is_said("the response is not valid HTTP");
    done();
    return 0;
}

/* After 417 a body is sent again only if what was read of it can be rewound. */
static ssize_t keeps_bodies_whole(void *arg)
{
    struct cg_http_source source = {.read = some_read, .len = -1};
    int times = 1;

    (void)arg;
    source.arg = &times;
    script_start(&server, TURNS(FRAMES(NO_WINDOW),
                                FRAMES(LAST_HEAD("417"), .deaf = true, .pause = 2 * CG_SECOND)));
    client = CLIENT(PRIOR);
    IS(FETCH(.url = server.url, .source = &source, .expect = true), 417);
    has_body("");
    done();
    return 0;
}

/* Interim responses are counted while the client waits for 100 Continue, and while it sends. */
static void counts(const struct turn *turns, bool expect)
{
    script_start(&server, turns);
    IS(FETCH(.url = server.url, .body = "body", .len = 4, .expect = expect), CG_EHTTP);
    is_said("too many interim responses");
    done();
}

static ssize_t counts_interims(void *arg)
{
    (void)arg;
    for (int expect = 0; expect <= 1; expect++) {
        client = CLIENT(PRIOR, .expect_timeout = CG_NEVER, .send_timeout = CG_MINUTE);
        counts(TURNS(FRAMES(NO_WINDOW),
                     FRAMES(INTERIM, .deaf = true, .pause = CG_SECOND, .drip = CG_MILLISECOND,
                            .again = CG__HTTP_MOST_INTERIM)),
               expect);
    }
    client = CLIENT(.expect_timeout = CG_NEVER);
    counts(TURNS(SAYS("HTTP/1.1 103 Soon\r\n\r\n", .again = CG__HTTP_MOST_INTERIM)), true);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(trails_no_body),
        CORO(needs_whole_heads),
        CORO(keeps_bodies_whole, .where = ON_SIM),
        CORO(counts_interims, .where = ON_SIM),
    };

    return test_main("http client h2 frames", cases, COUNT(cases));
}
