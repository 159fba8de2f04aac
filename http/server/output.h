/* SPDX-License-Identifier: MIT */
/* A connection's output. */
#ifndef COGEN_HTTP_SERVER_OUTPUT_H
#define COGEN_HTTP_SERVER_OUTPUT_H

#include "http/server/server.h"

/* Returns room for so many bytes after the gathered output; the caller adds them to
 * conn->out->used. NULL: there is not enough room (flush first), or no memory. */
char *cg__http_output_more_room(struct cg__http_conn *conn, size_t size);
static inline char *cg__http_output_room(struct cg__http_conn *conn, size_t size)
{
    struct cg__http_out *out = conn->out;

    if (out != NULL && out->size - out->used >= size)
        return out->data + out->used;
    return cg__http_output_more_room(conn, size);
}

/* Writes the gathered output, if there is any. 0 or a negative code. Yields. */
ssize_t cg__http_output_flush(struct cg__http_conn *conn);

/* Writes the gathered output and then these parts, at least one. `more`: the caller goes on
 * to write to the socket itself, and both may go into one packet. */
ssize_t cg__http_output_write(struct cg__http_conn *conn, const struct iovec *parts, int count,
                              bool more);

/* Notes the result n of a write and returns it. After a failure the connection is broken.
 * After a timeout the close will reset the connection: otherwise the kernel would keep
 * the unsent bytes, maybe megabytes, for a quarter of an hour. */
ssize_t cg__http_output_wrote(struct cg__http_conn *conn, ssize_t n);

/* Ends the writer and returns all buffers to the pool, written or not. May yield. */
void cg__http_output_end(struct cg__http_conn *conn);

/* To be called before a handler runs, and before it waits for the body, while there is output.
 * If the handler waits, another coroutine writes that output, so that it is not delayed. */
void cg__http_output_late(struct cg__http_conn *conn);

#endif
