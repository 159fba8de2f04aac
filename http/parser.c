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

enum token { NOTHING, NAME, VALUE };

enum { BLANKS = 4096 }; /* bytes of a head that may be neither target nor name nor value */

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

/* ---- Where texts are ------------------------------------------------------------- */

/* From the first field to their end they are kept as they are, by one copy of each piece once
 * llhttp has seen it: places can be told before. So are trailers. */

/* Where the fields go that are being read; NULL: nowhere. */
static struct cg_http_headers *list(const struct cg__http_parser *parser)
{
    return parser->in_trailers ? parser->trailers : parser->headers;
}

static void keep_from(struct cg__http_parser *parser, const char *at)
{
    const struct cg_http_headers *headers = list(parser);

    if (parser->from != NULL)
        return;
    parser->from = at;
    parser->base = headers ? headers->used : 0;
}

/* The place that a byte will have. */
static uint32_t place(const struct cg__http_parser *parser, const char *at)
{
    return parser->base + (uint32_t)(at - parser->from);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Looks at the ends of lines up to `to`; from there to `end` is a text. A newline and then a
 * blank is a folded line: llhttp unfolds it, others take the second line for a field; we take
 * it for an attack. A newline without a CR is one more thing that readers disagree about. */
static int look_at_lines(struct cg__http_parser *parser, const char *to, const char *end)
{
    const char *from = parser->seen_to, *at = from;
    char before = from > parser->data ? from[-1] : parser->before;

    if (from == end)
        return 0;
    parser->seen_to = end;
    if (before == '\n' && is_blank(*from))
        return refuse(parser, 400, "a folded header line");
    for (; (at = memchr(at, '\n', (size_t)(to - at))) != NULL; at++) {
        if ((at > from ? at[-1] : before) != '\r')
            return refuse(parser, 400, "a bare LF");
        if (at + 1 < end && is_blank(at[1]))
            return refuse(parser, 400, "a folded header line");
    }
    return 0;
}

/* A text comes. It has no end of a line in it, whatever llhttp thinks of these: only what is
 * between two texts is looked at, and that is nearly always the same two bytes. */
static inline int pass_text(struct cg__http_parser *parser, const char *between,
                            const char *at, size_t size)
{
    const char *from = parser->seen_to;

    if (from == NULL)
        parser->since = at;
    else if (at - from != 2 || memcmp(from, between, 2) != 0)
        return look_at_lines(parser, at, at + size);
    parser->seen_to = at + size;
    return 0;
}

/* Counts the bytes of lines up to `end`. */
static int count_lines(struct cg__http_parser *parser, const char *end)
{
    const struct cg__http_limits *limits = parser->limits;
    size_t size = (size_t)(end - parser->since);

    if (size > (size_t)limits->target + limits->headers + BLANKS - parser->counted)
        return refuse(parser, 431, "too many blanks");
    parser->counted += (uint32_t)size;
    return 0;
}

/* Sees whether a field is of interest. */
static void notice(struct cg__http_parser *parser, const char *name, uint32_t len,
                   uint32_t value)
{
    if (parser->in_trailers)
        return;
    if (len == 4 && strcasecmp(name, "Host") == 0) {
        parser->hosts += parser->hosts < 2;
        parser->host = value;
    } else if (len == 17 && strcasecmp(name, "Transfer-Encoding") == 0) {
        parser->codings += parser->codings < 2;
        parser->coding = value;
    }
}

/* Ends the texts of fields that have been kept, each with a NUL where the byte behind it was:
 * a colon, a blank or a CR. */
static void end_texts(struct cg__http_parser *parser, struct cg_http_headers *headers)
{
    char *data = headers->data;
    uint32_t i = parser->ready, count = headers->count;

    parser->ready = count;
    for (struct cg__http_entry *entry = cg__http_entry(headers, i); i < count; i++, entry--) {
        char *name = data + entry->name, *value = data + entry->value;
        uint32_t name_len = entry->name_len, value_len = entry->value_len;

        while (value_len > 0 && is_blank(value[value_len - 1]))
            value_len--;
        entry->value_len = value_len;
        name[name_len] = '\0';
        value[value_len] = '\0';
        if (name_len == 4 || name_len == 17)
            notice(parser, name, name_len, entry->value);
    }
}

/* Keeps what llhttp has seen, up to `end`. */
static int keep(struct cg__http_parser *parser, const char *end)
{
    struct cg_http_headers *headers = list(parser);

    if (parser->since == NULL)
        return 0;
    if (look_at_lines(parser, end, end) != 0 || count_lines(parser, end) != 0)
        return HPE_USER;
    if (headers == NULL || parser->from == NULL)
        return 0;
    if (cg__http_text(headers, parser->from, (size_t)(end - parser->from)) < 0)
        return no_memory(parser);
    end_texts(parser, headers);
    return 0;
}

/* ---- The first line -------------------------------------------------------------- */

static int on_begin(llhttp_t *llhttp)
{
    of(llhttp)->begun = true;
    return 0;
}

static int on_text(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg_http_headers *line = parser->line;

    if (pass_text(parser, "\r\n", at, size) != 0)
        return HPE_USER;
    if (size > parser->limits->target - parser->text_size)
        return refuse(parser, 414, "the target is too long");
    if (parser->text_size == 0)
        parser->text = line->used;
    else
        line->used--; /* the NUL */
    parser->text_size += (uint32_t)size;
    if (cg__http_reserve(line, size + 1) < 0)
        return no_memory(parser);
    memcpy(line->data + line->used, at, size);
    line->used += (uint32_t)size + 1;
    line->data[line->used - 1] = '\0';
    return 0;
}

/* Of a request. Between it and the target there is no end of a line. */
static int on_version(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    parser->seen_to = at + size;
    return 0;
}

/* Before the first end of a line. */
static int on_version_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);

    parser->fields_at = parser->seen_to;
    parser->repeated =
        parser->repeat != NULL &&
        cg__http_repeats(parser->repeat, llhttp->method, llhttp->http_major,
                         llhttp->http_minor, parser->fields_at, parser->end);
    return parser->repeated ? HPE_PAUSED : 0;
}

