/* SPDX-License-Identifier: MIT */
/* The incremental parser. llhttp calls back at each piece of the message; what is an event of
 * ours pauses it. What it lets pass though two readers could understand it differently is
 * refused here: folded lines, a second Host, transfer codings but "chunked". */
#include "config.h"

#include "http/parser.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

const struct cg__http_limits cg__http_default_limits = {
    .target = CG_HTTP_TARGET_LIMIT,
    .headers = CG_HTTP_HEADERS_LIMIT,
    .count = CG_HTTP_HEADERS_COUNT,
};

enum token { NOTHING, NAME, NAMED, VALUE };

static struct cg__http_parser *of(llhttp_t *llhttp)
{
    return (struct cg__http_parser *)llhttp->data;
}

static int refuse(struct cg__http_parser *parser, int status, const char *why)
{
    parser->status = (uint16_t)status;
    parser->why = why;
    return HPE_USER;
}

static int no_memory(struct cg__http_parser *parser)
{
    return refuse(parser, 503, "no memory");
}

/* Where the texts of the fields go that are being read; NULL: nowhere. */
static struct cg_http_headers *list(struct cg__http_parser *parser)
{
    return parser->in_trailers ? parser->trailers : parser->headers;
}

/* ---- The first line -------------------------------------------------------------- */

static int on_text(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    if (parser->text_size == 0)
        parser->text = parser->headers->used;
    if (size > parser->limits->target - parser->text_size)
        return refuse(parser, 414, "the target is too long");
    parser->text_size += (uint32_t)size;
    parser->in_head = true;
    parser->mark = at + size;
    if (size > 0)
        parser->last = 'x';
    return cg__http_text(parser->headers, at, size) < 0 ? no_memory(parser) : 0;
}

static int on_text_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);

    if (parser->text_size == 0)
        parser->text = parser->headers->used;
    parser->has_text = true;
    return cg__http_text(parser->headers, "", 1) < 0 ? no_memory(parser) : 0;
}

static int on_begin(llhttp_t *llhttp)
{
    of(llhttp)->begun = true;
    return 0;
}

/* ---- Fields ---------------------------------------------------------------------- */

/* Looks at the bytes between names and values. A newline and then a blank is a folded line:
 * llhttp unfolds it, others take the second line for a field; we take it for an attack. A
 * newline without a CR is one more thing that readers disagree about. */
static int look_between(struct cg__http_parser *parser, const char *end)
{
    for (const char *p = parser->mark; p < end; p++) {
        if (parser->last == '\n' && (*p == ' ' || *p == '\t'))
            return refuse(parser, 400, "a folded header line");
        if (*p == '\n' && parser->last != '\r')
            return refuse(parser, 400, "a bare LF");
        parser->last = *p;
    }
    parser->mark = end;
    return 0;
}

/* Appends a piece of a name or value, and moves the mark behind it. */
static int piece(struct cg__http_parser *parser, const char *at, size_t size)
{
    struct cg_http_headers *headers = list(parser);

    parser->mark = at + size;
    if (size > 0)
        parser->last = 'x';
    if (size > parser->limits->headers - parser->seen)
        return refuse(parser, 431, "the header fields are too long");
    parser->seen += (uint32_t)size;
    if (headers != NULL && cg__http_text(headers, at, size) < 0)
        return no_memory(parser);
    return 0;
}

/* Ends a text with its NUL. */
static int terminate(struct cg__http_parser *parser)
{
    struct cg_http_headers *headers = list(parser);

    return headers != NULL && cg__http_text(headers, "", 1) < 0 ? no_memory(parser) : 0;
}

static int on_name_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg_http_headers *headers = list(parser);

    parser->token = NAMED;
    if (parser->entry.name_len == 0)
        return refuse(parser, 400, "a header field without a name");
    if (headers == NULL)
        return 0;
    parser->entry.value = headers->used + 1;
    return terminate(parser);
}

/* A field is complete once the next one or the end of the head has come. */
static int end_field(struct cg__http_parser *parser)
{
    struct cg_http_headers *headers = list(parser);
    struct cg__http_entry *entry = &parser->entry;
    enum token token = parser->token;

    parser->token = NOTHING;
    if (token == NOTHING || headers == NULL)
        return 0;
    while (headers->used > entry->value &&
           strchr(" \t", headers->data[headers->used - 1]) != NULL)
        headers->used--;
    entry->value_len = headers->used - entry->value;
    if (terminate(parser) != 0)
        return HPE_USER;
    return cg__http_entry_push(headers, *entry) < 0 ? no_memory(parser) : 0;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg_http_headers *headers;

    if (parser->token != NAME) {
        if (parser->in_head && look_between(parser, at) != 0)
            return HPE_USER;
        if (end_field(parser) != 0)
            return HPE_USER;
        if (llhttp->flags & F_TRAILING)
            parser->in_trailers = true;
        headers = list(parser);
        if (parser->fields++ == parser->limits->count)
            return refuse(parser, 431, "too many header fields");
        parser->token = NAME;
        parser->entry = (struct cg__http_entry){.name = headers ? headers->used : 0};
    }
    parser->in_head = true;
    parser->entry.name_len += (uint32_t)size;
    return piece(parser, at, size);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    /* An empty value is told at the first byte of the next line; what lies before that is
     * looked at from there. */
    if (parser->token == VALUE && look_between(parser, at) != 0)
        return HPE_USER;
    parser->token = VALUE;
    if (size == 0)
        return 0;
    if (look_between(parser, at + 1) != 0) /* a folded value's first byte is that blank */
        return HPE_USER;
    return piece(parser, at, size);
}

