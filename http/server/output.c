/* SPDX-License-Identifier: MIT */
/* A connection's output. Small responses are gathered in a buffer. The connection writes
 * it when no further request is there; if a handler waits before that, another coroutine,
 * which is started only then, writes it. */
#include "config.h"

#include "http/acked.h"
#include "http/server/metrics.h"
#include "http/server/output.h"

#include <assert.h>
#include <cogen/reactor.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

enum {
    PARTS = 8
};

/* Where a buffer lies in its chunk: data need not be aligned. */
enum { AT = sizeof(struct cg_chunk) };

_Static_assert(AT + sizeof(struct cg__http_out) + CG__HTTP_OUT_SIZE <=
                   offsetof(struct cg_chunk, data) + CG_CHUNK_SIZE,
               "a buffer fits into a chunk");
_Static_assert(AT % _Alignof(struct cg__http_out) == 0, "it is aligned");

/* The reactor's pool is the only place for spare buffers: a server that is abandoned together
 * with its scheduler could not return those that it keeps for itself. NULL: no memory. */
static struct cg__http_out *out_get(const struct cg_http_server *server)
{
    struct cg_chunk *chunk = cg_chunk_get(server->reactor);
    struct cg__http_out *out;

    if (chunk == NULL)
        return NULL;
    out = (struct cg__http_out *)((char *)chunk + AT);
    out->size = CG__HTTP_OUT_SIZE;
    out->used = 0;
    return out;
}

static void out_put(const struct cg_http_server *server, struct cg__http_out *out)
{
    if (out != NULL)
        cg_chunk_put(server->reactor, (struct cg_chunk *)((char *)out - AT));
}

char *cg__http_output_more_room(struct cg__http_conn *conn, size_t size)
{
    if (conn->out != NULL || size > CG__HTTP_OUT_SIZE)
        return NULL;
    conn->out = out_get(conn->server);
    return conn->out != NULL ? conn->out->data : NULL;
}

