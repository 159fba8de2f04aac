/* SPDX-License-Identifier: MIT */
/* The HTTP/2 server: the handlers of the HTTP/1 tests over HTTP/2, and clients that misuse
 * it. */
#include "config.h"

#include "tests/http/http2/h2_speak.h"
#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cg_http_server_options both = {.protocols = CG_HTTP_H1 | CG_HTTP_H2C};

/* Asks for a path on a connection of its own, and checks status and body. */
static void is_told(const char *method, const char *path, int status, const char *body)
{
    struct speaker speaker;
    struct heard *heard;

    speak_open(&speaker, addr, 0);
    heard = speak_hear(&speaker, speak_ask(&speaker, method, path, NULL, NULL, 0, false));
    ck_assert_int_eq(heard->status, status);
    if (body != NULL)
        ck_assert_str_eq(heard->body, body);
    ck_assert_uint_eq(heard->error, NGHTTP2_NO_ERROR);
    speak_close(&speaker);
}

static ssize_t answers(void *arg)
{
    (void)arg;
    serve_begin(&both);
    is_told("GET", "/", 200, "hello\n");
    is_told("HEAD", "/", 200, "");
    is_told("GET", "/typed", 200, "{}");
    is_told("POST", "/missing", 405, "405 Method Not Allowed\n");
    is_told("FLY", "/", 501, NULL);
    is_told("GET", "/%zz", 400, NULL);
    ck_assert_str_eq(ask("GET /" V CLOSE "\r\n"), HELLO CLOSE "\r\nhello\n");
    serve_end();
    return 0;
}

