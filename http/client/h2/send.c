/* SPDX-License-Identifier: MIT */
/* Sends a request by HTTP/2: the head, then the body as far as the windows of the server
 * are open. Bodies other than short ones in memory are sent by a coroutine of their own. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/interim.h"
#include "http/client/sending.h"
#include "http/client/source.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 32 * 1024 }; /* bytes that a source or a file is asked for at a time */

/* The end of a tunnel whose socket is closed already. */
static ssize_t give_end(nghttp2_session *session, int32_t id, uint32_t *flags)
{
    *flags = NGHTTP2_DATA_FLAG_EOF;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    return 0;
}

/* Called by nghttp2 when it can send data: gives what there is of the piece. */
static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct cg__h2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    ssize_t more = 0;
    size_t len;

    (void)source;
    if (stream == &cg__http_client_h2_ending)
        return give_end(session, id, flags);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    len = stream->piece_len < size ? stream->piece_len : size;
    if (len == 0 && !stream->last_piece)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, stream->piece, len);
    stream->piece += len;
    stream->piece_len -= len;
    stream->sent = stream->last_piece && stream->piece_len == 0;
    if (stream->piece_len == 0)
        cg__http_client_h2_stream_wake(stream);
    cg__http_client_h2_thrive(user); /* the server may acknowledge it */
    if (!stream->sent)
        return (ssize_t)len;
    if (stream->more != NULL)
        more = cg__http_client_h2_fields_trailers(stream, stream->more);
    if (more < 0) {
        stream->sent = false;
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    *flags = NGHTTP2_DATA_FLAG_EOF | (more > 0 ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0);
    return (ssize_t)len;
}

static bool has_moved(const struct cg__h2_stream *stream)
{
    return stream->piece_len < stream->noted || stream->sent || stream->closed;
}

/* The same for a body that the coroutine of the request sends. */
static bool has_moved_or_head(const struct cg__h2_stream *stream)
{
    return has_moved(stream) || cg__http_client_h2_receive_is_there(stream);
}

/* Reads the heads that have come. 1: the final one; 0; or a negative code. */
static ssize_t hear(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    while (cg__http_client_h2_receive_is_there(stream)) {
        ssize_t n = cg__http_client_h2_receive_pop(ask->reply, ask->why);

        if (n == 0)
            n = cg__http_client_interim(ask);
        if (n < 0 || !cg__http_client_is_interim(ask->reply))
            return n < 0 ? n : 1;
    }
    return 0;
}

static void set_piece(struct cg__h2_stream *stream, const void *data, size_t len, bool last)
{
    stream->piece = data;
    stream->piece_len = len;
    stream->last_piece = last;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
}

/* The memory of the piece may end now. What has not been sent of a last one is missing: nghttp2
 * must not take its end for that of the body. */
static void drop_piece(struct cg__h2_stream *stream)
{
    stream->piece_len = 0;
    stream->last_piece = false;
}

/* Waits until some of the piece was sent. 0, or a negative code of waiting. */
static ssize_t move_piece(struct cg__h2_stream *stream, struct cg__asking *ask,
                          bool (*ready)(const struct cg__h2_stream *))
{
    ssize_t n;

    stream->noted = stream->piece_len;
    n = cg__http_client_h2_pump(
        stream, ready, cg__http_client_wait_end(ask->client, ask->client->options.send_timeout));
    ask->sent += stream->noted - stream->piece_len;
    return n;
}

/* Sends a piece. 0; 1: the server does not take it, which the stream explains; negative. */
static ssize_t send_piece(struct cg__sending *sending, const void *data, size_t len, bool last)
{
    struct cg__h2_stream *stream = sending->stream;
    ssize_t n = 0;

    set_piece(stream, data, len, last);
    while (n == 0 && !stream->closed && (last ? !stream->sent : stream->piece_len > 0)) {
        n = move_piece(stream, sending->ask, has_moved);
        if (n == -ETIMEDOUT && cg__http_client_sending_is_patient(sending))
            n = 0;
    }
    if (n == 0 && (last ? !stream->sent : stream->piece_len > 0))
        n = 1;
    if (n == -ETIMEDOUT && sending->ask->responded)
        n = 1;
    drop_piece(stream);
    if (n == -ETIMEDOUT)
        cg__http_client_because(sending->why, n, "the server stopped reading the request");
    return n;
}

