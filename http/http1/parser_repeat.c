/* SPDX-License-Identifier: MIT */
/* Messages whose head repeats that of a message before: what the parser remembers of it. See
 * repeat.h. */
#include "config.h"

#include "http/http1/parser_inside.h"
#include "lib/base/ascii.h"

/* Whether a head may be remembered: its body, if it has one, is counted here. The framing of
 * requests is never taken from memory. */
static bool is_plain(const struct cg__http_parser *parser)
{
    if (parser->upgrade || parser->chunked || parser->codings > 0)
        return false;
    return parser->kind == CG__HTTP_RESPONSE
               ? parser->complete || parser->left > 0
               : parser->complete && !parser->has_length && parser->code != HTTP_CONNECT;
}

void cg__http_parser_remember(struct cg__http_parser *parser, const char *data,
                              const char *end)
{
    struct cg__http_repeat *repeat = parser->repeat;
    bool request = parser->kind == CG__HTTP_REQUEST;

    if (!is_plain(parser) ||
        !cg__http_repeat_keep(repeat, data, request ? parser->target_at : data,
                              request ? parser->text_len : 0, end, parser->headers))
        return;
    repeat->method = parser->method;
    repeat->code = parser->code;
    repeat->minor = parser->minor;
    repeat->keep_alive = parser->keep_alive;
    repeat->skip_body = parser->skip_body;
    repeat->has_body = parser->has_body;
    repeat->has_length = parser->has_length;
    repeat->status = parser->status;
    repeat->reason = parser->text;
    repeat->reason_len = parser->text_len;
    repeat->length = parser->length;
}

/* The head is that of a previous request, which has passed all checks, with a target of this
 * length. It cannot exceed the limit of all lines: a remembered head is too short. */
static enum cg__http_event repeated(struct cg__http_parser *parser, const char *data,
                                    size_t target_len, size_t *used)
{
    const struct cg__http_repeat *repeat = parser->repeat;
    struct cg_http_headers *line = parser->line;

    parser->begun = parser->complete = parser->repeated = true;
    *used = repeat->before + target_len + repeat->behind;
    parser->text = line->used;
    /* The blank behind the target becomes its NUL. */
    if (cg__http_message_text(line, data + repeat->before, target_len + 1) < 0 ||
        cg__http_repeat_fields(repeat, parser->headers) < 0) {
        cg__http_parser_no_memory(parser); /* no method: the access log knows it by that */
        return CG__HTTP_BAD;
    }
    line->data[line->used - 1] = '\0';
    parser->text_len = (uint32_t)target_len;
    parser->method = repeat->method;
    parser->code = repeat->code;
    parser->minor = repeat->minor;
    parser->keep_alive = repeat->keep_alive;
    return CG__HTTP_HEAD;
}

/* The head is that of a previous response. Its reason phrase is in the list of the fields. */
static enum cg__http_event repeated_response(struct cg__http_parser *parser, size_t *used)
{
    const struct cg__http_repeat *repeat = parser->repeat;

    parser->begun = parser->repeated = true;
    *used = repeat->behind;
    if (cg__http_repeat_fields(repeat, parser->headers) < 0) {
        cg__http_parser_no_memory(parser);
        return CG__HTTP_BAD;
    }
    parser->text = repeat->reason;
    parser->text_len = repeat->reason_len;
    parser->status = repeat->status;
    parser->minor = repeat->minor;
    parser->keep_alive = repeat->keep_alive;
    parser->has_body = repeat->has_body;
    parser->has_length = repeat->has_length;
    parser->length = repeat->length;
    parser->left = repeat->has_body ? repeat->length : 0;
    parser->complete = !repeat->has_body;
    return CG__HTTP_HEAD;
}

/* Replaces the remembered line whose value differs at this place from `fields`, which are the
 * bytes behind the target of a request. Returns where the new line ends, or 0. */
static size_t renew_line(struct cg__http_parser *parser, const char *fields, size_t size,
                         size_t place)
{
    struct cg__http_repeat *repeat = parser->repeat;
    struct cg__http_repeat_line old;
    const char *from, *end, *value;
    size_t len, value_len;

    if (!cg__http_repeat_find(repeat, place, &old))
        return 0;
    from = fields + old.from;
    end = memchr(fields + place, '\n', size - place);
    if (end == NULL || *--end != '\r' || cg__http_parser_notices(from, old.name_len))
        return 0;
    value = from + old.name_len + 1;
    while (cg__ascii_is_blank(*value))
        value++;
    value_len = cg__ascii_trimmed(value, (size_t)(end - value));
    len = (size_t)(end - from) + 2;
    if (repeat->used - old.len + len > parser->limits->headers || value_len == 0 ||
        !cg__http_message_is_value(value, value_len) ||
        !cg__http_repeat_renew(repeat, &old, from, len, (uint32_t)(value - from),
                               (uint32_t)value_len))
        return 0;
    return old.from + len;
}

/* How many lines of a head are renewed at most. To renew seven lines of a browser's twelve takes as
 * long as to parse its whole head, and the time grows with the square of the number of lines: for
 * 90 short ones, it would be eight times that of the head. */
enum { RENEWED = 4 };

/* Renews the remembered lines whose values differ from those in `fields`. True: what is
 * remembered equals the start of the fields. Not inline: otherwise heads that repeat save the
 * registers that only this needs. */
__attribute__((noinline)) static bool renew(struct cg__http_parser *parser, const char *fields,
                                            size_t size)
{
    const struct cg__http_repeat *repeat = parser->repeat;
    size_t place = 0;

    for (int lines = 0;; lines++) {
        place = cg__http_repeat_same(repeat, fields, size, place);
        if (place == repeat->behind)
            return true;
        if (lines == RENEWED || place == size)
            return false;
        place = renew_line(parser, fields, size, place);
        if (place == 0)
            return false;
    }
}

bool cg__http_parser_repeats(struct cg__http_parser *parser, const char *data, size_t size,
                             size_t *used, enum cg__http_event *event)
{
    const struct cg__http_repeat *repeat = parser->repeat;
    size_t target, before;

    if (parser->kind == CG__HTTP_RESPONSE) {
        if (parser->skip_body != repeat->skip_body ||
            !cg__http_repeat_is_whole(repeat, data, size))
            return false;
        *event = repeated_response(parser, used);
        return true;
    }
    target = cg__http_repeat_target(repeat, data, size, parser->limits->target);
    before = repeat->before + target;
    if (target == 0 || (!cg__http_repeat_is_behind(repeat, data + before, size - before) &&
                        !renew(parser, data + before, size - before)))
        return false;
    *event = repeated(parser, data, target, used);
    return true;
}