/* ---- Fields ---------------------------------------------------------------------- */

/* Counts a piece of a name or value. */
static int piece(struct cg__http_parser *parser, size_t size)
{
    if (size > parser->limits->headers - parser->seen)
        return refuse(parser, 431, "the header fields are too long");
    parser->seen += (uint32_t)size;
    return 0;
}

/* A field is complete once the next one or the end of the head has come. */
static inline int end_field(struct cg__http_parser *parser)
{
    struct cg_http_headers *headers = list(parser);
    enum token token = parser->token;

    parser->token = NOTHING;
    if (token == NOTHING || headers == NULL)
        return 0;
    return cg__http_entry_push(headers, parser->entry) < 0 ? no_memory(parser) : 0;
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
        return refuse(parser, 431, "too many header fields");
    keep_from(parser, at);
    parser->token = NAME;
    parser->entry = (struct cg__http_entry){.name = place(parser, at)};
    return 0;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);

    if (pass_text(parser, "\r\n", at, size) != 0 ||
        (parser->token != NAME && begin_field(parser, at) != 0))
        return HPE_USER;
    parser->entry.name_len += (uint32_t)size;
    return piece(parser, size);
}

/* That of an empty value comes from somewhere behind it. */
static int on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct cg__http_parser *parser = of(llhttp);
    struct cg__http_entry *entry = &parser->entry;

    parser->token = VALUE;
    if (pass_text(parser, ": ", at, size) != 0)
        return HPE_USER;
    if (entry->name_len == 0)
        return refuse(parser, 400, "a header field without a name");
    if (entry->value_len == 0)
        entry->value = size > 0 ? place(parser, at) : entry->name + entry->name_len;
    entry->value_len += (uint32_t)size;
    return piece(parser, size);
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

