/* SPDX-License-Identifier: MIT */
/* Requests whose fields repeat those of the request before, or differ from them only in values: the
 * parser recognizes them, and reads each request as it would alone. */
#include "config.h"

#include "http/http1/parser_inside.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
 * the target, which begins with a slash, and for values that mean nothing to the parser. */
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
        /* other values */
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:c\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {GET, "GET /a HTTP/1.1\r\nHost: x:1\r\nA: \t c\t\r\nEmpty:\r\nLong:b\r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:b\r\nEmpty:\r\nLong: a\t\x80\xff b\r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:b\r\nEmpty:c\r\nLong:b\r\n\r\n"},
        {"GET / HTTP/1.1\r\nA: bcd\r\nHost: x\r\n\r\n",
         "GET / HTTP/1.1\r\nA: b\r\nHost: x\r\n\r\n"},
        {"GET / HTTP/1.0\r\nContent-Lengths: 1\r\n\r\n",
         "GET / HTTP/1.0\r\nContent-Lengths: 2\r\n\r\n"},
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
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nB:b\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:2\r\nA:b\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:b\r\n c\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:b\r\nEmpty:\r\nLong: a, b\x7f\r\n\r\n"},
        {GET, "GET / HTTP/1.1\r\nHost: x:1\r\nA:b\nC:d\r\nEmpty:\r\nLong: a, b \r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "Connection: close\r\n\r\n",
         "GET / HTTP/1.1\r\n" F "Connection: clos\r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "Connection: clos\r\n\r\n",
         "GET / HTTP/1.1\r\n" F "Connection: close\r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "Upgrade: a\r\n\r\n",
         "GET / HTTP/1.1\r\n" F "Upgrade: b\r\n\r\n"},
        {"GET / HTTP/1.1\r\n" F "Proxy-Connection: a\r\n\r\n",
         "GET / HTTP/1.1\r\n" F "Proxy-Connection: close\r\n\r\n"},
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
                                        "GET /?a%cb HTTP/1.1\r\n" F "\r\n",
                                        "GET /bcdef%chijklmnopq HTTP/1.1\r\n" F "\r\n",
                                        "GET /bcdefgh%cjklmnopqrst HTTP/1.1\r\n" F "\r\n",
                                        "GET /bcdefghijklmn%cpqrs HTTP/1.1\r\n" F "\r\n"};

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

/* Values grow and shrink, in several fields and requests: what is remembered is always the head of
 * the last request, also behind one that has taken the place of a part of it and was invalid, and
 * after one whose fields exceed the limit. */
static void other_values(void)
{
    static const int lengths[][3] = {
        {1, 1, 1},    {9, 0, 5},    {30, 40, 60}, {30, 41, 1},  {2, 1, 60},   {2, 60, 60},
        {1, 1, 1},    {60, 2, 100}, {60, 70, 60}, {60, 3, 3},   {60, 62, 60}, {60, 63, 60},
        {60, 64, 60}, {60, 64, 61},
    };
    static const char *const ends[] = {"", "\x7f", "\r\n "};
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told alone, told;
    unsigned repeated = 0;

    for (unsigned i = 0; i < COUNT(lengths) * COUNT(lengths) * COUNT(ends); i++) {
        const int *before = lengths[i / COUNT(ends) / COUNT(lengths)],
                  *after = lengths[i / COUNT(ends) % COUNT(lengths)];
        const int *turns[] = {before, after, before, before};

        for (size_t j = 0; j < COUNT(turns); j++) {
            char text[512];
            const char *wrong = j == 1 ? ends[i % COUNT(ends)] : "";
            int size = snprintf(text, sizeof text,
                                "GET /%u HTTP/1.1\r\nAB: %0*zu\r\nHost: x\r\nA:  %0*u \r\n"
                                "Empty:\r\nABC:%0*u%s\r\n\r\n",
                                i, turns[j][0], j, turns[j][1], i, turns[j][2], i, wrong);

            tell(&alone, NULL, text, (size_t)size, (size_t)size);
            tell(&told, &repeat, text, (size_t)size, (size_t)size);
            ck_assert_str_eq(told.text, alone.text);
            repeated += told.repeated;
        }
    }
    ck_assert_uint_gt(repeated, COUNT(lengths) * COUNT(lengths));
    cg__http_repeat_clear(&repeat);
}

