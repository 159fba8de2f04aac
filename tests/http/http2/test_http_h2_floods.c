/* SPDX-License-Identifier: MIT */
/* Clients that cause work without progress: the connection ends, and the server serves others. */
#include "config.h"

#include "http/server/metrics.h"
#include "tests/http/http2/h2_raw.h"
#include "tests/http/http2/h2_speak.h"
#include "tests/http/http_serve.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

static const struct cg_http_server_options both = {.protocols = CG_HTTP_H1 | CG_HTTP_H2C};

/* The server still serves. */
static void serves(void)
{
    ck_assert_str_eq(ask("GET /" V CLOSE "\r\n"), HELLO CLOSE "\r\nhello\n");
}

/* Asks again and again, and resets each stream by a frame of four bytes. The connection ends,
 * and the server serves others. */
static void reset_all(uint8_t type, const char *payload)
{
    struct speaker speaker;

    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    for (int i = 0; i < 600 && !speaker.ended; i++) {
        int32_t id = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);

        speak_raw(&speaker, type, 0, (uint32_t)id, payload, 4);
    }
    speak_to_end(&speaker);
    ck_assert(speaker.ended);
    speak_close(&speaker);
    serves();
    serve_end();
}

/* Requests that are reset at once. */
static ssize_t rapid_resets(void *arg)
{
    (void)arg;
    reset_all(NGHTTP2_RST_STREAM, "\0\0\0\10");
    return 0;
}

/* A client that makes the server reset streams: a window that overflows. */
static ssize_t made_to_reset(void *arg)
{
    (void)arg;
    reset_all(NGHTTP2_WINDOW_UPDATE, "\177\377\377\377");
    return 0;
}

enum { NO_STREAM, OPEN_STREAM, CLOSED_STREAM };

/* Sends frames that bring nothing: the connection ends long before so many. */
static void flood(uint8_t type, uint8_t flags, int where, const void *payload, size_t len)
{
    int64_t start = cg_sched_now(cg_sched_self());
    struct speaker speaker;
    uint32_t id = 0;

    speak_open(&speaker, addr, 0);
    if (where == OPEN_STREAM)
        id = (uint32_t)speak_ask(&speaker, "POST", "/whole", NULL, NULL, 0, true);
    if (where == CLOSED_STREAM) {
        id = (uint32_t)speak_ask(&speaker, "GET", "/", NULL, NULL, 0, false);
        ck_assert_int_eq(speak_hear(&speaker, (int32_t)id)->status, 200);
    }
    for (int i = 0; i < 5000 && !speaker.ended; i++)
        speak_raw(&speaker, type, flags, id, payload, len);
    speak_to_end(&speaker);
    ck_assert(speaker.ended);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, 30 * CG_SECOND); /* idle_timeout: 60 */
    speak_close(&speaker);
}

static ssize_t floods(void *arg)
{
    (void)arg;
    serve_begin(&both);
    flood(NGHTTP2_DATA, 0, OPEN_STREAM, "", 0);
    flood(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, OPEN_STREAM, "\3\0\0\0", 4);
    flood(NGHTTP2_PRIORITY, 0, OPEN_STREAM, "\0\0\0\0\1", 5);
    flood(NGHTTP2_WINDOW_UPDATE, 0, OPEN_STREAM, "\0\0\0\1", 4);
    flood(NGHTTP2_WINDOW_UPDATE, 0, NO_STREAM, "\0\0\0\1", 4);
    flood(NGHTTP2_PING, 0, NO_STREAM, "12345678", 8);
    flood(NGHTTP2_SETTINGS, 0, NO_STREAM, "", 0);
    flood(0x42, 0, NO_STREAM, "x", 1);
    serves();
    serve_end();
    return 0;
}