static int check_coding(struct cg__http_parser *parser)
{
    if (parser->codings == 0)
        return 0;
    if (parser->minor == 0)
        return refuse(parser, 400, "a transfer coding in HTTP/1.0");
    if (parser->codings > 1 ||
        strcasecmp(cg__http_at(parser->headers, parser->coding), "chunked") != 0)
        return refuse(parser, 501, "a transfer coding other than chunked");
    if (parser->has_length)
        return refuse(parser, 400, "both a length and a transfer coding");
    return 0;
}

static int check_host(struct cg__http_parser *parser)
{
    const char *host;

    if (parser->hosts > 1 || (parser->hosts == 0 && parser->minor > 0))
        return refuse(parser, 400, parser->hosts > 1 ? "more than one Host" : "no Host");
    if (parser->hosts == 0)
        return 0; /* there may be no text at all */
    host = cg__http_at(parser->headers, parser->host);
    if (host[strcspn(host, " \t,/?#@\\<>\"")] != '\0')
        return refuse(parser, 400, "no valid Host");
    return 0;
}

static int check_target(struct cg__http_parser *parser)
{
    if (memchr(cg__http_at(parser->line, parser->text), '#', parser->text_size) != NULL)
        return refuse(parser, 400, "a fragment in the target");
    return 0;
}

