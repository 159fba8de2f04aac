/* SPDX-License-Identifier: MIT */
/* Requests whose fields repeat those of the request before: the responses do not show it.
 * Requests that come together, in one piece or many. */
#include "config.h"

#include <cogen/http_server.h>

#include "http/http1/parser.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parser */

static const struct cg__http_limits small = {.target = 40, .headers = 200, .count = 6};

/* The result of parsing a request. */
struct told {
    char text[1024];
    bool repeated;
};

/* Parses one request in pieces that end at `cut` and `size`. Each piece is a copy. */
static void tell(struct told *told, struct cg__http_repeat *repeat, const char *bytes,
                 size_t size, size_t cut)
{
    struct cg_http_headers line = {.data = NULL}, fields = {.data = NULL};
    struct cg__http_parser parser;
    enum cg__http_event event = CG__HTTP_MORE;
    struct cg_http_field field;
    size_t at = 0, next = 0;
    int n;

    cg__http_parser_init(&parser, CG__HTTP_REQUEST, &fields, NULL, &small);
    parser.line = &line;
    parser.repeat = repeat;
    for (size_t end = cut; event == CG__HTTP_MORE && at < size; end = size) {
        char *piece = malloc(end - at);
        size_t used;

        memcpy(piece, bytes + at, end - at);
        event = cg__http_parser_parse(&parser, piece, end - at, &used);
        at += used;
        free(piece);
    }
    told->repeated = parser.repeated;
    if (event == CG__HTTP_HEAD) {
        n = snprintf(told->text, sizeof told->text, "%zu: %s %s 1.%d %d%d%d%d%d %llu",
                     at, parser.method, cg__http_message_at(&line, parser.text),
                     parser.minor, parser.keep_alive, parser.upgrade, parser.has_body,
                     parser.chunked, parser.has_length,
                     (unsigned long long)parser.length);
        while (cg_http_headers_next(&fields, &next, &field))
            n += snprintf(told->text + n, sizeof told->text - (size_t)n, "|%s=%s",
                          field.name, field.value);
    } else {
        snprintf(told->text, sizeof told->text, "%d, %d", event,
                 event == CG__HTTP_BAD ? parser.status : 0);
    }
    cg__http_message_clear(&line);
    cg__http_message_clear(&fields);
}

/* Checks that a request after another one is parsed as it is alone, wherever it is cut.
 * Returns whether the parser has recognized the same fields. */
static bool follows(const char *before, const char *bytes, size_t size)
{
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told alone, told;
    bool repeated;

    tell(&alone, NULL, bytes, size, size);
    tell(&told, &repeat, before, strlen(before), strlen(before));
    ck_assert(!told.repeated);
    tell(&told, &repeat, bytes, size, size);
    repeated = told.repeated;
    ck_assert_msg(strcmp(told.text, alone.text) == 0, "%s%.*s\nalone: %s\nafter: %s", before,
                  (int)size, bytes, alone.text, told.text);
    for (size_t cut = 1; cut < size; cut++) {
        tell(&told, &repeat, before, strlen(before), strlen(before));
        tell(&told, &repeat, bytes, size, cut);
        if (strcmp(told.text, alone.text) != 0) /* ck_assert_msg writes when it holds */
            ck_abort_msg("cut at %zu: %s%.*s\n%s\n%s", cut, before, (int)size, bytes,
                         alone.text, told.text);
    }
    cg__http_repeat_clear(&repeat);
    return repeated;
}

static bool text_follows(const char *before, const char *text)
{
    return follows(before, text, strlen(text));
}

#define F "Host: x:1\r\nA:b\r\nEmpty:\r\nLong: a, b \r\n"
#define GET "GET / HTTP/1.1\r\n" F "\r\n"

/* The fields are recognized in a complete head without a body whose bytes are the same except for
 * the target, which begins with a slash. */
