/* SPDX-License-Identifier: MIT */
/* Priorities over HTTP/2 (RFC 9218): which of the streams of a page are sent first through a
 * small window. */
#include "config.h"

#include "tests/http/http2/h2_raw.h"
#include "tests/http/http_serve.h"

#include <cogen/http_client.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 20 * 1000, STEP = 1000 };

#define NO_WINDOW "\0\4\0\0\0\0"          /* SETTINGS_INITIAL_WINDOW_SIZE: 0 .. */
#define LARGE_WINDOW "\0\4\0\x10\0\0"     /* .. 1 MiB */
#define PRIORITY_FIELD "\0\x08priority"   /* without indexing */

static ssize_t sends_part(struct cg_http_request *req, void *arg)
{
    static char body[SIZE];

    (void)arg;
    handled++;
    return cg_yield(cg_http_respond(req, 200, body, sizeof body));
}

/* Requests a part of the page. priority: of the field; NULL: it has none. */
static void ask_part(struct raw *raw, uint32_t id, const char *priority)
{
    char field[64] = PRIORITY_FIELD;
    size_t len = priority != NULL ? strlen(priority) : 0;

    field[10] = (char)len;
    memcpy(field + 11, priority != NULL ? priority : "", len);
    raw_get(raw, END_STREAM, id, "/part", field, priority != NULL ? 11 + len : 0);
}

static void open_page(struct raw *raw)
{
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    OK(cg_http_server_mount(server, "/part", sends_part, NULL));
    raw_open(raw, addr, NO_WINDOW, 6);
    raw_send(raw, SETTINGS, ACK, 0, NULL, 0);
}

/* Receives what has come, and lets the server send STEP further bytes. Returns how many have come
 * on streams up to `last`, none of which may have been reset. */
static size_t read_step(struct raw *raw, uint32_t last)
{
    static const unsigned char step[4] = {0, 0, STEP >> 8, STEP & 0xff};
    size_t all = 0;

    raw_sync(raw);
    raw_send(raw, WINDOW_UPDATE, 0, 0, step, 4);
    for (uint32_t id = 1; id <= last; id += 2) {
        IS(raw->at[id].reset, RAW_NONE);
        all += raw->at[id].len;
    }
    return all;
}

/* Lets the server send all of it, in pieces: first what the connection's first window holds,
 * then STEP bytes at a time. */
static void read_page(struct raw *raw, uint32_t last)
{
    until_handled((last + 1) / 2);
    raw_sync(raw);
    ck_assert_uint_eq(raw->count, 0);
    raw_send(raw, SETTINGS, 0, 0, LARGE_WINDOW, 6);
    while (read_step(raw, last) < (last + 1) / 2 * SIZE)
        continue;
    ck_assert_uint_le(raw->count, sizeof raw->order);
}

/* The places of a stream's first and last DATA frame among all. */
static size_t first_of(const struct raw *raw, unsigned id)
{
    size_t at = 0;

    while (at < raw->count && raw->order[at] != id)
        at++;
    return at;
}

static size_t last_of(const struct raw *raw, unsigned id)
{
    size_t at = raw->count;

    while (at > 0 && raw->order[at - 1] != id)
        at--;
    return at - 1;
}

static void close_page(struct raw *raw)
{
    raw_close(raw);
    serve_end();
}

/* The more urgent stream is sent whole before the next one; those without a priority are in the
 * middle, one after another. */
static ssize_t by_urgency(void *arg)
{
    static const unsigned order[] = {5, 1, 7, 9, 3};
    static struct raw raw;

    (void)arg;
    open_page(&raw);
    ask_part(&raw, 1, "u=1");
    ask_part(&raw, 3, "u=7");
    ask_part(&raw, 5, "u=0");
    ask_part(&raw, 7, NULL);
    ask_part(&raw, 9, "nonsense==");
    read_page(&raw, 9);
    for (size_t i = 0; i + 1 < COUNT(order); i++)
        ck_assert_uint_lt(last_of(&raw, order[i]), first_of(&raw, order[i + 1]));
    close_page(&raw);
    return 0;
}

/* Those that are of use in parts share what there is. */
static ssize_t incremental(void *arg)
{
    static struct raw raw;

    (void)arg;
    open_page(&raw);
    ask_part(&raw, 1, "u=5");
    ask_part(&raw, 3, "u=4, i");
    ask_part(&raw, 5, "u=4, i");
    ask_part(&raw, 7, "u=4, i");
    read_page(&raw, 7);
    for (unsigned a = 3; a <= 7; a += 2)
        for (unsigned b = 3; b <= 7; b += 2)
            ck_assert_uint_lt(first_of(&raw, a), last_of(&raw, b));
    for (unsigned a = 3; a <= 7; a += 2)
        ck_assert_uint_lt(last_of(&raw, a), first_of(&raw, 1));
    close_page(&raw);
    return 0;
}

