/* SPDX-License-Identifier: MIT */
/* See tunnel.h. What comes waits in the tunnel, which outlives its stream; what is to be sent
 * waits in the stream, which outlives its tunnel. */
#include "config.h"

#include "http/http2/stream_sock.h"
#include "http/message/room.h"
#include "http/server/h2/release.h"
#include "http/server/h2/tunnel.h"
#include "http/server/h2/writer.h"
#include "sockets/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 32 * 1024 }; /* bytes to be sent, at which writers wait */

struct cg__http_h2_tunnel {
    struct cg__memory memory;          /* must be the first member */
    struct cg__http_h2_stream *stream; /* NULL: it has ended */
    struct cg_sock *sock;
    bool abrupt; /* closing it resets the stream */
};

static struct cg__http_h2_tunnel *of(const struct cg__memory *end)
{
    return (struct cg__http_h2_tunnel *)end;
}

static size_t tunnel_room(const struct cg__memory *end)
{
    const struct cg__http_h2_stream *stream = of(end)->stream;
    size_t unsent = stream->out.len - stream->out_done;

    return unsent < LIMIT ? LIMIT - unsent : 0;
}

static ssize_t tunnel_put(struct cg__memory *end, const void *data, size_t len, bool now)
{
    struct cg__http_h2_stream *stream = of(end)->stream;
    struct cg__http_h2_bytes *out = &stream->out;

    (void)now;
    if (out->size - out->len < len && stream->out_done > 0) {
        out->len -= stream->out_done;
        memmove(out->data, out->data + stream->out_done, out->len);
        stream->out_done = 0;
    }
    if (cg__http_room(&out->data, &out->size, 256, out->len + len) < 0)
        return -ENOMEM;
    if (stream->out_done == out->len)
        stream->moved_at = cg_sched_now(stream->message.server->sched);
    memcpy(out->data + out->len, data, len);
    out->len += len;
    return (ssize_t)len;
}

static void tunnel_wrote(struct cg__memory *end)
{
    cg__http_h2_writer_resume(of(end)->stream);
}

/* The client may send so many bytes more. */
static void tunnel_read(struct cg__memory *end, size_t len)
{
    struct cg__http_h2_stream *stream = of(end)->stream;

    if (stream == NULL)
        return;
    nghttp2_session_consume(stream->h2->session, stream->id, len);
    cg__http_h2_writer_wake(stream->h2);
}

static ssize_t tunnel_finish(struct cg__memory *end)
{
    struct cg__http_h2_stream *stream = of(end)->stream;

    if (stream != NULL) {
        stream->last = true;
        cg__http_h2_writer_resume(stream);
    }
    return 0;
}

static enum cg_verdict tunnel_other(struct cg__memory *end, struct cg_io *io)
{
    struct cg__http_h2_tunnel *tunnel = of(end);
    struct cg_sock *below = tunnel->stream != NULL ? tunnel->stream->h2->conn->sock : NULL;

    return cg__http_stream_sock(below, &tunnel->abrupt, io);
}

void cg__http_h2_tunnel_stop(struct cg__http_h2_stream *stream)
{
    if (stream->given && stream->tunnel == NULL && stream->sent && !stream->in_end)
        cg__http_h2_reset(stream, NGHTTP2_NO_ERROR);
}

/* The stream sends what is left to be sent, and then its end. */
static void tunnel_close(struct cg_sock *sock)
{
    struct cg__http_h2_tunnel *tunnel = cg_sock_state(sock);
    struct cg__http_h2_stream *stream = tunnel->stream;

    cg__memory_close(&tunnel->memory);
    if (stream != NULL) {
        stream->tunnel = NULL;
        if (tunnel->abrupt)
            cg__http_h2_reset(stream, NGHTTP2_CANCEL);
        else
            cg__http_h2_tunnel_stop(stream);
        cg__http_h2_release(stream);
    }
    free(tunnel);
}

static const struct cg__memory_type tunnel_type = {
    .room = tunnel_room,
    .put = tunnel_put,
    .wrote = tunnel_wrote,
    .read = tunnel_read,
    .finish = tunnel_finish,
    .other = tunnel_other,
};

static const struct cg_transport_type tunnel_transport = {
    .name = "http/2",
    .submit = cg__memory_submit,
    .cancel = cg__memory_cancel,
    .close = tunnel_close,
};

/* The end of any other request is not the end of the tunnel's input: as over HTTP/1, the client
 * has to leave for that. */
static bool is_upgrade(const struct cg__http_h2_stream *stream)
{
    return stream->connects || stream->message.code == HTTP_CONNECT;
}

/* Appends to the input. Returns how many bytes: fewer if there is no memory. */
static size_t store(struct cg__memory *end, const void *data, size_t len)
{
    return cg__input_push(end->reactor, &end->input, data, len);
}

int cg__http_h2_tunnel_open(struct cg__http_h2_stream *stream)
{
    struct cg_sched *sched = stream->message.server->sched;
    struct cg__http_h2_tunnel *tunnel = calloc(1, sizeof *tunnel);

    if (tunnel == NULL)
        return -ENOMEM;
    tunnel->memory.type = &tunnel_type;
    tunnel->memory.reactor = cg_sched_reactor(sched);
    if (store(&tunnel->memory, stream->in.data, stream->in.len) < stream->in.len)
        goto free_tunnel;
    tunnel->sock = cg_sock_open(sched, &tunnel_transport, tunnel, -1);
    if (tunnel->sock == NULL)
        goto free_tunnel;
    free(stream->in.data);
    stream->in = (struct cg__http_h2_bytes){.data = NULL};
    tunnel->memory.ended = is_upgrade(stream) && stream->in_end;
    tunnel->stream = stream;
    stream->tunnel = tunnel;
    return 0;

free_tunnel:
    cg__input_drop(tunnel->memory.reactor, &tunnel->memory.input, tunnel->memory.input.unread);
    free(tunnel);
    return -ENOMEM;
}

struct cg_sock *cg__http_h2_tunnel_sock(const struct cg__http_h2_tunnel *tunnel)
{
    return tunnel->sock;
}

size_t cg__http_h2_tunnel_add(struct cg__http_h2_tunnel *tunnel, const uint8_t *data, size_t len)
{
    if (tunnel->memory.deaf) {
        tunnel_read(&tunnel->memory, len);
        return len;
    }
    len = store(&tunnel->memory, data, len);
    if (len > 0)
        cg__memory_came(&tunnel->memory);
    return len;
}

void cg__http_h2_tunnel_end(struct cg__http_h2_tunnel *tunnel)
{
    cg__memory_ended(&tunnel->memory);
}

void cg__http_h2_tunnel_took(struct cg__http_h2_tunnel *tunnel)
{
    cg__memory_roomy(&tunnel->memory);
}

void cg__http_h2_tunnel_leave(struct cg__http_h2_tunnel *tunnel, int error)
{
    struct cg__http_h2_stream *stream = tunnel->stream;
    struct cg__memory *end = &tunnel->memory;

    nghttp2_session_consume_connection(stream->h2->session, end->input.unread);
    tunnel->stream = NULL;
    stream->tunnel = NULL;
    end->lost = true;
    if (!end->ended)
        end->error = error;
    cg__memory_ended(end);
    cg__memory_roomy(end);
    cg__http_h2_release(stream);
}
