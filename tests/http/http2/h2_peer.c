/* SPDX-License-Identifier: MIT */
/* See h2_peer.h. */
#include "config.h"

#include "tests/http/http2/h2_peer.h"

#include <cogen/transport.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct conn {
    struct h2_peer *peer;
    unsigned index, requests;
    int32_t last; /* that its GOAWAY has named; or INT32_MAX */
    nghttp2_session *session;
    struct stream *streams; /* all that there were */
    bool cut; /* close the connection when everything has been sent */
};

struct stream {
    struct stream *next;
    bool closed;
    unsigned id; /* of the request, by its field x-id */
    char path[64];
    size_t got, left, at;
    const char *text; /* NULL: test_fill */
    bool trailers, reset, hold;
};

static nghttp2_nv pair(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value,
                        strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = source->ptr;
    size_t len = stream->left < size ? stream->left : size;
    nghttp2_nv trailer = pair("x-t", "yes");

    (void)user;
    if (stream->text != NULL)
        memcpy(buf, stream->text + stream->at, len);
    else
        test_fill(buf, len, stream->at);
    stream->at += len;
    stream->left -= len;
    if (stream->left > 0)
        return (ssize_t)len;
    if (stream->reset || stream->hold) {
        if (len == 0 && stream->reset)
            nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR);
        return len > 0 ? (ssize_t)len : NGHTTP2_ERR_DEFERRED;
    }
    *flags = NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, &trailer, 1);
    }
    return (ssize_t)len;
}

/* Responds; length: of Content-Length, NULL: none. */
static void respond(struct conn *conn, int32_t id, struct stream *stream, const char *text,
                    size_t len, const char *length)
{
    nghttp2_nv list[] = {pair(":status", "200"),
                         pair("content-length", length ? length : "")};
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = give};

    stream->text = text;
    stream->left = len;
    nghttp2_submit_response(conn->session, id, list, length ? 2 : 1, &body);
}

static void respond_fields(struct conn *conn, int32_t id, size_t count, size_t size)
{
    nghttp2_nv *list = calloc(count + 1, sizeof *list);
    char *value = calloc(1, size + 1);

    memset(value, 'v', size);
    list[0] = pair(":status", "200");
    for (size_t i = 1; i <= count; i++)
        list[i] = pair("x-field", value);
    nghttp2_submit_response(conn->session, id, list, count + 1, NULL);
    free(list);
    free(value);
}

static void interim(struct conn *conn, int32_t id)
{
    nghttp2_nv list[] = {pair(":status", "103"), pair("link", "</a>")};

    for (int i = 0; i < 2; i++)
        nghttp2_submit_headers(conn->session, 0, id, NULL, list, 2, NULL);
}

/* Frames that bring nothing, as raw bytes. */
static void flood(struct conn *conn, const char *frame, size_t size, unsigned count)
{
    char *all = malloc(size * count);

    for (unsigned i = 0; i < count; i++)
        memcpy(all + i * size, frame, size);
    cg_yield(cg_writeall(conn->peer->socks[conn->index], all, size * count));
    free(all);
}

enum { MANY_LATE = 10000 };

/* Interim heads, and resets, of the stream before this one. */
static void late_interims(struct conn *conn, int32_t id)
{
    nghttp2_nv status = pair(":status", "103");

    for (int i = 0; i < MANY_LATE && id > 1; i++)
        nghttp2_submit_headers(conn->session, 0, id - 2, NULL, &status, 1, NULL);
}

static void late_resets(struct conn *conn, int32_t id)
{
    char frame[] = "\0\0\4\3\0\0\0\0\0\0\0\0\2";

    frame[8] = (char)(id - 2);
    if (id > 1)
        flood(conn, frame, 13, MANY_LATE);
}

static bool is(const struct stream *stream, const char *path)
{
    return strcmp(stream->path, path) == 0;
}

static bool begins(const struct stream *stream, const char *path, unsigned *number)
{
    size_t len = strlen(path);

    if (strncmp(stream->path, path, len) != 0)
        return false;
    return sscanf(stream->path + len, "%u", number) == 1;
}

static void bad_field(struct conn *conn, int32_t id)
{
    nghttp2_nv list[] = {pair(":status", "200"), pair("x bad", "1")};

    nghttp2_submit_response(conn->session, id, list, 2, NULL);
}