/* What comes for a stream that has ended is looked at, too. */
static ssize_t closed_streams(void *arg)
{
    (void)arg;
    serve_begin(&both);
    flood(NGHTTP2_WINDOW_UPDATE, 0, CLOSED_STREAM, "\0\0\0\1", 4);
    flood(NGHTTP2_PRIORITY, 0, CLOSED_STREAM, "\0\0\0\0\1", 5);
    flood(NGHTTP2_RST_STREAM, 0, CLOSED_STREAM, "\0\0\0\10", 4);
    flood(NGHTTP2_DATA, 0, CLOSED_STREAM, "x", 1);
    flood(NGHTTP2_DATA, 0, CLOSED_STREAM, "", 0);
    flood(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, CLOSED_STREAM, "\202\206\204", 3);
    serves();
    serve_end();
    return 0;
}

#define GET_ROOT "\202\206\204\001\001x" /* GET, http, "/", the authority */

/* Heads in pieces that have no bytes. */
static ssize_t continuations(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&both);
    raw_open(&raw, addr, NULL, 0);
    raw_send(&raw, HEADERS, 0, 1, GET_ROOT, 6);
    for (int i = 0; i < 5000 && !raw.ended; i++)
        raw_send(&raw, CONTINUATION, 0, 1, "", 0);
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    raw_open(&raw, addr, NULL, 0);
    for (uint32_t id = 1; id < 10000 && !raw.ended; id += 2) {
        raw_send(&raw, HEADERS, END_STREAM, id, GET_ROOT, 6);
        for (int i = 0; i < 6; i++)
            raw_send(&raw, CONTINUATION, i == 5 ? END_HEADERS : 0, id, "", 0);
    }
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    serves();
    serve_end();
    return 0;
}

#define NO_WINDOW "\0\4\0\0\0\0" /* SETTINGS_INITIAL_WINDOW_SIZE: 0 */

/* A window that is given byte by byte makes the server send frames of one byte. */
static ssize_t dribbled_windows(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&both);
    raw_open(&raw, addr, NO_WINDOW, 6);
    raw_get(&raw, END_STREAM, 1, "/text", NULL, 0);
    for (int i = 0; i < 2990 && !raw.ended; i++)
        raw_send(&raw, WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4);
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    serves();
    serve_end();
    return 0;
}

/* A window that stays shut holds the response back until the write timeout, and no longer. */
static ssize_t shut_window(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    static struct raw raw;
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    serve_begin(&(struct cg_http_server_options){
        .protocols = CG_HTTP_H2C, .write_timeout = 5 * CG_SECOND, .metrics = metrics});
    raw_open(&raw, addr, NO_WINDOW, 6);
    raw_get(&raw, END_STREAM, 1, "/text", NULL, 0);
    while (raw.at[1].reset == RAW_NONE)
        ck_assert(raw_once(&raw));
    IS(raw.at[1].reset, NGHTTP2_CANCEL);
    IS((ssize_t)raw.at[1].len, 0);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, 8 * CG_SECOND);
    raw_close(&raw);
    serve_end();
    IS((ssize_t)atomic_load(&metrics->refusals[CG__HTTP_REFUSED_WRITE_TIME]), 1);
    cg_http_metrics_free(metrics);
    return 0;
}

/* Asks for responses of 3 KB. */
static void ask_for(struct raw *raw, uint32_t from, uint32_t to, bool opened)
{
    for (uint32_t id = from; id < to; id += 2) {
        raw_get(raw, END_STREAM, id, "/text", NULL, 0);
        if (opened)
            raw_send(raw, WINDOW_UPDATE, 0, id, "\0\0\20\0", 4);
    }
}

/* A response that a client does not take is given up once, also if the reset waits behind bytes
 * that the client does not read for a while. */
