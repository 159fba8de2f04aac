/* SPDX-License-Identifier: MIT */
/* What the files of the parser share: parser.c drives llhttp, parser_calls.c is what llhttp
 * calls back, parser_lines.c sees to the lines of heads and trailers. */
#ifndef COGEN_HTTP_PARSER_INSIDE_H
#define COGEN_HTTP_PARSER_INSIDE_H

#include "http/parser.h"

#include <string.h>

/* What llhttp calls, for a request and for a response: parser_calls.c. */
extern const llhttp_settings_t cg__http_request_calls, cg__http_response_calls;

static inline int cg__http_refuse(struct cg__http_parser *parser, int status,
                                  const char *why)
{
    parser->status = (uint16_t)status;
    parser->why = why;
    return HPE_USER;
}

static inline int cg__http_no_memory(struct cg__http_parser *parser)
{
    return cg__http_refuse(parser, 503, "no memory");
}

/* ---- parser_lines.c -------------------------------------------------------------- */

/* Where the fields go that are being read; NULL: nowhere. */
static inline struct cg_http_headers *cg__http_list(const struct cg__http_parser *parser)
{
    return parser->in_trailers ? parser->trailers : parser->headers;
}

/* From the first field to their end they are kept as they are, by one copy of each piece once
 * llhttp has seen it: places can be told before. So are trailers. */
static inline void cg__http_keep_from(struct cg__http_parser *parser, const char *at)
{
    const struct cg_http_headers *headers = cg__http_list(parser);

    if (parser->from != NULL)
        return;
    parser->from = at;
    parser->base = headers ? headers->used : 0;
}

/* The place that a byte will have. */
static inline uint32_t cg__http_place(const struct cg__http_parser *parser, const char *at)
{
    return parser->base + (uint32_t)(at - parser->from);
}

/* Keeps what llhttp has seen, up to `end`. */
int cg__http_keep(struct cg__http_parser *parser, const char *end);

/* Looks at the ends of lines up to `to`; from there to `end` is a text. */
int cg__http_look(struct cg__http_parser *parser, const char *to, const char *end);

/* A text comes. It has no end of a line in it, whatever llhttp thinks of these: only what is
 * between two texts is looked at, and that is nearly always the same two bytes. */
static inline int cg__http_pass(struct cg__http_parser *parser, const char *between,
                                const char *at, size_t size)
{
    const char *from = parser->seen_to;

    if (from == NULL)
        parser->since = at;
    else if (at - from != 2 || memcmp(from, between, 2) != 0)
        return cg__http_look(parser, at, at + size);
    parser->seen_to = at + size;
    return 0;
}

/* Counts the bytes of lines up to `end`. */
int cg__http_count(struct cg__http_parser *parser, const char *end);

/* What we refuse in a head that has been kept; and in a target alone. */
int cg__http_check(struct cg__http_parser *parser);
int cg__http_check_target(struct cg__http_parser *parser);

#endif
