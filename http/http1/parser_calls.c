/* SPDX-License-Identifier: MIT */
/* llhttp's callbacks for each part of a message. They pause llhttp at our events. */
#include "config.h"

#include "http/http1/parser_inside.h"

/* NUMBER: of the version. */
enum token { NOTHING, NUMBER, NAME, VALUE };

static struct cg__http_parser *of(llhttp_t *llhttp)
{
    return (struct cg__http_parser *)llhttp->data;
}

static int on_begin(llhttp_t *llhttp)
{
    of(llhttp)->begun = true;
    return 0;
}

static int on_text(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg_http_headers *line = parser->line;

    if (cg__http_parser_pass(parser, "\r\n", at, size) != 0)
        return HPE_USER;
    if (size > parser->limits->target - parser->text_len)
        return cg__http_parser_refuse_at(
            parser, at + parser->limits->target - parser->text_len, 414,
            "the target is too long");
    if (parser->text_len == 0) {
        parser->text = line->used;
        parser->target_at = at;
    } else {
        line->used--; /* the NUL */
    }
    parser->text_len += (uint32_t)size;
    if (cg__http_message_reserve(line, size + 1) < 0)
        return cg__http_parser_no_memory(parser);
    memcpy(line->data + line->used, at, size);
    line->used += (uint32_t)size + 1;
    line->data[line->used - 1] = '\0';
    return 0;
}

/* Whether the version at `at` is one of HTTP. llhttp also accepts RTSP/ and ICE/ before it, which
 * differ from HTTP/ in the third byte from the end. That may have come with an earlier call. */
static bool is_http(const struct cg__http_parser *parser, const char *at)
{
    size_t have = (size_t)(at - parser->data);

    return (have >= 3 ? at[-3] : parser->before[have]) == 'T';
}

/* The method. There is no end of a line between it and the target. */
static int on_version(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    parser->seen_to = at + size;
    if (parser->token == NUMBER) /* a further piece */
        return 0;
    parser->token = NUMBER;
    return is_http(parser, at)
               ? 0
               : cg__http_parser_refuse_at(parser, at, 400, "another protocol than HTTP");
}

/* llhttp parses a line that ends after the target as HTTP/0.9 and never calls
 * on_version_complete for it. The version is unknown here in all other cases. */
static int on_url_complete(llhttp_t *llhttp)
{
    bool none = llhttp->http_major == 0 && llhttp->http_minor == 9;

    return none ? cg__http_parser_refuse(of(llhttp), 400, "no version") : 0;
}

/* A minor version above 1 is treated as 1, the highest that we implement (RFC 9110, 2.5).
 * llhttp is lenient about versions, so the check is ours. */
static int on_version_complete(llhttp_t *llhttp)
{
    of(llhttp)->token = NOTHING;
    if (llhttp->http_major == 0)
        return cg__http_parser_refuse(of(llhttp), 400, "no version");
    if (llhttp->http_major != 1)
        return cg__http_parser_refuse(of(llhttp), 505, "not HTTP/1");
    if (llhttp->http_minor > 1)
        llhttp->http_minor = 1;
    return 0;
}

/* Counts a piece of a name or value. */
static int piece(struct cg__http_parser *parser, size_t size)
{
    if (size > parser->limits->headers - parser->seen)
        return cg__http_parser_refuse(parser, 431, "the header fields are too long");
    parser->seen += (uint32_t)size;
    return 0;
}

/* A field is complete once the next one or the end of the head has come. */
static inline int end_field(struct cg__http_parser *parser)
{
    struct cg_http_headers *headers = cg__http_parser_list(parser);
    enum token token = parser->token;

    parser->token = NOTHING;
    if (token == NOTHING || headers == NULL)
        return 0;
    return cg__http_message_entry_push(headers, parser->entry) < 0
               ? cg__http_parser_no_memory(parser)
               : 0;
}

