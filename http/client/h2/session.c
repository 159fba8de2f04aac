/* SPDX-License-Identifier: MIT */
/* The session of nghttp2: its options, and what it tells us. Its callbacks store and wake;
 * nothing is sent or yielded within them. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/why.h"
#include "http/http2/setup.h"

#include <errno.h>
#include <string.h>

enum { FIRST_SIZE = CG__HTTP2_BLOCK * CG__HTTP2_SIZES }; /* of a body's buffer */

/* Notes whose frame comes, and whose head goes on in a further one: until that has come, the server
 * may send nothing else, whether we still want that head or not. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *data)
{
    struct cg__h2 *h2 = data;
    bool of_head = hd->type == NGHTTP2_HEADERS || hd->type == NGHTTP2_CONTINUATION;

    (void)session;
    h2->in_head = of_head && !(hd->flags & NGHTTP2_FLAG_END_HEADERS) ? hd->stream_id : 0;
    h2->came = hd->stream_id;
    return 0;
}

/* The body */

/* A short body fits into a block that the session has kept. */
static bool make_room(struct cg__h2_stream *stream, size_t len)
{
    size_t held = stream->to - stream->from, size = stream->size > 0 ? stream->size : FIRST_SIZE;
    char *data;

    if (len <= stream->size - stream->to)
        return true;
    if (held > 0 && stream->from > 0)
        memmove(stream->data, stream->data + stream->from, held);
    stream->from = 0;
    stream->to = held;
    while (size < held + len)
        size *= 2;
    data = cg__http_blocks_realloc(stream->data, size, &stream->h2->memory);
    if (data == NULL)
        return false;
    stream->data = data;
    stream->size = size;
    return true;
}

/* The window of the connection is opened at once, so that a body that nobody reads does not
 * stop the others. That of the stream is opened when the program has read. */
static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
                         const uint8_t *data, size_t len, void *user)
{
    struct cg__h2 *h2 = user;
    struct cg__h2_stream *stream = cg__http_client_h2_stream_find(h2, id);

    (void)flags;
    cg__http_client_h2_thrive(h2);
    nghttp2_session_consume_connection(session, len);
    if (stream == NULL || stream->closed) {
        nghttp2_session_consume_stream(session, id, len);
        return 0;
    }
    if (!make_room(stream, len)) {
        cg__http_client_h2_stream_drop(stream, -ENOMEM, "no memory for the body");
        return 0;
    }
    memcpy(stream->data + stream->to, data, len);
    stream->to += len;
    cg__http_client_h2_stream_wake(stream);
    return 0;
}

/* Frames */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct cg__h2 *h2 = user;
    struct cg__h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_SETTINGS && !h2->settled) {
        h2->settled = true;
        for (stream = h2->streams; stream != NULL; stream = stream->next)
            cg__http_client_h2_stream_wake(stream);
    }
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->spent = true;
    if (h2->line != NULL &&
        (frame->hd.type == NGHTTP2_GOAWAY || frame->hd.type == NGHTTP2_SETTINGS))
        cg__http_client_pool_line_wake_all(h2->line, 0, NULL);
    stream = cg__http_client_h2_stream_find(h2, frame->hd.stream_id);
    if (stream == NULL || stream->closed)
        return 0;
    stream->reset |= frame->hd.type == NGHTTP2_RST_STREAM;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        cg__http_client_h2_thrive(h2);
        cg__http_client_h2_heads_end(stream);
    }
    stream->ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    cg__http_client_h2_stream_wake(stream);
    return 0;
}

/* Keeps what nghttp2 tells the server in its GOAWAY, such as "DATA: stream in idle": of most
 * violations we learn nothing else. */
static void note_goaway(struct cg__h2 *h2, const nghttp2_goaway *goaway)
{
    size_t len = goaway->opaque_data_len;

    if (h2->why[0] != '\0' || len >= sizeof h2->why)
        return;
    if (len > 0)
        memcpy(h2->why, goaway->opaque_data, len);
    h2->why[len] = '\0';
}

