/* SPDX-License-Identifier: MIT */
/* The framing of bodies that are written: by length, in chunks, or by the end of the
 * connection. */
#ifndef COGEN_HTTP_HTTP1_FRAMING_H
#define COGEN_HTTP_HTTP1_FRAMING_H

#include "http/message/message.h"

enum cg__http_framing {
    CG__HTTP_NO_BODY, /* nothing follows the head, whatever its fields say */
    CG__HTTP_LENGTH,  /* as many bytes as Content-Length says */
    CG__HTTP_CHUNKED,
    CG__HTTP_CLOSE, /* up to the end of the connection */
};

/* Whether a response with this status has a body (RFC 9110, 15.3.5, 15.3.6, 15.4.5). */
static inline bool cg__http_framing_has_body(int status)
{
    return status >= 200 && status != 204 && status != 205 && status != 304;
}

/* The framing of a response's body: `head` if the request was HEAD; `minor` of the
 * request's version; `has_length`: its length is known. */
static inline enum cg__http_framing cg__http_framing_choose(int status, bool head,
                                                            int minor, bool has_length)
{
    if (head || !cg__http_framing_has_body(status))
        return CG__HTTP_NO_BODY;
    if (has_length)
        return CG__HTTP_LENGTH;
    return minor > 0 ? CG__HTTP_CHUNKED : CG__HTTP_CLOSE;
}

enum { CG__HTTP_CHUNK_HEAD = 20 }; /* size of the line before a chunk */

/* Writes a hexadecimal number; returns its length, at most 16. */
size_t cg__http_framing_hex(char *buf, uint64_t number);

/* Writes the line before a chunk of that size, which is not 0; returns its length. "\r\n"
 * must follow the chunk. */
size_t cg__http_framing_chunk_head(char *buf, uint64_t size);

/* Writes a decimal number; returns its length, at most 20. */
static inline size_t cg__http_framing_decimal(char *buf, uint64_t number)
{
    size_t len = 1;

    for (uint64_t limit = 10; len < 20 && number >= limit; limit *= 10)
        len++;
    for (size_t at = len; at > 0; number /= 10)
        buf[--at] = (char)('0' + number % 10);
    return len;
}

/* Parses a Content-Length: digits only. False: it is invalid. */
bool cg__http_framing_length(const char *text, uint64_t *length);

#endif
