/* SPDX-License-Identifier: MIT */
/* The HTTP client over HTTP/2, with servers that send fixed frames: heads that come together, or
 * are not complete, before the body of the request is sent. */
#include "config.h"

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
#define HEAD_OK "\0\0\1\1\4\0\0\0\1" "\x88"
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

int main(void)
{
    static const struct test_case cases[] = {
        CORO(trails_no_body),
        CORO(needs_whole_heads),
    };

    return test_main("http client h2 frames", cases, COUNT(cases));
}
