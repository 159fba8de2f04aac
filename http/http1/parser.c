/* SPDX-License-Identifier: MIT */
/* The incremental parser: drives llhttp from event to event. */
#include "config.h"

#include "http/http1/parser_inside.h"
#include "lib/base/ascii.h"

#include <assert.h>

const struct cg__http_limits cg__http_parser_default_limits = {
    .target = CG_HTTP_TARGET_LIMIT,
    .headers = CG_HTTP_HEADERS_LIMIT,
    .count = CG_HTTP_HEADERS_COUNT,
};

void cg__http_parser_init(struct cg__http_parser *parser, enum cg__http_kind kind,
                          struct cg_http_headers *headers,
                          struct cg_http_headers *trailers,
                          const struct cg__http_limits *limits)
{
    memset(&parser->skip_body, 0,
           offsetof(struct cg__http_parser, in_trailers) -
               offsetof(struct cg__http_parser, skip_body));
    parser->limits = limits;
    parser->headers = headers;
    parser->line = headers;
    parser->trailers = trailers;
    parser->repeat = NULL;
    parser->kind = (uint8_t)kind;
}

/* A head that repeats needs nothing of this. */
static void start(struct cg__http_parser *parser)
{
    bool request = parser->kind == CG__HTTP_REQUEST;

    parser->started = true;
    memset(&parser->in_trailers, 0,
           offsetof(struct cg__http_parser, host) -
               offsetof(struct cg__http_parser, in_trailers));
    llhttp_init(&parser->llhttp, request ? HTTP_REQUEST : HTTP_RESPONSE,
                request ? &cg__http_parser_request_calls
                        : &cg__http_parser_response_calls);
    parser->llhttp.lenient_flags = LENIENT_VERSION; /* we check the version */
    parser->llhttp.data = parser;
}

static bool is_token_byte(const char *at, const char *end)
{
    return at < end && (*at == ' ' || cg__http_message_is_token(at, 1));
}

/* Sets status and reason for an error code of llhttp. */
static enum cg__http_event refused(struct cg__http_parser *parser, llhttp_errno_t error,
                                   const char *at)
{
    if (parser->why != NULL) /* one of our callbacks has refused */
        return CG__HTTP_BAD;
    parser->status = 400;
    parser->why = llhttp_get_error_reason(&parser->llhttp);
    if (error == HPE_PAUSED_H2_UPGRADE || error == HPE_INVALID_VERSION)
        parser->status = 505;
    else if (error == HPE_INVALID_METHOD && is_token_byte(at, parser->end))
        parser->status = 501; /* an unknown method */
    else if (error == HPE_INVALID_TRANSFER_ENCODING)
        parser->status = 501;
    if (parser->why == NULL || *parser->why == '\0')
        parser->why = "not HTTP";
    return CG__HTTP_BAD;
}

/* llhttp accepts "0200" as 200: the status must end after "HTTP/1.1 200". Returns how many
 * bytes come before a digit too many. */
static size_t before_fourth_digit(struct cg__http_parser *parser, const char *data,
                                  size_t size)
{
    enum { STATUS_END = 12 };

    for (size_t i = 0; i < size && parser->line_at <= STATUS_END; i++) {
        if (parser->line_at == 0 && (data[i] == '\r' || data[i] == '\n'))
            continue; /* blank lines before the message */
        if (parser->line_at++ == STATUS_END && cg__ascii_is_digit(data[i]))
            return i;
    }
    return size;
}

/* The head, or the trailers, have ended just before `end`. llhttp lets the blank line be a
 * bare LF. */
static enum cg__http_event ended(struct cg__http_parser *parser, const char *end)
{
    char before = end - parser->data > 1 ? end[-2] : parser->before[2];

    if (end == parser->data || end[-1] != '\n' || before != '\r') {
        cg__http_parser_refuse(parser, 400, "a bare LF");
        return CG__HTTP_BAD;
    }
    if (parser->event == CG__HTTP_HEAD && cg__http_parser_check(parser) != 0)
        return CG__HTTP_BAD;
    parser->looking = false;
    parser->keeping = false;
    return parser->event;
}

/* The result must not depend on how the bytes were split: always refuse for the first wrong
 * byte. llhttp may stop at a byte before it has reported the text in front of it, which may
 * exceed a limit; bytes between texts and the length of lines are checked late as well. */
static enum cg__http_event first_refusal(struct cg__http_parser *parser,
                                         llhttp_errno_t error, const char *at)
{
    const char *text = (const char *)parser->llhttp._span_pos0;
    int (*tell)(llhttp_t *, const unsigned char *, const unsigned char *);

    if (parser->why == NULL) {
        parser->refused = at;
        memcpy(&tell, &parser->llhttp._span_cb0, sizeof tell); /* kept as a void pointer */
        if (text != NULL && text < at)
            tell(&parser->llhttp, (const unsigned char *)text, (const unsigned char *)at);
        if (parser->why == NULL && parser->since != NULL)
            cg__http_parser_look(parser, at, at);
        refused(parser, error, at);
    }
    if (parser->since != NULL && parser->refused != NULL &&
        (size_t)(parser->refused - parser->since) > cg__http_parser_room(parser))
        cg__http_parser_refuse_length(parser);
    return CG__HTTP_BAD;
}

