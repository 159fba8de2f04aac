/* SPDX-License-Identifier: MIT */
/* See stream.h. */
#include "config.h"

#include "http/server/access_log.h"
#include "http/server/h2/carrier.h"
#include "http/server/h2/release.h"
#include "http/server/h2/stream.h"
#include "http/server/h2/writer.h"
#include "http/server/handle.h"
#include "http/server/request/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct cg__http_h2_stream *spare_get(struct cg_http_server *server)
{
    struct cg_http_request *req = server->streams;

    if (req == NULL)
        return calloc(1, sizeof(struct cg__http_h2_stream));
    server->streams = req->next;
    server->nstreams--;
    return cg__http_h2_of(req);
}

struct cg__http_h2_stream *cg__http_h2_stream_new(struct cg__http_h2 *h2, int32_t id)
{
    struct cg_http_server *server = h2->conn->server;
    struct cg__http_h2_stream *stream = spare_get(server);

    if (stream == NULL)
        return NULL;
    stream->message.carrier = &cg__http_h2_carrier;
    stream->message.server = server;
    stream->message.conn = h2->conn;
    stream->message.minor = 1;
    stream->message.keep = true;
    stream->message.method = NULL;
    stream->message.length = 0;
    stream->message.upgrade = false;
    stream->h2 = h2;
    stream->id = id;
    stream->open = true;
    stream->next = h2->streams;
    stream->at = &h2->streams;
    if (stream->next != NULL)
        stream->next->at = &stream->next;
    h2->streams = stream;
    return stream;
}

static void clear(struct cg_http_request *req)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    cg__http_request_clear(req);
    cg__http_message_clear(&stream->cookies);
    free(stream->in.data);
    free(stream->piece.data);
    free(stream->out.data);
    free(stream);
}

static void bytes_forget(struct cg__http_h2_bytes *bytes)
{
    if (bytes->size > CG__HTTP_KEEP) {
        free(bytes->data);
        bytes->data = NULL;
        bytes->size = 0;
    }
    bytes->len = 0;
}

/* Returns a stream to the spare ones, with the memory of its lists. */
static void spare_put(struct cg__http_h2_stream *stream)
{
    struct cg_http_server *server = stream->message.server;

    cg__http_request_reset(&stream->message);
    if (server->nstreams == CG__HTTP_SPARE) {
        clear(&stream->message);
        return;
    }
    cg__http_message_reset(&stream->cookies, CG__HTTP_KEEP);
    bytes_forget(&stream->in);
    bytes_forget(&stream->piece);
    bytes_forget(&stream->out);
    memset(&stream->out_done, 0, sizeof *stream - offsetof(struct cg__http_h2_stream, out_done));
    stream->message.next = server->streams;
    server->streams = &stream->message;
    server->nstreams++;
}

void cg__http_h2_stream_free(struct cg__http_h2_stream *stream)
{
    if (stream->runs || stream->open || stream->queued)
        return;
    *stream->at = stream->next;
    if (stream->next != NULL)
        stream->next->at = stream->at;
    spare_put(stream);
}

void cg__http_h2_stream_cancel(struct cg__http_h2_stream *stream)
{
    stream->lost = true;
    if (stream->scoped)
        cg_scope_cancel(&stream->scope);
}

void cg__http_h2_stream_lose(struct cg__http_h2_stream *stream)
{
    if (stream->lost)
        return; /* what a handler does after it was told is left to it */
    stream->lost = true;
    if (cg_event_set(&stream->left) == 0 && !stream->given && !stream->late)
        cg__http_h2_stream_cancel(stream);
}

/* Whether the handler wants the connection to end. After a head that is refused, and after a body
 * that has failed, only a connection of HTTP/1 cannot go on. */
static bool says_close(const struct cg__http_h2_stream *stream)
{
    return !stream->message.keep && stream->refused == 0 && stream->message.failure == 0;
}

static void handled(struct cg__http_h2_stream *stream)
{
    struct cg__http_h2 *h2 = stream->h2;

    stream->runs = false;
    if (says_close(stream))
        cg__http_h2_leave(h2);
    cg__http_h2_release(stream);
    cg__http_h2_stream_free(stream);
}

/* Runs the handler. Returns what stays after it, or NULL. `over`: its coroutine has been cancelled,
 * and is of no use to anybody else. */
static struct cg__http_guest *serve(struct cg__http_h2_stream *stream, bool *over)
{
    struct cg_http_request *req = &stream->message;
    struct cg__http_guest *guest;

    cg_scope_open(&stream->scope, CG_NEVER, false);
    stream->scoped = true;
    if (!stream->lost) {
        if (stream->refused == 0)
            stream->refused = cg__http_handle_check(req);
        if (stream->refused != 0)
            cg__http_handle_refuse(req, stream->refused);
        else
            cg__http_handle(req);
    }
    *over = stream->scope.parent->reason != 0; /* a handler may cancel its coroutine */
    stream->scoped = false;
    cg_scope_close(&stream->scope);
    if (req->server->options.access_log != NULL)
        cg__http_access_log_add(req);
    guest = req->guest;
    handled(stream);
    return guest;
}

/* Takes the next stream that is ready: its handler is to run. NULL: none. */
static struct cg__http_h2_stream *take_ready(struct cg__http_h2 *h2)
{
    struct cg__http_h2_stream *stream;

    while ((stream = h2->ready) != NULL) {
        h2->ready = stream->next_ready;
        if (h2->ready == NULL)
            h2->ready_end = &h2->ready;
        stream->queued = false;
        if (!stream->lost)
            break;
        cg__http_h2_stream_free(stream);
    }
    if (stream == NULL)
        return NULL;
    h2->live++;
    h2->conn->requests++;
    stream->runs = true;
    return stream;
}

/* Serves a stream, then others that are ready, and then writes the responses. When no handler
 * waits, one coroutine does all that the client has asked for. */
static ssize_t worker_run(void *arg)
{
    struct cg__http_h2_stream *stream = arg;
    struct cg__http_h2 *h2 = stream->h2;
    struct cg__http_serving *serving = h2->conn->serving;
    bool over;

    do {
        struct cg__http_guest *guest = serve(stream, &over);

        if (guest != NULL) /* it may outlive the connection */
            cg__http_guest_begin(guest, serving, NULL);
        if (guest != NULL || over)
            return 0; /* the reader goes on with the other streams */
    } while ((stream = take_ready(h2)) != NULL);
    cg__http_h2_writer_write(h2);
    return 0;
}

static void start(struct cg__http_h2 *h2, struct cg__http_h2_stream *stream)
{
    /* In vain only if there is no memory. The worker runs next, while what the reader has
     * prepared is in the processor's caches. */
    if (cg_yield(cg_add(worker_run, stream, .name = "http/2",
                        .stack_size = h2->conn->server->options.stack_size,
                        .prio = CG_PRIO_OP, .shield = true)) == 0)
        return;
    stream->runs = false;
    h2->live--;
    h2->unsent += stream->open;
    stream->served = stream->open;
    cg__http_h2_reset(stream, NGHTTP2_REFUSED_STREAM);
    cg__http_h2_stream_free(stream);
}

void cg__http_h2_stream_start_all(struct cg__http_h2 *h2)
{
    struct cg__http_h2_stream *stream;

    while ((stream = take_ready(h2)) != NULL)
        start(h2, stream);
}

void cg__http_h2_stream_free_spare(struct cg_http_server *server)
{
    struct cg_http_request *req;

    while ((req = server->streams) != NULL) {
        server->streams = req->next;
        clear(req);
    }
}