static void repeats(void)
{
    static const char *const same[][2] = {
        {GET, GET},
        {GET, "GET /another?target HTTP/1.1\r\n" F "\r\n"},
        {GET, GET "GET / HTTP/1.1\r\n"},
        {GET, "GET /?/a?b=%2F//..&\"<>\\^`{|}[]~ HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET /123456789012345678901234567890123456789 HTTP/1.1\r\n" F "\r\n"},
        {"GET  /  HTTP/1.1\r\n" F "\r\n", "GET  /b  HTTP/1.1\r\n" F "\r\n"},
        {"GET http://a/b HTTP/1.1\r\n" F "\r\n", GET},
        {"\r\nGET / HTTP/1.1\r\n" F "\r\n", "\r\nGET /a HTTP/1.1\r\n" F "\r\n"},
        {"OPTIONS * HTTP/1.1\r\n" F "\r\n", "OPTIONS / HTTP/1.1\r\n" F "\r\n"},
        {"POST / HTTP/1.1\r\n" F "\r\n", "POST / HTTP/1.1\r\n" F "\r\nabc"},
        {"GET / HTTP/1.0\r\n" F "\r\n", "GET / HTTP/1.0\r\n" F "\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "Connection: close\r\n\r\n",
         "GET /a HTTP/1.1\r\n" F "Connection: close\r\n\r\n"},
    };
    static const char *const others[][2] = {
        {GET, "HEAD / HTTP/1.1\r\n" F "\r\n"},
        {GET, "\r\n" GET},
        {GET, "GET http://a/b HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET * HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET a HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET  HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET  / HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET /  HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET / HTTP/1.2\r\n" F "\r\n"},
        {GET, "POST / HTTP/1.1\r\n" F "\r\n"},
        {GET, "CONNECT x:1 HTTP/1.1\r\n" F "\r\n"},
        {GET, "PRI * HTTP/1.1\r\n" F "\r\n"},
        {GET, "GET / HTTP/1.0\r\n" F "\r\n"},
        {GET, "GET / HTTP/2.1\r\n" F "\r\n"},
        {GET, "GET / HTTP/0.9\r\n" F "\r\n"},
        {GET, "GET /\r\n" F "\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\n" F "B: c\r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "B: c\r\n\r\n", GET},
        /* not remembered */
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"},
        {"CONNECT x:1 HTTP/1.1\r\n" F "\r\n", "CONNECT x:1 HTTP/1.1\r\n" F "\r\n"},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},
        {"GET /# HTTP/1.1\r\n" F "\r\n", "GET /# HTTP/1.1\r\n" F "\r\n"},
    };
    /* Not recognized, and refused, although the fields repeat. */
    static const char *const refused[] = {
        "GET /#a HTTP/1.1\r\n" F "\r\n",
        "GET /1234567890123456789012345678901234567890 HTTP/1.1\r\n" F "\r\n",
        "GET /12345678901234567890123456789012345678901234567890 HTTP/1.1\r\n" F "\r\n",
    };

    for (size_t i = 0; i < COUNT(same); i++)
        ck_assert_msg(text_follows(same[i][0], same[i][1]), "%s", same[i][1]);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(!text_follows(others[i][0], others[i][1]), "%s", others[i][1]);
    for (size_t i = 0; i < COUNT(refused); i++)
        ck_assert_msg(!text_follows(GET, refused[i]), "%s", refused[i]);
}

/* Any byte in a target, in its path and its query, as the last one and before another, is
 * judged as it is alone. */
static void target_bytes(void)
{
    static const char *const forms[] = {"GET /%c HTTP/1.1\r\n" F "\r\n",
                                        "GET /a%cb HTTP/1.1\r\n" F "\r\n",
                                        "GET /?%c HTTP/1.1\r\n" F "\r\n",
                                        "GET /?a%cb HTTP/1.1\r\n" F "\r\n"};

    for (size_t i = 0; i < COUNT(forms); i++)
        for (int byte = 0; byte < 256; byte++) {
            char text[256];
            int size = snprintf(text, sizeof text, forms[i], byte);
            bool visible = byte > ' ' && byte < 0x7f && byte != '#';

            IS(follows(GET, text, (size_t)size), visible);
        }
}

/* A request with one byte changed, at any position and to any value, is parsed as it is
 * alone. So is one with a byte more or less. */
