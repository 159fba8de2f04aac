/* SPDX-License-Identifier: MIT */
/* A stream as the transport of a socket, after the server has accepted an upgrade (RFC 8441).
 * As for other streams, the coroutines that wait do the work of the connection. */
#include "config.h"

#include "http/client/client_h2_session.h"
#include "http/client/client_h2_tunnel.h"
#include "http/client/client_link.h"

#include <cogen/reactor.h>
#include <cogen/transport.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct tunnel {
    struct cg_http_client *client; /* a reference */
    struct cg__link link;          /* has the stream */
    bool deaf;                     /* nobody reads any more */
    bool mute;                     /* nobody writes any more */
    bool abrupt;                   /* closing it only resets the stream */
};

static enum cg_verdict completed(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

static bool can_read(const struct cg__h2_stream *stream)
{
    return stream->to > stream->from || stream->ended || stream->closed;
}

static bool is_broken(const struct tunnel *tunnel)
{
    return tunnel->mute || tunnel->link.stream->closed;
}

/* What comes behind the bytes. */
static ssize_t end_of(const struct cg__h2_stream *stream)
{
    return stream->ended || stream->error == CG_EOF ? 0
           : stream->error == CG_EHTTP              ? -ECONNRESET
                                                    : stream->error;
}

/* Reads what has come, into the request's buffer or a chunk. */
static ssize_t take(struct tunnel *tunnel, struct cg_io *io)
{
    struct cg__h2_stream *stream = tunnel->link.stream;
    struct cg_reactor *reactor = cg_sched_reactor(tunnel->client->sched);
    size_t there = stream->to - stream->from, room = io->len;
    struct cg_chunk *chunk = NULL;

    if (tunnel->deaf || there == 0)
        return tunnel->deaf ? 0 : end_of(stream);
    if (room == 0) {
        if ((chunk = cg_chunk_get(reactor)) == NULL)
            return -ENOMEM;
        room = chunk->size;
    }
    there = there < room ? there : room;
    memcpy(chunk != NULL ? chunk->data : io->buf, stream->data + stream->from, there);
    if (chunk != NULL)
        chunk->end = (uint32_t)there;
    io->chunk = chunk;
    stream->from += there;
    if (stream->from == stream->to) { /* an idle tunnel holds no buffer */
        free(stream->data);
        stream->data = NULL;
        stream->from = stream->to = stream->size = 0;
    }
    nghttp2_session_consume_stream(stream->h2->session, stream->id, there);
    return (ssize_t)there;
}

static ssize_t receive(struct tunnel *tunnel, struct cg_io *io)
{
    ssize_t n = 0;

    if (!tunnel->deaf)
        n = cg__http_client_h2_pump(tunnel->link.stream, can_read, CG_NEVER);
    return n < 0 ? n : take(tunnel, io);
}

static bool is_taken(const struct cg__h2_stream *stream)
{
    return stream->piece_len == 0 || stream->closed;
}

static void put(struct cg__h2_stream *stream, const void *data, size_t len)
{
    stream->piece = data;
    stream->piece_len = len;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
}

/* Sends one piece of memory, as far as the server takes it. */
static ssize_t send_piece(struct tunnel *tunnel, const void *data, size_t len)
{
    struct cg__h2_stream *stream = tunnel->link.stream;
    ssize_t n;

    if (is_broken(tunnel))
        return -EPIPE;
    put(stream, data, len);
    n = cg__http_client_h2_pump(stream, is_taken, CG_NEVER);
    len -= stream->piece_len;
    stream->piece_len = 0;
    return len > 0 ? (ssize_t)len : n < 0 ? n : -EPIPE;
}

static ssize_t send_parts(struct tunnel *tunnel, const struct iovec *iov, int iovcnt)
{
    ssize_t sum = 0;

    for (int i = 0; i < iovcnt; i++) {
        ssize_t n = iov[i].iov_len == 0
                        ? 0
                        : send_piece(tunnel, iov[i].iov_base, iov[i].iov_len);

        if (n < 0)
            return sum > 0 ? sum : n;
        sum += n;
        if ((size_t)n < iov[i].iov_len)
            break;
    }
    return sum;
}

static ssize_t send_file(struct tunnel *tunnel, const struct cg_io *io)
{
    char data[4096];
    size_t size = io->count < sizeof data ? io->count : sizeof data;
    ssize_t n;

    do
        n = pread(io->file, data, size, (off_t)io->offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    return send_piece(tunnel, data, (size_t)n);
}

/* Sends what can be sent without waiting. */
static ssize_t offer(struct tunnel *tunnel, const struct cg_io *io)
{
    struct cg__h2_stream *stream = tunnel->link.stream;
    size_t moved;

    if (is_broken(tunnel))
        return -EPIPE;
    put(stream, io->buf, io->len);
    cg__http_client_h2_pump_offer(stream->h2);
    moved = io->len - stream->piece_len;
    stream->piece_len = 0;
    return (ssize_t)moved;
}

static bool has_ended(const struct cg__h2_stream *stream)
{
    return stream->sent || stream->closed;
}

static ssize_t shut(struct tunnel *tunnel, int how)
{
    struct cg__h2_stream *stream = tunnel->link.stream;
    ssize_t n = 0;

    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    if (how != SHUT_WR) {
        tunnel->deaf = true;
        cg__http_client_h2_session_wake(stream);
    }
    if (how != SHUT_RD && !is_broken(tunnel)) {
        tunnel->mute = true;
        stream->last_piece = true;
        put(stream, "", 0);
        n = cg__http_client_h2_pump(stream, has_ended, CG_NEVER);
    }
    return n;
}

static unsigned readiness(const struct tunnel *tunnel, unsigned events)
{
    unsigned found = events & CG_OUT;

    if (is_broken(tunnel))
        found |= found ? CG_ERR : 0;
    if ((events & CG_IN) && (tunnel->deaf || can_read(tunnel->link.stream)))
        found |= CG_IN;
    return found;
}

/* Only input is waited for: it can be written at any time, or has failed. */
static ssize_t poll(struct tunnel *tunnel, unsigned events)
{
    unsigned found = readiness(tunnel, events);
    ssize_t n;

    if (found != 0)
        return (ssize_t)found;
    n = cg__http_client_h2_pump(tunnel->link.stream, can_read, CG_NEVER);
    return n < 0 ? n : CG_IN;
}

/* The addresses are those of the connection; its options are those of all streams. */
static enum cg_verdict name(struct cg__h2 *h2, struct cg_io *io)
{
    io->fd = cg_sock_fd(h2->sock);
    return cg_sock_transport(h2->sock)->submit(h2->sock, io);
}

static enum cg_verdict set_option(struct tunnel *tunnel, struct cg_io *io)
{
    const struct linger *linger = io->value;

    if (io->level != SOL_SOCKET || io->name != SO_LINGER || io->size < sizeof *linger)
        return completed(io, -EOPNOTSUPP);
    tunnel->abrupt = linger->l_onoff != 0 && linger->l_linger == 0;
    return completed(io, 0);
}

static enum cg_verdict tunnel_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct tunnel *tunnel = cg_sock_state(sock);

    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        if (!tunnel->deaf && !can_read(tunnel->link.stream))
            return CG_RUN;
        return completed(io, take(tunnel, io));
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_SHUTDOWN:
        return CG_RUN;
    case CG_IO_POLL:
        if (io->events == CG_HUP)
            return completed(io, -EOPNOTSUPP);
        io->result = (ssize_t)readiness(tunnel, io->events);
        return io->result != 0 ? CG_DONE : CG_RUN;
    case CG_IO_LOOK:
        return completed(io, (ssize_t)readiness(tunnel, io->events));
    case CG_IO_OFFER:
        return completed(io, offer(tunnel, io));
    case CG_IO_SETOPT:
        return set_option(tunnel, io);
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
        return name(tunnel->link.stream->h2, io);
    default:
        return completed(io, -EOPNOTSUPP);
    }
}

