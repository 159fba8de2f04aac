/* SPDX-License-Identifier: MIT */
/* The reader of a connection over HTTP/2, in the connection's coroutine. It gives what comes to
 * nghttp2, and starts the handlers of the requests that are complete. While the connection is idle
 * it ends, and a starter waits in its stead (dormant.h). */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/dormant.h"
#include "http/server/h2/body.h"
#include "http/server/h2/frames.h"
#include "http/server/h2/serve.h"
#include "http/server/h2/session.h"
#include "http/server/h2/stream.h"
#include "http/server/h2/tunnel.h"
#include "http/server/h2/writer.h"
#include "http/server/metrics.h"
#include "http/server/output.h"

#include <errno.h>
#include <stdlib.h>

/* The client may still send what it has sent already. */
void cg__http_h2_drain(struct cg__http_conn *conn)
{
    struct cg__http_h2 *h2 = conn->session;

    nghttp2_submit_shutdown_notice(h2->session);
    h2->idle_since = cg_sched_now(conn->server->sched);
    if (conn->coro == NULL) {
        cg__http_dormant_end_wait(conn);
        return;
    }
    cg__http_h2_writer_wake(h2);
    if (h2->unsent > 0)
        cg__http_h2_nudge(h2); /* some may be given up at once */
}

static bool is_idle(const struct cg__http_h2 *h2)
{
    return h2->live == 0 && h2->unsent == 0;
}

static bool is_over(const struct cg__http_h2 *h2)
{
    return h2->conn->broken || h2->failed ||
           (h2->writer == NULL && !nghttp2_session_want_read(h2->session) &&
            !nghttp2_session_want_write(h2->session)); /* last: it looks at all its queues */
}

static int64_t idle_until(const struct cg__http_h2 *h2)
{
    return cg__moment_after(h2->idle_since, cg__http_clocks_idle(h2->conn));
}

static int64_t deadline(const struct cg__http_h2 *h2)
{
    int64_t due = CG_NEVER;

    if (h2->in_head)
        due = cg__http_clocks_head(h2->conn, h2->head_len);
    else if (is_idle(h2) && !h2->leaves)
        due = idle_until(h2);
    if ((h2->unsent > 0 || h2->leaves) && h2->look_at < due)
        due = h2->look_at; /* the writer ends the wait when it has written all */
    return due;
}

enum {
    /* What wait_input returns beside codes: the connection is to be looked at; it waits
     * without a coroutine. */
    NUDGED = -1000000,
    DORMANT = -1000001
};

/* Only while no handler runs may the connection be closed for another. */
static void note_phase(struct cg__http_h2 *h2)
{
    struct cg__http_conn *conn = h2->conn;

    if (h2->in_head) {
        conn->phase = CG__HTTP_IN_HEAD;
    } else if (h2->live == 0) {
        conn->phase = CG__HTTP_IDLE;
        conn->since = h2->idle_since;
    }
}

static ssize_t wait_until(struct cg__http_h2 *h2, struct cg_view *view, int64_t due)
{
    struct cg__http_conn *conn = h2->conn;
    ssize_t n;

    note_phase(h2);
    cg_scope_open(&conn->wait, CG_NEVER, false);
    h2->waits = true;
    n = cg_yield(cg_borrow(conn->sock, view, .timeout = CG_NEVER, .deadline = due));
    h2->waits = false;
    conn->phase = CG__HTTP_AT_WORK;
    return cg_scope_close(&conn->wait) == -ECANCELED && (n == -ECANCELED || n == -ETIMEDOUT)
               ? NUDGED
               : n;
}

/* Whether the client has all that it has asked for, or will have it from the writer. */
static bool may_sleep(const struct cg__http_h2 *h2)
{
    return is_idle(h2) && !h2->in_head && !h2->leaves;
}

/* Waits for bytes; after a while without a coroutine, if the connection is idle. */
static ssize_t wait_input(struct cg__http_h2 *h2, struct cg_view *view, int64_t due)
{
    int64_t awake = cg__moment_after(cg_sched_now(h2->conn->server->sched), CG__HTTP_AWAKE);
    bool sleeps = awake < due && may_sleep(h2);
    ssize_t n = wait_until(h2, view, sleeps ? awake : due);

    if (n != -ETIMEDOUT || !sleeps)
        return n;
    note_phase(h2);
    if (may_sleep(h2) && h2->writer == NULL && cg__http_dormant_begin(h2->conn, due))
        return DORMANT;
    return wait_until(h2, view, due);
}

