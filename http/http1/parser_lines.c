/* SPDX-License-Identifier: MIT */
/* The lines of heads and trailers: stores them, ends their texts with NULs, and refuses
 * what llhttp accepts but other readers may understand differently: folded lines of a
 * request, and bare LFs. */
#include "config.h"

#include "http/http1/parser_inside.h"
#include "lib/base/ascii.h"

enum { BLANKS = 4096 }; /* bytes of a head outside target, names and values, at most */

_Static_assert((int)CG__HTTP_REPEAT_SIZE <= (int)BLANKS,
               "a remembered head with another target is within the limit");

/* A newline and a blank after it is a folded line: llhttp unfolds it, other readers see a
 * second field. A request with one is refused as an attack; clients unfold it in a response
 * (RFC 9112, 5.2). Readers also disagree about a newline without a CR. */
int cg__http_parser_look(struct cg__http_parser *parser, const char *to,
                         const char *end)
{
    const char *from = parser->seen_to, *at = from;
    char before = from > parser->data ? from[-1] : parser->before[2];
    bool may_fold = parser->llhttp.type == HTTP_RESPONSE;

    if (from == end)
        return 0;
    parser->seen_to = end;
    if (before == '\n' && cg__ascii_is_blank(*from) && !may_fold)
        return cg__http_parser_refuse_at(parser, from, 400, "a folded header line");
    for (; (at = memchr(at, '\n', (size_t)(to - at))) != NULL; at++) {
        if ((at > from ? at[-1] : before) != '\r')
            return cg__http_parser_refuse_at(parser, at, 400, "a bare LF");
        if (at + 1 < end && cg__ascii_is_blank(at[1]) && !may_fold)
            return cg__http_parser_refuse_at(parser, at + 1, 400,
                                             "a folded header line");
    }
    return 0;
}

size_t cg__http_parser_room(const struct cg__http_parser *parser)
{
    const struct cg__http_limits *limits = parser->limits;

    return (size_t)limits->target + limits->headers + BLANKS - parser->counted;
}

int cg__http_parser_refuse_length(struct cg__http_parser *parser)
{
    return cg__http_parser_refuse(parser, 431, "too many blanks");
}

int cg__http_parser_count(struct cg__http_parser *parser, const char *end)
{
    size_t size = (size_t)(end - parser->since);

    if (size > cg__http_parser_room(parser))
        return cg__http_parser_refuse_length(parser);
    parser->counted += (uint32_t)size;
    return 0;
}

/* Replaces the line ends within folded values by blanks; only responses have them. */
static void unfold(char *value, uint32_t len)
{
    char *at = value, *end = value + len;

    while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
        *at++ = ' ';
        *at++ = ' ';
    }
}

/* Ends the stored texts of fields: a NUL replaces the byte after each, which was a colon, a
 * blank or a CR. */
static void end_texts(struct cg__http_parser *parser, struct cg_http_headers *headers)
{
    bool may_fold = parser->llhttp.type == HTTP_RESPONSE;
    char *data = headers->data;
    uint32_t i = parser->ready, count = headers->count;

    parser->ready = count;
    for (struct cg__http_entry *entry = cg__http_entry(headers, i); i < count; i++, entry--) {
        char *name = data + entry->name, *value = data + entry->value;
        uint32_t name_len = entry->name_len, value_len = entry->value_len;

        if (may_fold)
            unfold(value, value_len);
        value_len = (uint32_t)cg__ascii_trimmed(value, value_len);
        entry->value_len = value_len;
        name[name_len] = '\0';
        value[value_len] = '\0';
        if (name_len < 32 && (CG__HTTP_NOTICED >> name_len & 1) && !parser->in_trailers)
            cg__http_parser_notice(parser, name, entry);
    }
}

int cg__http_parser_keep(struct cg__http_parser *parser, const char *end)
{
    struct cg_http_headers *headers = cg__http_parser_list(parser);

    if (parser->since == NULL)
        return 0;
    if (cg__http_parser_look(parser, end, end) != 0 ||
        cg__http_parser_count(parser, end) != 0)
        return HPE_USER;
    if (headers == NULL || parser->from == NULL)
        return 0;
    if (cg__http_message_text(headers, parser->from, (size_t)(end - parser->from)) < 0)
        return cg__http_parser_no_memory(parser);
    end_texts(parser, headers);
    return 0;
}