/* Many requests at once, each answered on its stream. */
static ssize_t multiplexes(void *arg)
{
    struct speaker speaker;
    int32_t ids[50];

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = speak_ask(&speaker, "GET", i % 2 ? "/" : "/typed", NULL, NULL, 0, false);
    for (size_t i = 0; i < COUNT(ids); i++)
        ck_assert_str_eq(speak_hear(&speaker, ids[i])->body, i % 2 ? "hello\n" : "{}");
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* Responds, and ends its own coroutine before or afterwards. */
static ssize_t end_self(struct cg_http_request *req, void *arg)
{
    ssize_t n;

    if (arg != NULL)
        cg_coro_cancel(cg_coro_self());
    n = cg_yield(cg_http_send_text(req, 200, "ended\n"));
    cg_coro_cancel(cg_coro_self());
    return n;
}

/* A handler whose coroutine is cancelled takes no other request with it. */
static ssize_t cancelled(void *arg)
{
    struct speaker speaker;
    int32_t ids[6];

    (void)arg;
    serve_begin(&both);
    cg_http_server_mount(server, "/end", end_self, NULL);
    cg_http_server_mount(server, "/end/first", end_self, &speaker);
    speak_open(&speaker, addr, 0);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = speak_ask(&speaker, "GET", i == 1 ? "/end" : i == 3 ? "/end/first" : "/", NULL,
                           NULL, 0, false);
    for (size_t i = 0; i < COUNT(ids); i += 2)
        ck_assert_str_eq(speak_hear(&speaker, ids[i])->body, "hello\n");
    ck_assert_str_eq(speak_hear(&speaker, ids[1])->body, "ended\n");
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* A body that is longer than all windows, in both directions. */
static ssize_t echoes(void *arg)
{
    enum { LONG = 600 * 1000 };
    struct speaker speaker;
    struct heard *heard;
    char *body = malloc(LONG);

    (void)arg;
    memset(body, 'e', LONG);
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    heard = speak_hear(&speaker,
                       speak_ask(&speaker, "POST", "/echo", NULL, body, LONG, false));
    ck_assert_int_eq(heard->status, 200);
    ck_assert_uint_eq(heard->len, LONG);
    heard = speak_hear(&speaker, speak_ask(&speaker, "POST", "/echo",
                                           (const char *[]){"content-length: 3", NULL}, "abc",
                                           3, false));
    ck_assert_str_eq(heard->body, "abc");
    speak_close(&speaker);
    serve_end();
    free(body);
    return 0;
}

/* The status of a request with these fields; 0: its stream was reset, for `error`. */
static int status_with(const char *const *fields, const char *body, uint32_t *error)
{
    struct speaker speaker;
    struct heard *heard;
    int status;

    speak_open(&speaker, addr, 0);
    heard = speak_hear(&speaker, speak_ask(&speaker, "POST", "/echo", fields, body,
                                           body ? strlen(body) : 0, false));
    *error = heard->error;
    status = heard->status;
    speak_close(&speaker);
    return status;
}

#define WITH(...) ((const char *[]){__VA_ARGS__, NULL})

/* What would mean something else to whoever gets the request in HTTP/1. */
static ssize_t smuggled(void *arg)
{
    uint32_t error;

    (void)arg;
    serve_begin(&both);
    IS(status_with(WITH("transfer-encoding: chunked"), "abc", &error), 0);
    ck_assert_uint_eq(error, NGHTTP2_PROTOCOL_ERROR);
    IS(status_with(WITH("connection: close"), "abc", &error), 0);
    ck_assert_uint_eq(error, NGHTTP2_PROTOCOL_ERROR);
    IS(status_with(WITH("content-length: 2"), "abc", &error), 0);
    ck_assert_uint_eq(error, NGHTTP2_PROTOCOL_ERROR);
    IS(status_with(WITH("content-length: 4"), "abc", &error), 0);
    ck_assert_uint_eq(error, NGHTTP2_PROTOCOL_ERROR);
    IS(status_with(WITH("a: b\r\nc: d"), "abc", &error), 0);
    IS(status_with(WITH("host: other"), "abc", &error), 400);
    IS(status_with(WITH("host: x"), "abc", &error), 200);
    serve_end();
    return 0;
}

/* What a handler sends beside a body: interim responses, a head alone, trailers that came with
 * the request; and bodies that are made as they are sent. */
static ssize_t messages(void *arg)
{
    static const char sum[] = "7";
    nghttp2_nv trailer = {(uint8_t *)"t", (uint8_t *)sum, 1, 1, 0};
    struct speaker speaker;
    struct heard *heard;
    int32_t id;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    heard = speak_hear(&speaker, speak_ask(&speaker, "GET", "/hints", NULL, NULL, 0, false));
    ck_assert_ptr_nonnull(strstr(heard->fields, ":status: 103\nlink: </a>\nx: y\n:status: 100\n"
                                                ":status: 200\n"));
    ck_assert_str_eq(heard->body, "hello\n");
    heard = speak_hear(&speaker, speak_ask(&speaker, "HEAD", "/text", NULL, NULL, 0, false));
    ck_assert_ptr_nonnull(strstr(heard->fields, "\ncontent-length: 2999\n"));
    ck_assert_uint_eq(heard->len, 0);
    heard = speak_hear(&speaker, speak_ask(&speaker, "HEAD", "/bare", NULL, NULL, 0, false));
    ck_assert_ptr_null(strstr(heard->fields, "content-length"));
    heard = speak_hear(&speaker, speak_ask(&speaker, "HEAD", "/floods", NULL, NULL, 0, false));
    ck_assert_int_eq(heard->status, 200);
    heard = speak_hear(&speaker, speak_ask(&speaker, "GET", "/text",
                                           WITH("accept-encoding: gzip"), NULL, 0, false));
#ifdef HAVE_ZLIB
    ck_assert_ptr_nonnull(strstr(heard->fields, "\ncontent-encoding: gzip\n"));
    ck_assert_uint_lt(heard->len, 200);
#endif
    heard = speak_hear(&speaker, speak_ask(&speaker, "GET", "/events", NULL, NULL, 0, false));
    ck_assert_ptr_nonnull(strstr(heard->fields, "\ncontent-type: text/event-stream"));
    ck_assert_ptr_nonnull(strstr(heard->body, "data: one\ndata: two\n"));
    id = speak_ask(&speaker, "POST", "/echo", WITH("expect: 100-continue"), NULL, 0, true);
    while (speaker.heard[id / 2] == NULL)
        OK(speak_once(&speaker) ? 0 : -1);
    ck_assert_str_eq(speaker.heard[id / 2]->fields, ":status: 100\n");
    id = speak_ask(&speaker, "POST", "/echo", NULL, "abc", 3, true);
    while (speaker.heard[id / 2] == NULL || speaker.heard[id / 2]->len < 3)
        OK(speak_once(&speaker) ? 0 : -1);
    nghttp2_submit_trailer(speaker.session, id, &trailer, 1);
    heard = speak_hear(&speaker, id);
    ck_assert_int_eq(heard->status, 200);
    ck_assert_ptr_nonnull(strstr(heard->fields, "\nt: 7\n"));
    ck_assert_str_eq(heard->body, "abc");
    speak_close(&speaker);
    serve_end();
    return 0;
}

static ssize_t too_many_fields(void *arg)
{
    const char *fields[151] = {NULL};
    char long_field[3000] = "a: ";
    uint32_t error;

    (void)arg;
    serve_begin(&both);
    for (int i = 0; i < 150; i++)
        fields[i] = "a: b";
    IS(status_with(fields, NULL, &error), 431);
    memset(long_field + 3, 'x', sizeof long_field - 4);
    for (int i = 0; i < 20; i++)
        fields[i] = long_field;
    fields[20] = NULL;
    IS(status_with(fields, NULL, &error), 431);
    serve_end();
    return 0;
}

/* A reset ends what the handler waits for. */
static ssize_t reset(void *arg)
{
    struct speaker speaker;
    int32_t id;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    id = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);
    while (handled < 1)
        OK(speak_once(&speaker) ? 0 : -1);
    nghttp2_submit_rst_stream(speaker.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    ck_assert_str_eq(
        speak_hear(&speaker, speak_ask(&speaker, "GET", "/", NULL, NULL, 0, false))->body,
        "hello\n");
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* Asks for a path whose handler waits for the departure of its client. */
static int32_t ask_left(struct speaker *speaker, const char *path)
{
    unsigned begun = handled;
    int32_t id = speak_ask(speaker, "GET", path, NULL, NULL, 0, false);

    speak_raw(speaker, NGHTTP2_PING, 0, 0, "12345678", 8); /* sends the request, too */
    until_handled(begun + 1);
    return id;
}

/* A handler that waits for the departure of its client is told of a reset, and of the end of the
 * connection, and is not cancelled. */
static ssize_t left(void *arg)
{
    struct speaker speaker;
    int32_t id;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    id = ask_left(&speaker, "/left");
    nghttp2_submit_rst_stream(speaker.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    ck_assert_str_eq(
        speak_hear(&speaker, speak_ask(&speaker, "GET", "/typed", NULL, NULL, 0, false))->body,
        "{}");
    until_handled(3);
    ask_left(&speaker, "/left");
    speak_close(&speaker);
    until_handled(6);
    serve_end();
    return 0;
}

/* A shutdown that times out ends a handler that was told and does not end by itself. */
static ssize_t left_and_cut(void *arg)
{
    struct speaker speaker;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    ask_left(&speaker, "/left/long");
    speak_close(&speaker);
    until_handled(2);
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), -ETIMEDOUT);
    ck_assert_uint_eq(handled, 2);
    serve_end();
    return 0;
}

enum { LARGE = 10 * 1000 * 1000 };

static ssize_t sends_large(struct cg_http_request *req, void *arg)
{
    return cg_yield(cg_http_send_file(req, *(int *)arg, 0, LARGE));
}

/* A file that is many times as large as all windows arrives whole: on several streams at once,
 * also behind a client that reads nothing for a while. */
static ssize_t large_files(void *arg)
{
    static const uint32_t windows[] = {0, 20 * 1000, 1000 * 1000};
    int fd = test_file(LARGE);
    struct speaker speaker;
    int32_t ids[2];

    (void)arg;
    for (size_t i = 0; i < COUNT(windows); i++) {
        serve_begin(&both);
        OK(cg_http_server_mount(server, "/large", sends_large, &fd));
        speak_open(&speaker, addr, windows[i]);
        speaker.verifies = true;
        for (size_t k = 0; k < COUNT(ids); k++)
            ids[k] = speak_ask(&speaker, "GET", "/large", NULL, NULL, 0, false);
        speak_once(&speaker);
        OK(cg_yield(cg_sleep(20 * CG_MILLISECOND)));
        for (size_t k = 0; k < COUNT(ids); k++)
            ck_assert_uint_eq(speak_hear(&speaker, ids[k])->len, LARGE);
        speak_close(&speaker);
        serve_end();
    }
    close(fd);
    return 0;
}

/* A client whose window has one byte. */
static ssize_t no_window(void *arg)
{
    static const struct cg_http_server_options options = {
        .protocols = CG_HTTP_H2C, .write_timeout = 5 * CG_SECOND, .linger_timeout = CG_SECOND};
    struct speaker speaker;
    struct heard *heard;

    (void)arg;
    serve_begin(&options);
    speak_open(&speaker, addr, 1);
    heard = speak_hear(&speaker, speak_ask(&speaker, "GET", "/", NULL, NULL, 0, false));
    ck_assert_uint_eq(heard->len, 6); /* the session opens it byte by byte */
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* A connection that says nothing at all, where it may yet choose a protocol. */
static ssize_t says_nothing(void *arg)
{
    int64_t start = cg_sched_now(cg_sched_self());
    struct cg_sock *sock;
    char byte;

    (void)arg;
    serve_begin(&both);
    sock = serve_client();
    IS(cg_yield(cg_read(sock, &byte, 1, .timeout = CG_NEVER)), 0);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, 16 * CG_SECOND); /* header_timeout */
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A head that is never complete, and a connection that says nothing. */
static ssize_t clocks(void *arg)
{
    struct speaker speaker;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    speak_raw(&speaker, NGHTTP2_HEADERS, 0, 1, "\202", 1); /* no END_HEADERS */
    speak_to_end(&speaker);
    speak_close(&speaker);
    speak_open(&speaker, addr, 0);
    speak_to_end(&speaker);
    ck_assert_uint_eq(speaker.goaway, NGHTTP2_NO_ERROR);
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* Heads that are refused hold up neither the other streams nor the end of the connection. */
static ssize_t refused_heads(void *arg)
{
    struct speaker speaker;
    int32_t held_id;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    held_id = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);
    while (handled < 1)
        OK(speak_once(&speaker) ? 0 : -1);
    speak_hear(&speaker, speak_ask(&speaker, "GET", "/", WITH("a: b\nc"), NULL, 0, false));
    speak_hear(&speaker, speak_ask(&speaker, "CONNECT", "/", NULL, NULL, 0, false));
    cg_yield(cg_sleep(100 * CG_SECOND));
    OK(cg_yield(cg_signal(&handled, NULL)));
    ck_assert_str_eq(speak_hear(&speaker, held_id)->body, "held\n");
    ck_assert_uint_eq(speak_to_end(&speaker), NGHTTP2_NO_ERROR);
    ck_assert(speaker.ended);
    speak_close(&speaker);
    serve_end();
    return 0;
}

/* A client that has its response, does not end its request, and pings. */
static ssize_t never_silent(void *arg)
{
    struct speaker speaker;
    int32_t id;
    int pings = 0;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    id = speak_ask(&speaker, "GET", "/", NULL, NULL, 0, true);
    while (speaker.heard[0] == NULL || !speaker.heard[0]->closed) {
        ck_assert_int_lt(pings++, 10);
        speak_raw(&speaker, NGHTTP2_PING, 0, 0, "12345678", 8);
        cg_yield(cg_sleep(CG_SECOND / 2));
        OK(speak_once(&speaker) ? 0 : -1);
    }
    ck_assert_uint_eq(speak_hear(&speaker, id)->error, NGHTTP2_NO_ERROR);
    speak_close(&speaker);
    serve_end();
    return 0;
}

static ssize_t shutdown_begin(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_shutdown(server, .timeout = 100 * CG_SECOND));
}

/* A shutdown tells the client first, and the connection stays open for a second, for requests
 * that were on their way. */
static ssize_t drains(void *arg)
{
    struct speaker speaker;
    struct cg_coro *ending;
    int32_t held_id;
    int64_t start;

    (void)arg;
    serve_begin(&both);
    speak_open(&speaker, addr, 0);
    held_id = speak_ask(&speaker, "GET", "/held", NULL, NULL, 0, false);
    while (handled < 1)
        OK(speak_once(&speaker) ? 0 : -1);
    ending = test_start(shutdown_begin, NULL);
    while (speaker.goaways < 1)
        OK(speak_once(&speaker) ? 0 : -1);
    OK(cg_yield(cg_signal(&handled, NULL)));
    ck_assert_str_eq(speak_hear(&speaker, held_id)->body, "held\n");
    start = cg_sched_now(cg_sched_self());
    ck_assert_uint_eq(speak_to_end(&speaker), NGHTTP2_NO_ERROR);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - start, CG_SECOND);
    speak_close(&speaker);
    IS(test_end(ending), 0);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(answers), CORO(multiplexes), CORO(cancelled), CORO(echoes), CORO(smuggled), CORO(messages),
    CORO(too_many_fields), CORO(reset), CORO(left), CORO(left_and_cut, .where = ON_SIM),
    CORO(large_files), CORO(no_window), CORO(clocks, .where = ON_SIM),
    CORO(drains, .where = ON_SIM), CORO(says_nothing, .where = ON_SIM),
    CORO(refused_heads, .where = ON_SIM), CORO(never_silent, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2", cases, COUNT(cases));
}