ssize_t cg__http_output_wrote(struct cg__http_conn *conn, ssize_t n)
{
    conn->broken |= n < 0;
    if (n != -ETIMEDOUT)
        return n;
    cg__http_metrics_refuse(conn->server, CG__HTTP_REFUSED_WRITE_TIME);
    cg_sock_setopt(conn->sock, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    return n;
}

static ssize_t write_out(struct cg__http_conn *conn, struct cg__http_out *out)
{
    int64_t wait = conn->server->write_wait;
    struct cg__http_acked seen = {.acked = 0};
    size_t done = 0, moved;
    ssize_t n;

    do {
        n = cg_yield(cg_writeall(conn->sock, out->data + done, out->used - done,
                                 .moved = &moved, .weak_timeout = true,
                                 .timeout = wait));
        done += moved;
    } while (n == -ETIMEDOUT && cg__http_acked_go_on(&seen, conn->sock, moved));
    return n;
}

/* Whether there is output and the connection's coroutine waits, in a handler. */
static bool is_kept(const struct cg__http_conn *conn)
{
    return conn->out != NULL && conn->out->used > 0 && !conn->broken &&
           cg_coro_state(conn->coro) == CG_CORO_WAITING;
}

static ssize_t write_late(void *arg)
{
    struct cg__http_conn *conn = arg;
    ssize_t n;

    do {
        out_put(conn->server, conn->written);
        conn->written = conn->out;
        conn->out = NULL;
        n = cg__http_output_wrote(conn, write_out(conn, conn->written));
    } while (n >= 0 && is_kept(conn));
    return n;
}

/* Releases a writer that has ended; returns its result. */
static ssize_t reap(struct cg__http_conn *conn)
{
    ssize_t n = cg_coro_result(conn->writer);

    cg_coro_unref(conn->writer);
    conn->writer = NULL;
    out_put(conn->server, conn->written);
    conn->written = NULL;
    return n < 0 ? n : 0;
}

/* Waits for the writer: only one coroutine at a time may write on a connection. Two may wait,
 * one that reads the request's body and one that writes the response. */
static ssize_t settle(struct cg__http_conn *conn, bool shield)
{
    struct cg_coro *writer = cg_coro_ref(conn->writer);
    ssize_t n = cg_yield(cg_join(writer, .timeout = CG_NEVER, .shield = shield));

    if (cg_coro_state(writer) == CG_CORO_FINISHED) /* if not, cg__http_output_end waits for it */
        n = conn->writer == writer ? reap(conn) : 0;
    cg_coro_unref(writer);
    return n;
}

static void look_at(struct cg__http_conn *conn)
{
    if (conn->out == NULL || conn->direct) /* after_write comes back to it */
        return;
    if (cg_coro_state(conn->coro) !=
        CG_CORO_WAITING) { /* it is ready: check again later */
        cg__http_output_late(conn);
        return;
    }
    if (conn->writer != NULL && cg_coro_result(conn->writer) >= 0)
        reap(conn);
    /* Without memory for the writer the output is written with the next response. */
    if (is_kept(conn) && conn->writer == NULL)
        cg_sched_start(conn->server->sched, write_late, conn, .name = "http responses",
                       .coro = &conn->writer);
}

/* Runs a turn after cg__http_output_late. */
static void look_at_all(struct cg_deferred *deferred)
{
    struct cg_http_server *server =
        (struct cg_http_server *)((char *)deferred -
                                  offsetof(struct cg_http_server, late));
    struct cg__http_conn *conn, *next = server->lates;

    server->lates = NULL;
    while ((conn = next) != NULL) {
        next = conn->next_late;
        conn->late = false;
        look_at(conn);
    }
}

void cg__http_output_late(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;

    if (conn->late)
        return;
    conn->late = true;
    conn->next_late = server->lates;
    server->lates = conn;
    server->late.fn = look_at_all;
    cg_sched_defer(server->sched, &server->late);
}

void cg__http_output_end(struct cg__http_conn *conn)
{
    struct cg__http_conn **at = &conn->server->lates;

    if (conn->writer != NULL) {
        cg_coro_cancel(conn->writer);
        settle(conn, true);
    }
    out_put(conn->server, conn->out);
    conn->out = NULL;
    if (conn->late) {
        while (*at != conn)
            at = &(*at)->next_late;
        *at = conn->next_late;
        conn->late = false;
    }
}

static ssize_t write_parts(struct cg__http_conn *conn, struct cg__http_out *out,
                           const struct iovec *parts, int count, bool more)
{
    struct iovec all[PARTS] = {{NULL, 0}};

    assert(count < PARTS);
    if (out != NULL)
        all[0] = (struct iovec){out->data, out->used};
    for (int i = 0; i < count; i++)
        all[i + 1] = parts[i];
    return cg__http_acked_writev(conn->sock, all, count + 1, conn->server->write_wait, more);
}

/* Before output is written. 0, or a negative code: nothing may be written any more. */
static inline ssize_t before_write(struct cg__http_conn *conn)
{
    ssize_t n = 0;

    while (n == 0 && conn->writer != NULL) /* output that came late may have a new one */
        n = settle(conn, false);
    return n == 0 && conn->broken ? -EPIPE : n; /* nothing can follow an incomplete response */
}

/* Another coroutine may have gathered output meanwhile. */
static inline ssize_t after_write(struct cg__http_conn *conn, struct cg__http_out *out,
                                  ssize_t n)
{
    conn->direct = false;
    out_put(conn->server, out);
    if (n < 0)
        return cg__http_output_wrote(conn, n);
    if (conn->out != NULL)
        cg__http_output_late(conn);
    return 0;
}

ssize_t cg__http_output_flush(struct cg__http_conn *conn)
{
    ssize_t n = before_write(conn);
    struct cg__http_out *out = conn->out;

    if (n < 0 || out == NULL)
        return n;
    conn->out = NULL;
    conn->direct = true;
    return after_write(conn, out, write_out(conn, out));
}

ssize_t cg__http_output_write(struct cg__http_conn *conn, const struct iovec *parts, int count,
                              bool more)
{
    ssize_t n = before_write(conn);
    struct cg__http_out *out = conn->out;

    if (n < 0)
        return n;
    conn->out = NULL;
    conn->direct = true;
    return after_write(conn, out, write_parts(conn, out, parts, count, more));
}