static ssize_t given_up_once(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C, .metrics = metrics,
                                                 .write_timeout = 6 * CG_SECOND});
    raw_open(&raw, addr, NO_WINDOW, 6);
    raw_send(&raw, WINDOW_UPDATE, 0, 0, "\0\20\0\0", 4);
    ask_for(&raw, 1, 20, false);
    OK(cg_yield(cg_sleep(4 * CG_SECOND)));
    ask_for(&raw, 21, 200, true);
    OK(cg_yield(cg_sleep(5 * CG_SECOND)));
    while (!raw.at[199].end)
        ck_assert(raw_once(&raw));
    for (uint32_t id = 1; id < 200; id += 2)
        ck_assert(id < 20 ? raw.at[id].reset == NGHTTP2_CANCEL : raw.at[id].end);
    IS((ssize_t)atomic_load(&metrics->refusals[CG__HTTP_REFUSED_WRITE_TIME]), 10);
    raw_close(&raw);
    serve_end();
    cg_http_metrics_free(metrics);
    return 0;
}

/* A client that takes its responses has made up for its windows: one for each 256 bytes. */
static ssize_t progress(void *arg)
{
    static const struct cg_http_server_options options = {
        .protocols = CG_HTTP_H2C, .h2_burst = 20, .h2_rate = 1};
    static struct raw raw;

    (void)arg;
    serve_begin(&options);
    raw_open(&raw, addr, NO_WINDOW, 6);
    for (uint32_t id = 1; id < 100; id += 2) {
        raw_get(&raw, END_STREAM, id, "/text", NULL, 0);
        for (int i = 0; i < 6; i++)
            raw_send(&raw, WINDOW_UPDATE, 0, id, "\0\0\2\0", 4);
        while (!raw.at[id].end)
            ck_assert(raw_once(&raw));
        IS((ssize_t)raw.at[id].len, 2999);
        if (id % 20 == 1)
            raw_send(&raw, WINDOW_UPDATE, 0, 0, "\0\0\177\0", 4);
    }
    raw_close(&raw);
    serve_end();
    return 0;
}

/* Pieces of a body cost nothing, also if they come together with the head, before nghttp2 knows the
 * stream. */
