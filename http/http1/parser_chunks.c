/* SPDX-License-Identifier: MIT */
/* The lines of chunk sizes. llhttp gets the digits and the end of the line, and frames
 * the body. Chunk extensions are not passed to it, since it refuses some valid ones; they
 * are checked against their grammar and dropped (RFC 9112, 7.1.1). The grammar allows no
 * end of a line, so that two readers cannot disagree about where the chunk begins. */
#include "config.h"

#include "http/http1/parser_inside.h"
#include "lib/base/ascii.h"

enum { DIGITS = 16 }; /* of a size: leading zeros count, too */

size_t cg__http_parser_chunk_digits(struct cg__http_parser *parser, const char *data,
                                    size_t size)
{
    size_t n = 0;

    if (parser->chunk != CG__HTTP_CHUNK_SIZE)
        return 0;
    while (n < size && cg__ascii_hex(data[n]) >= 0 && parser->digits < DIGITS) {
        n++;
        parser->digits++;
    }
    if (n == size)
        return n;
    if (cg__ascii_hex(data[n]) >= 0)
        cg__http_parser_refuse(parser, 400, "a chunk size with too many digits");
    else if (parser->digits > 0 && (cg__ascii_is_blank(data[n]) || data[n] == ';'))
        parser->chunk = CG__HTTP_CHUNK_SEMICOLON;
    else
        parser->chunk = CG__HTTP_NO_CHUNK; /* the end of the line, or an error */
    parser->digits = 0;
    return n;
}

/* The state after a name or a value. */
static int behind(char c, enum cg__http_chunk blank)
{
    if (cg__ascii_is_blank(c))
        return blank;
    return c == ';' ? CG__HTTP_CHUNK_BEFORE_NAME : c == '\r' ? CG__HTTP_NO_CHUNK : -1;
}

/* The state after a byte; -1: the byte is invalid there. */
static int step(enum cg__http_chunk state, char c)
{
    bool token = cg__http_message_is_token(&c, 1);

    switch (state) {
    case CG__HTTP_CHUNK_SEMICOLON:
        return cg__ascii_is_blank(c) ? (int)state : c == ';' ? CG__HTTP_CHUNK_BEFORE_NAME : -1;
    case CG__HTTP_CHUNK_BEFORE_NAME:
        return cg__ascii_is_blank(c) ? (int)state : token ? CG__HTTP_CHUNK_NAME : -1;
    case CG__HTTP_CHUNK_NAME:
        if (token || c == '=')
            return token ? CG__HTTP_CHUNK_NAME : CG__HTTP_CHUNK_BEFORE_VALUE;
        return behind(c, CG__HTTP_CHUNK_BEHIND_NAME);
    case CG__HTTP_CHUNK_BEHIND_NAME:
        if (c == '=')
            return CG__HTTP_CHUNK_BEFORE_VALUE;
        return c == '\r' ? -1 : behind(c, state);
    case CG__HTTP_CHUNK_BEFORE_VALUE:
        if (cg__ascii_is_blank(c) || c == '"')
            return c == '"' ? CG__HTTP_CHUNK_QUOTED : (int)state;
        return token ? CG__HTTP_CHUNK_VALUE : -1;
    case CG__HTTP_CHUNK_VALUE:
        return token ? (int)state : behind(c, CG__HTTP_CHUNK_SEMICOLON);
    case CG__HTTP_CHUNK_QUOTED:
        if (c == '"' || c == '\\')
            return c == '"' ? CG__HTTP_CHUNK_BEHIND_QUOTED : CG__HTTP_CHUNK_ESCAPED;
        return cg__http_message_is_value(&c, 1) ? (int)state : -1;
    case CG__HTTP_CHUNK_ESCAPED:
        return cg__http_message_is_value(&c, 1) ? CG__HTTP_CHUNK_QUOTED : -1;
    default:
        return behind(c, CG__HTTP_CHUNK_SEMICOLON);
    }
}

size_t cg__http_parser_chunk_extensions(struct cg__http_parser *parser,
                                        const char *data, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        int next = step(parser->chunk, data[n]);

        if (next < 0) {
            cg__http_parser_refuse(parser, 400, "a chunk extension that is not valid");
            return n;
        }
        parser->chunk = (uint8_t)next;
        if (next == CG__HTTP_NO_CHUNK) /* at the CR, which is for llhttp */
            return n;
        if (parser->extensions++ == parser->limits->headers) {
            cg__http_parser_refuse(parser, 400, "the chunk extensions are too long");
            return n;
        }
    }
    return size;
}