static int on_extension(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    (void)at;
    if (size > parser->limits->headers - parser->extensions)
        return refuse(parser, 400, "the chunk extensions are too long");
    parser->extensions += (uint32_t)size;
    return 0;
}

/* ---- The head -------------------------------------------------------------------- */

/* The only field of that name; NULL: none. *many: there is another. */
static const char *only(const struct cg_http_headers *headers, const char *name, bool *many)
{
    size_t len = strlen(name);
    uint32_t from = 0;
    const struct cg__http_entry *entry = cg__http_find(headers, name, len, &from);

    *many = entry != NULL && cg__http_find(headers, name, len, &from) != NULL;
    return entry != NULL ? cg__http_at(headers, entry->value) : NULL;
}

static int check_coding(struct cg__http_parser *parser)
{
    bool many;
    const char *coding = only(parser->headers, "Transfer-Encoding", &many);

    if (coding == NULL)
        return 0;
    if (parser->minor == 0)
        return refuse(parser, 400, "a transfer coding in HTTP/1.0");
    if (many || strcasecmp(coding, "chunked") != 0)
        return refuse(parser, 501, "a transfer coding other than chunked");
    if (parser->has_length)
        return refuse(parser, 400, "both a length and a transfer coding");
    return 0;
}

static int check_request(struct cg__http_parser *parser)
{
    bool many;
    const char *host = only(parser->headers, "Host", &many);

    if (many || (host == NULL && parser->minor > 0))
        return refuse(parser, 400, many ? "more than one Host" : "no Host");
    if (host != NULL && host[strcspn(host, " \t,/?#@\\<>\"")] != '\0')
        return refuse(parser, 400, "no valid Host");
    if (memchr(cg__http_at(parser->headers, parser->text), '#', parser->text_size) != NULL)
        return refuse(parser, 400, "a fragment in the target");
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);
    bool request = llhttp->type == HTTP_REQUEST;

    if (end_field(parser) != 0 || (!parser->has_text && on_text_complete(llhttp) != 0))
        return HPE_USER;
    if (llhttp->http_major == 0)
        return refuse(parser, 400, "no version");
    if (llhttp->http_major != 1)
        return refuse(parser, 505, "not HTTP/1");
    parser->minor = llhttp->http_minor;
    parser->upgrade = llhttp->upgrade;
    parser->chunked = (llhttp->flags & F_CHUNKED) != 0;
    parser->has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;
    parser->length = parser->has_length ? llhttp->content_length : 0;
    if (check_coding(parser) != 0)
        return HPE_USER;
    if (request) {
        parser->code = llhttp->method;
        parser->method = llhttp_method_name((llhttp_method_t)llhttp->method);
        if (check_request(parser) != 0)
            return HPE_USER;
        parser->has_body = llhttp->method != HTTP_CONNECT &&
                           (parser->chunked || parser->length > 0);
    } else {
        parser->status = llhttp->status_code;
        if (parser->skip_body)
            llhttp->flags |= F_SKIPBODY;
        parser->has_body = !parser->skip_body && parser->status != 101 &&
                           (parser->chunked || parser->length > 0 ||
                            llhttp_message_needs_eof(llhttp));
        /* Whatever length a 204 or 304 tells is not that of what follows. */
        if (parser->status / 100 == 1 || parser->status == 204 || parser->status == 304) {
            llhttp->flags |= F_SKIPBODY;
            parser->has_body = false;
        }
    }
    parser->keep_alive = llhttp_should_keep_alive(llhttp);
    parser->event = CG__HTTP_HEAD;
    /* Without a body the end is in the same bytes: one call does both. */
    return parser->has_body ? HPE_PAUSED : 0;
}

/* ---- The body -------------------------------------------------------------------- */

