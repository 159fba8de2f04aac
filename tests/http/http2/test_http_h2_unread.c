/* SPDX-License-Identifier: MIT */
/* Clients of HTTP/2 that do not read: what waits for them is limited, and is right when they read
 * again. */
#include "config.h"

#include "http/server/metrics.h"
#include "tests/http/http2/h2_raw.h"
#include "tests/http/http_serve.h"

#include <errno.h>
#include <string.h>

enum { INTERNAL_ERROR = 2, CANCEL = 8, ENHANCE_YOUR_CALM = 11 };

#define NO_PATH "\202\206\001\001x" /* GET, http, the authority */

/* Asks for so many responses that the server's writer waits for this client. The last of them are
 * not in the socket's buffers then. */
static void get_stuck(struct raw *raw)
{
    raw_send(raw, WINDOW_UPDATE, 0, 0, "\0\20\0\0", 4);
    for (uint32_t id = 1; id < 180; id += 2)
        raw_get(raw, END_STREAM, id, "/text", NULL, 0);
    OK(cg_yield(cg_sleep(CG_SECOND)));
}

/* A client that has not acknowledged SETTINGS may open any number of streams, each of which
 * nghttp2 resets. Resets cost when they are sent, which these are not. */
static ssize_t resets(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    const atomic_ullong *refusals = &metrics->refusals[CG__HTTP_REFUSED_WORK];
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C, .metrics = metrics});
    raw_open(&raw, addr, NULL, 0);
    get_stuck(&raw);
    for (uint32_t id = 201; id < 10000; id += 2)
        raw_send(&raw, HEADERS, END_STREAM | END_HEADERS, id, NO_PATH, 5);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS((ssize_t)atomic_load(refusals), 1);
    IS(raw_to_end(&raw), ENHANCE_YOUR_CALM);
    IS((ssize_t)atomic_load(refusals), 1);
    raw_close(&raw);
    serve_end();
    cg_http_metrics_free(metrics);
    return 0;
}

/* The last GOAWAY says which requests are served. While it waits to be sent, no other one is: its
 * client may send it again elsewhere. */
static ssize_t late_request(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C, .requests = 90});
    raw_open(&raw, addr, NULL, 0);
    get_stuck(&raw);
    raw_get(&raw, END_STREAM, 181, "/held", NULL, 0);
    raw_get(&raw, 0, 183, "/whole", NULL, 0);
    raw_send(&raw, DATA, END_STREAM, 183, "x", 1);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS((ssize_t)handled, 0);
    IS(raw_to_end(&raw), 0);
    ck_assert(raw.at[179].end);
    ck_assert(!raw.at[181].head);
    ck_assert(!raw.at[183].head);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A head that does not come in time ends the connection. While its GOAWAY waits, so does the
 * reader. */
static ssize_t half_head(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .header_timeout = 2 * CG_SECOND});
    raw_open(&raw, addr, NULL, 0);
    get_stuck(&raw);
    raw_send(&raw, HEADERS, END_STREAM, 181, NO_PATH, 5);
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    IS(raw_to_end(&raw), 0);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A response that the client does not take is given up, although there is always a head that is
 * coming. */
static ssize_t heads_all_along(void *arg)
{
    static const char end[] = "\0\0\0\11\4\0\0\0\0", next[] = "\0\0\5\1\1\0\0\0\0" NO_PATH;
    char both[sizeof end - 1 + sizeof next - 1];
    static struct raw raw;

    (void)arg;
    memcpy(both, end, sizeof end - 1);
    memcpy(both + sizeof end - 1, next, sizeof next - 1);
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .write_timeout = 5 * CG_SECOND});
    raw_open(&raw, addr, "\0\4\0\0\0\0", 6); /* SETTINGS_INITIAL_WINDOW_SIZE: 0 */
    raw_get(&raw, END_STREAM, 1, "/text", NULL, 0);
    raw_send(&raw, HEADERS, END_STREAM, 3, NO_PATH, 5);
    for (char id = 3; id < 23; id += 2) {
        OK(cg_yield(cg_sleep(CG_SECOND)));
        both[8] = id;
        both[sizeof end - 1 + 8] = (char)(id + 2);
        raw_bytes(&raw, both, sizeof both);
    }
    while (raw.at[1].reset == RAW_NONE)
        ck_assert(raw_once(&raw));
    IS(raw.at[1].reset, CANCEL);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* Gives up soon, but does not end at once. */
static ssize_t impatient(struct cg_http_request *req, void *arg)
{
    static char body[100 * 1000];

    (void)arg;
    IS(cg_yield(cg_http_respond(req, 200, body, sizeof body, .timeout = CG_SECOND)), -ETIMEDOUT);
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    return 0;
}

static void mount_impatient(struct cg_http_server *server)
{
    OK(cg_http_server_mount(server, "GET /", impatient, NULL));
}

/* A response that its handler has given up does not end like a complete one when the client
 * opens its window. */
static ssize_t given_up(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin_with(mount_impatient,
                     &(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    raw_open(&raw, addr, "\0\4\0\0\0\12", 6); /* SETTINGS_INITIAL_WINDOW_SIZE: 10 */
    raw_get(&raw, END_STREAM, 1, "/", NULL, 0);
    until_handled(1);
    raw_send(&raw, WINDOW_UPDATE, 0, 1, "\0\0\20\0", 4);
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].len, 10);
    ck_assert(!raw.at[1].end);
    OK(cg_yield(cg_signal(&handled, NULL)));
    raw_sync(&raw);
    IS(raw.at[1].reset, INTERNAL_ERROR);
    raw_close(&raw);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(resets, .where = ON_SIM),
    CORO(late_request, .where = ON_SIM),
    CORO(half_head, .where = ON_SIM),
    CORO(heads_all_along, .where = ON_SIM),
    CORO(given_up, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_unread", cases, COUNT(cases));
}