/* The head has been kept. */
static int check_head(struct cg__http_parser *parser)
{
    if (parser->text_size == 0) { /* of a response */
        parser->text = parser->line->used;
        if (cg__http_text(parser->line, "", 1) < 0)
            return no_memory(parser);
    }
    if (parser->llhttp.type == HTTP_REQUEST)
        parser->method = llhttp_method_name((llhttp_method_t)parser->llhttp.method);
    if (check_coding(parser) != 0)
        return HPE_USER;
    if (parser->method == NULL)
        return 0;
    return check_host(parser) != 0 || check_target(parser) != 0 ? HPE_USER : 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct cg__http_parser *parser = of(llhttp);
    bool coded;

    if (end_field(parser) != 0)
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
    if (llhttp->type == HTTP_REQUEST) {
        parser->code = llhttp->method;
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
    /* Without a body the end is in the same bytes: one call does both. A coding that llhttp
     * would refuse now is check_head's. */
    coded = !parser->chunked && (llhttp->flags & F_TRANSFER_ENCODING);
    return parser->has_body || coded ? HPE_PAUSED : 0;
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

#define SETTINGS(...)                                                                      \
    {                                                                                      \
        __VA_ARGS__,                                                                       \
        .on_message_begin = on_begin,                                                      \
        .on_header_field = on_name,                                                        \
        .on_header_value = on_value,                                                       \
        .on_headers_complete = on_headers_complete,                                        \
        .on_body = on_body,                                                                \
        .on_message_complete = on_message_complete,                                        \
        .on_chunk_extension_name = on_extension,                                           \
        .on_chunk_extension_value = on_extension,                                          \
    }

static const llhttp_settings_t requests = SETTINGS(
    .on_url = on_text, .on_version = on_version, .on_version_complete = on_version_complete);
static const llhttp_settings_t responses = SETTINGS(.on_status = on_text);

/* ---- From outside ---------------------------------------------------------------- */

void cg__http_parser_init(struct cg__http_parser *parser, enum cg__http_kind kind,
                          struct cg_http_headers *headers,
                          struct cg_http_headers *trailers,
                          const struct cg__http_limits *limits)
{
    bool request = kind == CG__HTTP_REQUEST;

    memset(&parser->skip_body, 0,
           offsetof(struct cg__http_parser, host) - offsetof(struct cg__http_parser, skip_body));
    parser->limits = limits;
    parser->headers = headers;
    parser->line = headers;
    parser->trailers = trailers;
    parser->repeat = NULL;
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
static enum cg__http_event ended(struct cg__http_parser *parser, const char *end)
{
    char before = end - parser->data > 1 ? end[-2] : parser->before;

    if (end == parser->data || end[-1] != '\n' || before != '\r') {
        refuse(parser, 400, "a bare LF");
        return CG__HTTP_BAD;
    }
    if (parser->event == CG__HTTP_HEAD && check_head(parser) != 0)
        return CG__HTTP_BAD;
    parser->looking = false;
    parser->keeping = false;
    return parser->event;
}

/* A head that is of use again if the next one has the same fields. */
static void remember(struct cg__http_parser *parser, const char *end)
{
    struct cg__http_repeat *repeat = parser->repeat;

    if (!parser->complete || parser->upgrade || parser->chunked || parser->has_length ||
        parser->codings > 0 || parser->code == HTTP_CONNECT || parser->fields_at == NULL ||
        !cg__http_repeat_keep(repeat, parser->fields_at, (size_t)(end - parser->fields_at),
                              parser->headers))
        return;
    repeat->method = parser->code;
    repeat->minor = parser->minor;
    repeat->keep_alive = parser->keep_alive;
}

/* The head is complete: its fields are those of the one before. */
static enum cg__http_event repeated(struct cg__http_parser *parser, const char *end)
{
    const struct cg__http_repeat *repeat = parser->repeat;

    parser->event = CG__HTTP_HEAD;
    parser->complete = true;
    parser->method = llhttp_method_name((llhttp_method_t)repeat->method);
    parser->code = repeat->method;
    parser->minor = repeat->minor;
    parser->keep_alive = repeat->keep_alive;
    if (count_lines(parser, end) != 0 || check_target(parser) != 0)
        return CG__HTTP_BAD;
    if (cg__http_repeat_fields(repeat, parser->headers) < 0) {
        no_memory(parser);
        return CG__HTTP_BAD;
    }
    return CG__HTTP_HEAD;
}

/* What llhttp has done with bytes up to `end`. */
static enum cg__http_event parsed(struct cg__http_parser *parser, llhttp_errno_t error,
                                  const char *end)
{
    if (error != HPE_OK && error != HPE_PAUSED) {
        /* What is wrong with an earlier line is told first, as it is if only that had come. */
        if (parser->since != NULL && look_at_lines(parser, end, end) != 0)
            return CG__HTTP_BAD;
        return refused(parser, error, end);
    }
    if (keep(parser, end) != 0)
        return CG__HTTP_BAD;
    if (error == HPE_OK)
        return CG__HTTP_MORE;
    parser->paused = true;
    if (parser->event == CG__HTTP_HEAD ||
        (parser->event == CG__HTTP_DONE && parser->chunked))
        return ended(parser, end);
    return parser->event;
}

enum cg__http_event cg__http_parse(struct cg__http_parser *parser, const char *data,
                                   size_t size, size_t *used)
{
    struct cg_http_headers *headers;
    enum cg__http_event event;
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
    parser->data = data;
    parser->end = data + size;
    parser->fields_at = NULL;
    parser->since = parser->seen_to = parser->looking ? data : NULL;
    parser->from = NULL;
    if (parser->keeping)
        keep_from(parser, data);
    error = llhttp_execute(&parser->llhttp, data, size);
    if (parser->repeated) {
        *used = (size_t)(parser->fields_at - data) + parser->repeat->size;
        return repeated(parser, data + *used);
    }
    *used = size;
    if (error != HPE_OK)
        *used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - data);
    assert(*used <= size);
    parser->looking = parser->since != NULL;
    parser->keeping = parser->from != NULL;
    event = parsed(parser, error, data + *used);
    if (event == CG__HTTP_HEAD && parser->repeat != NULL)
        remember(parser, data + *used);
    if (*used > 0)
        parser->before = data[*used - 1];
    headers = list(parser);
    if (event == CG__HTTP_BAD && headers != NULL)
        headers->count = parser->ready; /* of the others the texts have not been kept */
    return event;
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