static void with_status(struct conn *conn, int32_t id, unsigned status)
{
    char text[16];
    nghttp2_nv list[1];

    snprintf(text, sizeof text, "%03u", status);
    list[0] = pair(":status", text);
    nghttp2_submit_response(conn->session, id, list, 1, NULL);
}

static void push(struct conn *conn, int32_t id)
{
    /* Not by nghttp2, which knows that the client refuses it. */
    char frame[] = "\0\0\5\5\4\0\0\0\0\0\0\0\2\x82";

    frame[8] = (char)id;
    flood(conn, frame, 14, 1);
}

static const nghttp2_settings_entry no_streams = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0};

/* The head goes on in a CONTINUATION, which does not come. */
static void half_head(struct conn *conn, int32_t id)
{
    char frame[] = "\0\0\1\1\0\0\0\0\0\x88";

    frame[8] = (char)id;
    flood(conn, frame, 10, 1);
}

/* The same with HALF_FIELDS fields. */
static void half_fields(struct conn *conn, int32_t id)
{
    char frame[10 + 5 * HALF_FIELDS] = "\0\0\0\1\0\0\0\0\0\x88";

    frame[2] = (char)(sizeof frame - 9);
    frame[8] = (char)id;
    for (int i = 0; i < HALF_FIELDS; i++)
        memcpy(frame + 10 + 5 * i, "\0\1a\1b", 5);
    flood(conn, frame, sizeof frame, 1);
}

/* Says GOAWAY: the requests behind the last one are not processed. */
static void leave(struct conn *conn, int32_t last)
{
    conn->last = last < conn->last ? last : conn->last;
    nghttp2_submit_goaway(conn->session, 0, last, 0, NULL, 0);
}

/* What is done with a request when its head has come. */
static void on_head(struct conn *conn, int32_t id, struct stream *stream)
{
    nghttp2_session *session = conn->session;
    unsigned n;

    if (is(stream, "/big"))
        respond(conn, id, stream, NULL, H2_BIG, NULL);
    else if (is(stream, "/early"))
        respond(conn, id, stream, "early", 5, NULL);
    else if (is(stream, "/interim"))
        interim(conn, id), respond(conn, id, stream, "ok", 2, "2");
    else if (is(stream, "/trailers"))
        stream->trailers = true, respond(conn, id, stream, "body", 4, NULL);
    else if (begins(stream, "/status/", &n))
        with_status(conn, id, n);
    else if (is(stream, "/head"))
        stream->reset = true, respond(conn, id, stream, "", 0, "5");
    else if (is(stream, "/hold"))
        stream->hold = true, respond(conn, id, stream, "", 0, "5");
    else if (is(stream, "/reset"))
        nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR);
    else if (is(stream, "/refuse"))
        nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_REFUSED_STREAM);
    else if (is(stream, "/1.1"))
        nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_HTTP_1_1_REQUIRED);
    else if (is(stream, "/half"))
        stream->reset = true, respond(conn, id, stream, "half", 4, NULL);
    else if (is(stream, "/short"))
        respond(conn, id, stream, "short", 5, "10");
    else if (is(stream, "/goaway"))
        leave(conn, id), respond(conn, id, stream, "ok", 2, "2");
    else if (is(stream, "/leave"))
        leave(conn, id > 1 ? id - 2 : 0), conn->cut = true;
    else if (is(stream, "/cut"))
        conn->cut = true, stream->hold = true, respond(conn, id, stream, "cut", 3, NULL);
    else if (begins(stream, "/fields/", &n))
        respond_fields(conn, id, n, 1);
    else if (begins(stream, "/long/", &n))
        respond_fields(conn, id, 1, n);
    else if (is(stream, "/bad"))
        bad_field(conn, id);
    else if (is(stream, "/pings"))
        flood(conn, "\0\0\10\6\0\0\0\0\0abcdefgh", 17, 30000);
    else if (is(stream, "/few-pings"))
        flood(conn, "\0\0\10\6\0\0\0\0\0abcdefgh", 17, 1000);
    else if (is(stream, "/settings"))
        flood(conn, "\0\0\0\4\0\0\0\0\0", 9, 30000);
    else if (is(stream, "/unknown"))
        flood(conn, "\0\0\1\x77\0\0\0\0\0x", 10, 30000);
    else if (is(stream, "/idle"))
        flood(conn, "\0\0\1\0\0\0\0\0\x7fx", 10, 1);
    else if (is(stream, "/half-head"))
        half_head(conn, id);
    else if (is(stream, "/half-fields"))
        half_fields(conn, id);
    else if (is(stream, "/no-streams"))
        nghttp2_submit_settings(session, 0, &no_streams, 1),
            respond(conn, id, stream, "ok", 2, "2");
    else if (is(stream, "/late-interims"))
        late_interims(conn, id), respond(conn, id, stream, "ok", 2, "2");
    else if (is(stream, "/late-resets"))
        late_resets(conn, id), respond(conn, id, stream, "ok", 2, "2");
    else if (is(stream, "/push"))
        push(conn, id);
    else if (is(stream, "/ok"))
        respond(conn, id, stream, "ok", 2, "2");
}

