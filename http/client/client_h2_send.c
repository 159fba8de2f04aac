/* SPDX-License-Identifier: MIT */
/* Sends a request by HTTP/2: the head, then the body as far as the windows of the server
 * are open. If the final response comes while the body is being sent, the rest is not
 * sent. */
#include "config.h"

#include "http/client/client_h2_session.h"
#include "http/client/client_head.h"
#include "http/client/client_source.h"
#include "http/client/client_why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 32 * 1024 }; /* bytes that a source or a file is asked for at a time */

/* Called by nghttp2 when it can send data: gives what there is of the piece. */
static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct cg__h2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    ssize_t more = 0;
    size_t len;

    (void)source;
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    len = stream->piece_len < size ? stream->piece_len : size;
    if (len == 0 && !stream->last_piece)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, stream->piece, len);
    stream->piece += len;
    stream->piece_len -= len;
    if (stream->piece_len == 0)
        cg__http_client_h2_session_wake(stream);
    cg__http_client_h2_session_thrive(user); /* the server may acknowledge it */
    if (!stream->last_piece || stream->piece_len > 0)
        return (ssize_t)len;
    if (stream->more != NULL)
        more = cg__http_client_h2_fields_trailers(stream, stream->more);
    if (more < 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags = NGHTTP2_DATA_FLAG_EOF | (more > 0 ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0);
    stream->sent = true;
    return (ssize_t)len;
}

static bool has_moved(const struct cg__h2_stream *stream)
{
    return stream->piece_len < stream->noted || stream->sent ||
           cg__http_client_h2_receive_is_there(stream);
}

static int64_t moment(const struct cg_http_client *client, int64_t length)
{
    int64_t now = cg_sched_now(client->sched);

    return length < CG_NEVER - now ? now + length : CG_NEVER;
}

static ssize_t cannot_send(const struct cg__asking *ask, ssize_t code)
{
    if (code == -ETIMEDOUT)
        return cg__http_client_because(ask->why, code,
                                       "the server stopped reading the request");
    return code;
}

/* Reads the heads that have come. 1: the final one; 0; or a negative code. */
static ssize_t hear(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    while (cg__http_client_h2_receive_is_there(stream)) {
        ssize_t n;

        if (stream->first == NULL)
            return cg__http_client_h2_receive_error(stream, ask->why);
        cg__http_client_h2_receive_pop(ask->reply);
        n = cg__http_client_head_interim(ask);
        if (n < 0 || !cg__http_client_head_is_interim(ask->reply))
            return n < 0 ? n : 1;
    }
    return 0;
}

/* Sends a piece. 0; 1: the final response has come; negative. */
static ssize_t send_piece(struct cg__h2_stream *stream, struct cg__asking *ask,
                          const void *data, size_t len, bool last)
{
    ssize_t n = 0;

    stream->piece = data;
    stream->piece_len = len;
    stream->last_piece = last;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
    while (n == 0 && (last ? !stream->sent : stream->piece_len > 0)) {
        stream->noted = stream->piece_len;
        n = cg__http_client_h2_pump(
            stream, has_moved, moment(ask->client, ask->client->options.send_timeout));
        ask->sent += stream->noted - stream->piece_len;
        if (n == 0)
            n = hear(stream, ask);
    }
    stream->piece_len = 0; /* the memory may end now */
    return n < 0 ? cannot_send(ask, n) : n;
}

/* Sends a body that is read piece by piece. */
static ssize_t send_pieces(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    char *buf = malloc(PIECE);
    ssize_t n = buf ? 0 : -ENOMEM;
    bool last = false;

    while (n == 0 && !last) {
        ssize_t len = cg__http_client_source_read(ask, buf, PIECE, &last);

        n = len < 0 ? len : send_piece(stream, ask, buf, (size_t)len, last);
    }
    free(buf);
    return n;
}

static ssize_t send_body(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;

    if (fetch->source != NULL && fetch->source->len < 0)
        stream->more = fetch->source->trailers;
    if (fetch->source != NULL || fetch->file != NULL)
        return send_pieces(stream, ask);
    return send_piece(stream, ask, fetch->body, fetch->len, true);
}

static bool has_head(const struct cg__h2_stream *stream)
{
    return cg__http_client_h2_receive_is_there(stream);
}

/* Waits for 100 Continue; see ask_first in client_send.c. */
static ssize_t ask_first(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    int64_t end = moment(ask->client, ask->client->options.expect_timeout);
    ssize_t n;

    do {
        n = cg__http_client_h2_pump(stream, has_head, end);
        if (n == -ETIMEDOUT)
            return 0;
        if (n == 0)
            n = hear(stream, ask);
    } while (n == 0 && ask->reply->head.status != 100);
    return n;
}

static bool is_settled(const struct cg__h2_stream *stream)
{
    return stream->h2->settled || stream->closed;
}

/* Whether the server takes the request for an upgrade is known when its settings have come.
 * If it does not, the request is sent by HTTP/1.1. */
static ssize_t prepare_upgrade(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    ssize_t n = cg__http_client_h2_pump(
        stream, is_settled, moment(ask->client, ask->client->options.response_timeout));

    if (n == -ETIMEDOUT)
        return cg__http_client_because(ask->why, n, "the server does not respond");
    if (n < 0)
        return n;
    if (stream->closed)
        return cg__http_client_h2_receive_error(stream, ask->why);
    stream->connects = cg__http_client_h2_connects(stream->h2);
    stream->wants_1_1 = !stream->connects;
    return stream->connects
               ? 0
               : cg__http_client_because(ask->why, CG_EHTTP,
                                         "the server does not upgrade HTTP/2");
}

ssize_t cg__http_client_h2_send(struct cg__link *link, struct cg__asking *ask,
                                ssize_t *broken)
{
    struct cg__h2_stream *stream = link->stream;
    const nghttp2_data_provider body = {.read_callback = give};
    ssize_t n = 0;

    *broken = 0;
    ask->sent = 0;
    ask->responded = false;
    stream->head_only = strcmp(ask->method, "HEAD") == 0;
    if (ask->fetch->upgrade)
        n = prepare_upgrade(stream, ask);
    if (n == 0)
        n = cg__http_client_h2_fields_submit(
            stream, ask, ask->with_body || stream->connects ? &body : NULL);
    if (n > 0) {
        stream->id = (int32_t)n;
        n = 0;
    } else if (n == -EAGAIN) {
        stream->refused = true;
    }
    ask->reply->head.status = 0;
    if (n == 0 && ask->with_body && ask->expect)
        n = ask_first(stream, ask);
    if (n == 0 && ask->with_body)
        n = send_body(stream, ask);
    ask->responded = n == 1;
    return n == 1 ? 0 : n;
}
