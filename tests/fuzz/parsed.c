/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/fuzz/parsed.h"

/* One way to parse the bytes. */
struct way {
    enum cg__http_kind kind;
    bool skip, repeat;
    enum fuzz_cuts cuts;
    const struct cg__http_limits *limits;
};

/* The bytes, and how far they have come. */
struct bytes {
    const uint8_t *data;
    size_t size, at;
    char *piece; /* a copy of the present one, so that ASan finds reads beyond it */
    size_t piece_size, used;
    uint32_t state;
};

static bool next_piece(struct bytes *bytes, enum fuzz_cuts cuts)
{
    free(bytes->piece);
    bytes->piece = NULL;
    bytes->piece_size = bytes->used = 0;
    if (bytes->at == bytes->size)
        return false;
    bytes->piece_size =
        fuzz_piece(cuts, bytes->data + bytes->at, bytes->size - bytes->at, &bytes->state);
    bytes->piece = fuzz_copy(bytes->data + bytes->at, bytes->piece_size);
    bytes->at += bytes->piece_size;
    return true;
}

/* Whatever the result, each field that can be read is complete. `told` may be NULL. */
static void tell_fields(FILE *told, const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field)) {
        const struct cg__http_entry *entry = cg__http_entry(headers, (uint32_t)at - 1);

        MUST(entry->name + entry->name_len < headers->used);
        MUST(entry->value + entry->value_len < headers->used);
        MUST(strlen(field.name) == entry->name_len);
        MUST(strlen(field.value) == entry->value_len);
        if (told != NULL)
            fprintf(told, "|%s=%s", field.name, field.value);
    }
}

static void tell_head(FILE *told, const struct cg__http_parser *parser)
{
    const char *text = parser->text_len ? cg__http_message_at(parser->line, parser->text) : "";

    MUST(strlen(text) == parser->text_len);
    fprintf(told, "\n%s %d %s 1.%d %d%d%d%d%d%d %llu",
            parser->method ? parser->method : "", parser->method ? 0 : parser->status, text,
            parser->minor, parser->keep_alive, parser->upgrade, parser->has_body, parser->chunked,
            parser->has_length, parser->until_close, (unsigned long long)parser->length);
    tell_fields(told, parser->headers);
    fprintf(told, "|");
}

/* Parses a message, and says what it is. */
static enum cg__http_event parse(FILE *told, struct cg__http_parser *parser,
                                 struct bytes *bytes, const struct way *way)
{
    enum cg__http_event event;
    size_t used;

    for (;;) {
        event = cg__http_parser_parse(parser, bytes->piece + bytes->used,
                                      bytes->piece_size - bytes->used, &used);
        MUST(used <= bytes->piece_size - bytes->used);
        if (event == CG__HTTP_BODY) {
            MUST(parser->body >= bytes->piece &&
                 parser->body + parser->body_len <= bytes->piece + bytes->piece_size);
            fwrite(parser->body, 1, parser->body_len, told);
        }
        bytes->used += used;
        if (event == CG__HTTP_HEAD)
            tell_head(told, parser);
        if (event == CG__HTTP_DONE || event == CG__HTTP_BAD)
            return event;
        if (event == CG__HTTP_MORE) {
            MUST(bytes->used == bytes->piece_size);
            if (!next_piece(bytes, way->cuts))
                return event;
        }
    }
}

/* Parses all messages. */
static void tell(FILE *told, const uint8_t *data, size_t size, const struct way *way)
{
    struct cg_http_headers line = {.data = NULL}, fields = {.data = NULL},
                           trailers = {.data = NULL};
    struct cg__http_repeat repeat = {.owner = NULL};
    struct bytes bytes = {.data = data, .size = size};
    enum cg__http_event event = CG__HTTP_DONE;

    next_piece(&bytes, way->cuts);
    while (event == CG__HTTP_DONE && (bytes.piece_size > bytes.used || bytes.at < size)) {
        struct cg__http_parser parser;

        cg__http_message_reset(&line, SIZE_MAX);
        cg__http_message_reset(&fields, SIZE_MAX);
        cg__http_message_reset(&trailers, SIZE_MAX);
        cg__http_parser_init(&parser, way->kind, &fields, &trailers, way->limits);
        parser.skip_body = way->skip;
        if (way->kind == CG__HTTP_REQUEST)
            parser.line = &line;
        parser.repeat = way->repeat ? &repeat : NULL;
        event = parse(told, &parser, &bytes, way);
        if (event == CG__HTTP_MORE) {
            bool untouched = cg__http_parser_untouched(&parser);

            event = cg__http_parser_end(&parser);
            fprintf(told, "%s", event == CG__HTTP_DONE ? "end" : untouched ? "nothing" : "cut off");
            break;
        }
        tell_fields(event == CG__HTTP_DONE ? told : NULL, &trailers);
        if (event == CG__HTTP_BAD) {
            tell_fields(NULL, &fields);
            MUST(parser.why != NULL && parser.status >= 400);
            fprintf(told, "refused: %d", parser.status);
        }
        if (parser.upgrade)
            break; /* what follows is not HTTP */
    }
    free(bytes.piece);
    cg__http_repeat_clear(&repeat);
    cg__http_message_clear(&line);
    cg__http_message_clear(&fields);
    cg__http_message_clear(&trailers);
}

static struct fuzz_told told_of(const uint8_t *data, size_t size, const struct way *way)
{
    struct fuzz_told told;

    tell(fuzz_tell(&told), data, size, way);
    fclose(told.file);
    return told;
}

void fuzz_parse(enum cg__http_kind kind, bool skip, const uint8_t *data, size_t size)
{
    static const struct cg__http_limits small = {.target = 20, .headers = 60, .count = 4};
    const struct cg__http_limits *limits[] = {&cg__http_parser_default_limits, &small};

    for (size_t i = 0; i < COUNT(limits); i++) {
        struct way way = {.kind = kind, .skip = skip, .limits = limits[i]};
        struct fuzz_told whole = told_of(data, size, &way), other;

        for (int cuts = 0; cuts < FUZZ_CUTS; cuts++)
            for (int repeat = 0; repeat <= 1; repeat++) {
                way.cuts = (enum fuzz_cuts)cuts;
                way.repeat = repeat;
                other = told_of(data, size, &way);
                fuzz_compare(&whole, &other);
            }
        free(whole.text);
    }
}
