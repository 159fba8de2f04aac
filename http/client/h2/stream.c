/* SPDX-License-Identifier: MIT */
/* What happens to a stream, besides what its coroutines do. Nothing waits here. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/why.h"

struct cg__h2_stream cg__http_client_h2_ending;

struct cg__h2_stream *cg__http_client_h2_stream_find(const struct cg__h2 *h2, int32_t id)
{
    struct cg__h2_stream *stream = h2->heads;

    if (stream == NULL || stream->id != id)
        stream = nghttp2_session_get_stream_user_data(h2->session, id);
    return stream != &cg__http_client_h2_ending ? stream : NULL;
}

void cg__http_client_h2_stream_wake(struct cg__h2_stream *stream)
{
    struct cg__h2_reader *reader = stream->h2->reader;

    if (reader != NULL && reader->stream == stream && reader->ready(stream))
        cg_scope_cancel(&reader->scope);
    for (size_t i = 0; i < sizeof stream->waiters / sizeof *stream->waiters; i++) {
        struct cg__line_op *waiter = stream->waiters[i];

        stream->waiters[i] = NULL;
        if (waiter != NULL)
            cg__http_client_pool_line_wake(waiter, 0, NULL);
    }
}

void cg__http_client_h2_stream_blame(struct cg__h2_stream *stream, ssize_t code, const char *why)
{
    if (stream->error == 0 && !stream->ended)
        stream->error = cg__http_client_because(stream->why, code, "%s", why);
}

void cg__http_client_h2_stream_drop(struct cg__h2_stream *stream, ssize_t code, const char *why)
{
    cg__http_client_h2_stream_blame(stream, code, why);
    cg__http_client_h2_stream_reset(stream);
    stream->closed = true;
    cg__http_client_h2_stream_wake(stream);
}

void cg__http_client_h2_stream_reset(struct cg__h2_stream *stream)
{
    stream->h2->useless -= stream->h2->client->options.h2_window; /* may be on its way */
    nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_CANCEL);
}