/* Turns llhttp's result for the bytes up to `end` into an event. */
static enum cg__http_event parsed(struct cg__http_parser *parser, llhttp_errno_t error,
                                  const char *end)
{
    if (error != HPE_OK && error != HPE_PAUSED)
        return first_refusal(parser, error, end);
    if (cg__http_parser_keep(parser, end) != 0)
        return first_refusal(parser, error, end);
    if (error == HPE_OK)
        return CG__HTTP_MORE;
    parser->paused = true;
    if (parser->event == CG__HTTP_HEAD ||
        (parser->event == CG__HTTP_DONE && parser->chunked))
        return ended(parser, end);
    return parser->event;
}

/* Parses the line of a chunk's size up to its CR: llhttp gets the digits. */
static enum cg__http_event parse_size(struct cg__http_parser *parser, const char *data,
                                      size_t size, size_t *used)
{
    llhttp_errno_t error;

    *used = cg__http_parser_chunk_digits(parser, data, size);
    error = llhttp_execute(&parser->llhttp, data, *used);
    if (error != HPE_OK)
        return refused(parser, error, data + *used);
    if (parser->why == NULL && parser->chunk > CG__HTTP_CHUNK_SIZE)
        *used += cg__http_parser_chunk_extensions(parser, data + *used, size - *used);
    return parser->why == NULL ? CG__HTTP_MORE : CG__HTTP_BAD;
}

static void keep_last(struct cg__http_parser *parser, const char *data, size_t used)
{
    char *last = parser->before;
    size_t n = used < sizeof parser->before ? used : sizeof parser->before;

    memmove(last, last + n, sizeof parser->before - n);
    memcpy(last + sizeof parser->before - n, data + used - n, n);
}

/* Parses bytes up to the next event, or to where the line of a chunk's size begins or
 * ends. */
static enum cg__http_event parse_part(struct cg__http_parser *parser, const char *data,
                                      size_t size, size_t *used)
{
    struct cg_http_headers *headers;
    enum cg__http_event event;
    llhttp_errno_t error;

    if (parser->paused)
        llhttp_resume(&parser->llhttp);
    parser->paused = false;
    parser->event = CG__HTTP_MORE;
    parser->data = data;
    parser->end = data + size;
    parser->refused = NULL;
    parser->since = parser->seen_to = parser->looking ? data : NULL;
    parser->from = NULL;
    if (parser->keeping)
        cg__http_parser_keep_from(parser, data);
    if (parser->chunk != CG__HTTP_NO_CHUNK)
        return parse_size(parser, data, size, used);
    error = llhttp_execute(&parser->llhttp, data, size);
    *used = size;
    if (error != HPE_OK)
        *used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - data);
    assert(*used <= size);
    parser->looking = parser->since != NULL;
    parser->keeping = parser->from != NULL;
    event = parsed(parser, error, data + *used);
    keep_last(parser, data, *used);
    headers = cg__http_parser_list(parser);
    if (event == CG__HTTP_BAD && headers != NULL)
        headers->count = parser->ready; /* further fields have no stored texts */
    return event;
}

/* A piece of a body whose length is known. */
static enum cg__http_event count_body(struct cg__http_parser *parser, const char *data,
                                      size_t size, size_t *used)
{
    if (size == 0)
        return CG__HTTP_MORE;
    if (size > parser->left)
        size = (size_t)parser->left;
    parser->left -= size;
    parser->complete = parser->left == 0;
    parser->body = data;
    parser->body_len = *used = size;
    return CG__HTTP_BODY;
}

enum cg__http_event cg__http_parser_parse(struct cg__http_parser *parser,
                                          const char *data, size_t size, size_t *used)
{
    bool may_repeat = !parser->started && parser->repeat != NULL;
    enum cg__http_event event;
    size_t valid = size, part;

    *used = 0;
    if (parser->complete)
        return CG__HTTP_DONE;
    if (parser->left > 0)
        return count_body(parser, data, size, used);
    if (data == NULL)
        data = "";
    if (may_repeat && cg__http_parser_repeats(parser, data, size, used, &event))
        return event;
    if (!parser->started)
        start(parser);
    if (parser->kind == CG__HTTP_RESPONSE)
        valid = before_fourth_digit(parser, data, size);
    do { /* bytes before that digit may be wrong, too: the first wrong byte counts */
        event = parse_part(parser, data + *used, valid - *used, &part);
        *used += part;
    } while (event == CG__HTTP_MORE && *used < valid);
    if (event == CG__HTTP_MORE && valid < size) {
        cg__http_parser_refuse(parser, 400, "a status of more than three digits");
        return CG__HTTP_BAD;
    }
    if (event == CG__HTTP_HEAD && may_repeat)
        cg__http_parser_remember(parser, data, data + *used);
    return event;
}

enum cg__http_event cg__http_parser_end(struct cg__http_parser *parser)
{
    llhttp_errno_t error;

    if (parser->complete)
        return CG__HTTP_DONE;
    if (!parser->started)
        start(parser);
    /* llhttp is paused after the head and does not know yet that the body may be empty. */
    if (parser->until_close && parser->has_body) {
        parser->complete = true;
        return CG__HTTP_DONE;
    }
    if (parser->paused)
        llhttp_resume(&parser->llhttp);
    parser->paused = false;
    error = llhttp_finish(&parser->llhttp);
    if (parser->complete)
        return CG__HTTP_DONE;
    parser->end = NULL;
    return refused(parser, error, NULL);
}

bool cg__http_parser_untouched(const struct cg__http_parser *parser)
{
    return !parser->begun;
}