static void changed_bytes(void)
{
    static const char bytes[] = "\r\n \t:;,0aH/?#%\x01\x7f\x80";
    static const char *const requests[] = {
        GET,
        "GET /a HTTP/1.1\r\nHost:x\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    };

    for (size_t i = 0; i < COUNT(requests); i++) {
        const char *request = requests[i];
        size_t size = strlen(request);

        for (size_t at = 0; at < size; at++) {
            char text[256];

            for (size_t j = 0; j < sizeof bytes; j++) { /* the NUL, too */
                memcpy(text, request, size);
                text[at] = bytes[j];
                follows(request, text, size);
                memcpy(text + at + 1, request + at, size - at);
                follows(request, text, size + 1);
            }
            memcpy(text, request, size);
            memmove(text + at, request + at + 1, size - at - 1);
            follows(request, text, size - 1);
        }
    }
}

/* A head is recognized after other targets, too. One that came in pieces is not remembered: a
 * request that equals its last piece is parsed as it is alone. */
static void whole_heads(void)
{
    static const char other[] = "GET /other HTTP/1.1\r\n" F "\r\n";
    const char *const turns[] = {GET, GET, other, GET, other, other, GET};
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told alone, told;

    for (size_t i = 0; i < COUNT(turns); i++) {
        size_t size = strlen(turns[i]);

        tell(&alone, NULL, turns[i], size, size);
        tell(&told, &repeat, turns[i], size, size);
        ck_assert_str_eq(told.text, alone.text);
        IS(told.repeated, i > 0);
        IS(repeat.before, strlen("GET "));
    }
    cg__http_repeat_clear(&repeat);
    for (size_t cut = 1; cut < strlen(GET); cut++) {
        const char *last = &GET[cut];

        tell(&told, &repeat, GET, strlen(GET), cut);
        IS(repeat.behind, 0);
        tell(&alone, NULL, last, strlen(last), strlen(last));
        tell(&told, &repeat, last, strlen(last), strlen(last));
        if (strcmp(told.text, alone.text) != 0)
            ck_abort_msg("cut at %zu: %s\n%s", cut, told.text, alone.text);
        cg__http_repeat_clear(&repeat);
    }
}

/* If there is no memory for a repeated target, the parser has no method either: the access log
 * takes a request without one for invalid, and does not look for its target. */
static void no_memory(void)
{
    enum { LARGEST = 16 * 1024 * 1024 };
    struct cg_http_headers line = {.data = malloc(LARGEST), .size = LARGEST, .used = LARGEST};
    struct cg_http_headers fields = {.data = NULL};
    struct cg__http_repeat repeat = {.owner = NULL};
    struct cg__http_parser parser;
    struct told told;
    size_t used;

    ck_assert_ptr_nonnull(line.data);
    tell(&told, &repeat, GET, strlen(GET), strlen(GET));
    cg__http_parser_init(&parser, CG__HTTP_REQUEST, &fields, NULL, &small);
    parser.line = &line;
    parser.repeat = &repeat;
    IS(cg__http_parser_parse(&parser, GET, strlen(GET), &used), CG__HTTP_BAD);
    ck_assert(parser.repeated);
    IS(parser.status, 503);
    ck_assert_ptr_null(parser.method);
    cg__http_message_clear(&line);
    cg__http_message_clear(&fields);
    cg__http_repeat_clear(&repeat);
}

/* Request smuggling: a second request hidden after repeated fields, a body that is not
 * declared, and other messages that two parsers could read differently. */
static void smuggled(void)
{
    static const char *const shapes[] = {
        "GET / HTTP/1.1\r\n" F "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n" F "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n" F "Transfer-Encoding : chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n" F "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET / HTTP/1.1\r\n" F " folded\r\n\r\n",
        "GET / HTTP/1.1\r\n" F "\n",
        "GET / HTTP/1.1\n" F "\r\n",
        "GET / HTTP/1.1 \r\n" F "\r\n",
        "GET / HTTP/1.1\r\n\r\n" F "\r\n",
        "GET / HTTP/1.1\r\n" F "Host: y\r\n\r\n",
        "GET / HTTP/1.1\r\n " F "\r\n",
        "GET / HTTP/1.1" F "\r\n",
    };

    for (size_t i = 0; i < COUNT(shapes); i++)
        ck_assert_msg(!text_follows(GET, shapes[i]), "%s", shapes[i]);
}

/* Fields that exceed the limit are not remembered. */
static void long_fields(void)
{
    static const struct cg__http_limits large = {.target = 40, .headers = 9000, .count = 6};
    static char text[CG__HTTP_REPEAT_SIZE];

    for (int i = 0; i < 2; i++) {
        struct cg_http_headers line = {.data = NULL}, fields = {.data = NULL};
        struct cg__http_repeat repeat = {.owner = NULL};
        int size = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\nA: %0*d\r\n\r\n",
                            i == 0 ? 1900 : 2100, 7);

        for (int j = 0; j < 2; j++) {
            struct cg__http_parser parser;
            size_t used;

            cg__http_message_reset(&line, SIZE_MAX);
            cg__http_message_reset(&fields, SIZE_MAX);
            cg__http_parser_init(&parser, CG__HTTP_REQUEST, &fields, NULL, &large);
            parser.line = &line;
            parser.repeat = &repeat;
            IS(cg__http_parser_parse(&parser, text, (size_t)size, &used),
               CG__HTTP_HEAD);
            IS(used, size);
            IS(parser.repeated, i == 0 && j == 1);
            IS(strlen(cg_http_headers_get(&fields, "A")), i == 0 ? 1900 : 2100);
        }
        cg__http_message_clear(&line);
        cg__http_message_clear(&fields);
        cg__http_repeat_clear(&repeat);
    }
}