/* A few lines whose values differ are read alone. A head with more of them is parsed as a whole:
 * that is faster, and a client cannot make the server take many times as long as for its head. */
static void many_values(void)
{
    enum { FIELDS = 5 };
    static const char *const names[] = {"A", "B", "C", "D", "E"};
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told alone, told;

    for (int differ = 0; differ <= FIELDS; differ++) {
        for (int turn = 0; turn < 2; turn++) {
            char text[256];
            int size = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n");

            for (int i = 0; i < FIELDS; i++)
                size += snprintf(text + size, sizeof text - (size_t)size, "%s: %d\r\n", names[i],
                                 i < differ ? turn : 7);
            size += snprintf(text + size, sizeof text - (size_t)size, "\r\n");
            tell(&alone, NULL, text, (size_t)size, (size_t)size);
            tell(&told, &repeat, text, (size_t)size, (size_t)size);
            ck_assert_str_eq(told.text, alone.text);
            if (turn == 1)
                ck_assert_msg(told.repeated == (differ < FIELDS), "%d values", differ);
        }
        cg__http_repeat_clear(&repeat);
    }
}

/* Stores llhttp's state behind a head of one field that has not ended. */
static void state_behind(llhttp_t *state, const char *name, const char *value)
{
    struct cg_http_headers line = {.data = NULL}, fields = {.data = NULL};
    struct cg__http_parser parser;
    char text[128];
    size_t used;
    int size = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s: %s\r\n", name, value);

    cg__http_parser_init(&parser, CG__HTTP_REQUEST, &fields, NULL, &small);
    parser.line = &line;
    IS(cg__http_parser_parse(&parser, text, (size_t)size, &used), CG__HTTP_MORE);
    memcpy(state, &parser.llhttp, sizeof *state); /* with its padding, for memcmp */
    state->data = NULL;
    cg__http_message_clear(&line);
    cg__http_message_clear(&fields);
}

/* No value of a field that the parser does not notice changes what llhttp does behind it. This also
 * tells when a new llhttp looks at more fields. */
static void unnoticed(void)
{
    static const char *const names[] = {
        "A", "Accept", "Accept-Encoding", "Accept-Language", "Alt-Svc", "Authorization",
        "Cache-Control", "Content-Encoding", "Content-Type", "Cookie", "Date", "Expect", "Forwarded",
        "From", "HTTP2-Settings", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
        "Max-Forwards", "Origin", "Pragma", "Priority", "Proxy-Authenticate", "Proxy-Authorization",
        "Range", "Referer", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key",
        "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "TE", "Trailer",
        "Upgrade-Insecure-Requests", "User-Agent", "Via", "Warning", "X-Forwarded-For",
        /* Those that are noticed: */
        "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Connection",
        "Transfer-Encoding", "Upgrade"};
    static const char *const values[] = {"1", "close", "keep-alive", "upgrade", "chunked",
                                         "100-continue", "h2c", "trailers"};
    llhttp_t usual, state;
    unsigned noticed = 0;

    state_behind(&usual, "A", "b");
    for (size_t i = 0; i < COUNT(names); i++) {
        if (cg__http_parser_notices(names[i], strlen(names[i]))) {
            noticed++;
            continue;
        }
        for (size_t j = 0; j < COUNT(values); j++) {
            state_behind(&state, names[i], values[j]);
            ck_assert_msg(memcmp(&state, &usual, sizeof usual) == 0, "%s: %s", names[i], values[j]);
        }
    }
    IS(noticed, 7);
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

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(repeats, .where = ON_SIM),
        PLAIN(target_bytes, .where = ON_SIM),
        PLAIN(changed_bytes, .where = ON_SIM),
        PLAIN(whole_heads, .where = ON_SIM),
        PLAIN(no_memory, .where = ON_SIM),
        PLAIN(other_values, .where = ON_SIM),
        PLAIN(many_values, .where = ON_SIM),
        PLAIN(unnoticed, .where = ON_SIM),
        PLAIN(smuggled, .where = ON_SIM),
        PLAIN(long_fields, .where = ON_SIM),
        PLAIN(owners, .where = ON_SIM),
    };

    return test_main("http repeats", cases, COUNT(cases));
}