static ssize_t tunnel_run(struct cg_sock *sock, struct cg_io *io)
{
    struct tunnel *tunnel = cg_sock_state(sock);

    switch (io->code) {
    case CG_IO_RECV:
        return receive(tunnel, io);
    case CG_IO_SEND:
        return send_piece(tunnel, io->buf, io->len);
    case CG_IO_SENDV:
        return send_parts(tunnel, io->iov, io->iovcnt);
    case CG_IO_SENDFILE:
        return send_file(tunnel, io);
    case CG_IO_SHUTDOWN:
        return shut(tunnel, io->how);
    default:
        return poll(tunnel, io->events);
    }
}

/* The server learns of the end, and then that nobody reads its rest. */
static void tunnel_close(struct cg_sock *sock)
{
    struct tunnel *tunnel = cg_sock_state(sock);
    struct cg__h2_stream *stream = tunnel->link.stream;

    if (!tunnel->abrupt && !is_broken(tunnel)) {
        stream->last_piece = true;
        put(stream, "", 0);
        cg__http_client_h2_pump_offer(stream->h2);
    }
    cg__http_client_link_end(&tunnel->link, tunnel->client, false);
    cg__http_client_unref(tunnel->client);
    free(tunnel);
}

static const struct cg_transport_type tunnel_transport = {
    .name = "http/2",
    .submit = tunnel_submit,
    .run = tunnel_run,
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
    tunnel->client = client;
    client->refs++;
    tunnel->link = *link;
    *link = (struct cg__link){.sock = NULL};
    return sock;
}
