/* SPDX-License-Identifier: MIT */
/* Responses whose heads repeat that of the response before: the parser's results do not show
 * it. */
#include "config.h"

#include "http/http1/parser.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Limits that some of the responses exceed. */
static const struct cg__http_limits small = {.target = 40, .headers = 200, .count = 6};

/* The result of parsing a response, up to its end. */
struct told {
    char text[1024];
    bool repeated;
};

/* A response, and whether its request was HEAD. */
struct response {
    const char *bytes;
    size_t size;
    bool head;
};

static int tell_head(char *to, size_t room, const struct cg__http_parser *parser)
{
    struct cg_http_field field;
    size_t next = 0;
    int n = snprintf(to, room, "1.%d %d '%s' %d%d%d%d%d%d %llu", parser->minor, parser->status,
                     cg__http_message_at(parser->headers, parser->text), parser->keep_alive,
                     parser->upgrade, parser->has_body, parser->chunked, parser->has_length,
                     parser->until_close, (unsigned long long)parser->length);

    while (cg_http_headers_next(parser->headers, &next, &field))
        n += snprintf(to + n, room - (size_t)n, "|%s=%s", field.name, field.value);
    return n + snprintf(to + n, room - (size_t)n, "|");
}

/* Parses a response in pieces that end at `cut` and its size. Each piece is a copy. */
static void tell(struct told *told, struct cg__http_repeat *repeat,
                 const struct response *response, size_t cut)
{
    struct cg_http_headers fields = {.data = NULL}, trailers = {.data = NULL};
    struct cg__http_parser parser;
    enum cg__http_event event = CG__HTTP_MORE;
    size_t at = 0, room = sizeof told->text;
    int n = 0;

    cg__http_parser_init(&parser, CG__HTTP_RESPONSE, &fields, &trailers, &small);
    parser.skip_body = response->head;
    parser.repeat = repeat;
    for (size_t end = cut; event != CG__HTTP_DONE && event != CG__HTTP_BAD;) {
        char *piece = malloc(end - at + 1);
        size_t used;

        memcpy(piece, response->bytes + at, end - at);
        event = cg__http_parser_parse(&parser, piece, end - at, &used);
        at += used;
        if (event == CG__HTTP_HEAD)
            n += tell_head(told->text + n, room - (size_t)n, &parser);
        for (size_t i = 0; event == CG__HTTP_BODY && i < parser.body_len; i++)
            n += snprintf(told->text + n, room - (size_t)n, "%02x", (unsigned char)parser.body[i]);
        free(piece);
        if (event == CG__HTTP_MORE && end == response->size)
            event = cg__http_parser_end(&parser);
        else if (event == CG__HTTP_MORE)
            end = response->size;
    }
    if (event == CG__HTTP_BAD)
        snprintf(told->text + n, room - (size_t)n, " refused %d", parser.status);
    else
        snprintf(told->text + n, room - (size_t)n, " done, %zu", at);
    told->repeated = parser.repeated;
    cg__http_message_clear(&fields);
    cg__http_message_clear(&trailers);
}

/* Checks that a response after another one is parsed as it is alone, wherever it is cut. Returns
 * whether the parser has recognized its head. */
static bool follows(const struct response *before, const struct response *next)
{
    struct cg__http_repeat repeat = {.owner = NULL};
    struct told alone, told;
    bool repeated;

    tell(&alone, NULL, next, next->size);
    tell(&told, &repeat, before, before->size);
    ck_assert(!told.repeated);
    tell(&told, &repeat, next, next->size);
    repeated = told.repeated;
    ck_assert_msg(strcmp(told.text, alone.text) == 0, "%s%.*s\nalone: %s\nafter: %s",
                  before->bytes, (int)next->size, next->bytes, alone.text, told.text);
    for (size_t cut = 1; cut < next->size; cut++) {
        tell(&told, &repeat, before, before->size);
        tell(&told, &repeat, next, cut);
        if (strcmp(told.text, alone.text) != 0) /* ck_assert_msg writes when it holds */
            ck_abort_msg("cut at %zu: %s%.*s\n%s\n%s", cut, before->bytes, (int)next->size,
                         next->bytes, alone.text, told.text);
    }
    cg__http_repeat_clear(&repeat);
    return repeated;
}