/* Sends a body that is read piece by piece. */
static ssize_t send_pieces(struct cg__sending *sending)
{
    char *buf = malloc(PIECE);
    ssize_t n = buf ? 0 : -ENOMEM;
    bool last = false;

    while (n == 0 && !last) {
        ssize_t len =
            cg__http_client_source_read(sending->ask, buf, PIECE, &last, sending->why);

        n = len < 0 ? len : send_piece(sending, buf, (size_t)len, last);
    }
    free(buf);
    return n;
}

static ssize_t send_all(struct cg__sending *sending)
{
    const struct cg__asking *ask = sending->ask;
    const struct cg_http_fetch *fetch = ask->fetch;

    if (fetch->source != NULL && fetch->source->len < 0)
        sending->stream->more = fetch->source->trailers;
    if (fetch->source != NULL || fetch->file != NULL)
        return send_pieces(sending);
    return send_piece(sending, (const char *)fetch->body + ask->sent,
                      fetch->len - (size_t)ask->sent, true);
}

ssize_t cg__http_client_h2_send_body(struct cg__sending *sending)
{
    ssize_t n = send_all(sending);

    sending->stream->over = true;
    cg__http_client_h2_stream_wake(sending->stream);
    return n;
}

static bool has_news(const struct cg__h2_stream *stream)
{
    return stream->over || cg__http_client_h2_receive_is_there(stream);
}

ssize_t cg__http_client_h2_send_listen(struct cg__sending *sending)
{
    ssize_t n = cg__http_client_h2_pump(sending->stream, has_news, CG_NEVER);

    return n < 0 ? n : cg__http_client_h2_receive_is_there(sending->stream);
}

/* Sends a short body from memory. What a successful response has overtaken is sent by a
 * coroutine. 0; 1: the final response has come; negative. */
static ssize_t send_short(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    ssize_t n = 0;

    set_piece(stream, ask->fetch->body, ask->fetch->len, true);
    while (n == 0 && !stream->sent) {
        n = move_piece(stream, ask, has_moved_or_head);
        if (n == 0)
            n = hear(stream, ask);
    }
    ask->unsent = !stream->sent;
    drop_piece(stream);
    if (n == -ETIMEDOUT)
        cg__http_client_because(ask->why, n, "the server stopped reading the request");
    return n;
}

static bool has_head(const struct cg__h2_stream *stream)
{
    return cg__http_client_h2_receive_is_there(stream);
}

/* Waits for 100 Continue; see ask_first in h1/send.c. */
static ssize_t ask_first(struct cg__h2_stream *stream, struct cg__asking *ask)
{
    int64_t end = cg__http_client_wait_end(ask->client, ask->client->options.expect_timeout);
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
    int64_t end = cg__http_client_wait_end(ask->client, ask->client->options.response_timeout);
    ssize_t n = cg__http_client_h2_pump(stream, is_settled, end);

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

/* Sends the body, or begins to. 0; 1: the final response has come; negative. */
static ssize_t send_body(struct cg__link *link, struct cg__asking *ask)
{
    ssize_t n = 0;

    if (ask->expect)
        n = ask_first(link->stream, ask);
    if (n == 0 && cg__http_client_sending_wants(ask))
        return cg__http_client_sending_begin(ask, link);
    if (n == 0)
        n = send_short(link->stream, ask);
    if (n == 1 && ask->unsent && cg__http_client_sending_goes_on(ask)) {
        n = cg__http_client_sending_begin(ask, link);
        n = n < 0 ? n : 1;
    }
    return n;
}

/* The head of the response will come into the memory that the reply has for it. */
static void lend_memory(struct cg__h2_stream *stream, struct cg_http_reply *reply)
{
    cg__http_message_reset(&reply->headers, SIZE_MAX);
    stream->spare = reply->headers;
    reply->headers = (struct cg_http_headers){.data = NULL};
}

ssize_t cg__http_client_h2_send(struct cg__link *link, struct cg__asking *ask)
{
    struct cg__h2_stream *stream = link->stream;
    const nghttp2_data_provider body = {.read_callback = give};
    ssize_t n = 0;

    lend_memory(stream, ask->reply);
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
        stream->refused = stream->h2->spent = true; /* on another connection, it has a number */
    }
    ask->reply->head.status = 0;
    if (n == 0 && ask->with_body)
        n = send_body(link, ask);
    ask->responded = n == 1;
    return n == 1 ? 0 : n;
}
