/* SPDX-License-Identifier: MIT */
/* A stream as the transport of a socket, after the server has accepted an upgrade (RFC 8441).
 * As for other streams, the coroutines that wait do the work of the connection. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/h2/tunnel.h"
#include "http/client/pool/link.h"
#include "http/http2/stream_sock.h"
#include "sockets/memory.h"

#include <errno.h>
#include <stdlib.h>

struct tunnel {
    struct cg__memory memory;      /* must be the first member */
    struct cg_http_client *client; /* a reference */
    struct cg__link link;          /* has the stream */
    bool abrupt;                   /* closing it only resets the stream */
};

static struct cg__h2_stream *stream_of(const struct cg__memory *end)
{
    return ((const struct tunnel *)end)->link.stream;
}

static bool has_news(const struct cg__h2_stream *stream)
{
    return stream->to > stream->from || stream->ended || stream->closed || stream->readable;
}

/* What a reader gets when it has read all bytes: 0 or a negative code. */
static ssize_t end_of(const struct cg__h2_stream *stream)
{
    return stream->ended || stream->error == CG_EOF ? 0
           : stream->error == CG_EHTTP              ? -ECONNRESET
                                                    : stream->error;
}

/* Tells those who wait until has_news whether a reader would get something. */
static void note(const struct cg__memory *end)
{
    stream_of(end)->readable = end->input.unread > 0 || end->deaf;
}

/* Moves what has come into the end. An idle tunnel holds no buffer. A writer does it, too,
 * maybe before a woken reader runs. 0 or -ENOMEM. */
static ssize_t refresh(struct cg__memory *end)
{
    struct cg__h2_stream *stream = stream_of(end);

    if (stream->to > stream->from && !end->deaf)
        stream->from += cg__input_push(end->reactor, &end->input, stream->data + stream->from,
                                       stream->to - stream->from);
    if (stream->from == stream->to) {
        cg__http_blocks_free(stream->data, &stream->h2->memory);
        stream->data = NULL;
        stream->from = stream->to = stream->size = 0;
        end->ended = stream->ended || stream->closed;
        end->error = end_of(stream);
    }
    end->lost = stream->closed;
    note(end);
    return stream->from < stream->to && end->input.unread == 0 && !end->deaf ? -ENOMEM : 0;
}

static ssize_t tunnel_wait(struct cg__memory *end)
{
    ssize_t n = cg__http_client_h2_pump(stream_of(end), has_news, CG_NEVER);

    return n < 0 ? n : refresh(end);
}

static void tunnel_read(struct cg__memory *end, size_t len)
{
    struct cg__h2_stream *stream = stream_of(end);

    nghttp2_session_consume_stream(stream->h2->session, stream->id, len);
    note(end);
    if (end->deaf)
        cg__http_client_h2_stream_wake(stream);
}

/* nghttp2 buffers nothing: it takes what can be sent from the memory of the writer. */
static size_t tunnel_room(const struct cg__memory *end)
{
    (void)end;
    return SIZE_MAX;
}

static bool is_taken(const struct cg__h2_stream *stream)
{
    return stream->piece_len == 0 || stream->closed;
}

static void give(struct cg__h2_stream *stream, const void *data, size_t len)
{
    stream->piece = data;
    stream->piece_len = len;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
}

/* Sends one piece of memory, as far as the server takes it. */
static ssize_t tunnel_put(struct cg__memory *end, const void *data, size_t len, bool now)
{
    struct cg__h2_stream *stream = stream_of(end);
    ssize_t n = 0;

    give(stream, data, len);
    if (now)
        cg__http_client_h2_pump_offer(stream->h2);
    else
        n = cg__http_client_h2_pump(stream, is_taken, CG_NEVER);
    len -= stream->piece_len;
    stream->piece_len = 0;
    return len > 0 || now ? (ssize_t)len : n < 0 ? n : -EPIPE;
}

static bool has_ended(const struct cg__h2_stream *stream)
{
    return stream->sent || stream->closed;
}

static void give_end(struct cg__h2_stream *stream)
{
    stream->last_piece = true;
    give(stream, "", 0);
}

static ssize_t tunnel_finish(struct cg__memory *end)
{
    struct cg__h2_stream *stream = stream_of(end);

    if (stream->closed)
        return 0;
    give_end(stream);
    return cg__http_client_h2_pump(stream, has_ended, CG_NEVER);
}

static enum cg_verdict tunnel_other(struct cg__memory *end, struct cg_io *io)
{
    return cg__http_stream_sock(stream_of(end)->h2->sock, &((struct tunnel *)end)->abrupt, io);
}

static enum cg_verdict tunnel_submit(struct cg_sock *sock, struct cg_io *io)
{
    refresh(cg_sock_state(sock));
    return cg__memory_submit(sock, io);
}

/* The server learns of the end, and then that nobody reads its rest. */
static void tunnel_close(struct cg_sock *sock)
{
    struct tunnel *tunnel = cg_sock_state(sock);
    struct cg__memory *end = &tunnel->memory;
    struct cg__h2_stream *stream = tunnel->link.stream;

    if (!tunnel->abrupt && !end->mute && !stream->closed) {
        give_end(stream);
        cg__http_client_h2_pump_offer(stream->h2);
    }
    cg__input_drop(end->reactor, &end->input, end->input.unread);
    cg__http_client_pool_link_end(&tunnel->link, tunnel->client, false);
    cg__http_client_unref(tunnel->client);
    free(tunnel);
}

static const struct cg__memory_type tunnel_type = {
    .room = tunnel_room,
    .put = tunnel_put,
    .read = tunnel_read,
    .finish = tunnel_finish,
    .wait = tunnel_wait,
    .other = tunnel_other,
};

static const struct cg_transport_type tunnel_transport = {
    .name = "http/2",
    .submit = tunnel_submit,
    .run = cg__memory_run,
    .close = tunnel_close,
};

struct cg_sock *cg__http_client_h2_tunnel(struct cg_http_client *client, struct cg__link *link)
{
    struct tunnel *tunnel = calloc(1, sizeof *tunnel);
    struct cg_sock *sock;

    if (tunnel == NULL)
        return NULL;
    sock = cg_sock_open(client->sched, &tunnel_transport, tunnel, -1);
    if (sock == NULL) {
        free(tunnel);
        return NULL;
    }
    tunnel->memory.type = &tunnel_type;
    tunnel->memory.reactor = cg_sched_reactor(client->sched);
    tunnel->client = client;
    client->refs++;
    tunnel->link = *link;
    *link = (struct cg__link){.sock = NULL};
    return sock;
}
