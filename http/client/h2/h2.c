/* SPDX-License-Identifier: MIT */
/* Connections of HTTP/2, and their streams: see h2.h. */
#include "config.h"

#include "http/client/h2/session.h"

#include <stdlib.h>

const bool cg__http_client_h2_known = true;

const struct cg__carrier cg__http_client_h2 = {
    .send = cg__http_client_h2_send,
    .send_body = cg__http_client_h2_send_body,
    .listen = cg__http_client_h2_send_listen,
    .head = cg__http_client_h2_receive_head,
    .body = cg__http_client_h2_receive_body,
};

struct cg__h2 *cg__http_client_h2_new(struct cg_http_client *client, struct cg_sock *sock)
{
    struct cg__h2 *h2 = calloc(1, sizeof *h2);

    if (h2 == NULL)
        return NULL;
    h2->client = client;
    h2->memory.spare = &client->blocks;
    if (cg__http_client_h2_session_begin(h2) < 0) {
        cg__http_blocks_free_all(&h2->memory);
        free(h2);
        return NULL;
    }
    h2->sock = sock;
    return h2;
}

void cg__http_client_h2_free(struct cg__h2 *h2)
{
    nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
    cg__http_client_h2_pump_offer(h2);
    cg__http_blocks_free_all(&h2->memory);
    cg_sock_close(h2->sock);
    free(h2->out);
    free(h2);
}

void cg__http_client_h2_free_spare(struct cg_http_client *client)
{
    cg__http_blocks_free_spare(&client->blocks);
    cg__http_message_clear(&client->h2_fields);
}

void cg__http_client_h2_set(struct cg__h2 *h2, struct cg__origin *lease,
                            struct cg__line *line)
{
    h2->lease = lease;
    h2->line = line;
}

struct cg__origin *cg__http_client_h2_lease(const struct cg__h2 *h2)
{
    return h2->lease;
}

void cg__http_client_h2_retire(struct cg__h2 *h2)
{
    h2->retired = true;
}

bool cg__http_client_h2_is_retired(const struct cg__h2 *h2)
{
    return h2->retired;
}

bool cg__http_client_h2_is_spent(const struct cg__h2 *h2)
{
    return h2->spent || h2->error < 0;
}

/* Until the server's settings have come it has one request: a server that allows few would
 * refuse the others. */
bool cg__http_client_h2_has_room(const struct cg__h2 *h2)
{
    uint32_t most = nghttp2_session_get_remote_settings(
        h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    unsigned limit = h2->client->options.h2_streams;

    if (!h2->settled)
        return h2->count == 0;
    return h2->count < (most < limit ? most : limit);
}

bool cg__http_client_h2_is_idle(const struct cg__h2 *h2)
{
    return h2->count == 0;
}

bool cg__http_client_h2_revive(struct cg__h2 *h2)
{
    cg__http_client_h2_pump_drain(h2);
    return !cg__http_client_h2_is_spent(h2) && cg__http_client_h2_has_room(h2);
}

struct cg__h2_stream *cg__http_client_h2_join(struct cg__h2 *h2)
{
    struct cg__h2_stream *stream = cg__http_blocks_calloc(1, sizeof *stream, &h2->memory);

    if (stream == NULL)
        return NULL;
    stream->h2 = h2;
    stream->closed = h2->error < 0;
    stream->error = h2->error;
    stream->next = h2->streams;
    if (h2->streams != NULL)
        h2->streams->prev = stream;
    h2->streams = stream;
    h2->count++;
    return stream;
}

/* Whether a tunnel's end only waits for another coroutine's write. For nghttp2 it needs a window,
 * like data: an end without one would wait for a server that may never read. */
static bool is_ending(const struct cg__h2_stream *stream)
{
    nghttp2_session *session = stream->h2->session;

    return stream->last_piece && stream->piece_len == 0 && !stream->sent && !stream->closed &&
           nghttp2_session_get_stream_remote_window_size(session, stream->id) > 0 &&
           nghttp2_session_get_remote_window_size(session) > 0;
}

/* Tells the server that nobody wants the rest, unless there is none. A tunnel's end goes first: a
 * reset would overtake it. */
static bool reset(struct cg__h2_stream *stream)
{
    nghttp2_session *session = stream->h2->session;
    bool ends = is_ending(stream);

    if (stream->id == 0)
        return false;
    nghttp2_session_set_stream_user_data(session, stream->id,
                                         ends ? &cg__http_client_h2_ending : NULL);
    if (stream->closed)
        return false;
    if (!ends)
        cg__http_client_h2_stream_reset(stream);
    return true;
}

struct cg__h2 *cg__http_client_h2_part(struct cg__h2_stream *stream)
{
    struct cg__h2 *h2 = stream->h2;

    if ((stream->last != NULL && !stream->last->complete && !stream->closed) ||
        (h2->in_head != 0 && h2->in_head == stream->id))
        h2->spent = true; /* nothing else may come before the rest of that head */
    *(stream->prev ? &stream->prev->next : &h2->streams) = stream->next;
    if (stream->next != NULL)
        stream->next->prev = stream->prev;
    h2->count--;
    if (h2->heads == stream)
        h2->heads = NULL;
    if (reset(stream) || h2->count == 0)
        cg__http_client_h2_pump_offer(h2);
    while (stream->first != NULL) {
        struct cg__h2_head *head = stream->first;

        stream->first = head->next;
        cg__http_message_clear(&head->fields);
        cg__http_blocks_free(head, &h2->memory);
    }
    cg__http_message_clear(&stream->spare);
    cg__http_message_clear(&stream->upgrade);
    cg__http_message_clear(&stream->trailers);
    cg__http_blocks_free(stream->data, &h2->memory);
    cg__http_blocks_free(stream, &h2->memory);
    return h2;
}
