/* SPDX-License-Identifier: MIT */
/* Both ends of a WebSocket: the handshake with an HTTP server, compression as both have agreed,
 * clocks, the end, operations that are cancelled. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/buffered.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_ws_options server_options;
static const char *origins;
static bool by_h2;
static ssize_t ended;
static int ended_code;

static ssize_t echo(struct cg_http_request *req, void *arg)
{
    const struct cg_ws_options *o = &server_options;
    struct cg_ws_message message;
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(
        req, &ws, .origins = origins, .protocol = o->protocol, .deflate = o->deflate,
        .window_bits = o->window_bits, .no_takeover = o->no_takeover, .limit = o->limit,
        .ping_interval = o->ping_interval, .idle_timeout = o->idle_timeout));

    (void)arg;
    if (n != 0)
        return n;
    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0)
        if (cg_yield(cg_ws_write(ws, n, message.data, message.len)) < 0)
            break;
    ended = n;
    ended_code = cg_ws_code(ws);
    cg_ws_free(ws);
    return 0;
}

static struct cg_http_client *client;
static char url[CG_ADDR_SIZE + 16], why[CG_HTTP_WHY_SIZE];

static void begin(const struct cg_ws_options *options)
{
    server_options = options != NULL ? *options : (struct cg_ws_options){.reserved = NULL};
    origins = NULL;
    ended = 1;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H1 | CG_HTTP_H2C});
    OK(cg_http_server_mount(server, "/ws", echo, NULL));
    client = cg_http_client_new(.no_environment = true,
                                .protocols = by_h2 ? CG_HTTP_H2C : CG_HTTP_H1);
    snprintf(url, sizeof url, "ws://%s/ws", addr);
}

static void finish(void)
{
    cg_http_client_free(client);
    serve_end();
}

static void comes_back(struct cg_ws *ws, enum cg_ws_kind kind, const void *data, size_t len)
{
    struct cg_ws_message message;

    IS(cg_yield(cg_ws_write(ws, kind, data, len)), (ssize_t)len);
    IS(cg_yield(cg_ws_read(ws, &message)), kind);
    ck_assert_msg(message.len == len && memcmp(message.data, data, len) == 0 && !message.more,
         "another message came back");
}

static void end(struct cg_ws *ws)
{
    IS(cg_yield(cg_ws_end(ws, CG_WS_NORMAL, .why = "done")), 0);
    IS(cg_ws_code(ws), CG_WS_NORMAL);
    cg_ws_free(ws);
}

#define UPGRADE "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION_13 "Sec-WebSocket-Version: 13\r\n"

static int status_for(const char *request)
{
    struct cg_sock *sock = serve_client();
    int status;

    send_text(sock, request);
    receive(sock, "\r\n\r\n");
    status = (int)strtol(got + 9, NULL, 10);
    cg_sock_close(sock);
    return status;
}

/* The server's side of the handshake: the example of RFC 6455, and what is refused. */
static ssize_t handshakes_are_checked(void *arg)
{
    (void)arg;
    begin(NULL);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "\r\n"), 101);
    ck_assert_ptr_nonnull(strstr(got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    IS(status_for("GET /ws" V "\r\n"), 426);
    ck_assert_ptr_nonnull(strstr(got, "Sec-WebSocket-Version: 13\r\n"));
    IS(status_for("POST /ws" V UPGRADE KEY VERSION_13 "Content-Length: 0\r\n\r\n"), 426);
    IS(status_for("GET /ws" V UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n"), 426);
    IS(status_for("GET /ws" V UPGRADE KEY "\r\n"), 426);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Sec-WebSocket-Version: 8\r\n\r\n"), 426);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 VERSION_13 "\r\n"), 426);
    IS(status_for("GET /ws" V UPGRADE VERSION_13 "\r\n"), 400);
    IS(status_for("GET /ws" V UPGRADE KEY KEY VERSION_13 "\r\n"), 400);
    IS(status_for("GET /ws" V UPGRADE "Sec-WebSocket-Key: aGVsbG8=\r\n" VERSION_13 "\r\n"), 400);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Content-Length: 1\r\n\r\nx"), 400);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: http://x\r\n\r\n"), 101);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: http://y\r\n\r\n"), 403);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: null\r\n\r\n"), 403);
    origins = "https://a.example, https://b.example";
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: https://b.example\r\n\r\n"), 101);
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: http://x\r\n\r\n"), 403);
    origins = "*";
    IS(status_for("GET /ws" V UPGRADE KEY VERSION_13 "Origin: null\r\n\r\n"), 101);
    finish();
    return 0;
}

/* The first of the server's subprotocols that the client offers is chosen. */
static ssize_t subprotocols_are_chosen(void *arg)
{
    struct cg_ws *ws;

    (void)arg;
    begin(&(struct cg_ws_options){.protocol = "b, a"});
    IS(cg_yield(cg_ws_connect(client, url, &ws, .protocol = "x, a,b")), 0);
    ck_assert_str_eq(cg_ws_protocol(ws), "b");
    end(ws);
    IS(cg_yield(cg_ws_connect(client, url, &ws, .protocol = "B")), 0);
    ck_assert_ptr_null(cg_ws_protocol(ws));
    end(ws);
    IS(cg_yield(cg_ws_connect(client, url, &ws, .protocol = "a b", .why = why)), -EINVAL);
    ck_assert_ptr_null(ws);
    finish();
    return 0;
}

/* With any options of both sides messages come back, and the limit is for what is inflated. */
static ssize_t both_compress(void *arg)
{
    static char text[10 * 1000];
    uint64_t seed = 7;
    struct cg_ws *ws;

    (void)arg;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "etaoinshrdlu cmf"[test_random(&seed) % (i < 5000 ? 3 : 16)];
    for (unsigned way = 0; way < 64; way += 3) { /* each option on and off */
        begin(&(struct cg_ws_options){.deflate = way & 1, .no_takeover = way & 2,
                                      .window_bits = way & 4 ? 9 : 0});
        IS(cg_yield(cg_ws_connect(client, url, &ws, .deflate = way & 8,
                                  .no_takeover = way & 16,
                                  .window_bits = way & 32 ? 10 : 0)), 0);
        for (size_t len = 1; len <= sizeof text; len *= 10)
            for (int again = 0; again < 2; again++)
                comes_back(ws, CG_WS_TEXT, text, len);
        comes_back(ws, CG_WS_BINARY, "", 0);
        end(ws);
        finish();
    }
    return 0;
}

#ifdef HAVE_ZLIB
#define PMD "permessage-deflate"

/* The first valid offer of permessage-deflate is accepted, invalid ones are declined (RFC 7692,
 * 7.1). */
static ssize_t offers_are_checked(void *arg)
{
    static const struct {
        const char *offer, *answer;
    } cases[] = {
        {PMD, PMD},
        {"Permessage-Deflate", PMD},
        {PMD "; client_max_window_bits", PMD},
        {PMD "; client_max_window_bits=8", PMD "; client_max_window_bits=8"},
        {PMD "; client_max_window_bits=\"10\"", PMD "; client_max_window_bits=10"},
        {PMD ";server_max_window_bits = 9", PMD "; server_max_window_bits=9"},
        {PMD "; server_no_context_takeover", PMD "; server_no_context_takeover"},
        {PMD "; client_no_context_takeover", PMD "; client_no_context_takeover"},
        {"foo; x=\"a, b\", , " PMD, PMD},
        {PMD "; server_max_window_bits=16, " PMD "; server_max_window_bits=10",
         PMD "; server_max_window_bits=10"},
        {"", NULL},
        {"foo", NULL},
        {"\"" PMD "\"", NULL},
        {"foo; a=\"b, " PMD "\"", NULL},
        {PMD "; foo", NULL},
        {PMD ";", NULL},
        {PMD "; client_max_window_bits=", NULL},
        {PMD "; client_max_window_bits=7", NULL},
        {PMD "; client_max_window_bits=08", NULL},
        {PMD "; client_max_window_bits=\"8", NULL},
        {PMD "; client_max_window_bits; client_max_window_bits", NULL},
        {PMD "; server_max_window_bits", NULL},
        {PMD "; server_max_window_bits=+9", NULL},
        {PMD "; server_max_window_bits=9; server_max_window_bits=9", NULL},
        {PMD "; server_no_context_takeover=1", NULL},
        {PMD "; client_no_context_takeover; client_no_context_takeover", NULL},
    };

    (void)arg;
    begin(&(struct cg_ws_options){.deflate = true});
    for (size_t i = 0; i < COUNT(cases); i++) {
        char request[512], answer[256];

        snprintf(request, sizeof request,
                 "GET /ws" V UPGRADE KEY VERSION_13 "Sec-WebSocket-Extensions: %s\r\n\r\n",
                 cases[i].offer);
        snprintf(answer, sizeof answer, "Sec-WebSocket-Extensions: %s\r\n",
                 cases[i].answer ? cases[i].answer : "");
        IS(status_for(request), 101);
        if (cases[i].answer == NULL)
            ck_assert_msg(strstr(got, "Sec-WebSocket-Extensions") == NULL, "%s", cases[i].offer);
        else
            ck_assert_msg(strstr(got, answer) != NULL, "%s: %s", cases[i].offer, got);
    }
    finish();
    return 0;
}

/* A small frame that inflates to much is refused with 1009. */
static ssize_t bombs_are_refused(void *arg)
{
    char *zeros = calloc(1, 1000 * 1000);
    struct cg_ws_message message;
    struct cg_ws *ws;

    (void)arg;
    begin(&(struct cg_ws_options){.deflate = true, .limit = 10000});
    IS(cg_yield(cg_ws_connect(client, url, &ws, .deflate = true)), 0);
    IS(cg_yield(cg_ws_write(ws, CG_WS_BINARY, zeros, 1000 * 1000)), 1000 * 1000);
    IS(cg_yield(cg_ws_read(ws, &message)), 0);
    IS(cg_ws_code(ws), CG_WS_TOO_LONG);
    cg_ws_free(ws);
    finish();
    IS(ended, -EMSGSIZE);
    free(zeros);
    return 0;
}
#endif

/* What is no WebSocket server is refused, with a message. */
static ssize_t clients_check(void *arg)
{
    struct cg_ws *ws;

    (void)arg;
    begin(NULL);
    snprintf(url, sizeof url, "ws://%s/hello", addr);
    IS(cg_yield(cg_ws_connect(client, url, &ws, .why = why)), CG_EWS);
    ck_assert_str_eq(why, by_h2 ? "the server responds with 501 Not Implemented"
                                : "the server responds with 200 OK");
    IS(cg_yield(cg_ws_connect(client, "ftp://x/", &ws, .why = why)), CG_EHTTP_URL);
    IS(cg_yield(cg_ws_connect(client, NULL, &ws, .why = why)), CG_EHTTP_URL);
    ck_assert_str_eq(why, "\"\" is not a valid URL: it is empty");
    IS(cg_yield(cg_ws_connect(client, "ws://", &ws, .why = why)), CG_EHTTP_URL);
    ck_assert_str_eq(why, "ws:// is not a valid URL: it has no host");
    finish();
    return 0;
}

static ssize_t reads_one(void *arg)
{
    struct cg_ws_message message;

    return cg_yield(cg_ws_read((struct cg_ws *)arg, &message));
}

static ssize_t finishes(void *arg)
{
    (void)arg;
    finish();
    return 0;
}

/* The shutdown of the server sends 1001 to clients that wait, and waits for their Close. */
static ssize_t shutdowns_are_told(void *arg)
{
    struct cg_coro *reader, *shutdown;
    struct cg_ws *ws;

    (void)arg;
    begin(NULL);
    IS(cg_yield(cg_ws_connect(client, url, &ws)), 0);
    comes_back(ws, CG_WS_TEXT, "hello", 5);
    reader = test_start(reads_one, ws);
    test_until_waiting(reader);
    shutdown = test_start(finishes, NULL);
    IS(test_end(reader), 0);
    IS(cg_ws_code(ws), CG_WS_GOING_AWAY);
    IS(cg_yield(cg_ws_send_text(ws, "late")), -EPIPE);
    IS(cg_yield(cg_ws_end(ws, CG_WS_NORMAL)), 0);
    cg_ws_free(ws);
    IS(test_end(shutdown), 0);
    IS(ended, 0);
    return 0;
}

/* Pings keep an idle WebSocket, but not one whose peer does not answer. */
static ssize_t silence_ends_it(void *arg)
{
    struct cg_ws_message message;
    struct cg_sock *sock;
    struct cg_ws *ws;

    (void)arg;
    begin(&(struct cg_ws_options){.ping_interval = 10 * CG_SECOND,
                                  .idle_timeout = 25 * CG_SECOND});
    IS(cg_yield(cg_ws_connect(client, url, &ws, .ping_interval = CG_NEVER)), 0);
    IS(cg_yield(cg_ws_read(ws, &message, .timeout = CG_HOUR)), -ETIMEDOUT);
    comes_back(ws, CG_WS_TEXT, "hello", 5);
    OK(cg_yield(cg_sleep(CG_HOUR))); /* nobody reads, so no ping is answered */
    IS(ended, -ETIMEDOUT);
    IS(cg_yield(cg_ws_read(ws, &message)), CG_EOF);
    cg_ws_free(ws);
    sock = serve_client();
    send_text(sock, "GET /ws" V UPGRADE KEY VERSION_13 "\r\n");
    ended = 1;
    OK(cg_yield(cg_sleep(24 * CG_SECOND)));
    IS(ended, 1);
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    IS(ended, -ETIMEDOUT);
    cg_sock_close(sock);
    finish();
    return 0;
}

/* A Close that is not answered is waited for as long as the option says. */
static ssize_t a_close_is_waited_for(void *arg)
{
    struct cg_sock *a, *b;
    int64_t start;
    struct cg_ws *ws;

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    OK(cg_ws_new(a, &ws, .close_timeout = 3 * CG_SECOND));
    start = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_ws_end(ws, CG_WS_NORMAL)), -ETIMEDOUT);
    IS(cg_sched_now(cg_sched_self()) - start, 3 * CG_SECOND);
    IS(cg_ws_code(ws), CG_WS_ABNORMAL);
    IS(cg_yield(cg_ws_end(ws, 1005)), -EINVAL);
    IS(cg_yield(cg_ws_end(ws, CG_WS_NORMAL, .why = "\xff")), -EINVAL);
    cg_ws_free(ws);
    cg_sock_close(b);
    return 0;
}

