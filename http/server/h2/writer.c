/* SPDX-License-Identifier: MIT */
/* The writer: whichever coroutine has something to write and is not the reader, so that an idle
 * connection needs no second stack, and a stuck one is still read. */
#include "config.h"

#include "http/server/h2/writer.h"
#include "http/server/output.h"

#include <string.h>
#include <sys/uio.h>

/* Moves frames to the connection's output, as long as they fit. One that does not stays in
 * nghttp2's memory, where it is valid until the next one is asked for. */
static void gather(struct cg__http_h2 *h2)
{
    struct cg__http_conn *conn = h2->conn;

    for (;;) {
        char *to;

        if (h2->frame_len == 0) {
            ssize_t len = nghttp2_session_mem_send(h2->session, &h2->frame);

            h2->failed |= len < 0;
            if (len <= 0)
                return;
            h2->frame_len = (size_t)len;
        }
        to = cg__http_output_room(conn, h2->frame_len);
        if (to == NULL)
            return;
        memcpy(to, h2->frame, h2->frame_len);
        conn->out->used += h2->frame_len;
        h2->frame_len = 0;
    }
}

static ssize_t write_some(struct cg__http_h2 *h2)
{
    struct iovec frame;
    ssize_t n;

    gather(h2);
    if (h2->frame_len == 0)
        return cg__http_output_flush(h2->conn);
    frame = (struct iovec){(void *)h2->frame, h2->frame_len};
    n = cg__http_output_write(h2->conn, &frame, 1, false);
    h2->frame_len = 0;
    return n;
}

static bool wants(const struct cg__http_h2 *h2)
{
    return !h2->conn->broken && !h2->failed &&
           (h2->conn->out != NULL || h2->frame_len > 0 ||
            nghttp2_session_want_write(h2->session));
}

/* Writes all that there is. The caller is h2->writer, and is not any more when this returns. */
static void write_all(struct cg__http_h2 *h2)
{
    ssize_t n = 0;

    do
        n = write_some(h2);
    while (n >= 0 && wants(h2));
    cg_coro_unref(h2->writer);
    h2->writer = NULL;
    cg_event_set(&h2->changed);
    if (h2->conn->broken || h2->failed || !nghttp2_session_want_read(h2->session))
        cg__http_h2_nudge(h2);
}

void cg__http_h2_writer_write(struct cg__http_h2 *h2)
{
    if (h2->writer != NULL || !wants(h2))
        return;
    if (h2->more) {
        gather(h2);
        if (h2->frame_len == 0)
            return; /* there is room for the next responses */
    }
    h2->writer = cg_coro_ref(cg_coro_self());
    write_all(h2);
}

static ssize_t writer_run(void *arg)
{
    write_all(arg);
    return 0;
}

void cg__http_h2_writer_wake(struct cg__http_h2 *h2)
{
    if (h2->busy || h2->writer != NULL || !wants(h2))
        return;
    if (cg_sched_start(h2->conn->server->sched, writer_run, h2, .name = "http/2 writer",
                       .coro = &h2->writer) < 0) {
        h2->writer = NULL;
        h2->failed = true;
        cg__http_h2_nudge(h2);
    }
}

void cg__http_h2_writer_resume(struct cg__http_h2_stream *stream)
{
    if (stream->deferred) {
        stream->deferred = false;
        nghttp2_session_resume_data(stream->h2->session, stream->id);
    }
    cg__http_h2_writer_wake(stream->h2);
}
