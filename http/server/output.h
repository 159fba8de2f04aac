/* SPDX-License-Identifier: MIT */
/* A connection's output. */
#ifndef COGEN_HTTP_SERVER_OUTPUT_H
#define COGEN_HTTP_SERVER_OUTPUT_H

#include "http/server/server.h"

/* Room for so many bytes of output behind what is there; NULL: there is not so much (or no
 * memory): flush. */
char *cg__http_output_more_room(struct cg__http_conn *conn, size_t size);
static inline char *cg__http_output_room(struct cg__http_conn *conn, size_t size)
{
    struct cg__http_out *out = conn->out;

    if (out != NULL && out->size - out->used >= size)
        return out->data + out->used;
    return cg__http_output_more_room(conn, size);
}

/* Frees the spare buffers. */
void cg__http_output_free(struct cg_http_server *server);

/* Writes the output, and what is given behind it. 0 or a negative code. Yields. */
ssize_t cg__http_output_flush(struct cg__http_conn *conn, const struct iovec *parts,
                              int count);

/* What a write has come to, handed on. After one that failed the connection is broken; and
 * a peer that takes nothing is to be reset by the close, for what the kernel still has for
 * it, megabytes maybe, would stay for a quarter of an hour. */
ssize_t cg__http_output_wrote(struct cg__http_conn *conn, ssize_t n);

/* Gives the buffers back, written or not. May wait. */
void cg__http_output_end(struct cg__http_conn *conn);

/* A handler is about to run: if it comes to wait, what has been answered before it is to be
 * written by somebody else. */
void cg__http_output_late(struct cg__http_conn *conn);

#endif