static int begin_field(struct cg__http_parser *parser, const char *at)
{
    if (end_field(parser) != 0)
        return HPE_USER;
    if ((parser->llhttp.flags & F_TRAILING) && !parser->in_trailers) {
        parser->in_trailers = true;
        parser->ready = parser->trailers ? parser->trailers->count : 0;
    }
    if (parser->fields++ == parser->limits->count)
        return cg__http_parser_refuse(parser, 431, "too many header fields");
    cg__http_parser_keep_from(parser, at);
    parser->token = NAME;
    parser->entry = (struct cg__http_entry){.name = cg__http_parser_place(parser, at)};
    return 0;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    if (cg__http_parser_pass(parser, "\r\n", at, size) != 0 ||
        (parser->token != NAME && begin_field(parser, at) != 0))
        return HPE_USER;
    parser->entry.name_len += (uint32_t)size;
    return piece(parser, size);
}

/* For an empty value `at` is somewhere behind the value, not at it. */
static int on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg__http_entry *entry = &parser->entry;

    parser->token = VALUE;
    if (cg__http_parser_pass(parser, ": ", at, size) != 0)
        return HPE_USER;
    if (entry->name_len == 0)
        return cg__http_parser_refuse_at(parser, at, 400,
                                         "a header field without a name");
    if (entry->value_len == 0)
        entry->value = size > 0 ? cg__http_parser_place(parser, at)
                                : entry->name + entry->name_len;
    if (size > 0) /* of a folded value: all its lines and what is between them */
        entry->value_len =
            cg__http_parser_place(parser, at) + (uint32_t)size - entry->value;
    return piece(parser, size);
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);
    bool coded;

    if (end_field(parser) != 0)
        return HPE_USER;
    parser->minor = llhttp->http_minor;
    parser->chunked = (llhttp->flags & F_CHUNKED) != 0;
    parser->has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;
    parser->length = parser->has_length ? llhttp->content_length : 0;
    if (llhttp->type == HTTP_REQUEST) {
        parser->code = llhttp->method;
        parser->has_body = llhttp->method != HTTP_CONNECT &&
                           (parser->chunked || parser->length > 0);
    } else {
        if (llhttp->status_code < 100)
            return cg__http_parser_refuse(parser, 400, "a status below 100");
        parser->status = llhttp->status_code;
        if (parser->skip_body)
            llhttp->flags |= F_SKIPBODY;
        parser->until_close = parser->status != 101 && llhttp_message_needs_eof(llhttp);
        parser->has_body = !parser->skip_body && parser->status != 101 &&
                           (parser->chunked || parser->length > 0 || parser->until_close);
        /* The length in a 204 or 304 is not that of a body. */
        if (parser->status / 100 == 1 || parser->status == 204 || parser->status == 304) {
            llhttp->flags |= F_SKIPBODY;
            parser->has_body = false;
        }
    }
    parser->event = CG__HTTP_HEAD;
    /* Without a body the message ends here, so one call of llhttp does both. If there is a
     * coding that llhttp would refuse now, pause, so that cg__http_parser_check refuses
     * it. */
    coded = !parser->chunked && (llhttp->flags & F_TRANSFER_ENCODING);
    return parser->has_body || coded ? HPE_PAUSED : 0;
}

/* After a chunk, except the last one, follows the line of the next chunk's size. */
static int on_chunk_complete(llhttp_t *llhttp)
{
    if (llhttp->flags & F_TRAILING)
        return 0;
    of(llhttp)->chunk = CG__HTTP_CHUNK_SIZE;
    return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    if (size == 0)
        return 0;
    parser->body = at;
    parser->body_len = size;
    parser->event = CG__HTTP_BODY;
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);

    if (end_field(parser) != 0) /* of the trailers */
        return HPE_USER;
    parser->complete = true;
    if (parser->event != CG__HTTP_HEAD)
        parser->event = CG__HTTP_DONE;
    return HPE_PAUSED;
}

#define SETTINGS(...)                                                                      \
    {                                                                                      \
        __VA_ARGS__,                                                                       \
        .on_message_begin = on_begin,                                                      \
        .on_version_complete = on_version_complete,                                        \
        .on_header_field = on_name,                                                        \
        .on_header_value = on_value,                                                       \
        .on_headers_complete = on_headers_complete,                                        \
        .on_body = on_body,                                                                \
        .on_message_complete = on_message_complete,                                        \
        .on_chunk_complete = on_chunk_complete,                                            \
    }

const llhttp_settings_t cg__http_parser_request_calls =
    SETTINGS(.on_url = on_text, .on_url_complete = on_url_complete, .on_version = on_version);
const llhttp_settings_t cg__http_parser_response_calls = SETTINGS(.on_status = on_text);