struct ends {
    struct cg_ws *a, *b;
    unsigned sent;
};

static ssize_t numbers(void *arg)
{
    struct ends *ends = arg;
    char text[16];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "%u", i);
        OK(cg_yield(cg_ws_send_text(ends->b, text)));
        if (i % 3 == 0)
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    }
    return cg_yield(cg_ws_end(ends->b, CG_WS_NORMAL));
}

/* Reads that time out, lose races or are cancelled in the turn in which a message comes lose
 * none. */
static ssize_t cancelled_reads_lose_nothing(void *arg)
{
    struct cg_ws_message message;
    struct cg_sock *sa, *sb;
    struct cg_coro *writer;
    struct ends ends;
    unsigned next = 0;
    char text[16];
    ssize_t n = 1;

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &sa, &sb));
    OK(cg_ws_new(sa, &ends.a));
    OK(cg_ws_new(sb, &ends.b, .client = true));
    writer = test_start(numbers, &ends);
    for (unsigned i = 0; n != 0; i++) {
        struct cg_op *read = cg_ws_read(ends.a, &message, .timeout = i % 2 ? CG_MILLISECOND : 0);

        n = i % 4 < 2 ? cg_yield(read) : cg_yield(cg_any((cg_sleep(CG_MILLISECOND), read)));
        if (i % 4 >= 2 && n >= 0)
            n = n == 1 ? cg_op_result(read) : -ETIMEDOUT;
        if (n > 0) {
            snprintf(text, sizeof text, "%.*s", (int)message.len, message.data);
            ck_assert_uint_eq(strtoul(text, NULL, 10), next++); /* none is missing */
        }
        ck_assert_msg(n >= 0 || n == -ETIMEDOUT, "%s", cg_strerror(n));
    }
    ck_assert_uint_eq(next, 200);
    IS(test_end(writer), 0);
    cg_ws_free(ends.a);
    cg_ws_free(ends.b);
    return 0;
}

