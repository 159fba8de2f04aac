/* SPDX-License-Identifier: MIT */
/* See release.h. */
#include "config.h"

#include "http/server/h2/release.h"
#include "http/server/h2/writer.h"

/* What the client still sends is of no use any more. Its bytes count for the connection. */
static void drop_input(struct cg__http_h2_stream *stream)
{
    size_t len = stream->in.len + stream->piece.len;

    if (len > 0)
        nghttp2_session_consume_connection(stream->h2->session, len);
    stream->in.len = 0;
    stream->piece.len = 0;
}

/* Nothing is added to the response any more: one that is cut must be seen to be. For what its
 * socket has left, the client has had time already. */
static void finish(struct cg__http_h2_stream *stream)
{
    const struct cg_http_request *req = &stream->message;
    struct cg__http_h2 *h2 = stream->h2;

    h2->unsent++;
    stream->served = true;
    if (!stream->given || stream->out_done == stream->out.len)
        stream->moved_at = cg_sched_now(h2->conn->server->sched);
    drop_input(stream);
    if (req->cut || !req->ended)
        cg__http_h2_reset(stream, NGHTTP2_INTERNAL_ERROR);
}

void cg__http_h2_release(struct cg__http_h2_stream *stream)
{
    struct cg__http_h2 *h2 = stream->h2;
    bool lives = stream->runs || stream->tunnel != NULL;

    if (stream->open && !lives)
        finish(stream);
    cg__http_h2_writer_wake(h2);
    h2->live -= !lives;
    h2->late -= !lives && stream->late;
    if (h2->live == 0) {
        h2->idle_since = cg_sched_now(h2->conn->server->sched);
        cg__http_h2_nudge(h2);
    }
    if (h2->conn->session == NULL) /* the connection ends, and waits for this */
        cg_event_set(&h2->changed);
}