static ssize_t body_behind_head(void *arg)
{
    static const struct cg_http_server_options options = {
        .protocols = CG_HTTP_H2C, .h2_burst = 5, .h2_rate = 1};
    static const char head[] = "\0\0\14\1\4\0\0\0\1\203\206\001\001x\004\005/echo",
                      piece[] = "\0\0\1\0\0\0\0\0\1x";
    enum { PIECES = 8 };
    static struct raw raw;
    char all[sizeof head - 1 + PIECES * (sizeof piece - 1)];

    (void)arg;
    serve_begin(&options);
    raw_open(&raw, addr, NULL, 0);
    memcpy(all, head, sizeof head - 1);
    for (size_t i = 0; i < PIECES; i++)
        memcpy(all + sizeof head - 1 + i * (sizeof piece - 1), piece, sizeof piece - 1);
    raw_bytes(&raw, all, sizeof all);
    raw_send(&raw, DATA, END_STREAM, 1, "x", 1);
    while (!raw.at[1].end)
        ck_assert(raw_once(&raw));
    IS((ssize_t)raw.at[1].len, PIECES + 1);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A body of a stream that nghttp2 itself has refused: it limits the streams by itself until the
 * client has acknowledged the limit. */
static ssize_t body_of_refused(void *arg)
{
    static const struct cg_http_server_options options = {
        .protocols = CG_HTTP_H2C, .h2_streams = 1, .h2_burst = 100, .h2_rate = 1};
    static struct raw raw;

    (void)arg;
    serve_begin(&options);
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, 0, 1, "/whole", NULL, 0);
    raw_get(&raw, 0, 3, "/whole", NULL, 0);
    while (raw.at[3].reset == RAW_NONE)
        ck_assert(raw_once(&raw));
    IS(raw.at[3].reset, NGHTTP2_REFUSED_STREAM);
    for (int i = 0; i < 200 && !raw.ended; i++)
        raw_send(&raw, DATA, 0, 3, "x", 1);
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* Heads of streams that the client has left out, together with those of the streams that have
 * closed them: nghttp2 ignores them. Two requests do not pay for ten of them. */
static ssize_t left_out_heads(void *arg)
{
    static const struct cg_http_server_options options = {
        .protocols = CG_HTTP_H2C, .h2_burst = 100, .h2_rate = 1};
    enum { FRAMES = 12, SIZE = 15 }; /* of a slice; of a frame */
    static struct raw raw;
    char all[FRAMES * SIZE];

    (void)arg;
    serve_begin(&options);
    raw_open(&raw, addr, NULL, 0);
    raw_sync(&raw);
    for (uint32_t id = 1; id < 100000 && !raw.ended; id += 200) {
        for (uint32_t i = 0; i < FRAMES; i++) {
            uint32_t at = htonl(i < 2 ? id + 100 * (i + 1) : id + 2 * i);
            char *frame = all + i * SIZE;

            memcpy(frame, "\0\0\6\1\5", 5);
            memcpy(frame + 5, &at, 4);
            memcpy(frame + 9, GET_ROOT, 6);
        }
        raw_bytes(&raw, all, sizeof all);
    }
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A field that is long, and then named again and again by one byte: the head is refused, and the
 * connection goes on. */
static ssize_t repeated_field(void *arg)
{
    static unsigned char head[8000] = GET_ROOT "\100\001a\177\341\026"; /* a: 3040 bytes */
    static struct raw raw;

    (void)arg;
    memset(head + 12, 'v', 3040);
    memset(head + 12 + 3040, 0xbe, sizeof head - 12 - 3040);
    serve_begin(&both);
    raw_open(&raw, addr, NULL, 0);
    for (uint32_t id = 1; id < 9; id += 2) {
        raw_send(&raw, HEADERS, END_HEADERS | END_STREAM, id, head, sizeof head);
        raw_sync(&raw);
        ck_assert(raw.at[id].reset != RAW_NONE || raw.at[id].end);
        ck_assert_uint_ne(raw.at[id].first, 0x88);
    }
    raw_get(&raw, END_STREAM, 9, "/", NULL, 0);
    raw_sync(&raw);
    IS((ssize_t)raw.at[9].len, 6);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* Heads that are far too large for their bytes: each byte stands for a field of 4,000. */
static ssize_t bombs(void *arg)
{
    static const char begins[] = GET_ROOT "\x40\1a\x7f\xa1\x1e"; /* a field: 4,000 bytes follow */
    static char head[sizeof begins + 4000 + 350];
    static struct raw raw;
    size_t first = sizeof begins - 1;

    (void)arg;
    memcpy(head, begins, first);
    memset(head + first, 'x', 4000);
    memset(head + first + 4000, 0xbe, 350);
    serve_begin(&both);
    raw_open(&raw, addr, NULL, 0);
    raw_send(&raw, HEADERS, END_STREAM | END_HEADERS, 1, head, first + 4350);
    memcpy(head, GET_ROOT, 6);
    memset(head + 6, 0xbe, 350);
    for (uint32_t id = 3; id < 61 && !raw.ended; id += 2)
        raw_send(&raw, HEADERS, END_STREAM | END_HEADERS, id, head, 356);
    IS(raw_to_end(&raw), NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
    serves();
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(rapid_resets),
    CORO(made_to_reset),
    CORO(floods),
    CORO(bombs),
    CORO(closed_streams, .where = ON_SIM),
    CORO(continuations, .where = ON_SIM),
    CORO(dribbled_windows, .where = ON_SIM),
    CORO(shut_window, .where = ON_SIM),
    CORO(given_up_once, .where = ON_SIM),
    CORO(progress, .where = ON_SIM),
    CORO(repeated_field, .where = ON_SIM),
    CORO(body_behind_head, .where = ON_SIM),
    CORO(body_of_refused, .where = ON_SIM),
    CORO(left_out_heads, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_floods", cases, COUNT(cases));
}