static int on_body(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    if (size == 0)
        return 0;
    parser->body = at;
    parser->body_size = size;
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

#define SETTINGS(text)                                                                     \
    {                                                                                      \
        .on_message_begin = on_begin,                                                      \
        .on_##text = on_text,                                                              \
        .on_##text##_complete = on_text_complete,                                          \
        .on_header_field = on_name,                                                        \
        .on_header_field_complete = on_name_complete,                                      \
        .on_header_value = on_value,                                                       \
        .on_headers_complete = on_headers_complete,                                        \
        .on_body = on_body,                                                                \
        .on_message_complete = on_message_complete,                                        \
        .on_chunk_extension_name = on_extension,                                           \
        .on_chunk_extension_value = on_extension,                                          \
    }

static const llhttp_settings_t requests = SETTINGS(url), responses = SETTINGS(status);

/* ---- From outside ---------------------------------------------------------------- */

void cg__http_parser_init(struct cg__http_parser *parser, enum cg__http_kind kind,
                          struct cg_http_headers *headers,
                          struct cg_http_headers *trailers,
                          const struct cg__http_limits *limits)
{
    bool request = kind == CG__HTTP_REQUEST;

    memset(parser, 0, offsetof(struct cg__http_parser, llhttp));
    parser->limits = limits;
    parser->headers = headers;
    parser->trailers = trailers;
    llhttp_init(&parser->llhttp, request ? HTTP_REQUEST : HTTP_RESPONSE,
                request ? &requests : &responses);
    parser->llhttp.data = parser;
}

static bool is_token_byte(const char *at, const char *end)
{
    return at < end && (*at == ' ' || cg__http_is_token(at, 1));
}

/* Names the refusal of a code of llhttp's own. */
static enum cg__http_event refused(struct cg__http_parser *parser, llhttp_errno_t error,
                                   const char *at)
{
    if (parser->why != NULL) /* by a callback of ours; llhttp has its own code for each */
        return CG__HTTP_BAD;
    parser->status = 400;
    parser->why = llhttp_get_error_reason(&parser->llhttp);
    if (error == HPE_PAUSED_H2_UPGRADE || error == HPE_INVALID_VERSION)
        parser->status = 505;
    else if (error == HPE_INVALID_METHOD && is_token_byte(at, parser->end))
        parser->status = 501; /* a method, but none that we know */
    else if (error == HPE_INVALID_TRANSFER_ENCODING)
        parser->status = 501;
    if (parser->why == NULL || *parser->why == '\0')
        parser->why = "not HTTP";
    return CG__HTTP_BAD;
}

/* The head, or the trailers, have ended just before `end`. llhttp lets the blank line be a
 * bare LF. */
static enum cg__http_event ended(struct cg__http_parser *parser, const char *data,
                                 const char *end)
{
    char before = end - data > 1 ? end[-2] : parser->before;
    bool whole = end > data && end[-1] == '\n' && before == '\r';

    if (parser->in_head && look_between(parser, end) != 0)
        return CG__HTTP_BAD;
    parser->in_head = false;
    if (!whole)
        refuse(parser, 400, "a bare LF");
    return whole ? parser->event : CG__HTTP_BAD;
}

enum cg__http_event cg__http_parse(struct cg__http_parser *parser, const char *data,
                                   size_t size, size_t *used)
{
    llhttp_errno_t error;

    *used = 0;
    if (parser->complete)
        return CG__HTTP_DONE;
    if (data == NULL)
        data = "";
    if (parser->paused)
        llhttp_resume(&parser->llhttp);
    parser->paused = false;
    parser->event = CG__HTTP_MORE;
    parser->mark = data;
    parser->end = data + size;
    error = llhttp_execute(&parser->llhttp, data, size);
    if (error == HPE_OK) {
        *used = size;
        if (size > 0)
            parser->before = data[size - 1];
        if (parser->in_head && look_between(parser, parser->end) != 0)
            return CG__HTTP_BAD;
        return CG__HTTP_MORE;
    }
    *used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - data);
    assert(*used <= size);
    if (error != HPE_PAUSED)
        return refused(parser, error, data + *used);
    parser->paused = true;
    if (parser->event == CG__HTTP_HEAD ||
        (parser->event == CG__HTTP_DONE && parser->chunked))
        return ended(parser, data, data + *used);
    if (*used > 0)
        parser->before = data[*used - 1];
    return parser->event;
}

enum cg__http_event cg__http_parse_end(struct cg__http_parser *parser)
{
    llhttp_errno_t error;

    if (parser->complete)
        return CG__HTTP_DONE;
    if (parser->paused)
        llhttp_resume(&parser->llhttp);
    parser->paused = false;
    error = llhttp_finish(&parser->llhttp);
    if (parser->complete)
        return CG__HTTP_DONE;
    parser->end = NULL;
    return refused(parser, error, NULL);
}

bool cg__http_untouched(const struct cg__http_parser *parser)
{
    return !parser->begun;
}
