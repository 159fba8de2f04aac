/* SPDX-License-Identifier: MIT */
/* Fields of HTTP/2: those of requests as they come, those of responses as nghttp2 takes
 * them. */
#ifndef COGEN_HTTP_SERVER_H2_FIELDS_H
#define COGEN_HTTP_SERVER_H2_FIELDS_H

#include "http/server/h2/h2.h"

/* Adds a field that nghttp2 has checked to the request of a stream. False: the head has far
 * too many: give the stream up. */
bool cg__http_h2_fields_add(struct cg__http_h2_stream *stream, const uint8_t *name,
                            size_t name_len, const uint8_t *value, size_t value_len);

/* To be called when the head of the request is complete; `end`: it has no body. */
void cg__http_h2_fields_end(struct cg__http_h2_stream *stream, bool end);

/* The form in which nghttp2 takes fields. A server has memory for one, which is valid until the
 * next is made: that of a usual response is still in the processor's cache. */
struct cg__http_h2_head {
    size_t size, count;
    char status[4]; /* of interim fields, which nghttp2 copies */
    nghttp2_nv fields[];
};

/* Makes a response's head; NULL: no memory. Status and length stay in the stream until nghttp2
 * sends them, so this may succeed only once. */
struct cg__http_h2_head *cg__http_h2_fields_head(struct cg__http_h2_stream *stream, int status,
                                                 int64_t length, const char *type);

/* The same of interim fields, and of the response's trailers. */
struct cg__http_h2_head *cg__http_h2_fields_interim(struct cg__http_h2_stream *stream, int status,
                                                    const struct cg_http_field *fields);
struct cg__http_h2_head *cg__http_h2_fields_trailers(struct cg__http_h2_stream *stream);

#endif
