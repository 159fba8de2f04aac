/* SPDX-License-Identifier: MIT */
/* A connection. Its coroutine waits, without a buffer, for the first byte of a request.
 * Then it serves all requests that have come, and writes their responses together. */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/connection.h"
#include "http/server/h1/output.h"
#include "http/server/h1/serve.h"
#include "http/server/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A client that still sends must not lose the last response. Some clients send all of a
 * large request before they read. */
static void linger(struct cg__http_conn *conn)
{
    const struct cg_http_server_options *options = &conn->server->options;
    struct cg_sock *sock = conn->sock;

    cg__http_h1_output_end(conn);
    conn->sock = NULL;
    conn->phase = CG__HTTP_LINGERS;
    conn->since = cg_sched_now(cg_sched_self());
    cg_yield(cg_close_gently(
        sock, .timeout = options->linger_timeout, .weak_timeout = true,
        .deadline = cg__http_clocks_after(conn->since, options->body_timeout),
        .most = options->linger_limit));
    conn->phase = CG__HTTP_AT_WORK;
}

static void finish(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;

    cg__http_h1_output_end(conn);
    cg_sock_close(conn->sock);
    cg__http_places_leave(conn);
    cg__http_repeat_disown(&server->repeats[conn->slot], conn);
    conn->serving->conns--;
    free(conn->peer);
    cg_coro_unref(conn->coro);
    free(conn);
    /* Wakes cg__http_places_wait, and serve and shutdown, which wait for connections to
     * end. */
    cg_yield(cg_signal(server, NULL, .shield = true, .prio = CG_PRIO_CORO));
}

/* Waits for the first byte of a request; meanwhile the connection holds no buffer. A
 * shutdown can end the wait. Then it looks once more: the request may have come since. */
static ssize_t wait_idle(struct cg__http_conn *conn, struct cg_view *view)
{
    ssize_t n;

    conn->phase = CG__HTTP_IDLE;
    conn->since = cg_sched_now(cg_sched_self()); /* the turn's time: no system call */
    cg_scope_open(&conn->wait, CG_NEVER, false);
    n = cg_yield(cg_borrow(
        conn->sock, view, .timeout = CG_NEVER,
        .deadline = cg__http_clocks_after(conn->since, cg__http_clocks_idle(conn))));
    cg_scope_close(&conn->wait);
    conn->phase = CG__HTTP_AT_WORK;
    if (conn->server->draining && (n == -ETIMEDOUT || n == -ECANCELED))
        n = cg_yield(cg_borrow(conn->sock, view, .timeout = CG_NOWAIT));
    return n;
}

static ssize_t wrap(void *arg)
{
    struct cg__http_conn *conn = arg;
    const struct cg_http_server_options *options = &conn->server->options;
    ssize_t n;

    conn->phase = CG__HTTP_IN_HEAD;
    conn->since = cg_sched_now(cg_sched_self());
    n = options->wrap(&conn->sock, options->wrap_arg);
    conn->phase = CG__HTTP_AT_WORK;
    return n;
}

/* A client that speaks plain HTTP to a TLS port gets a plain response that says so. */
static enum cg__http_outcome wrapped(struct cg__http_conn *conn)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 35\r\n"
                                  "Connection: close\r\n\r\n"
                                  "This port speaks HTTPS, not HTTP.\r\n";
    int64_t timeout = conn->server->options.header_timeout;
    ssize_t n = cg_yield(cg_call(wrap, conn, .timeout = timeout));

    if (n != CG_ETLS_HTTP)
        return n < 0 ? CG__HTTP_CLOSE_NOW : CG__HTTP_GO_ON;
    n = cg_yield(cg_writeall(conn->sock, refusal, sizeof refusal - 1, .timeout = timeout));
    return n < 0 ? CG__HTTP_CLOSE_NOW : CG__HTTP_LINGER;
}

ssize_t cg__http_connection_run(void *arg)
{
    struct cg__http_conn *conn = arg;
    const struct cg_http_server_options *options = &conn->server->options;
    enum cg__http_outcome outcome =
        options->wrap != NULL ? wrapped(conn) : CG__HTTP_GO_ON;
    struct cg_view view;

    while (outcome == CG__HTTP_GO_ON) {
        if (wait_idle(conn, &view) <= 0)
            break;
        outcome = cg__http_h1_serve(conn, &view);
    }
    if (outcome == CG__HTTP_LINGER)
        linger(conn);
    finish(conn);
    return 0;
}