/* The requests of one owner do not affect those of the next, even at the same address. */
static void owners(void)
{
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told told;
    char a, b;
    const struct {
        const void *owner;
        bool repeated;
    } turns[] = {{&a, false}, {&a, true}, {&b, false}, {&b, true}, {NULL, false}, {&b, false}};

    for (size_t i = 0; i < COUNT(turns); i++) {
        if (turns[i].owner == NULL) {
            cg__http_repeat_disown(&repeat, &a);
            ck_assert_ptr_eq(repeat.owner, &b);
            cg__http_repeat_disown(&repeat, &b);
            continue;
        }
        cg__http_repeat_own(&repeat, turns[i].owner);
        tell(&told, &repeat, GET, strlen(GET), strlen(GET));
        ck_assert_int_eq(told.repeated, turns[i].repeated);
    }
    cg__http_repeat_clear(&repeat);
}

/* The server */

static struct cg_http_server *server;
static struct cg_sock *listener;
static struct cg_coro *serving;
static char addr[CG_ADDR_SIZE];
static unsigned handled;

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

/* Responds with all that it was given. Then it may overwrite the texts of the request. */
static ssize_t tells(struct cg_http_request *req, void *arg)
{
    char text[512], *data = NULL;
    struct cg_http_field field;
    size_t next = 0;
    int n = snprintf(text, sizeof text, "%s %s 1.%d", cg_http_request_method(req),
                     cg_http_request_target(req), cg_http_request_minor(req));

    handled++;
    OK(cg_yield(cg_http_read_body(req, &data)));
    while (cg_http_headers_next(cg_http_request_headers(req), &next, &field)) {
        n += snprintf(text + n, sizeof text - (size_t)n, "|%s=%s", field.name, field.value);
        if (arg != NULL) {
            memset((char *)field.name, 'Z', strlen(field.name));
            memset((char *)field.value, 'Z', strlen(field.value));
        }
    }
    snprintf(text + n, sizeof text - (size_t)n, "|%s.\n", data);
    return cg_yield(cg_http_send_text(req, 200, text));
}

/* Waits while its texts are still used. */
static ssize_t waits(struct cg_http_request *req, void *arg)
{
    const char *a = cg_http_request_header(req, "A");
    char was[64];

    (void)arg;
    snprintf(was, sizeof was, "%s", a);
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    ck_assert_str_eq(a, was);
    ck_assert_ptr_eq(a, cg_http_request_header(req, "A"));
    return cg_yield(cg_http_send_text(req, 200, was));
}

/* Reads the socket itself: the requests that follow are unread there. */
static ssize_t looks(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock = cg_http_request_sock(req);
    struct cg_view view;
    bool more = arg != NULL;

    handled++;
    if (more) {
        IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_SECOND)), CG_IN);
        IS(OK(cg_yield(cg_borrow(sock, &view))) > 10, true);
        ck_assert_mem_eq(view.data, "GET /", 5);
        cg_view_release(&view, 0);
    } else {
        IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = 20 * CG_MILLISECOND)), -ETIMEDOUT);
    }
    return cg_yield(cg_http_send_text(req, 200, more ? "more\n" : "none\n"));
}