/* How long the client may take nothing of a response that has no handler any more. A shutdown
 * waits less for what a closed socket has left: over HTTP/1 the kernel would send that. */
static int64_t patience(const struct cg__http_h2_stream *stream)
{
    const struct cg_http_server *server = stream->h2->conn->server;

    return stream->given && server->draining ? server->options.linger_timeout
                                             : server->options.write_timeout;
}

/* Gives up responses that the client does not take. A client that has its response and still
 * sends is told to stop, but not at once: some do not read a response if a reset is behind it.
 * Returns whether nothing is left that a shutdown has to wait for. */
static bool give_up_unsent(struct cg__http_h2 *h2)
{
    const struct cg_http_server_options *options = &h2->conn->server->options;
    int64_t now = cg_sched_now(h2->conn->server->sched);
    bool all = h2->live == 0;

    for (struct cg__http_h2_stream *each = h2->streams; each != NULL;
         each = each->next) {
        int64_t end = each->sent ? cg__moment_after(each->moved_at, options->linger_timeout)
                                 : cg__moment_after(cg__http_h2_body_moved(each),
                                                    patience(each));

        all = all && each->given && now >= end;
        if (end > now && end < h2->look_at)
            h2->look_at = end;
        if (!each->served || each->reset || now < end)
            continue;
        if (!each->sent)
            cg__http_metrics_refuse(h2->conn->server, CG__HTTP_REFUSED_WRITE_TIME);
        cg__http_h2_reset(each, each->sent ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
    }
    return all && h2->conn->server->draining;
}

/* Gives nghttp2 what has come, a few frames at a time. The requests among them are served before
 * the next ones are looked at, so that a hundred small ones need no more memory than a few: each
 * takes about 3 KB, and 12 of them fit into the nearest cache of many processors. Those of the
 * last frames are left to the caller. Yields. */
static void feed(struct cg__http_h2 *h2, struct cg_view *view)
{
    size_t done = cg__http_h2_session_feed(h2, view->data, view->len);

    while (done < view->len) {
        h2->more = true;
        cg__http_h2_stream_start_all(h2);
        done += cg__http_h2_session_feed(h2, view->data + done, view->len - done);
    }
    h2->more = false;
    cg_view_release(view, view->len);
}

/* The next look is then, unless something becomes due earlier. */
static void look_later(struct cg__http_h2 *h2)
{
    h2->look_at = cg__moment_after(cg_sched_now(h2->conn->server->sched),
                                   h2->conn->server->options.linger_timeout);
}

/* Looks at what has become due. When the server shuts down, requests that the client sent
 * before it knew may have arrived meanwhile, so the socket is read once more. */
static void look(struct cg__http_h2 *h2)
{
    int64_t now = cg_sched_now(h2->conn->server->sched);
    struct cg_view view;

    look_later(h2);
    if (h2->in_head && now >= cg__http_clocks_head(h2->conn, h2->head_len)) {
        cg__http_h2_terminate(h2, NGHTTP2_NO_ERROR);
        return;
    }
    if (h2->unsent > 0 && give_up_unsent(h2) && h2->writer != NULL)
        cg__http_output_wrote(h2->conn, -ETIMEDOUT); /* not even the resets get through */
    if (h2->in_head || !is_idle(h2) || now < idle_until(h2))
        return;
    if (h2->conn->server->draining &&
        cg_yield(cg_borrow(h2->conn->sock, &view, .timeout = CG_NOWAIT)) > 0)
        feed(h2, &view);
    if (h2->ready == NULL && is_idle(h2) && !h2->in_head)
        cg__http_h2_leave(h2);
}

static void count(struct cg__http_h2 *h2)
{
    unsigned limit = h2->conn->server->options.requests;

    if (limit != 0 && h2->conn->requests >= limit)
        cg__http_h2_leave(h2);
}

static void work(struct cg__http_h2 *h2)
{
    h2->busy = true;
    cg__http_h2_stream_start_all(h2);
    count(h2);
    h2->busy = false;
    cg__http_h2_writer_wake(h2);
}

static ssize_t read_all(struct cg__http_h2 *h2)
{
    ssize_t n = 0;

    for (;;) {
        struct cg_view view;
        int64_t due;

        work(h2);
        if (is_over(h2))
            return 0;
        due = deadline(h2);
        n = wait_input(h2, &view, due);
        h2->busy = true;
        if (n > 0)
            feed(h2, &view);
        else if (n != NUDGED && n != -ETIMEDOUT) /* DORMANT, too */
            return n == 0 ? CG_EOF : n;
        /* A client that never falls silent does not put off what is due. */
        if (n < 0 || cg_sched_now(h2->conn->server->sched) >= due)
            look(h2);
    }
}

/* The sockets that handlers were given end as those of HTTP/1.1 do. */
static void lose_all(struct cg__http_h2 *h2)
{
    struct cg__http_h2_stream *each;

    for (each = h2->streams; each != NULL; each = each->next) {
        cg__http_h2_stream_lose(each);
        if (each->tunnel != NULL)
            cg__http_h2_tunnel_leave(each->tunnel, 0);
    }
}

static void cancel_all(struct cg__http_h2 *h2)
{
    struct cg__http_h2_stream *each;

    for (each = h2->streams; each != NULL; each = each->next)
        cg__http_h2_stream_cancel(each);
}

/* Ends what still runs: handlers, and the writer if nobody reads what it writes. A handler
 * that was given its socket, was told that its client has left, or has responded may run on,
 * unless this connection is cancelled. */
static void end(struct cg__http_h2 *h2, bool abrupt)
{
    struct cg__http_h2_stream *each;
    bool cut = false;

    h2->busy = true;
    h2->failed |= abrupt; /* no writer begins any more: a client that is stuck would hold it */
    lose_all(h2);
    cg__http_h2_stream_start_all(h2);
    if (abrupt && h2->writer != NULL)
        cg_coro_cancel(h2->writer);
    while (h2->live > 0 || h2->writer != NULL) {
        h2->changed.set = false;
        if (cg_yield(cg_wait_event(&h2->changed, .timeout = CG_NEVER, .shield = cut)) < 0) {
            cut = true;
            cancel_all(h2);
        }
    }
    while ((each = h2->streams) != NULL) {
        each->open = each->queued = false;
        cg__http_h2_stream_free(each);
    }
}

static struct cg__http_h2 *open_session(struct cg__http_conn *conn)
{
    struct cg__http_h2 *h2 = calloc(1, sizeof *h2);

    if (h2 == NULL)
        return NULL;
    h2->conn = conn;
    h2->memory.spare = &conn->server->blocks;
    h2->ready_end = &h2->ready;
    cg__http_h2_frames_begin(h2);
    h2->idle_since = cg_sched_now(conn->server->sched);
    look_later(h2);
    if (cg__http_h2_session_open(h2) < 0) {
        cg__http_blocks_free_all(&h2->memory);
        free(h2);
        return NULL;
    }
    conn->session = h2;
    if (conn->server->draining)
        nghttp2_submit_shutdown_notice(h2->session);
    return h2;
}

static void close_session(struct cg__http_h2 *h2, bool abrupt)
{
    h2->conn->session = NULL;
    end(h2, abrupt);
    cg__http_blocks_free_all(&h2->memory);
    free(h2);
}

enum cg__http_outcome cg__http_h2_serve(struct cg__http_conn *conn)
{
    struct cg__http_h2 *h2 = conn->session;
    bool abrupt;
    ssize_t n;

    if (h2 != NULL)
        look(h2);
    else if ((h2 = open_session(conn)) == NULL)
        return CG__HTTP_CLOSE_NOW;
    n = read_all(h2);
    if (n == DORMANT)
        return CG__HTTP_DORMANT;
    abrupt = n != 0 || conn->broken;
    close_session(h2, abrupt);
    return abrupt ? CG__HTTP_CLOSE_NOW : CG__HTTP_LINGER;
}

void cg__http_h2_free_spare(struct cg_http_server *server)
{
    cg__http_h2_stream_free_spare(server);
    cg__http_blocks_free_spare(&server->blocks);
    free(server->head);
}

bool cg__http_h2_is_there(void)
{
    return true;
}
