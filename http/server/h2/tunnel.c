/* SPDX-License-Identifier: MIT */
/* See tunnel.h. What comes waits in the tunnel, which outlives its stream; what is to be sent
 * waits in the stream, which outlives its tunnel. */
#include "config.h"

#include "http/message/room.h"
#include "http/server/h2/release.h"
#include "http/server/h2/tunnel.h"
#include "http/server/h2/writer.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LIMIT = 32 * 1024 }; /* bytes to be sent, at which writers wait */

struct cg__http_h2_tunnel {
    struct cg__http_h2_stream *stream; /* NULL: it has ended */
    struct cg_sock *sock;
    struct cg_reactor *reactor;
    struct cg__http_h2_bytes in; /* what has come */
    size_t in_done;              /* bytes of it that were read */
    struct cg_io *reader, *writer, *watcher; /* pending requests, or NULL */
    int error;                               /* behind `in`; 0: none */
    bool ended;                              /* the client sends no more */
    bool deaf;                               /* nobody reads any more */
    bool mute;                               /* nobody writes any more */
    bool abrupt;                             /* closing it resets the stream */
};

static size_t unread(const struct cg__http_h2_tunnel *tunnel)
{
    return tunnel->in.len - tunnel->in_done;
}

static size_t unsent(const struct cg__http_h2_tunnel *tunnel)
{
    return tunnel->stream->out.len - tunnel->stream->out_done;
}

static bool is_broken(const struct cg__http_h2_tunnel *tunnel)
{
    return tunnel->stream == NULL || tunnel->mute;
}

static bool can_read(const struct cg__http_h2_tunnel *tunnel)
{
    return unread(tunnel) > 0 || tunnel->ended || tunnel->deaf;
}

static bool can_write(const struct cg__http_h2_tunnel *tunnel)
{
    return is_broken(tunnel) || unsent(tunnel) < LIMIT;
}

