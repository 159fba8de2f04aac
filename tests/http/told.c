/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/http/told.h"
#include "tests/support/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cg__http_limits small = {.target = 40, .headers = 120, .count = 5};

static void say(struct told *told, const char *text, size_t size)
{
    MUST(told->size + size < sizeof told->text, "too long");
    memcpy(told->text + told->size, text, size);
    told->size += size;
    told->text[told->size] = '\0';
}

static void say_text(struct told *told, const char *text)
{
    say(told, text, strlen(text));
}

static void say_fields(struct told *told, const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0;

    say_text(told, "|");
    while (cg_http_headers_next(headers, &at, &field)) {
        say_text(told, at > 1 ? "," : "");
        say_text(told, field.name);
        say_text(told, "=");
        say_text(told, field.value);
    }
}

static void say_head(struct told *told, const struct cg__http_parser *parser)
{
    const char *text = cg__http_message_at(parser->headers, parser->text);
    char line[256];

    if (parser->method)
        snprintf(line, sizeof line, "%s %s 1.%d", parser->method, text, parser->minor);
    else
        snprintf(line, sizeof line, "%d %s 1.%d", parser->status, text, parser->minor);
    MUST(strlen(text) == parser->text_len, "a wrong length of %s", text);
    say_text(told, line);
    say_text(told, parser->keep_alive ? " keep" : "");
    say_text(told, parser->upgrade ? " upgrade" : "");
    say_fields(told, parser->headers);
    say_text(told, "|");
}

static void say_bad(struct told *told, const struct cg__http_parser *parser)
{
    snprintf(told->text, sizeof told->text, "%d", parser->status);
    MUST(parser->why != NULL, "no reason is given");
}

/* Whatever the result, each field that can be read is complete. */
static void check_texts(const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field)) {
        const struct cg__http_entry *entry = cg__http_entry(headers, (uint32_t)at - 1);

        MUST(entry->name + entry->name_len < headers->used, "too long");
        MUST(entry->value + entry->value_len < headers->used, "too long");
        MUST(strlen(field.name) == entry->name_len, "a wrong length of %s", field.name);
        MUST(strlen(field.value) == entry->value_len, "a wrong length of %s", field.value);
    }
}

void tell(struct told *told, enum cg__http_kind kind, bool skip, const char *bytes,
          const size_t *cuts, size_t size)
{
    struct cg_http_headers headers = {.data = NULL}, trailers = {.data = NULL};
    struct cg__http_parser parser;
    enum cg__http_event event = CG__HTTP_MORE;
    size_t at = 0;

    told->size = 0;
    told->text[0] = '\0';
    cg__http_parser_init(&parser, kind, &headers, &trailers, &small);
    parser.skip_body = skip;
    while (event != CG__HTTP_DONE && event != CG__HTTP_BAD && at < size) {
        size_t length = *cuts++ - at, done = 0, used;
        char *piece = malloc(length);

        memcpy(piece, bytes + at, length);
        do {
            event = cg__http_parser_parse(&parser, piece + done, length - done, &used);
            done += used;
            if (event == CG__HTTP_HEAD)
                say_head(told, &parser);
            if (event == CG__HTTP_BODY)
                say(told, parser.body, parser.body_len);
        } while (event == CG__HTTP_HEAD || event == CG__HTTP_BODY);
        at += done;
        free(piece);
        if (event == CG__HTTP_MORE)
            MUST(done == length, "%zu of %zu bytes are used", done, length);
    }
    if (event == CG__HTTP_MORE) {
        bool untouched = cg__http_parser_untouched(&parser);

        event = cg__http_parser_end(&parser);
        say_text(told, event == CG__HTTP_DONE ? "|end" : untouched ? "nothing" : "|more");
    } else if (event == CG__HTTP_BAD) {
        say_bad(told, &parser);
    } else {
        say_fields(told, &trailers);
        say_text(told, "|");
        say(told, bytes + at, size - at);
    }
    check_texts(&headers);
    check_texts(&trailers);
    cg__http_message_clear(&headers);
    cg__http_message_clear(&trailers);
}

void check_kind(enum cg__http_kind kind, bool skip, const struct message *message)
{
    size_t size = strlen(message->bytes), cuts[512];
    struct told told;

    MUST(size < COUNT(cuts), "too long");
    tell(&told, kind, skip, message->bytes, &size, size);
    MUST(strcmp(told.text, message->want) == 0, "%s\nwanted: %s\ngot:    %s",
         message->bytes, message->want, told.text);
    for (size_t i = 1; i < size; i++) {
        for (size_t j = i + 1; j <= size; j += j < i + 3 ? 1 : 7) {
            tell(&told, kind, skip, message->bytes, (size_t[]){i, j, size}, size);
            MUST(strcmp(told.text, message->want) == 0,
                 "cut at %zu and %zu: %s\nwanted: %s\ngot:    %s", i, j,
                 message->bytes, message->want, told.text);
        }
        cuts[i - 1] = i;
    }
    if (size > 0)
        cuts[size - 1] = size;
    tell(&told, kind, skip, message->bytes, cuts, size);
    ck_assert_str_eq(told.text, message->want);
}

void check(enum cg__http_kind kind, const struct message *messages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_kind(kind, false, &messages[i]);
}
