/* SPDX-License-Identifier: MIT */
/* Bodies that are written piece by piece. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_WRITE_H
#define COGEN_HTTP_SERVER_RESPONSE_WRITE_H

#include "http/server/server.h"

/* Writes a piece of the body, and the head before the first one. `more`: the piece may
 * stay in the encoder. 0 or a negative code. Yields. */
ssize_t cg__http_response_write_piece(struct cg_http_request *req, const void *data,
                                      size_t size, bool more);

/* Ends a body that has begun, in the output: what the encoder still has, and the end of the
 * framing, with the trailers. 0; CG_EOF: it is shorter than Content-Length; or a negative code.
 * Yields. */
ssize_t cg__http_response_write_end(struct cg_http_request *req);

/* Appends a server-sent event to a text. 0; -EINVAL: its name or its id has a line break;
 * -ENOMEM. */
int cg__http_response_event_put(struct cg_http_headers *text,
                                const struct cg_http_send_event_op *event);

#endif
