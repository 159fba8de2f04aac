/* SPDX-License-Identifier: MIT */
/* Streams: a request, its handler's coroutine, its response. */
#ifndef COGEN_HTTP_SERVER_H2_STREAM_H
#define COGEN_HTTP_SERVER_H2_STREAM_H

#include "http/server/h2/h2.h"

/* Makes a stream that has been opened by the client. NULL: no memory. */
struct cg__http_h2_stream *cg__http_h2_stream_new(struct cg__http_h2 *h2, int32_t id);

/* Frees a stream that nghttp2 no longer knows, unless its handler still runs. */
void cg__http_h2_stream_free(struct cg__http_h2_stream *stream);

/* The client is gone. Cancels the handler, if there is one, unless it waits for that: then it is
 * told. One that has been given the socket learns it from that, too. A handler whose client has the
 * whole response goes on. */
void cg__http_h2_stream_lose(struct cg__http_h2_stream *stream);

/* Cancels the handler, if there is one. */
void cg__http_h2_stream_cancel(struct cg__http_h2_stream *stream);

/* Starts the handlers of all streams that are ready, one after another. Each runs until it first
 * waits before the next one is started. Yields. */
void cg__http_h2_stream_start_all(struct cg__http_h2 *h2);

/* Frees the spare streams. */
void cg__http_h2_stream_free_spare(struct cg_http_server *server);

#endif
