/* SPDX-License-Identifier: MIT */
/* The callbacks of nghttp2. They note what has come, and do nothing else: a handler must not
 * run inside of them. */
#include "config.h"

#include "http/http2/setup.h"
#include "http/server/h2/body.h"
#include "http/server/h2/budget.h"
#include "http/server/h2/fields.h"
#include "http/server/h2/frames.h"
#include "http/server/h2/session.h"
#include "http/server/h2/stream.h"
#include "http/server/h2/tunnel.h"
#include "http/server/metrics.h"

#include <errno.h>

/* The end of a response is reported right after its body was asked for: that stream need not be
 * looked up. */
static struct cg__http_h2_stream *find(const struct cg__http_h2 *h2, int32_t id)
{
    return h2->giving != NULL && h2->giving->id == id
               ? h2->giving
               : nghttp2_session_get_stream_user_data(h2->session, id);
}

static const struct cg_http_server_options *options_of(const struct cg__http_h2 *h2)
{
    return &h2->conn->server->options;
}

/* Handlers of streams that have been reset may still run, so the number of handlers is
 * limited, too. A client that has a whole response may send its next request before the handler
 * has returned: such handlers have a limit of their own. */
static bool may_begin(const struct cg__http_h2 *h2)
{
    unsigned most = options_of(h2)->h2_streams;

    return h2->live - h2->late < most && h2->late <= most;
}

/* While the last GOAWAY waits to be sent, it already promises that further requests
 * are not served; when it is sent, nghttp2 closes their streams. */
static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                         void *user_data)
{
    struct cg__http_h2 *h2 = user_data;
    int32_t id = frame->hd.stream_id;

    h2->in_head = true;
    h2->head_len = 0;
    h2->conn->since = cg_sched_now(h2->conn->server->sched);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        h2->heads = find(h2, id);
        if (h2->heads != NULL)
            h2->heads->in_trailers = true;
        return 0;
    }
    h2->heads = NULL;
    if (h2->leaves)
        return 0;
    if (may_begin(h2))
        h2->heads = cg__http_h2_stream_new(h2, id);
    else
        cg__http_metrics_refuse(h2->conn->server, CG__HTTP_REFUSED_STREAM);
    if (h2->heads == NULL)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id,
                                         NGHTTP2_REFUSED_STREAM);
    return nghttp2_session_set_stream_user_data(session, id, h2->heads);
}

/* nghttp2 resets the stream, passes over the rest of the head, and does not tell its end. */
static int refuse_head(struct cg__http_h2 *h2)
{
    h2->in_head = false;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int header(nghttp2_session *session, const nghttp2_frame *frame,
                  const uint8_t *name, size_t name_len, const uint8_t *value,
                  size_t value_len, uint8_t flags, void *user_data)
{
    struct cg__http_h2 *h2 = user_data;
    struct cg__http_h2_stream *stream = h2->heads;

    (void)session, (void)frame, (void)flags;
    if (stream == NULL ||
        cg__http_h2_fields_add(stream, name, name_len, value, value_len))
        return 0;
    return refuse_head(h2);
}

/* nghttp2 would leave such a field out, and go on. */
static int invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                          const uint8_t *name, size_t name_len, const uint8_t *value,
                          size_t value_len, uint8_t flags, void *user_data)
{
    (void)session, (void)frame, (void)name, (void)name_len, (void)value,
        (void)value_len;
    (void)flags;
    return refuse_head(user_data);
}

/* nghttp2 refuses a head as a whole, for example one without a path. */
static int invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                         void *user_data)
{
    (void)session, (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS)
        refuse_head(user_data);
    return 0;
}

static void input_ended(struct cg__http_h2_stream *stream)
{
    stream->in_end = true;
    if (stream->runs) /* else nobody waits */
        cg_event_set(&stream->came);
    if (stream->tunnel != NULL)
        cg__http_h2_tunnel_end(stream->tunnel);
}

static void head_came(struct cg__http_h2 *h2, const nghttp2_frame *frame)
{
    struct cg__http_h2_stream *stream = h2->heads;
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    h2->in_head = false;
    h2->heads = NULL;
    if (stream == NULL)
        return;
    if (end)
        input_ended(stream);
    if (stream->in_trailers)
        return;
    cg__http_h2_fields_end(stream, end);
    stream->queued = true;
    stream->next_ready = NULL;
    *h2->ready_end = stream;
    h2->ready_end = &stream->next_ready;
}

static void data_came(struct cg__http_h2 *h2, const nghttp2_frame *frame)
{
    struct cg__http_h2_stream *stream = find(h2, frame->hd.stream_id);

    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        if (stream != NULL)
            input_ended(stream);
    } else if (frame->hd.length > 0 && frame->hd.length <= frame->data.padlen) {
        cg__http_h2_budget_charge(h2, 1); /* it is all padding */
    }
}

static int frame_came(nghttp2_session *session, const nghttp2_frame *frame,
                      void *user_data)
{
    struct cg__http_h2 *h2 = user_data;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        head_came(h2, frame);
        break;
    case NGHTTP2_DATA:
        data_came(h2, frame);
        break;
    default:
        break;
    }
    return 0;
}

/* After the handler: what the client still sends is dropped, and up to the limit it may
 * send more. */
