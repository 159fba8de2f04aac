/* SPDX-License-Identifier: MIT */
/* The lines of heads and trailers: kept as they are, ended as texts, and refused where two
 * readers could understand them differently though llhttp lets them pass: folded lines, bare
 * LFs, a second Host, transfer codings but "chunked". */
#include "config.h"

#include "http/parser_inside.h"
#include "lib/ascii.h"

enum { BLANKS = 4096 }; /* bytes of a head that may be neither target nor name nor value */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- Ends of lines --------------------------------------------------------------- */

/* A newline and then a blank is a folded line: llhttp unfolds it, others take the second line
 * for a field; we take it for an attack. A newline without a CR is one more thing that
 * readers disagree about. */
int cg__http_look(struct cg__http_parser *parser, const char *to, const char *end)
{
    const char *from = parser->seen_to, *at = from;
    char before = from > parser->data ? from[-1] : parser->before;

    if (from == end)
        return 0;
    parser->seen_to = end;
    if (before == '\n' && is_blank(*from))
        return cg__http_refuse(parser, 400, "a folded header line");
    for (; (at = memchr(at, '\n', (size_t)(to - at))) != NULL; at++) {
        if ((at > from ? at[-1] : before) != '\r')
            return cg__http_refuse(parser, 400, "a bare LF");
        if (at + 1 < end && is_blank(at[1]))
            return cg__http_refuse(parser, 400, "a folded header line");
    }
    return 0;
}

int cg__http_count(struct cg__http_parser *parser, const char *end)
{
    const struct cg__http_limits *limits = parser->limits;
    size_t size = (size_t)(end - parser->since);

    if (size > (size_t)limits->target + limits->headers + BLANKS - parser->counted)
        return cg__http_refuse(parser, 431, "too many blanks");
    parser->counted += (uint32_t)size;
    return 0;
}

/* ---- Texts ----------------------------------------------------------------------- */

/* Sees whether a field is of interest. */
static void notice(struct cg__http_parser *parser, const char *name, uint32_t len,
                   uint32_t value)
{
    if (parser->in_trailers)
        return;
    if (len == 4 && cg__ascii_same(name, "Host", 4)) {
        parser->hosts += parser->hosts < 2;
        parser->host = value;
    } else if (len == 17 && cg__ascii_same(name, "Transfer-Encoding", 17)) {
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

int cg__http_keep(struct cg__http_parser *parser, const char *end)
{
    struct cg_http_headers *headers = cg__http_list(parser);

    if (parser->since == NULL)
        return 0;
    if (cg__http_look(parser, end, end) != 0 || cg__http_count(parser, end) != 0)
        return HPE_USER;
    if (headers == NULL || parser->from == NULL)
        return 0;
    if (cg__http_text(headers, parser->from, (size_t)(end - parser->from)) < 0)
        return cg__http_no_memory(parser);
    end_texts(parser, headers);
    return 0;
}

/* ---- What is refused ------------------------------------------------------------- */

static int check_coding(struct cg__http_parser *parser)
{
    if (parser->codings == 0)
        return 0;
    if (parser->minor == 0)
        return cg__http_refuse(parser, 400, "a transfer coding in HTTP/1.0");
    if (parser->codings > 1 ||
        !cg__ascii_equal(cg__http_at(parser->headers, parser->coding), "chunked"))
        return cg__http_refuse(parser, 501, "a transfer coding other than chunked");
    if (parser->has_length)
        return cg__http_refuse(parser, 400, "both a length and a transfer coding");
    return 0;
}

static int check_host(struct cg__http_parser *parser)
{
    const char *host;

    if (parser->hosts > 1 || (parser->hosts == 0 && parser->minor > 0))
        return cg__http_refuse(parser, 400,
                               parser->hosts > 1 ? "more than one Host" : "no Host");
    if (parser->hosts == 0)
        return 0; /* there may be no text at all */
    host = cg__http_at(parser->headers, parser->host);
    if (host[strcspn(host, " \t,/?#@\\<>\"")] != '\0')
        return cg__http_refuse(parser, 400, "no valid Host");
    return 0;
}

int cg__http_check_target(struct cg__http_parser *parser)
{
    if (memchr(cg__http_at(parser->line, parser->text), '#', parser->text_size) != NULL)
        return cg__http_refuse(parser, 400, "a fragment in the target");
    return 0;
}

int cg__http_check(struct cg__http_parser *parser)
{
    if (parser->text_size == 0) { /* of a response */
        parser->text = parser->line->used;
        if (cg__http_text(parser->line, "", 1) < 0)
            return cg__http_no_memory(parser);
    }
    if (parser->llhttp.type == HTTP_REQUEST)
        parser->method = llhttp_method_name((llhttp_method_t)parser->llhttp.method);
    if (check_coding(parser) != 0)
        return HPE_USER;
    if (parser->method == NULL)
        return 0;
    return check_host(parser) != 0 || cg__http_check_target(parser) != 0 ? HPE_USER : 0;
}
