/* SPDX-License-Identifier: MIT */
/* See body.h. */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/h2/body.h"
#include "http/server/h2/fields.h"
#include "http/server/h2/tunnel.h"
#include "http/server/h2/writer.h"
#include "http/server/metrics.h"
#include "http/server/request/request_body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* At most a window's worth is there at once, since windows open only for what a handler has
 * read. */
size_t cg__http_h2_body_add(struct cg__http_h2_stream *stream, const uint8_t *data, size_t len)
{
    struct cg__http_h2_bytes *in = &stream->in;

    if (in->size - in->len < len) {
        size_t size = 2 * in->size > in->len + len ? 2 * in->size : in->len + len;
        char *grown = realloc(in->data, size);

        if (grown == NULL)
            return 0;
        in->data = grown;
        in->size = size;
    }
    memcpy(in->data + in->len, data, len);
    in->len += len;
    cg_event_set(&stream->came);
    return len;
}

/* The handler has read its piece: the client may send so many bytes more. */
static void open_windows(struct cg__http_h2_stream *stream)
{
    size_t len = stream->piece.len;

    if (len == 0)
        return;
    stream->piece.len = 0;
    nghttp2_session_consume(stream->h2->session, stream->id, len);
    cg__http_h2_writer_wake(stream->h2);
}

/* Sends 100 Continue to a client that waits for it. */
static void ask(struct cg__http_h2_stream *stream)
{
    struct cg_http_request *req = &stream->message;

    if (!req->expects || req->begun || stream->in.len > 0)
        return;
    req->expects = false;
    req->carrier->interim(req, 100, NULL, 0);
}

ssize_t cg__http_h2_body_more(struct cg_http_request *req)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);
    struct cg__http_h2_bytes read = stream->piece;
    int64_t start = cg_sched_now(cg_sched_self());
    ssize_t n = 0;

    open_windows(stream);
    ask(stream);
    stream->came.set = false;
    if (stream->in.len == 0 && !stream->in_end && !stream->lost) {
        n = cg_yield(cg_wait_event(&stream->came,
                                   .timeout = cg__http_request_body_patience(req)));
        req->waited += cg_sched_now(cg_sched_self()) - start;
    }
    if (n == -ETIMEDOUT)
        return cg__http_request_body_failed(req, 408, n);
    if (n < 0)
        return n;
    if (stream->in.len > 0) {
        stream->piece = stream->in;
        stream->in = (struct cg__http_h2_bytes){read.data, read.size, 0};
        req->body = stream->piece.data;
        req->body_left = stream->piece.len;
    } else if (stream->in_end) {
        req->body_done = true;
    } else if (stream->lost) {
        return cg__http_request_body_failed(req, 400, CG_EOF);
    }
    return 0;
}

static size_t take(uint8_t *buf, size_t size, const char *from, size_t len)
{
    if (len > size)
        len = size;
    memcpy(buf, from, len);
    return len;
}

/* Reads the file in nghttp2's buffer: a regular file does not wait. */
static ssize_t take_file(struct cg__http_h2_stream *stream, uint8_t *buf, size_t size)
{
    ssize_t n;

    if (size > stream->file_left)
        size = (size_t)stream->file_left;
    n = pread(stream->file, buf, size, (off_t)stream->offset);
    if (n <= 0) {
        stream->error = n < 0 ? -errno : CG_EOF;
        stream->file_left = 0;
        cg_event_set(&stream->taken);
        return -1;
    }
    stream->offset += n;
    stream->file_left -= (uint64_t)n;
    return n;
}

static bool has_more(const struct cg__http_h2_stream *stream)
{
    return stream->out_done < stream->out.len || stream->len > 0 ||
           stream->file_left > 0;
}

/* The end of the body: alone, or with trailers behind it. */
static void end(struct cg__http_h2_stream *stream, uint32_t *flags)
{
    struct cg_http_headers *trailers = &stream->message.out_trailers;
    struct cg__http_h2_head *head;

    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (trailers->count == 0 || stream->message.framing != CG__HTTP_CHUNKED)
        return;
    head = cg__http_h2_fields_trailers(stream);
    if (head == NULL)
        return;
    if (head->count > 0 && nghttp2_submit_trailer(stream->h2->session, stream->id,
                                                  head->fields, head->count) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

ssize_t cg__http_h2_body_give(nghttp2_session *session, int32_t id, uint8_t *buf,
                              size_t size, uint32_t *flags, nghttp2_data_source *source,
                              void *user_data)
{
    struct cg__http_h2_stream *stream = source->ptr;
    size_t done = 0, n;
    ssize_t read = 0;

    (void)session;
    (void)id;
    (void)user_data;
    stream->h2->giving = stream;
    if (stream->out_done < stream->out.len) {
        done = take(buf, size, stream->out.data + stream->out_done,
                    stream->out.len - stream->out_done);
        stream->out_done += done;
        if (stream->tunnel != NULL)
            cg__http_h2_tunnel_took(stream->tunnel);
    }
    if (done < size && stream->len > 0) {
        n = take(buf + done, size - done, stream->data, stream->len);
        stream->data += n;
        stream->len -= n;
        done += n;
        if (stream->len == 0)
            cg_event_set(&stream->taken);
    }
    if (done < size && stream->file_left > 0) {
        read = take_file(stream, buf + done, size - done);
        if (read < 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        done += (size_t)read;
        if (stream->file_left == 0)
            cg_event_set(&stream->taken);
    }
    if (done > 0)
        stream->moved_at = stream->h2->moved_at = cg_sched_now(stream->h2->conn->server->sched);
    if (!has_more(stream) && stream->last) {
        end(stream, flags);
    } else if (done == 0) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)done;
}

/* nghttp2 sends responses of the same urgency one after another (RFC 9218, 10). */
int64_t cg__http_h2_body_moved(const struct cg__http_h2_stream *stream)
{
    const struct cg__http_h2 *h2 = stream->h2;
    bool may_move = nghttp2_session_get_stream_remote_window_size(h2->session, stream->id) > 0;

    return may_move && h2->moved_at > stream->moved_at ? h2->moved_at : stream->moved_at;
}

/* The client must take something within the write timeout. */
ssize_t cg__http_h2_body_wait(struct cg__http_h2_stream *stream)
{
    struct cg_http_server *server = stream->message.server;
    int64_t limit = server->options.write_timeout;
    ssize_t n = 0;

    stream->moved_at = cg_sched_now(server->sched);
    while (n >= 0 && !stream->lost && (stream->len > 0 || stream->file_left > 0)) {
        int64_t since = cg__http_h2_body_moved(stream);

        stream->taken.set = false;
        n = cg_yield(cg_wait_event(&stream->taken, .timeout = CG_NEVER,
                                   .deadline = cg__moment_after(since, limit)));
        if (n == -ETIMEDOUT && cg__http_h2_body_moved(stream) > since)
            n = 0;
    }
    stream->data = NULL;
    stream->len = 0;
    stream->file_left = 0;
    if (n == -ETIMEDOUT)
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_WRITE_TIME);
    if (n < 0) {
        stream->last = false; /* the rest never comes: the response is reset, and does not end */
        return n;
    }
    return stream->error < 0 ? stream->error : stream->lost ? -ECONNRESET : 0;
}
