/* SPDX-License-Identifier: MIT */
/* Bodies over HTTP/2, both ways. */
#ifndef COGEN_HTTP_SERVER_H2_BODY_H
#define COGEN_HTTP_SERVER_H2_BODY_H

#include "http/server/h2/h2.h"

/* Appends bytes to the body of a request. Returns how many: all, or 0 if there is no memory. */
size_t cg__http_h2_body_add(struct cg__http_h2_stream *stream, const uint8_t *data, size_t len);

/* Operation of the carrier: the next piece of the request's body. */
ssize_t cg__http_h2_body_more(struct cg_http_request *req);

/* nghttp2's source of a response's body. */
ssize_t cg__http_h2_body_give(nghttp2_session *session, int32_t id, uint8_t *buf,
                              size_t size, uint32_t *flags, nghttp2_data_source *source,
                              void *user_data);

/* When the client took bytes of this response last. If its window is open, the response only
 * waits for its turn: then, of any response of the connection. */
int64_t cg__http_h2_body_moved(const struct cg__http_h2_stream *stream);

/* Waits until nghttp2 has taken the bytes or the file that the stream has been given. 0 or a
 * negative code. Yields. */
ssize_t cg__http_h2_body_wait(struct cg__http_h2_stream *stream);

#endif