enum { LONG = 300 * 1000, WRITERS = 3, ROUNDS = 8 };

static ssize_t writes_long(void *arg)
{
    struct ends *ends = arg;
    char *text = malloc(LONG), letter = (char)('a' + ends->sent++);

    memset(text, letter, LONG);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = cg_yield(cg_ws_write(ends->a, CG_WS_BINARY, text, LONG,
                                         .timeout = i % 2 ? CG_MILLISECOND : CG_NEVER));

        ck_assert_msg(n == LONG || n == -ETIMEDOUT, "%s", cg_strerror(n));
    }
    free(text);
    return 0;
}

static ssize_t writes_once(void *arg)
{
    struct ends *ends = arg;
    char *text = calloc(1, LONG);
    ssize_t n = cg_yield(cg_ws_write(ends->a, CG_WS_BINARY, text, LONG));

    free(text);
    return n;
}

/* Messages of several writers do not mix, and those of cancelled ones are whole or missing. */
static void writers_do_not_mix(struct cg_sock *sa, struct cg_sock *sb)
{
    struct cg_ws_message message;
    struct cg_coro *writers[WRITERS];
    unsigned count = 0;
    struct ends ends = {.sent = 0};

    OK(cg_ws_new(sa, &ends.a));
    OK(cg_ws_new(sb, &ends.b, .client = true));
    for (int i = 0; i < WRITERS; i++)
        writers[i] = test_start(writes_long, &ends);
    while (count < WRITERS * ROUNDS) {
        ssize_t n = cg_yield(cg_ws_read(ends.b, &message, .timeout = CG_SECOND / 5));

        if (n == -ETIMEDOUT)
            break;
        IS(n, CG_WS_BINARY);
        ck_assert_uint_eq(message.len, LONG);
        ck_assert_msg(memcmp(message.data, message.data + 1, LONG - 1) == 0,
                      "two messages are mixed");
        count++;
        if (count % 5 == 0)
            cg_yield(cg_sleep(3 * CG_MILLISECOND));
    }
    ck_assert_uint_ge(count, WRITERS * ROUNDS / 2);
    for (int i = 0; i < WRITERS; i++)
        IS(test_end(writers[i]), 0);
    cg_ws_free(ends.a);
    cg_ws_free(ends.b);
}