static ssize_t takes_over(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char line[64];
    ssize_t n;

    (void)arg;
    handled++;
    OK(cg_yield(cg_http_upgrade(req, 101, &sock)));
    n = OK(cg_yield(cg_readline(sock, line, sizeof line)));
    OK(cg_yield(cg_writeall(sock, line, n)));
    cg_sock_close(sock);
    return 0;
}

static void begin(FILE *log)
{
    handled = 0;
    server = cg_http_server_new(.access_log = log, .name = "");
    OK(cg_http_server_mount(server, "/t/", tells, "spoil"));
    OK(cg_http_server_mount(server, "/l/", tells, NULL));
    OK(cg_http_server_mount(server, "/w", waits, NULL));
    OK(cg_http_server_mount(server, "/more", looks, "more"));
    OK(cg_http_server_mount(server, "/none", looks, NULL));
    OK(cg_http_server_mount(server, "/up", takes_over, NULL));
    listener = test_listen(addr);
    serving = test_start(serve, NULL);
}

static void end(void)
{
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
}

static struct cg_sock *client(void)
{
    struct cg_sock *sock;

    OK(cg_yield(cg_connect(addr, &sock)));
    return sock;
}

static char got[16 * 1024];

/* Returns the next bodies, up to the text `stop` or to the end of the stream, without the
 * heads. */
static const char *receive(struct cg_sock *sock, const char *stop)
{
    size_t size = 0;
    ssize_t n = 1;
    char *head, *body;

    got[0] = '\0';
    while (n > 0 && !(stop && strstr(got, stop))) {
        n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size,
                                .timeout = 100 * CG_SECOND)));
        size += (size_t)n;
        got[size] = '\0';
    }
    while ((head = strstr(got, "HTTP/1.1 ")) != NULL) {
        body = strstr(head, "\r\n\r\n");
        ck_assert_ptr_nonnull(body);
        memmove(head, body + 4, strlen(body + 4) + 1);
    }
    return got;
}

static void send_text(struct cg_sock *sock, const char *text)
{
    OK(cg_yield(cg_writeall(sock, text, strlen(text))));
}

static const char *ask(struct cg_sock *sock, const char *text)
{
    send_text(sock, text);
    return receive(sock, ".\n");
}

/* A handler gets the fields as they came, even if an earlier handler has overwritten its
 * own. */
