/* SPDX-License-Identifier: MIT */
/* Checks a complete head: its framing, host and connection fields. llhttp frames the
 * message. If our reading of these fields differs from that, the message is refused:
 * where two readers disagree about framing, bytes of a body can become a request (request
 * smuggling). */
#include "config.h"

#include "http/http1/framing.h"
#include "http/http1/parser_inside.h"
#include "http/message/url.h"
#include "lib/base/ascii.h"

static bool ends_word(char c)
{
    return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\0';
}

/* Like cg__http_message_has_word, for three words at once. strspn would take ten times as
 * long for the few bytes of most lists. */
static void notice_connection(struct cg__http_parser *parser, const char *list)
{
    while (*list != '\0') {
        size_t size = 0;

        while (!ends_word(list[size]))
            size++;
        if (size == 5 && cg__ascii_same(list, "close", size))
            parser->options |= CG__HTTP_SAYS_CLOSE;
        else if (size == 7 && cg__ascii_same(list, "upgrade", size))
            parser->options |= CG__HTTP_SAYS_UPGRADE;
        else if (size == 10 && cg__ascii_same(list, "keep-alive", size))
            parser->options |= CG__HTTP_SAYS_KEEP_ALIVE;
        list += size;
        while (*list != '\0' && *list != ',') /* blanks and parameters */
            list++;
        while (*list != '\0' && ends_word(*list))
            list++;
    }
}

/* Counts a field that must not occur twice. */
static void note(uint8_t *count, uint32_t *place, uint32_t value)
{
    *count += *count < 2;
    *place = value;
}

enum noticed { NONE, HOST, UPGRADE, CONNECTION, LENGTH, CODING };

static enum noticed named(const char *name, size_t size)
{
    switch (size) {
    case 4:
        return cg__ascii_same(name, "host", size) ? HOST : NONE;
    case 7:
        return cg__ascii_same(name, "upgrade", size) ? UPGRADE : NONE;
    case 10:
        return cg__ascii_same(name, "connection", size) ? CONNECTION : NONE;
    case 14:
        return cg__ascii_same(name, "content-length", size) ? LENGTH : NONE;
    case 17:
        return cg__ascii_same(name, "transfer-encoding", size) ? CODING : NONE;
    default:
        return NONE;
    }
}

bool cg__http_parser_notices(const char *name, size_t len)
{
    return named(name, len) != NONE || cg__http_message_is_of_connection(name, len);
}

void cg__http_parser_notice(struct cg__http_parser *parser, const char *name,
                            const struct cg__http_entry *entry)
{
    switch (named(name, entry->name_len)) {
    case HOST:
        note(&parser->hosts, &parser->host, entry->value);
        break;
    case UPGRADE:
        parser->options |= CG__HTTP_HAS_UPGRADE;
        break;
    case CONNECTION:
        notice_connection(parser, cg__http_message_at(parser->headers, entry->value));
        break;
    case LENGTH:
        note(&parser->lengths, &parser->size, entry->value);
        break;
    case CODING:
        note(&parser->codings, &parser->coding, entry->value);
        break;
    case NONE:
        break;
    }
}

/* RFC 9112, 9.3: "close" takes precedence over other options. */
static bool keeps_alive(const struct cg__http_parser *parser)
{
    if ((parser->options & CG__HTTP_SAYS_CLOSE) || parser->until_close)
        return false;
    return parser->minor > 0 || (parser->options & CG__HTTP_SAYS_KEEP_ALIVE);
}

static bool upgrades(const struct cg__http_parser *parser)
{
    unsigned both = CG__HTTP_SAYS_UPGRADE | CG__HTTP_HAS_UPGRADE;

    if (parser->method == NULL)
        return parser->status == 101 && (parser->options & both) == both;
    return parser->code == HTTP_CONNECT || (parser->options & both) == both;
}

static int disagree(struct cg__http_parser *parser)
{
    return cg__http_parser_refuse(parser, 400,
                                  "an ambiguous framing");
}

static int check_length(struct cg__http_parser *parser)
{
    uint64_t length;

    if (parser->lengths == 0 && !parser->has_length)
        return 0;
    if (parser->lengths != 1 || !parser->has_length ||
        !cg__http_framing_length(cg__http_message_at(parser->headers, parser->size),
                                 &length) ||
        length != parser->length)
        return disagree(parser);
    return 0;
}

static int check_coding(struct cg__http_parser *parser)
{
    const char *coding;

    if (parser->codings == 0)
        return parser->chunked ? disagree(parser) : 0;
    if (parser->minor == 0)
        return cg__http_parser_refuse(parser, 400, "a transfer coding in HTTP/1.0");
    coding = cg__http_message_at(parser->headers, parser->coding);
    if (parser->codings > 1 || !cg__ascii_equal(coding, "chunked"))
        return cg__http_parser_refuse(parser, 501,
                                      "a transfer coding other than chunked");
    if (parser->has_length)
        return cg__http_parser_refuse(parser, 400,
                                      "both a length and a transfer coding");
    return parser->chunked ? 0 : disagree(parser);
}

static int check_host(struct cg__http_parser *parser)
{
    const char *host;

    if (parser->hosts > 1 || (parser->hosts == 0 && parser->minor > 0))
        return cg__http_parser_refuse(
            parser, 400, parser->hosts > 1 ? "more than one Host" : "no Host");
    if (parser->hosts == 0)
        return 0; /* there may be no text at all */
    host = cg__http_message_at(parser->headers, parser->host);
    if (!cg__http_url_is_host(host, strlen(host)))
        return cg__http_parser_refuse(parser, 400, "no valid Host");
    return 0;
}

static int check_target(struct cg__http_parser *parser)
{
    if (memchr(cg__http_message_at(parser->line, parser->text), '#',
               parser->text_len) != NULL)
        return cg__http_parser_refuse(parser, 400, "a fragment in the target");
    return 0;
}

int cg__http_parser_check(struct cg__http_parser *parser)
{
    if (parser->text_len == 0) { /* of a response */
        parser->text = parser->line->used;
        if (cg__http_message_text(parser->line, "", 1) < 0)
            return cg__http_parser_no_memory(parser);
    } else if (!cg__http_message_is_value(
                   cg__http_message_at(parser->line, parser->text),
                   parser->text_len)) {
        return cg__http_parser_refuse(parser, 400,
                                      "a control character in the first line");
    }
    if (parser->kind == CG__HTTP_REQUEST)
        parser->method = llhttp_method_name((llhttp_method_t)parser->llhttp.method);
    if (check_length(parser) != 0 || check_coding(parser) != 0)
        return HPE_USER;
    parser->keep_alive = keeps_alive(parser);
    parser->upgrade = upgrades(parser);
    if (parser->chunked && parser->has_body)
        parser->chunk = CG__HTTP_CHUNK_SIZE;
    else if (parser->has_body)
        parser->left = parser->length;
    if (parser->method == NULL)
        return 0;
    return check_host(parser) != 0 || check_target(parser) != 0
               ? HPE_USER
               : 0;
}
