/* SPDX-License-Identifier: MIT */
/* The session of nghttp2: its options, and what it tells us. Its callbacks store and wake;
 * nothing is sent or yielded within them. */
#include "config.h"

#include "http/client/client_why.h"
#include "http/client/h2/session.h"
#include "http/http2/setup.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIELD_COST = 32, /* bytes that a field counts beyond its text (RFC 9113, 6.5.2) */
    FIRST_SIZE = CG__HTTP2_BLOCK * CG__HTTP2_SIZES,
};

void cg__http_client_h2_session_thrive(struct cg__h2 *h2)
{
    if (h2->useless > 0)
        h2->useless = 0;
}

/* The body and the end of a response mostly follow its head: that stream need not be looked up. */
static struct cg__h2_stream *find(const struct cg__h2 *h2, int32_t id)
{
    return h2->heads != NULL && h2->heads->id == id
               ? h2->heads
               : nghttp2_session_get_stream_user_data(h2->session, id);
}

void cg__http_client_h2_session_wake(struct cg__h2_stream *stream)
{
    struct cg__h2_reader *reader = stream->h2->reader;

    if (reader != NULL && reader->stream == stream && reader->ready(stream))
        cg_scope_cancel(&reader->scope);
    for (size_t i = 0; i < sizeof stream->waiters / sizeof *stream->waiters; i++) {
        struct cg__line_op *waiter = stream->waiters[i];

        stream->waiters[i] = NULL;
        if (waiter != NULL)
            cg__http_client_line_wake(waiter, 0, NULL);
    }
}

/* The first reason stays. */
static void note_error(struct cg__h2_stream *stream, ssize_t code, const char *why)
{
    if (stream->error == 0 && !stream->ended)
        stream->error = cg__http_client_because(stream->why, code, "%s", why);
}

void cg__http_client_h2_session_drop(struct cg__h2_stream *stream, ssize_t code,
                                     const char *why)
{
    note_error(stream, code, why);
    cg__http_client_h2_session_reset(stream);
    stream->closed = true;
    cg__http_client_h2_session_wake(stream);
}

void cg__http_client_h2_session_reset(struct cg__h2_stream *stream)
{
    stream->h2->useless -= stream->h2->client->options.h2_window; /* may be on its way */
    nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_CANCEL);
}

/* The head */

static struct cg__h2_head *begin_head(struct cg__h2_stream *stream)
{
    struct cg__http2_memory *memory = &stream->h2->memory;
    struct cg__h2_head *head = cg__http_blocks_calloc(1, sizeof *head, memory);

    if (head == NULL)
        return NULL;
    head->fields = stream->spare;
    stream->spare = (struct cg_http_headers){.data = NULL};
    if (cg__http_message_text(&head->fields, "", 1) < 0) {
        cg__http_blocks_free(head, memory);
        return NULL;
    }
    head->length = -1;
    *(stream->last ? &stream->last->next : &stream->first) = head;
    stream->last = head;
    return head;
}

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

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct cg__h2 *h2 = data;
    struct cg__h2_stream *stream = find(h2, frame->hd.stream_id);

    (void)session;
    h2->heads = stream;
    if (stream == NULL || stream->closed || stream->finals)
        return 0;
    stream->count++; /* many interim heads cost memory, too */
    if (begin_head(stream) == NULL)
        cg__http_client_h2_session_drop(stream, -ENOMEM, "no memory for the response");
    return 0;
}

/* Counts a field. Returns false if the response is refused because of it. */
static bool count_field(struct cg__h2_stream *stream, size_t len)
{
    const struct cg__http_limits *limits = &stream->h2->client->limits;

    stream->count++;
    stream->bytes += (uint32_t)len + FIELD_COST;
    if (stream->bytes <= limits->headers && stream->count <= limits->count)
        return true;
    cg__http_client_h2_session_drop(
        stream, CG_EHTTP_LIMIT,
        stream->count > limits->count
            ? "the response is too large: too many header fields"
            : "the response is too large: the header fields are too long");
    return false;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

/* nghttp2 has checked the field. */
static int store_field(struct cg__h2_head *head, struct cg_http_headers *trailers,
                       const char *name, size_t name_len, const char *value, size_t value_len)
{
    uint64_t number;

    if (head != NULL && is_name(name, name_len, ":status")) {
        if (!cg__ascii_is_number(value, &number) || number < 100 || number > 999)
            return -EINVAL;
        head->status = (unsigned)number;
        return 0;
    }
    if (*name == ':')
        return head != NULL ? 0 : -EINVAL;
    if (head != NULL && is_name(name, name_len, "content-length")) {
        if (!cg__ascii_is_number(value, &number) || number > INT64_MAX)
            return -EINVAL;
        head->length = (int64_t)number;
    }
    return cg__http_message_put(head != NULL ? &head->fields : trailers, name, name_len, value,
                                value_len);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *data)
{
    struct cg__h2 *h2 = data;
    struct cg__h2_stream *stream = h2->heads;
    struct cg__h2_head *head;
    int rc;

    (void)session, (void)frame, (void)flags;
    if (stream == NULL || stream->closed || !count_field(stream, name_len + value_len))
        return 0;
    head = stream->last != NULL && !stream->last->complete ? stream->last : NULL;
    rc = store_field(head, &stream->trailers, (const char *)name, name_len,
                     (const char *)value, value_len);
    if (rc == -ENOMEM)
        cg__http_client_h2_session_drop(stream, rc, "no memory for the response");
    else if (rc < 0)
        cg__http_client_h2_session_drop(stream, CG_EHTTP,
                                        "the response is not valid HTTP: a field is invalid");
    return 0;
}

static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *data)
{
    struct cg__h2_stream *stream = find(data, frame->hd.stream_id);

    (void)session, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    if (stream != NULL && !stream->closed)
        cg__http_client_h2_session_drop(stream, CG_EHTTP,
                                        "the response is not valid HTTP: a field is invalid");
    return 0;
}