static int discard(struct cg__http_h2_stream *stream, size_t len)
{
    nghttp2_session *session = stream->h2->session;
    struct cg_http_request *req = &stream->message;

    req->body_seen += len;
    return req->body_seen <= req->server->options.drain_limit
               ? nghttp2_session_consume(session, stream->id, len)
               : nghttp2_session_consume_connection(session, len);
}

static int data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
                      const uint8_t *data, size_t len, void *user_data)
{
    struct cg__http_h2_stream *stream = find(user_data, id);
    size_t stored;

    (void)flags;
    if (stream == NULL)
        return nghttp2_session_consume_connection(session, len);
    if (!stream->runs && !stream->queued && stream->tunnel == NULL)
        return discard(stream, len);
    stored = stream->tunnel != NULL ? cg__http_h2_tunnel_add(stream->tunnel, data, len)
                                    : cg__http_h2_body_add(stream, data, len);
    if (stored == len)
        return 0;
    nghttp2_session_consume_connection(session, len - stored);
    return cg__http_h2_reset(stream, NGHTTP2_INTERNAL_ERROR);
}

/* A client that makes us reset streams is no better than one that resets them. */
static int frame_sent(nghttp2_session *session, const nghttp2_frame *frame,
                      void *user_data)
{
    struct cg__http_h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
            cg__http_h2_budget_charge(user_data, CG__HTTP_H2_RESET);
        return 0;
    }
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    cg__http_h2_budget_sent(user_data, &frame->hd);
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    stream = find(user_data, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    stream->sent = true;
    cg__http_h2_tunnel_stop(stream);
    return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t error,
                         void *user_data)
{
    struct cg__http_h2 *h2 = user_data;
    struct cg__http_h2_stream *stream = find(h2, id);

    (void)error;
    if (stream == NULL)
        return 0;
    h2->giving = NULL;
    stream->open = false;
    if (h2->heads == stream)
        h2->heads = NULL;
    if (!stream->sent || !stream->in_end) {
        cg__http_h2_stream_lose(stream);
    } else {
        cg__http_h2_frames_over(h2, id);
        stream->late = stream->runs;
        h2->late += stream->late;
    }
    if (stream->tunnel != NULL)
        cg__http_h2_tunnel_leave(stream->tunnel, -ECONNRESET);
    if (stream->in.len + stream->piece.len > 0) {
        nghttp2_session_consume_connection(session, stream->in.len + stream->piece.len);
        stream->piece.len = 0;
    }
    if (stream->served)
        h2->unsent--;
    cg__http_h2_stream_free(stream);
    if (h2->live == 0 && h2->unsent == 0 && h2->conn->server->draining)
        cg__http_h2_nudge(h2);
    return 0;
}

static void set_callbacks(nghttp2_session_callbacks *all)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(all, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(all, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(all, invalid_header);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(all, invalid_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_came);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data_chunk);
    nghttp2_session_callbacks_set_on_frame_send_callback(all, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(all, stream_closed);
}

static void set_option(nghttp2_option *option, void *user_data)
{
#ifdef HAVE_NGHTTP2_OPTION_SET_STREAM_RESET_RATE_LIMIT
    const struct cg_http_server_options *options = options_of(user_data);

    nghttp2_option_set_stream_reset_rate_limit(option,
                                               1 + options->h2_burst / CG__HTTP_H2_RESET,
                                               1 + options->h2_rate / CG__HTTP_H2_RESET);
#else
    (void)user_data;
#endif
#ifdef HAVE_NGHTTP2_SESSION_CHANGE_EXTPRI_STREAM_PRIORITY
    nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
#endif
    (void)option;
}

int cg__http_h2_session_open(struct cg__http_h2 *h2)
{
    const struct cg_http_server_options *options = options_of(h2);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options->h2_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options->h2_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options->headers_limit},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        CG__HTTP2_PRIORITIES
    };
    const struct cg__http2_setup setup = {
        .make = nghttp2_session_server_new3,
        .set_callbacks = set_callbacks,
        .set_option = set_option,
        .settings = settings,
        .count = sizeof settings / sizeof *settings,
        .all_windows = options->h2_all_windows,
    };

    return cg__http_setup_h2(&h2->session, &h2->memory, &setup, h2);
}

/* nghttp2 gives up without a word. The client must learn that it is to blame: after a mere end it
 * would send the same again. */
static void give_up(struct cg__http_h2 *h2, ssize_t error)
{
    h2->failed = error == NGHTTP2_ERR_NOMEM || error == NGHTTP2_ERR_CALLBACK_FAILURE;
    if (h2->failed)
        return;
    h2->overdrawn = true;
    cg__http_h2_terminate(h2, error == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? NGHTTP2_PROTOCOL_ERROR
                                                                    : NGHTTP2_ENHANCE_YOUR_CALM);
}

size_t cg__http_h2_session_feed(struct cg__http_h2 *h2, const char *data, size_t len)
{
    bool was_in_head = h2->in_head;
    ssize_t n;

    if (h2->overdrawn || h2->failed)
        return len; /* nobody listens any more */
    len = cg__http_h2_frames_come(h2, data, len);
    n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)data, len);
    if (n < 0)
        give_up(h2, n);
    else
        cg__http_h2_budget_waiting(h2);
    if (h2->in_head)
        h2->head_len = was_in_head ? h2->head_len + len : len;
    return len;
}
