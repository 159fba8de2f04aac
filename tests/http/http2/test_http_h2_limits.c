/* SPDX-License-Identifier: MIT */
/* The limits of a connection of HTTP/2. */
#include "config.h"

#include "tests/http/http2/h2_raw.h"
#include "tests/http/http2/h2_speak.h"
#include "tests/http/http_serve.h"

#include <string.h>

/* The stream of a third request is refused, a body comes in
 * small pieces, and few frames without progress are enough. */
static ssize_t limits(void *arg)
{
    static const struct cg_http_server_options options = {.protocols = CG_HTTP_H2C,
                                                          .h2_streams = 2,
                                                          .h2_window = 100,
                                                          .h2_all_windows = 1,
                                                          .h2_burst = 30,
                                                          .h2_rate = 1};
    static char body[1000];
    struct speaker speaker;
    int32_t ids[3];

    (void)arg;
    memset(body, 'x', sizeof body);
    serve_begin(&options);
    speak_open(&speaker, addr, 0);
    ids[0] = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);
    ids[1] = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);
    ids[2] = speak_ask(&speaker, "GET", "/", NULL, NULL, 0, false);
    ck_assert_uint_eq(speak_hear(&speaker, ids[2])->error, NGHTTP2_REFUSED_STREAM);
    until_handled(2);
    OK(cg_yield(cg_signal(&handled, NULL)));
    ck_assert_str_eq(speak_hear(&speaker, ids[0])->body, "held\n");
    ck_assert_str_eq(speak_hear(&speaker, ids[1])->body, "held\n");
    ids[0] = speak_ask(&speaker, "POST", "/echo", NULL, body, sizeof body, false);
    ck_assert_uint_eq(speak_hear(&speaker, ids[0])->len, sizeof body);
    for (int i = 0; i < 40 && !speaker.ended; i++)
        speak_raw(&speaker, 0x42, 0, 0, "x", 1);
    ck_assert_uint_eq(speak_to_end(&speaker), NGHTTP2_ENHANCE_YOUR_CALM);
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* A client that has all responses may send as many requests again, though the handlers have not
 * returned; but not for ever. */
static ssize_t returns_late(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C, .h2_streams = 2});
    raw_open(&raw, addr, NULL, 0);
    for (uint32_t id = 1; id <= 9; id += 2) {
        raw_get(&raw, END_STREAM, id, "/lingers", NULL, 0);
        if (id != 5)
            raw_sync(&raw);
    }
    for (uint32_t id = 1; id <= 7; id += 2)
        ck_assert(raw.at[id].end);
    IS(raw.at[9].reset, NGHTTP2_REFUSED_STREAM);
    OK(cg_yield(cg_signal(&handled, NULL)));
    raw_get(&raw, END_STREAM, 11, "/", NULL, 0);
    raw_sync(&raw);
    IS((ssize_t)raw.at[11].len, 6);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A request whose handler waits for its tunnel counts once. */
static ssize_t tunnels(void *arg)
{
    static const char connect[] = "\002\7CONNECT\206\004\3/up\001\001x\0\11:protocol\1x";
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C, .h2_streams = 2});
    raw_open(&raw, addr, NULL, 0);
    raw_send(&raw, HEADERS, END_HEADERS, 1, connect, sizeof connect - 1);
    raw_send(&raw, HEADERS, END_HEADERS, 3, connect, sizeof connect - 1);
    raw_get(&raw, END_STREAM, 5, "/", NULL, 0);
    raw_sync(&raw);
    ck_assert(raw.at[1].head);
    ck_assert(raw.at[3].head);
    IS(raw.at[5].reset, NGHTTP2_REFUSED_STREAM);
    raw_send(&raw, DATA, END_STREAM, 1, "bye\n", 4);
    raw_sync(&raw);
    ck_assert(raw.at[1].end);
    raw_get(&raw, END_STREAM, 7, "/", NULL, 0);
    raw_send(&raw, DATA, END_STREAM, 3, "bye\n", 4);
    raw_sync(&raw);
    IS((ssize_t)raw.at[7].len, 6);
    ck_assert(raw.at[3].end);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A body that is too large, one that does not come in time, and one whose client resets its stream
 * end nothing but their streams. */
static ssize_t bodies(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .body_timeout = 5 * CG_SECOND});
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, 0, 1, "/whole10", NULL, 0);
    raw_send(&raw, DATA, END_STREAM, 1, "more than ten", 13);
    raw_get(&raw, 0, 3, "/whole", NULL, 0);
    raw_send(&raw, RST_STREAM, 0, 3, "\0\0\0\10", 4);
    raw_get(&raw, 0, 5, "/whole", NULL, 0);
    raw_sync(&raw);
    ck_assert(raw.at[1].end);
    while (!raw.at[5].end)
        ck_assert(raw_once(&raw));
    raw_get(&raw, END_STREAM, 7, "/", NULL, 0);
    raw_sync(&raw);
    IS((ssize_t)raw.at[7].len, 6);
    IS((ssize_t)raw.goaway, RAW_NONE);
    raw_close(&raw);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(limits),
    CORO(bodies, .where = ON_SIM),
    CORO(returns_late, .where = ON_SIM),
    CORO(tunnels, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_limits", cases, COUNT(cases));
}