/* Also notes where the head of a request stands, which follows what has been gathered so far. The
 * preface is before it. */
static int before_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct cg__h2 *h2 = user;
    struct cg__h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        note_goaway(h2, &frame->goaway);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = cg__http_client_h2_stream_find(h2, frame->hd.stream_id);
    if (stream != NULL)
        stream->place = h2->out_gone + (h2->out_to - h2->out_from);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *user)
{
    struct cg__h2_stream *stream = cg__http_client_h2_stream_find(user, frame->hd.stream_id);

    (void)session;
    if (stream != NULL) {
        char why[CG_HTTP_WHY_SIZE];

        cg__http_client_because(why, 0, "the response is not valid HTTP/2: %s",
                                nghttp2_strerror(code));
        cg__http_client_h2_stream_blame(stream, CG_EHTTP, why);
    }
    return 0;
}

/* The stream ends before its response is complete. */
static void note_close(struct cg__h2_stream *stream, uint32_t code)
{
    bool reset = stream->reset || stream->refused;
    char why[CG_HTTP_WHY_SIZE];

    cg__http_client_because(why, 0,
                            reset ? "the server reset the stream: %s"
                                  : "the response is not valid HTTP/2: %s",
                            nghttp2_http2_strerror(code));
    cg__http_client_h2_stream_blame(stream,
                                    code == NGHTTP2_NO_ERROR ? CG_EOF
                                    : reset                  ? -ECONNRESET
                                                             : CG_EHTTP,
                                    why);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct cg__h2_stream *stream = cg__http_client_h2_stream_find(user, id);

    (void)session;
    if (stream == NULL || stream->closed)
        return 0;
    stream->refused = code == NGHTTP2_REFUSED_STREAM && stream->first == NULL;
    stream->wants_1_1 = code == NGHTTP2_HTTP_1_1_REQUIRED && stream->first == NULL;
    if (!stream->ended)
        note_close(stream, code);
    stream->closed = true;
    cg__http_client_h2_stream_wake(stream);
    return 0;
}

/* Set-up. nghttp2 itself limits the replies to PING and SETTINGS that wait to be sent (1,000),
 * the entries of SETTINGS (32) and CONTINUATION frames (8 a head). */

static void set_callbacks(nghttp2_session_callbacks *calls)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(calls, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, cg__http_client_h2_heads_begin);
    nghttp2_session_callbacks_set_on_header_callback(calls, cg__http_client_h2_heads_field);
    nghttp2_session_callbacks_set_on_invalid_header_callback(
        calls, cg__http_client_h2_heads_invalid);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
    nghttp2_session_callbacks_set_before_frame_send_callback(calls, before_frame_send);
}

static void set_option(nghttp2_option *option, void *user)
{
    const struct cg__h2 *h2 = user;

    nghttp2_option_set_peer_max_concurrent_streams(option, h2->client->options.h2_streams);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, CG__H2_TABLE);
}

int cg__http_client_h2_session_begin(struct cg__h2 *h2)
{
    const struct cg_http_client_options *options = &h2->client->options;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options->h2_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->client->limits.headers},
        CG__HTTP2_PRIORITIES
    };
    const struct cg__http2_setup setup = {
        .make = nghttp2_session_client_new3,
        .set_callbacks = set_callbacks,
        .set_option = set_option,
        .settings = settings,
        .count = sizeof settings / sizeof *settings,
        .all_windows = options->h2_all_windows,
    };

    return cg__http_setup_h2(&h2->session, &h2->memory, &setup, h2);
}

bool cg__http_client_h2_connects(const struct cg__h2 *h2)
{
    return nghttp2_session_get_remote_settings(
               h2->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

const char *cg__http_client_h2_session_take(struct cg__h2 *h2, const char *data, size_t len)
{
    ssize_t used;

    h2->useless += (int64_t)len;
    used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)data, len);
    if (used < 0)
        return nghttp2_strerror((int)used);
    if (h2->useless > h2->client->options.h2_useless)
        return "the server sends too many frames without content";
    return NULL;
}