/* 2xx accepts an upgrade. It becomes the 101 that HTTP/1.1 has in its stead, so that whoever
 * reads it sees no difference. 0 or a negative code. */
static int accept_upgrade(struct cg__h2_stream *stream, struct cg__h2_head *head)
{
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    head->status = 101;
    while (rc == 0 && cg_http_headers_next(&stream->upgrade, &at, &field))
        rc = cg_http_headers_set(&head->fields, field.name, field.value);
    return rc;
}

static void end_head(struct cg__h2_stream *stream)
{
    struct cg__h2_head *head = stream->last;

    if (head == NULL || head->complete)
        return;
    if (stream->connects && head->status / 100 == 2 && accept_upgrade(stream, head) < 0) {
        cg__http_client_h2_session_drop(stream, -ENOMEM, "no memory for the response");
        return;
    }
    head->complete = true;
    stream->finals |= head->status / 100 != 1 || head->status == 101;
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
    struct cg__h2_stream *stream = find(h2, id);

    (void)flags;
    cg__http_client_h2_session_thrive(h2);
    nghttp2_session_consume_connection(session, len);
    if (stream == NULL || stream->closed) {
        nghttp2_session_consume_stream(session, id, len);
        return 0;
    }
    if (!make_room(stream, len)) {
        cg__http_client_h2_session_drop(stream, -ENOMEM, "no memory for the body");
        return 0;
    }
    memcpy(stream->data + stream->to, data, len);
    stream->to += len;
    cg__http_client_h2_session_wake(stream);
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
            cg__http_client_h2_session_wake(stream);
    }
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->spent = true;
    if (h2->line != NULL &&
        (frame->hd.type == NGHTTP2_GOAWAY || frame->hd.type == NGHTTP2_SETTINGS))
        cg__http_client_line_wake_all(h2->line, 0, NULL);
    stream = find(h2, frame->hd.stream_id);
    if (stream == NULL || stream->closed)
        return 0;
    stream->reset |= frame->hd.type == NGHTTP2_RST_STREAM;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        cg__http_client_h2_session_thrive(h2);
        end_head(stream);
    }
    stream->ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    cg__http_client_h2_session_wake(stream);
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
    stream = find(h2, frame->hd.stream_id);
    if (stream != NULL)
        stream->place = h2->out_gone + (h2->out_to - h2->out_from);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *user)
{
    struct cg__h2_stream *stream = find(user, frame->hd.stream_id);

    (void)session;
    if (stream != NULL) {
        char why[CG_HTTP_WHY_SIZE];

        cg__http_client_because(why, 0, "the response is not valid HTTP/2: %s",
                                nghttp2_strerror(code));
        note_error(stream, CG_EHTTP, why);
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
    note_error(stream,
               code == NGHTTP2_NO_ERROR ? CG_EOF
               : reset                  ? -ECONNRESET
                                        : CG_EHTTP,
               why);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct cg__h2_stream *stream = find(user, id);

    (void)session;
    if (stream == NULL || stream->closed)
        return 0;
    stream->refused = code == NGHTTP2_REFUSED_STREAM && stream->first == NULL;
    stream->wants_1_1 = code == NGHTTP2_HTTP_1_1_REQUIRED && stream->first == NULL;
    if (!stream->ended)
        note_close(stream, code);
    stream->closed = true;
    cg__http_client_h2_session_wake(stream);
    return 0;
}

/* Set-up. nghttp2 itself limits the replies to PING and SETTINGS that wait to be sent (1,000),
 * the entries of SETTINGS (32) and CONTINUATION frames (8 a head). */

static void set_callbacks(nghttp2_session_callbacks *calls)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(calls, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(calls, on_invalid_header);
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
