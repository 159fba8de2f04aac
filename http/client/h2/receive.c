/* SPDX-License-Identifier: MIT */
/* Reads a response of HTTP/2. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool cg__http_client_h2_receive_is_there(const struct cg__h2_stream *stream)
{
    return (stream->first != NULL && stream->first->complete) || stream->closed;
}

/* What has come, complete or not. */
static bool has_begun(const struct cg__h2_stream *stream)
{
    return stream->first != NULL || stream->closed;
}

static bool has_body(const struct cg__h2_stream *stream)
{
    return stream->to > stream->from || stream->ended || stream->closed;
}

static void take_trailers(struct cg_http_reply *reply, struct cg__h2_stream *stream)
{
    struct cg_http_headers empty = reply->trailers;

    reply->trailers = stream->trailers;
    stream->trailers = empty;
}

/* A response that has ended without a body may have trailers all the same. */
static void pop(struct cg_http_reply *reply, struct cg__h2_stream *stream)
{
    struct cg__h2_head *head = stream->first;
    bool none = stream->head_only || head->status == 204 || head->status == 304 ||
                head->status / 100 == 1 || (stream->ended && stream->to == stream->from);

    stream->first = head->next;
    if (stream->first == NULL)
        stream->last = NULL;
    stream->bytes = stream->count = 0;
    cg__http_message_clear(&reply->headers);
    cg__http_message_reset(&reply->trailers, SIZE_MAX);
    reply->headers = head->fields;
    reply->touched = true;
    reply->head = (struct cg__http_head){
        .status = head->status,
        .protocol = "HTTP/2",
        .has_body = !none,
        .length = head->length >= 0              ? head->length
                  : !none || stream->head_only ? -1
                                               : 0,
    };
    if (none && stream->ended && stream->first == NULL)
        take_trailers(reply, stream);
    cg__http_blocks_free(head, &stream->h2->memory);
}

ssize_t cg__http_client_h2_receive_error(const struct cg__h2_stream *stream, char *why)
{
    if (stream->error == 0)
        return cg__http_client_because(why, CG_EOF, "the server ended the stream");
    return cg__http_client_because(why, stream->error, "%s", stream->why);
}

ssize_t cg__http_client_h2_receive_pop(struct cg_http_reply *reply, char *why)
{
    struct cg__h2_stream *stream = reply->link.stream;

    if (stream->first == NULL || !stream->first->complete)
        return cg__http_client_h2_receive_error(stream, why);
    pop(reply, stream);
    return 0;
}

static ssize_t no_head(ssize_t code, bool begun, char *why)
{
    if (code == -ETIMEDOUT)
        return cg__http_client_because(why, code,
                                       begun ? "the head of the response took too long"
                                             : "the server does not respond");
    return code;
}

ssize_t cg__http_client_h2_receive_head(struct cg_http_reply *reply, const char *method,
                                        int64_t timeout, char *why)
{
    const struct cg_http_client *client = reply->client;
    struct cg__h2_stream *stream = reply->link.stream;
    ssize_t n;

    (void)method;
    n = cg__http_client_h2_pump(stream, has_begun, cg__http_client_wait_end(client, timeout));
    if (n < 0)
        return no_head(n, false, why);
    n = cg__http_client_h2_pump(stream, cg__http_client_h2_receive_is_there,
                                cg__http_client_wait_end(client, client->options.idle_timeout));
    if (n < 0)
        return no_head(n, true, why);
    return cg__http_client_h2_receive_pop(reply, why);
}

ssize_t cg__http_client_h2_receive_body(struct cg_http_reply *reply, void *buf, size_t len)
{
    const struct cg_http_client *client = reply->client;
    struct cg__h2_stream *stream = reply->link.stream;
    size_t there;
    ssize_t n = cg__http_client_h2_pump(
        stream, has_body, cg__http_client_wait_end(client, client->options.idle_timeout));

    if (n < 0)
        return n != -ETIMEDOUT ? n
                               : cg__http_client_because(
                                     reply->why, n, "the rest of the body takes too long");
    there = stream->to - stream->from;
    len = len < there ? len : there;
    if (len > 0) {
        memcpy(buf, stream->data + stream->from, len);
        stream->from += len;
        reply->received += (int64_t)len;
        nghttp2_session_consume_stream(stream->h2->session, stream->id, len);
    }
    if (len == there && stream->ended) {
        reply->ended = true;
        take_trailers(reply, stream);
    }
    if (len == 0 && !stream->ended)
        return cg__http_client_h2_receive_error(stream, reply->why);
    return (ssize_t)len;
}
