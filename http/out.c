/* SPDX-License-Identifier: MIT */
/* A connection's output: small answers are gathered in a buffer, which is written when
 * nothing more is to be had for the moment. */
#include "config.h"

#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { PARTS = 8 };

static struct cg__http_out *out_get(struct cg_http_server *server)
{
    struct cg__http_out *out = server->outs;

    if (out != NULL) {
        server->outs = out->next;
        server->nouts--;
    } else {
        out = malloc(sizeof *out);
    }
    if (out != NULL)
        out->used = 0;
    return out;
}

void cg__http_out_drop(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;
    struct cg__http_out *out = conn->out;

    conn->out = NULL;
    if (out == NULL)
        return;
    if (server->nouts == CG__HTTP_SPARE) {
        free(out);
        return;
    }
    out->next = server->outs;
    server->outs = out;
    server->nouts++;
}

char *cg__http_room(struct cg__http_conn *conn, size_t size)
{
    if (conn->out == NULL)
        conn->out = out_get(conn->server);
    if (conn->out == NULL || sizeof conn->out->data - conn->out->used < size)
        return NULL;
    return conn->out->data + conn->out->used;
}

ssize_t cg__http_flush(struct cg__http_conn *conn, struct iovec *parts, int count)
{
    int64_t timeout = conn->server->options.write_timeout;
    struct cg__http_out *out = conn->out;
    struct iovec all[PARTS];
    ssize_t n;

    if (count == 0) {
        if (out == NULL || out->used == 0)
            return 0;
        n = cg_yield(cg_writeall(conn->sock, out->data, out->used, .timeout = timeout,
                                 .weak_timeout = true));
    } else {
        assert(count < PARTS);
        all[0] = (struct iovec){out ? out->data : NULL, out ? out->used : 0};
        for (int i = 0; i < count; i++)
            all[i + 1] = parts[i];
        n = cg_yield(cg_writev(conn->sock, all, count + 1, .timeout = timeout,
                               .weak_timeout = true));
    }
    cg__http_out_drop(conn);
    return n < 0 ? n : 0;
}