/* A client changes its mind by PRIORITY_UPDATE, also before the request; the old PRIORITY frames
 * mean nothing. */
static ssize_t updates(void *arg)
{
    static const unsigned order[] = {7, 5, 1, 3};
    static struct raw raw;

    (void)arg;
    open_page(&raw);
    ask_part(&raw, 1, "u=2");
    ask_part(&raw, 3, "u=6");
    ask_part(&raw, 5, "u=7");
    raw_send(&raw, PRIORITY_UPDATE, 0, 0, "\0\0\0\5u=1", 7);
    raw_send(&raw, PRIORITY_UPDATE, 0, 0, "\0\0\0\7u=0", 7);
    ask_part(&raw, 7, NULL);
    raw_send(&raw, PRIORITY, 0, 3, "\0\0\0\0\377", 5);
    read_page(&raw, 7);
    for (size_t i = 0; i + 1 < COUNT(order); i++)
        ck_assert_uint_lt(last_of(&raw, order[i]), first_of(&raw, order[i + 1]));
    close_page(&raw);
    return 0;
}

/* A response that waits for its turn is not one that the client does not take, however long that
 * lasts: whether its handler waits, or has left it behind. */
static ssize_t waits_its_turn(void *arg)
{
    static struct raw raw;
    const uint32_t last = 9;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .write_timeout = 5 * CG_SECOND});
    OK(cg_http_server_mount(server, "/part", sends_part, NULL));
    raw_open(&raw, addr, LARGE_WINDOW, 6);
    for (uint32_t id = 1; id < last; id += 2)
        ask_part(&raw, id, NULL);
    raw_get(&raw, END_STREAM, last, "/", NULL, 0);
    while (read_step(&raw, last) < 4 * SIZE + 6)
        OK(cg_yield(cg_sleep(CG_SECOND)));
    close_page(&raw);
    return 0;
}

/* A flood of them is a flood. */
static ssize_t flood(void *arg)
{
    static struct raw raw;

    (void)arg;
    open_page(&raw);
    ask_part(&raw, 1, NULL);
    for (int i = 0; i < 5000 && !raw.ended; i++)
        raw_send(&raw, PRIORITY_UPDATE, 0, 0, "\0\0\0\1u=1", 7);
    IS(raw_to_end(&raw), 11); /* ENHANCE_YOUR_CALM */
    close_page(&raw);
    return 0;
}

static ssize_t tells_priority(struct cg_http_request *req, void *arg)
{
    const char *value = cg_http_request_header(req, "Priority");

    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, value != NULL ? value : "none"));
}

/* The client says it, over both protocols; what cannot be a field is refused. */
static ssize_t client_says(void *arg)
{
    static const uint8_t protocols[] = {CG_HTTP_H1, CG_HTTP_H2C};

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H1 | CG_HTTP_H2C});
    OK(cg_http_server_mount(server, "/priority", tells_priority, NULL));
    for (size_t i = 0; i < COUNT(protocols); i++) {
        struct cg_http_client *client = cg_http_client_new(.protocols = protocols[i]);
        struct cg_http_fetch fetch = {.priority = "u=1, i"};
        struct cg_http_reply *reply;
        char url[CG_ADDR_SIZE + 32];
        size_t len;

        snprintf(url, sizeof url, "http://%s/priority", addr);
        fetch.url = url;
        IS(cg_yield(cg_http_fetch(client, &fetch, &reply)), 200);
        ck_assert_str_eq(cg_http_reply_body(reply, &len), "u=1, i");
        cg_http_reply_free(reply);
        fetch.priority = "u=1\r\nX: y";
        ck_assert_int_lt(cg_yield(cg_http_fetch(client, &fetch, &reply)), 0);
        cg_http_client_free(client);
    }
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
#ifdef HAVE_NGHTTP2_SESSION_CHANGE_EXTPRI_STREAM_PRIORITY
    CORO(by_urgency, .where = ON_SIM),
    CORO(incremental, .where = ON_SIM),
    CORO(updates, .where = ON_SIM),
    CORO(waits_its_turn, .where = ON_SIM),
#endif
    CORO(flood, .where = ON_SIM),
    CORO(client_says),
};

int main(void)
{
    return test_main("http_h2_priority", cases, COUNT(cases));
}