static enum cg_verdict completed(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

static enum cg_verdict keep(struct cg_io **place, struct cg_io *io)
{
    *place = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

/* Completes a pending request, if it can be. */
static void wake(struct cg__http_h2_tunnel *tunnel, struct cg_io **place,
                 enum cg_verdict (*serve)(struct cg__http_h2_tunnel *, struct cg_io *))
{
    struct cg_io *io = *place;

    if (io == NULL)
        return;
    *place = NULL;
    io->state = CG_IO_IDLE;
    if (serve(tunnel, io) == CG_DONE)
        io->complete(io, io->result);
}

static enum cg_verdict look(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    if (!can_read(tunnel))
        return completed(io, 0);
    return completed(io, tunnel->ended ? CG_IN | CG_HUP : CG_IN);
}

/* The client may send so many bytes more. */
static void open_windows(struct cg__http_h2_tunnel *tunnel, size_t len)
{
    struct cg__http_h2_stream *stream = tunnel->stream;

    if (stream == NULL)
        return;
    nghttp2_session_consume(stream->h2->session, stream->id, len);
    cg__http_h2_writer_wake(stream->h2);
}

static void forget_input(struct cg__http_h2_tunnel *tunnel)
{
    free(tunnel->in.data);
    tunnel->in = (struct cg__http_h2_bytes){.data = NULL};
    tunnel->in_done = 0;
}

/* Moves bytes into a chunk. An idle tunnel holds no buffer. */
static enum cg_verdict shift(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    struct cg_chunk *chunk = cg_chunk_get(tunnel->reactor);
    size_t len = unread(tunnel);

    if (chunk == NULL)
        return completed(io, -ENOMEM);
    len = len < chunk->size ? len : chunk->size;
    memcpy(chunk->data, tunnel->in.data + tunnel->in_done, len);
    chunk->end = (uint32_t)len;
    io->chunk = chunk;
    tunnel->in_done += len;
    if (unread(tunnel) == 0)
        forget_input(tunnel);
    open_windows(tunnel, len);
    return completed(io, (ssize_t)len);
}

static enum cg_verdict receive(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    if (!can_read(tunnel))
        return keep(&tunnel->reader, io);
    if (io->code == CG_IO_POLL)
        return look(tunnel, io);
    if (tunnel->deaf || unread(tunnel) == 0)
        return completed(io, tunnel->deaf ? 0 : tunnel->error);
    return shift(tunnel, io);
}

static enum cg_verdict watch(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    return tunnel->ended ? completed(io, CG_HUP) : keep(&tunnel->watcher, io);
}

/* Appends bytes to a buffer, of which so many have been used up. 0 or -ENOMEM. */
static int append(struct cg__http_h2_bytes *to, size_t *done, const void *data, size_t len)
{
    if (to->size - to->len < len && *done > 0) {
        to->len -= *done;
        memmove(to->data, to->data + *done, to->len);
        *done = 0;
    }
    if (cg__http_room(&to->data, &to->size, 256, to->len + len) < 0)
        return -ENOMEM;
    if (len > 0)
        memcpy(to->data + to->len, data, len);
    to->len += len;
    return 0;
}

/* Appends bytes to what is to be sent. Returns how many, or -ENOMEM. */
static ssize_t put(struct cg__http_h2_tunnel *tunnel, const void *data, size_t len)
{
    struct cg__http_h2_stream *stream = tunnel->stream;
    size_t room = LIMIT - unsent(tunnel);
    int rc;

    len = len < room ? len : room;
    rc = append(&stream->out, &stream->out_done, data, len);
    return rc < 0 ? rc : (ssize_t)len;
}

static ssize_t put_parts(struct cg__http_h2_tunnel *tunnel, const struct iovec *iov,
                         int iovcnt)
{
    ssize_t sum = 0;

    for (int i = 0; i < iovcnt; i++) {
        ssize_t n = put(tunnel, iov[i].iov_base, iov[i].iov_len);

        if (n < 0)
            return sum > 0 ? sum : n;
        sum += n;
        if ((size_t)n < iov[i].iov_len)
            break;
    }
    return sum;
}

static ssize_t put_file(struct cg__http_h2_tunnel *tunnel, const struct cg_io *io)
{
    char data[4096];
    size_t size = LIMIT - unsent(tunnel);
    ssize_t n;

    size = size < sizeof data ? size : sizeof data;
    size = size < io->count ? size : io->count;
    do
        n = pread(io->file, data, size, (off_t)io->offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : put(tunnel, data, (size_t)n);
}

static ssize_t put_all(struct cg__http_h2_tunnel *tunnel, const struct cg_io *io)
{
    switch (io->code) {
    case CG_IO_SENDV:
        return put_parts(tunnel, io->iov, io->iovcnt);
    case CG_IO_SENDFILE:
        return put_file(tunnel, io);
    default:
        return put(tunnel, io->buf, io->len);
    }
}

static enum cg_verdict transmit(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    if (!can_write(tunnel))
        return io->code == CG_IO_OFFER ? completed(io, 0) : keep(&tunnel->writer, io);
    if (io->code == CG_IO_POLL)
        return completed(io, is_broken(tunnel) ? CG_OUT | CG_ERR : CG_OUT);
    if (is_broken(tunnel))
        return completed(io, -EPIPE);
    io->result = put_all(tunnel, io);
    if (io->result > 0)
        cg__http_h2_writer_resume(tunnel->stream);
    return CG_DONE;
}

static void stop_reading(struct cg__http_h2_tunnel *tunnel)
{
    size_t len = unread(tunnel);

    tunnel->deaf = true;
    forget_input(tunnel);
    open_windows(tunnel, len);
    wake(tunnel, &tunnel->reader, receive);
}

static void stop_writing(struct cg__http_h2_tunnel *tunnel)
{
    if (!is_broken(tunnel)) {
        tunnel->stream->last = true;
        cg__http_h2_writer_resume(tunnel->stream);
    }
    tunnel->mute = true;
    wake(tunnel, &tunnel->writer, transmit);
}

static enum cg_verdict shut(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    if (io->how < SHUT_RD || io->how > SHUT_RDWR)
        return completed(io, -EINVAL);
    if (io->how != SHUT_WR)
        stop_reading(tunnel);
    if (io->how != SHUT_RD)
        stop_writing(tunnel);
    return completed(io, 0);
}

/* To close with SO_LINGER and no time to linger resets the stream, as it does a
 * connection. Other options belong to the connection of all streams. */
static enum cg_verdict set_option(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    const struct linger *linger = io->value;

    if (io->level != SOL_SOCKET || io->name != SO_LINGER || io->size < sizeof *linger)
        return completed(io, -EOPNOTSUPP);
    tunnel->abrupt = linger->l_onoff != 0 && linger->l_linger == 0;
    return completed(io, 0);
}

/* Addresses are those of the connection. */
static enum cg_verdict name(struct cg__http_h2_tunnel *tunnel, struct cg_io *io)
{
    struct cg_sock *below = tunnel->stream != NULL ? tunnel->stream->h2->conn->sock : NULL;

    if (below == NULL)
        return completed(io, -ENOTCONN);
    io->fd = cg_sock_fd(below);
    return cg_sock_transport(below)->submit(below, io);
}

static enum cg_verdict tunnel_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__http_h2_tunnel *tunnel = cg_sock_state(sock);

    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        return receive(tunnel, io);
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_OFFER:
        return transmit(tunnel, io);
    case CG_IO_POLL:
        if (!(io->events & (CG_IN | CG_OUT)))
            return watch(tunnel, io);
        return io->events & CG_IN ? receive(tunnel, io) : transmit(tunnel, io);
    case CG_IO_LOOK:
        return look(tunnel, io);
    case CG_IO_SHUTDOWN:
        return shut(tunnel, io);
    case CG_IO_SETOPT:
        return set_option(tunnel, io);
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
        return name(tunnel, io);
    default:
        return completed(io, -EOPNOTSUPP);
    }
}

static enum cg_verdict tunnel_cancel(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__http_h2_tunnel *tunnel = cg_sock_state(sock);

    if (tunnel->reader == io)
        tunnel->reader = NULL;
    else if (tunnel->writer == io)
        tunnel->writer = NULL;
    else
        tunnel->watcher = NULL;
    io->state = CG_IO_IDLE;
    return CG_DONE;
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

    stop_reading(tunnel);
    stop_writing(tunnel);
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

static const struct cg_transport_type tunnel_transport = {
    .name = "http/2",
    .submit = tunnel_submit,
    .cancel = tunnel_cancel,
    .close = tunnel_close,
};

/* The end of any other request is not the end of the tunnel's input: as over HTTP/1, the client
 * has to leave for that. */
static bool is_upgrade(const struct cg__http_h2_stream *stream)
{
    return stream->connects || stream->message.code == HTTP_CONNECT;
}

int cg__http_h2_tunnel_open(struct cg__http_h2_stream *stream)
{
    struct cg_sched *sched = stream->message.server->sched;
    struct cg__http_h2_tunnel *tunnel = calloc(1, sizeof *tunnel);

    if (tunnel == NULL)
        return -ENOMEM;
    tunnel->sock = cg_sock_open(sched, &tunnel_transport, tunnel, -1);
    if (tunnel->sock == NULL) {
        free(tunnel);
        return -ENOMEM;
    }
    tunnel->reactor = cg_sched_reactor(sched);
    tunnel->in = stream->in;
    tunnel->ended = is_upgrade(stream) && stream->in_end;
    stream->in = (struct cg__http_h2_bytes){.data = NULL};
    tunnel->stream = stream;
    stream->tunnel = tunnel;
    stream->h2->live++;
    return 0;
}

struct cg_sock *cg__http_h2_tunnel_sock(const struct cg__http_h2_tunnel *tunnel)
{
    return tunnel->sock;
}

bool cg__http_h2_tunnel_add(struct cg__http_h2_tunnel *tunnel, const uint8_t *data,
                            size_t len)
{
    if (tunnel->deaf) {
        open_windows(tunnel, len);
        return true;
    }
    if (append(&tunnel->in, &tunnel->in_done, data, len) < 0)
        return false;
    wake(tunnel, &tunnel->reader, receive);
    return true;
}

void cg__http_h2_tunnel_end(struct cg__http_h2_tunnel *tunnel)
{
    tunnel->ended = true;
    wake(tunnel, &tunnel->reader, receive);
    wake(tunnel, &tunnel->watcher, watch);
}

void cg__http_h2_tunnel_took(struct cg__http_h2_tunnel *tunnel)
{
    wake(tunnel, &tunnel->writer, transmit);
}

void cg__http_h2_tunnel_leave(struct cg__http_h2_tunnel *tunnel, int error)
{
    struct cg__http_h2_stream *stream = tunnel->stream;

    nghttp2_session_consume_connection(stream->h2->session, unread(tunnel));
    tunnel->stream = NULL;
    stream->tunnel = NULL;
    if (!tunnel->ended)
        tunnel->error = error;
    cg__http_h2_tunnel_end(tunnel);
    wake(tunnel, &tunnel->writer, transmit);
    cg__http_h2_release(stream);
}