static ssize_t same_again(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = client();
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(ask(sock, "GET /t/1 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                         "GET /t/1 1.1|Host=x|A=b|.\n");
        ck_assert_str_eq(ask(sock, "GET /t/other?x HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                         "GET /t/other?x 1.1|Host=x|A=b|.\n");
    }
    ck_assert_str_eq(ask(sock, "POST /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                     "POST /t/ 1.1|Host=x|A=b|.\n");
    ck_assert_str_eq(
        ask(sock, "POST /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\nContent-Length: 3\r\n\r\nabc"),
        "POST /t/ 1.1|Host=x|A=b|Content-Length=3|abc.\n");
    ck_assert_str_eq(ask(sock, "GET /t/ HTTP/1.0\r\nHost: x\r\nA: b\r\n"
                               "Connection: keep-alive\r\n\r\n"),
                     "GET /t/ 1.0|Host=x|A=b|Connection=keep-alive|.\n");
    send_text(sock, "HEAD /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
                    "GET /t/ HTTP/1.0\r\nHost: x\r\nA: b\r\n\r\n");
    ck_assert_str_eq(receive(sock, NULL), "GET /t/ 1.0|Host=x|A=b|.\n");
    cg_sock_close(sock);
    end();
    return 0;
}

/* The requests of one client do not affect those of another. A handler that waits keeps its
 * texts while others are served. */
static ssize_t alternating(void *arg)
{
    struct cg_sock *a, *b, *waiting;

    (void)arg;
    begin(NULL);
    a = client();
    b = client();
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(ask(a, "GET /t/a HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n"),
                         "GET /t/a 1.1|Host=x|A=1|.\n");
        ck_assert_str_eq(ask(b, "GET /t/b HTTP/1.1\r\nHost: x\r\nB: 2\r\nC: 3\r\n\r\n"),
                         "GET /t/b 1.1|Host=x|B=2|C=3|.\n");
    }
    waiting = client();
    handled = 0;
    send_text(waiting, "GET /w HTTP/1.1\r\nHost: x\r\nA: kept\r\n\r\n"
                       "GET /w HTTP/1.1\r\nHost: x\r\nA: kept\r\n\r\n");
    for (unsigned i = 1; i < 3; i++) {
        while (handled < i)
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        ck_assert_str_eq(ask(a, "GET /t/a HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n"),
                         "GET /t/a 1.1|Host=x|A=1|.\n");
        handled = i;
        OK(cg_yield(cg_signal(&handled, NULL)));
        receive(waiting, "kept");
    }
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(waiting);
    end();
    return 0;
}

/* Requests that come together get the responses that each would get alone, wherever the
 * bytes are cut: with bodies that are read or not, with the fields of another request. A
 * refused request is the last one. */
static ssize_t batches(void *arg)
{
    static const char text[] =
        "GET /t/1 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/22 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "POST /t/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        "POST /none/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/333 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
    static const char want[] = "GET /t/1 1.1|Host=x|A=b|.\n"
                               "GET /t/22 1.1|Host=x|A=b|.\n"
                               "POST /t/ 1.1|Host=x|Content-Length=3|abc.\n"
                               "404 Not Found\n"
                               "GET /t/ 1.1|Host=x|A=b|.\n"
                               "GET /t/333 1.1|Host=x|A=b|.\n"
                               "400 Bad Request\n";
    size_t size = sizeof text - 1;

    (void)arg;
    begin(NULL);
    for (size_t cut = 1; cut <= size; cut += test_on_sim() ? 1 : 23) {
        struct cg_sock *sock = client();

        OK(cg_yield(cg_writeall(sock, text, cut)));
        if (cut < size) {
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
            cg_yield(cg_writeall(sock, text + cut, size - cut)); /* sock may be closed */
        }
        ck_assert_msg(strcmp(receive(sock, NULL), want) == 0, "cut at %zu:\n%s", cut, got);
        cg_sock_close(sock);
    }
    end();
    return 0;
}

/* A handler finds the bytes after its request unread in the socket, and no others. It may
 * take over the connection between two requests. */
static ssize_t sockets(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = client();
    send_text(sock, "GET /t/ HTTP/1.1\r\nHost: x\r\n\r\nGET /more HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /more HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(receive(sock, "none\n"), "GET /t/ 1.1|Host=x|.\nmore\nmore\nnone\n");
    send_text(sock, "GET /t/ HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /up HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
                    "GET /is no request\n");
    ck_assert_str_eq(receive(sock, NULL), "GET /t/ 1.1|Host=x|.\nGET /is no request\n");
    cg_sock_close(sock);
    end();
    return 0;
}

/* The log has each request's own line. */
static ssize_t logged(void *arg)
{
    static const char *const wants[] = {
        "\"GET /l/1 HTTP/1.1\" 200 46 \"y\" \"me\"\n",
        "\"GET /l/other HTTP/1.1\" 200 50 \"y\" \"me\"\n",
        "\"GET /l/3 HTTP/1.1\" 200 46 \"y\" \"me\"\n",
    };
    FILE *file = tmpfile();
    struct cg_sock *sock;
    char line[512];

    (void)arg;
    begin(file);
    sock = client();
    send_text(sock, "GET /l/1 HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n"
                    "GET /l/other HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n"
                    "GET /l/3 HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n");
    receive(sock, "/l/3");
    cg_sock_close(sock);
    end();
    rewind(file);
    for (size_t i = 0; i < COUNT(wants); i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
        ck_assert_ptr_nonnull(strstr(line, "] "));
        ck_assert_str_eq(strstr(line, "] ") + 2, wants[i]);
    }
    ck_assert_ptr_null(fgets(line, sizeof line, file));
    fclose(file);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(repeats, .where = ON_SIM),
        PLAIN(target_bytes, .where = ON_SIM),
        PLAIN(changed_bytes, .where = ON_SIM),
        PLAIN(whole_heads, .where = ON_SIM),
        PLAIN(no_memory, .where = ON_SIM),
        PLAIN(smuggled, .where = ON_SIM),
        PLAIN(long_fields, .where = ON_SIM),
        PLAIN(owners, .where = ON_SIM),
        CORO(same_again),
        CORO(alternating),
        CORO(batches),
        CORO(sockets),
        CORO(logged, .where = ON_KERNEL),
    };

    return test_main("http repeats", cases, COUNT(cases));
}