/* And when its body has come. */
static void on_end(struct conn *conn, int32_t id, struct stream *stream)
{
    static char text[16][32];
    static unsigned next;
    char *to = text[next++ % 16];

    if (!is(stream, "/count"))
        return;
    if (id <= conn->last)
        conn->peer->processed[stream->id % H2_IDS]++;
    snprintf(to, 32, "%zu%s", stream->got, stream->trailers ? " and trailers" : "");
    stream->trailers = false;
    respond(conn, id, stream, to, strlen(to), NULL);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct conn *conn = user;
    struct stream *stream;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = calloc(1, sizeof *stream);
    stream->next = conn->streams;
    conn->streams = stream;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    conn->peer->requests++;
    conn->requests++;
    if (++conn->peer->open > conn->peer->most_open)
        conn->peer->most_open = conn->peer->open;
    return 0;
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame,
                    const uint8_t *name, size_t name_len, const uint8_t *value,
                    size_t value_len, uint8_t flags, void *user)
{
    struct h2_peer *peer = ((struct conn *)user)->peer;
    struct stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    size_t used = strlen(peer->seen);

    (void)name_len, (void)value_len, (void)flags;
    snprintf(peer->seen + used, sizeof peer->seen - used, "%s: %s\n", (const char *)name,
             (const char *)value);
    if (strcmp((const char *)name, ":path") == 0)
        snprintf(stream->path, sizeof stream->path, "%s", (const char *)value);
    if (strcmp((const char *)name, "x-id") == 0)
        stream->id = (unsigned)atoi((const char *)value);
    if (strcmp((const char *)name, "x-t") == 0)
        stream->trailers = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)flags, (void)user;
    test_verify(data, len, stream->got);
    stream->got += len;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct conn *conn = user;
    struct stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_RST_STREAM)
        conn->peer->resets++;
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        on_head(conn, frame->hd.stream_id, stream);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        on_end(conn, frame->hd.stream_id, stream);
    if (conn->peer->lives && conn->requests == conn->peer->lives)
        leave(conn, nghttp2_session_get_last_proc_stream_id(session));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)code;
    if (stream == NULL)
        return 0;
    ((struct conn *)user)->peer->open--;
    stream->closed = true;
    return 0;
}

static void begin(struct conn *conn)
{
    struct h2_peer *peer = conn->peer;
    nghttp2_session_callbacks *calls;
    nghttp2_option *options;
    nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                    peer->most ? peer->most : 100};

    conn->last = INT32_MAX;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, peer->stingy);
    nghttp2_option_set_no_http_messaging(options, 1);
    nghttp2_session_server_new2(&conn->session, calls, conn, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(calls);
    nghttp2_submit_settings(conn->session, 0, &entry, 1);
}

static ssize_t send_all(struct conn *conn, struct cg_sock *sock)
{
    const uint8_t *data;
    ssize_t n, sent = 0;

    while (sent >= 0 && (n = nghttp2_session_mem_send(conn->session, &data)) > 0)
        sent = cg_yield(cg_writeall(sock, data, (size_t)n));
    return sent;
}

static void free_streams(struct conn *conn)
{
    while (conn->streams != NULL) {
        struct stream *stream = conn->streams;

        conn->streams = stream->next;
        if (!stream->closed)
            conn->peer->open--;
        free(stream);
    }
}

static ssize_t serves(void *arg)
{
    struct conn *conn = arg;
    struct cg_sock *sock = conn->peer->socks[conn->index];
    ssize_t n = 0;

    begin(conn);
    while (n >= 0 && (n = send_all(conn, sock)) >= 0 && !conn->cut) {
        struct cg_view view;

        while (conn->peer->deaf && n >= 0)
            n = cg_yield(cg_sleep(CG_MILLISECOND));
        n = cg_yield(cg_borrow(sock, &view));
        if (n <= 0)
            break;
        n = nghttp2_session_mem_recv(conn->session, (const uint8_t *)view.data, view.len);
        cg_view_release(&view, view.len);
    }
    send_all(conn, sock);
    nghttp2_session_del(conn->session);
    free_streams(conn);
    conn->peer->socks[conn->index] = NULL;
    cg_sock_close(sock);
    free(conn);
    return 0;
}