/* A reader that finds a fault of its peer says which, even if the Close cannot be sent since a
 * writer is stuck. */
static ssize_t faults_are_told_beside_a_stuck_writer(void *arg)
{
    struct cg_ws_message message;
    struct cg_sock *sa, *sb;
    struct cg_coro *writer;
    struct ends ends = {.sent = 0};

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &sa, &sb));
    OK(cg_sock_buffer(sa, &sa)); /* its shutdown waits for no writer: it is refused */
    OK(cg_ws_new(sa, &ends.a, .limit = 10, .close_timeout = CG_MILLISECOND));
    OK(cg_ws_new(sb, &ends.b, .client = true));
    writer = test_start(writes_once, &ends);
    test_until_waiting(writer);
    IS(cg_yield(cg_ws_send_text(ends.b, "more than ten bytes")), 19);
    IS(cg_yield(cg_ws_read(ends.a, &message)), -EMSGSIZE);
    cg_ws_free(ends.a);
    IS(test_end(writer), -EBADF);
    cg_ws_free(ends.b);
    return 0;
}

/* What waits on a WebSocket that is freed completes with -EBADF. */
static ssize_t freed_under_a_reader(void *arg)
{
    struct cg_ws_message message;
    struct cg_coro *reader, *writer;
    struct cg_sock *sa, *sb;
    struct ends ends = {.sent = 0};

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &sa, &sb));
    OK(cg_ws_new(sa, &ends.a));
    reader = test_start(reads_one, ends.a);
    test_until_waiting(reader);
    IS(cg_yield(cg_ws_read(ends.a, &message)), -EBUSY);
    cg_ws_free(ends.a);
    IS(test_end(reader), -EBADF);
    OK(cg_ws_new(sb, &ends.a, .client = true));
    IS(cg_yield(cg_ws_send_text(ends.a, "\xff")), -EILSEQ);
    IS(cg_yield(cg_ws_write(ends.a, 3, "x", 1)), -EINVAL);
    writer = test_start(reads_one, ends.a);
    IS(test_end(writer), CG_EOF);
    cg_ws_free(ends.a);
    return 0;
}

