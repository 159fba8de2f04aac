/* SPDX-License-Identifier: MIT */
/* Writes what an HTTP/2 session has to say. */
#ifndef COGEN_HTTP_SERVER_H2_WRITER_H
#define COGEN_HTTP_SERVER_H2_WRITER_H

#include "http/server/h2/h2.h"

/* To be called when the session may have something to write. Starts a coroutine that writes
 * all of it, unless there is one. */
void cg__http_h2_writer_wake(struct cg__http_h2 *h2);

/* Writes all of it in this coroutine, unless another one does. While the reader has more input,
 * only gathers it in the output, as long as there is room. Not to be called by the reader, and h2
 * must not be used afterwards. Yields. */
void cg__http_h2_writer_write(struct cg__http_h2 *h2);

/* Lets nghttp2 ask for more of the response. */
void cg__http_h2_writer_resume(struct cg__http_h2_stream *stream);

#endif
