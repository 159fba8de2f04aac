/* SPDX-License-Identifier: MIT */
/* What the files of the parser share: parser.c drives llhttp, parser_calls.c has llhttp's
 * callbacks, parser_lines.c stores the lines of heads and trailers, parser_check.c checks a
 * complete head, parser_chunks.c parses the lines of chunk sizes, parser_repeat.c recognizes
 * heads that repeat. */
#ifndef COGEN_HTTP_HTTP1_PARSER_INSIDE_H
#define COGEN_HTTP_HTTP1_PARSER_INSIDE_H

#include "http/http1/parser.h"

#include <string.h>

/* llhttp's callbacks for a request and for a response: parser_calls.c. */
extern const llhttp_settings_t cg__http_parser_request_calls,
    cg__http_parser_response_calls;

static inline int cg__http_parser_refuse(struct cg__http_parser *parser, int status,
                                         const char *why)
{
    parser->status = (uint16_t)status;
    parser->why = why;
    return HPE_USER;
}

/* Like cg__http_parser_refuse, because of one byte. It matters where another limit was
 * exceeded before that byte: see first_refusal in parser.c. */
static inline int cg__http_parser_refuse_at(struct cg__http_parser *parser,
                                            const char *at, int status, const char *why)
{
    parser->refused = at;
    return cg__http_parser_refuse(parser, status, why);
}

static inline int cg__http_parser_no_memory(struct cg__http_parser *parser)
{
    return cg__http_parser_refuse(parser, 503, "no memory");
}

/* Defined in parser_lines.c: */

/* The list that gets the present fields; NULL: they are dropped. */
static inline struct cg_http_headers *
cg__http_parser_list(const struct cg__http_parser *parser)
{
    return parser->in_trailers ? parser->trailers : parser->headers;
}

/* The bytes from the first field to the end of the fields (or trailers) are stored as
 * they are, with one copy of each piece after llhttp has parsed it. Their places are
 * known before. */
static inline void cg__http_parser_keep_from(struct cg__http_parser *parser,
                                             const char *at)
{
    const struct cg_http_headers *headers = cg__http_parser_list(parser);

    if (parser->from != NULL)
        return;
    parser->from = at;
    parser->base = headers ? headers->used : 0;
}

/* The place that a byte will have. */
static inline uint32_t cg__http_parser_place(const struct cg__http_parser *parser,
                                             const char *at)
{
    return parser->base + (uint32_t)(at - parser->from);
}

/* Stores the bytes that llhttp has parsed, up to `end`. */
int cg__http_parser_keep(struct cg__http_parser *parser, const char *end);

/* Checks the ends of lines up to `to`; from there to `end` is a text. */
int cg__http_parser_look(struct cg__http_parser *parser, const char *to,
                         const char *end);

/* Called for each text. A text has no end of a line in it, so only the bytes between two
 * texts are checked; these are nearly always the same two bytes (fast path). */
static inline int cg__http_parser_pass(struct cg__http_parser *parser,
                                       const char *between, const char *at, size_t size)
{
    const char *from = parser->seen_to;

    if (from == NULL)
        parser->since = at;
    else if (at - from != 2 || memcmp(from, between, 2) != 0)
        return cg__http_parser_look(parser, at, at + size);
    parser->seen_to = at + size;
    return 0;
}

/* Counts the bytes of lines up to `end`. */
int cg__http_parser_count(struct cg__http_parser *parser, const char *end);

/* How many bytes of lines may still come after `since`. */
size_t cg__http_parser_room(const struct cg__http_parser *parser);

/* Refuses the message because its lines exceed the limit. */
int cg__http_parser_refuse_length(struct cg__http_parser *parser);

/* Defined in parser_check.c: */

/* What the fields Connection and Upgrade say. */
enum cg__http_option {
    CG__HTTP_SAYS_CLOSE = 1,
    CG__HTTP_SAYS_KEEP_ALIVE = 2,
    CG__HTTP_SAYS_UPGRADE = 4, /* Connection: upgrade */
    CG__HTTP_HAS_UPGRADE = 8,  /* an Upgrade field */
};

/* The lengths of the names that cg__http_parser_notice knows, one bit each. */
enum { CG__HTTP_NOTICED = 1 << 4 | 1 << 7 | 1 << 10 | 1 << 14 | 1 << 17 };

/* Notes a field of the head that its framing, host or connection depends on. */
void cg__http_parser_notice(struct cg__http_parser *parser, const char *name,
                            const struct cg__http_entry *entry);

/* Whether a field of this name may mean anything to it or to llhttp. */
bool cg__http_parser_notices(const char *name, size_t len);

/* Makes the checks that llhttp does not make, on a complete head,
 * and notes what its fields imply. */
int cg__http_parser_check(struct cg__http_parser *parser);

/* Defined in parser_chunks.c: */

/* Where in the line of a chunk's size the parser is. */
enum cg__http_chunk {
    CG__HTTP_NO_CHUNK, /* not in one: llhttp reads the bytes */
    CG__HTTP_CHUNK_SIZE,
    CG__HTTP_CHUNK_SEMICOLON, /* a semicolon must follow, after blanks */
    CG__HTTP_CHUNK_BEFORE_NAME,
    CG__HTTP_CHUNK_NAME,
    CG__HTTP_CHUNK_BEHIND_NAME,
    CG__HTTP_CHUNK_BEFORE_VALUE,
    CG__HTTP_CHUNK_VALUE,
    CG__HTTP_CHUNK_QUOTED,
    CG__HTTP_CHUNK_ESCAPED,
    CG__HTTP_CHUNK_BEHIND_QUOTED,
};

/* Returns how many of the bytes are digits of the chunk's size, which llhttp gets. After
 * the last digit parser->chunk changes. */
size_t cg__http_parser_chunk_digits(struct cg__http_parser *parser, const char *data,
                                    size_t size);

/* Returns how many of the bytes after the digits belong to extensions, which are dropped.
 * At the end of the line parser->chunk becomes CG__HTTP_NO_CHUNK. Invalid extensions set
 * parser->why. */
size_t cg__http_parser_chunk_extensions(struct cg__http_parser *parser,
                                        const char *data, size_t size);

/* Defined in parser_repeat.c: */

/* Remembers a head, from `data` to `end`, for the next message, if that is worth while. */
void cg__http_parser_remember(struct cg__http_parser *parser, const char *data,
                              const char *end);

/* Whether these bytes begin with the head of a previous message; then *event is what it means. */
bool cg__http_parser_repeats(struct cg__http_parser *parser, const char *data, size_t size,
                             size_t *used, enum cg__http_event *event);

#endif