#ifdef HAVE_NGHTTP2
static ssize_t over_h2(void *arg)
{
    by_h2 = true;
    IS(subprotocols_are_chosen(arg), 0);
    IS(both_compress(arg), 0);
#ifdef HAVE_ZLIB
    IS(bombs_are_refused(arg), 0);
#endif
    IS(clients_check(arg), 0);
    IS(shutdowns_are_told(arg), 0);
    by_h2 = false;
    return 0;
}
#endif

static const struct test_case cases[] = {
    CORO(handshakes_are_checked),
    CORO(subprotocols_are_chosen),
    CORO(both_compress),
#ifdef HAVE_ZLIB
    CORO(offers_are_checked),
    CORO(bombs_are_refused),
#endif
    CORO(clients_check),
    CORO(shutdowns_are_told),
    CORO(silence_ends_it, .where = ON_SIM),
    CORO(a_close_is_waited_for, .where = ON_SIM),
    CORO(cancelled_reads_lose_nothing),
    LINK(writers_do_not_mix, .over = OVER_TCP | OVER_PAIR),
    CORO(faults_are_told_beside_a_stuck_writer),
    CORO(freed_under_a_reader),
#ifdef HAVE_NGHTTP2
    CORO(over_h2),
#endif
};

int main(void)
{
    return test_main("both ends of WebSocket", cases, COUNT(cases));
}