#define SAID(text, ...) ((struct response){(text), sizeof(text) - 1, __VA_ARGS__})
#define F "Server: x\r\nEmpty:\r\nLong: a, b \r\n"
#define THREE "HTTP/1.1 200 OK\r\n" F "Content-Length: 3\r\n\r\n"
#define NOTHING "HTTP/1.1 304 Not Modified\r\n" F "Content-Length: 3\r\n\r\n"

/* A head is recognized if all of its bytes are the same, and its body, if it has one, has a
 * length. */
static void repeats(void)
{
    const struct response same[][2] = {
        {SAID(THREE "abc", false), SAID(THREE "xyz", false)},
        {SAID(THREE "abc", false), SAID(THREE "xyzHTTP/1.1 200", false)},
        {SAID(THREE, true), SAID(THREE, true)},
        {SAID(NOTHING, false), SAID(NOTHING, false)},
        {SAID("HTTP/1.1 204 \r\n\r\n", false), SAID("HTTP/1.1 204 \r\n\r\n", false)},
        {SAID("HTTP/1.1 204 No\r\n\r\n", false), SAID("HTTP/1.1 204 No\r\n\r\nx", false)},
        {SAID("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
         SAID("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false)},
        {SAID("HTTP/1.1 500 \r\nContent-Length: 1\r\nConnection: close\r\n\r\na", false),
         SAID("HTTP/1.1 500 \r\nContent-Length: 1\r\nConnection: close\r\n\r\nb", false)},
        {SAID("HTTP/1.1 200 OK\r\nA: a\r\n b\r\nContent-Length: 1\r\n\r\na", false),
         SAID("HTTP/1.1 200 OK\r\nA: a\r\n b\r\nContent-Length: 1\r\n\r\nb", false)},
    };
    const struct response others[][2] = {
        {SAID(THREE "abc", false), SAID(THREE, true)},
        {SAID(THREE, true), SAID(THREE "abc", false)},
        {SAID(THREE "abc", false), SAID(THREE "xy", true)},
        {SAID("HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\na", false),
         SAID("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false)},
        {SAID("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false),
         SAID("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false)},
        /* not remembered */
        {SAID("HTTP/1.1 200 OK\r\n" F "\r\nabc", false),
         SAID("HTTP/1.1 200 OK\r\n" F "\r\nabc", false)},
        {SAID("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", false),
         SAID("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", false)},
        {SAID("HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", false),
         SAID("HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", false)},
        {SAID("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false),
         SAID("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false)},
    };

    for (size_t i = 0; i < COUNT(same); i++)
        ck_assert_msg(follows(&same[i][0], &same[i][1]), "%s", same[i][1].bytes);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(!follows(&others[i][0], &others[i][1]), "%s", others[i][1].bytes);
}

/* A response with one byte changed, or one more or less, is parsed as it is alone. So is one that
 * ends too early. */
static void changed_bytes(void)
{
    static const char bytes[] = "\r\n \t:;,0aH/\x01\x7f\x80";
    const struct response before = SAID(THREE "abc", false);
    char text[256];
    struct response next = {.bytes = text};

    for (size_t at = 0; at < before.size; at++) {
        for (size_t j = 0; j < sizeof bytes; j++) { /* the NUL, too */
            memcpy(text, before.bytes, before.size);
            text[at] = bytes[j];
            next.size = before.size;
            follows(&before, &next);
            memcpy(text + at + 1, before.bytes + at, before.size - at);
            next.size = before.size + 1;
            follows(&before, &next);
        }
        memcpy(text, before.bytes, before.size);
        next.size = at;
        follows(&before, &next);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(repeats, .where = ON_SIM),
        PLAIN(changed_bytes, .where = ON_SIM),
    };

    return test_main("http repeated responses", cases, COUNT(cases));
}