static ssize_t accepts(void *arg)
{
    struct h2_peer *peer = arg;
    struct cg_sock *sock;

    while (cg_yield(cg_accept(peer->listener, &sock)) >= 0) {
        struct conn *conn = calloc(1, sizeof *conn);

        ck_assert_uint_lt(peer->connections, H2_CONNECTIONS);
        conn->peer = peer;
        conn->index = peer->connections++;
        peer->socks[conn->index] = sock;
        peer->conns[conn->index] = test_start(serves, conn);
    }
    return 0;
}

void h2_peer_start(struct h2_peer *peer)
{
    peer->listener = test_listen(peer->addr);
    peer->coro = test_start(accepts, peer);
}

void h2_peer_hang_up(struct h2_peer *peer)
{
    for (unsigned i = 0; i < peer->connections; i++) {
        if (peer->conns[i] == NULL)
            continue;
        cg_coro_cancel(peer->conns[i]);
        test_end(peer->conns[i]);
        peer->conns[i] = NULL;
    }
}

void h2_peer_end(struct h2_peer *peer)
{
    cg_coro_cancel(peer->coro);
    test_end(peer->coro);
    h2_peer_hang_up(peer);
    cg_sock_close(peer->listener);
    *peer = (struct h2_peer){.most = 0};
}

const char *h2_peer_url(const struct h2_peer *peer, const char *scheme, const char *path)
{
    static char urls[4][256];
    static unsigned next;
    char *url = urls[next++ % 4];

    snprintf(url, sizeof *urls, "%s://%s%s", scheme, peer->addr, path);
    return url;
}

/* A transport that passes everything on. */

struct passing {
    struct cg_sock *inner;
    const char *protocol;
    struct h2_alpn *alpn;
};

static struct passing *of(const struct cg_sock *sock)
{
    return cg_sock_state(sock);
}

static enum cg_verdict pass_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = of(sock)->inner;

    of(sock)->alpn->sends += io->code == CG_IO_SEND || io->code == CG_IO_OFFER;
    if (io->code == CG_IO_RECV && of(sock)->alpn->broken < 0) {
        io->result = of(sock)->alpn->broken;
        return CG_DONE;
    }
    if (io->code == CG_IO_POLL && of(sock)->alpn->unpolled < 0) {
        io->result = of(sock)->alpn->unpolled;
        return CG_DONE;
    }
    io->fd = cg_sock_fd(inner);
    return cg_sock_transport(inner)->submit(inner, io);
}

static enum cg_verdict pass_cancel(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = of(sock)->inner;

    return cg_sock_transport(inner)->cancel(inner, io);
}

static void pass_close(struct cg_sock *sock)
{
    cg_sock_close(of(sock)->inner);
    free(of(sock));
}

static struct cg_sock *pass_below(const struct cg_sock *sock)
{
    return of(sock)->inner;
}

static const char *pass_protocol(const struct cg_sock *sock)
{
    return of(sock)->protocol;
}

static const struct cg_transport_type passing_transport = {
    .name = "passing",
    .submit = pass_submit,
    .cancel = pass_cancel,
    .close = pass_close,
    .below = pass_below,
    .protocol = pass_protocol,
};

ssize_t h2_alpn_connect(void *arg, struct cg_sock *inner, const char *host,
                        const char *offer, struct cg_sock **sock, char *why)
{
    struct h2_alpn *alpn = arg;
    struct passing *passing;

    (void)host, (void)why;
    alpn->handshakes++;
    snprintf(alpn->offered, sizeof alpn->offered, "%s", offer);
    if (alpn->pause > 0 && cg_yield(cg_sleep(alpn->pause)) < 0)
        return -ECANCELED;
    if (alpn->fails < 0)
        return alpn->fails;
    passing = malloc(sizeof *passing);
    *passing = (struct passing){
        inner, strstr(offer, alpn->accepts) != NULL ? alpn->accepts : NULL, alpn};
    *sock = cg_sock_open(cg_sock_sched(inner), &passing_transport, passing, -1);
    return 0;
}
