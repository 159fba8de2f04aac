/* SPDX-License-Identifier: MIT */
/* A connection. Its coroutine waits, without a buffer, for the first byte of a request.
 * Then it serves all requests that have come, and writes their responses together. */
#include "config.h"

#include "http/server/access_log.h"
#include "http/server/connection.h"
#include "http/server/layer.h"
#include "http/server/output.h"
#include "http/server/places.h"
#include "http/server/request/request.h"
#include "http/server/request/request_body.h"
#include "http/server/request/request_target.h"
#include "http/server/response/response.h"
#include "http/server/response/response_end.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum outcome {
    CLOSE, /* at once: no response is to be read any more */
    LINGER, /* after the peer has read the last response */
    IDLE,   /* it may send another request */
};

/* A head may fall behind its rate by this: some are typed, and packets get lost. */
#define HEADER_GRACE (5 * CG_SECOND)

/* Borrows further bytes; pending output is written first. */
static ssize_t borrow(struct cg_http_request *req, int64_t deadline)
{
    ssize_t n = 0;

    if (req->conn->out != NULL)
        n = cg__http_output_flush(req->conn, NULL, 0);
    if (n == 0) {
        req->conn->phase = CG__HTTP_IN_HEAD;
        n = cg_yield(cg_borrow(req->conn->sock, &req->view, .timeout = CG_NEVER,
                               .deadline = deadline));
        req->conn->phase = CG__HTTP_AT_WORK;
    }
    return n;
}

static int64_t after(int64_t moment, int64_t length)
{
    return length < CG_NEVER - moment ? moment + length : CG_NEVER;
}

/* The deadline for the next bytes of a head of which `size` bytes have come: header_timeout
 * after its first byte, or earlier if it would fall behind header_rate. */
static int64_t head_deadline(const struct cg__http_conn *conn, size_t size)
{
    const struct cg_http_server_options *options = &conn->server->options;
    int64_t paid = HEADER_GRACE + CG_SECOND * (int64_t)(size / options->header_rate);

    return after(conn->since, paid < options->header_timeout ? paid : options->header_timeout);
}

/* Parses the head, from the lent view and further ones. 0; the status of the response to an
 * invalid head; or a negative code: close without a response. */
static ssize_t read_head(struct cg_http_request *req)
{
    struct cg__http_conn *conn = req->conn;
    size_t size = req->view.len - req->parsed;
    bool waits = false;

    for (;;) {
        enum cg__http_event event;
        ssize_t n;

        if (req->parser.repeat != NULL) /* another connection may have used it */
            cg__http_repeat_own(req->parser.repeat, conn);
        event = cg__http_request_body_parse_view(req);
        if (event == CG__HTTP_HEAD)
            return 0;
        if (event == CG__HTTP_BAD)
            return req->parser.status;
        if (!waits)
            conn->since = cg_sched_now(cg_sched_self());
        waits = true;
        n = borrow(req, head_deadline(conn, size));
        if (n == -ETIMEDOUT && !cg__http_parser_untouched(&req->parser))
            return 408;
        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        size += (size_t)n;
    }
}

/* Checks a valid head against the server's limits. 0, or the status of the response. */
static int check_head(struct cg_http_request *req)
{
    const char *expect;

    if (req->parser.has_body && req->parser.length > req->server->options.body_limit)
        return 413;
    if (req->parser.has_body && req->parser.minor > 0 &&
        (expect = cg_http_headers_get(&req->in, "Expect")) != NULL) {
        if (!cg__ascii_equal(expect, "100-continue"))
            return 417;
        req->expects = true;
    }
    return cg__http_request_target_path(req);
}

static void respond(struct cg_http_request *req)
{
    if (req->conn->out != NULL)
        cg__http_output_late(req->conn);
    cg__http_response_end(req, cg__http_layer_handle(req));
}

/* Responds to an invalid request. The rest of the stream cannot be parsed. */
static void refuse(struct cg_http_request *req, int status)
{
    req->keep = false;
    req->body_done = true;
    cg__http_response_end(req, cg__http_response_plain(req, status));
}

static bool may_go_on(const struct cg_http_request *req)
{
    const struct cg_http_server *server = req->server;
    unsigned limit = server->options.requests;

    return req->parser.keep_alive && !server->draining &&
           req->parser.code != HTTP_CONNECT &&
           (limit == 0 || req->conn->requests < limit);
}

/* Heads are remembered from the second request of a connection on. */
static void begin(struct cg_http_request *req)
{
    struct cg__http_conn *conn = req->conn;

    cg__http_parser_init(&req->parser, CG__HTTP_REQUEST, &req->in, &req->trailers,
                         &conn->server->limits);
    req->parser.line = &req->line;
    if (conn->requests > 0)
        req->parser.repeat = &conn->server->repeats[conn->slot];
}

static enum outcome serve_one(struct cg_http_request *req)
{
    struct cg__http_conn *conn = req->conn;
    ssize_t n;
    int status;

    begin(req);
    n = read_head(req);
    if (n < 0)
        return CLOSE;
    conn->requests++;
    if (n > 0) {
        refuse(req, (int)n);
        return LINGER;
    }
    req->keep = may_go_on(req);
    req->body_done = !req->parser.has_body;
    status = check_head(req);
    if (status != 0) {
        refuse(req, status);
        return LINGER;
    }
    respond(req);
    if (conn->sock == NULL || req->cut || conn->broken)
        return CLOSE;
    if (!req->body_done && !cg__http_request_body_drain(req))
        return LINGER;
    return req->keep ? IDLE : LINGER;
}

/* Serves the requests in a lent view, and those that follow. The view is released when it
 * is used up, or before other code reads the socket. */
static enum outcome serve_all(struct cg__http_conn *conn, struct cg_view *view)
{
    struct cg_http_request *req = cg__http_request_get(conn);
    enum outcome outcome;

    if (req == NULL) {
        cg_view_release(view, 0);
        return CLOSE;
    }
    req->view = *view;
    for (;;) {
        outcome = serve_one(req);
        if (conn->server->options.access_log != NULL)
            cg__http_access_log_add(req);
        if (outcome != IDLE || !conn->more)
            break;
        cg__http_request_reset(req);
        if (req->view.chunk == NULL && cg_yield(cg_borrow(conn->sock, &req->view)) <= 0) {
            outcome = CLOSE;
            break;
        }
    }
    cg__http_request_body_give_back(req);
    cg__http_request_put(req);
    if (conn->sock != NULL && outcome != CLOSE &&
        cg__http_output_flush(conn, NULL, 0) < 0)
        outcome = CLOSE;
    return outcome;
}

/* A client that still sends must not lose the last response. Some clients send all of a
 * large request before they read. */
static void linger(struct cg__http_conn *conn)
{
    const struct cg_http_server_options *options = &conn->server->options;
    struct cg_sock *sock = conn->sock;

    cg__http_output_end(conn);
    conn->sock = NULL;
    conn->phase = CG__HTTP_LINGERS;
    conn->since = cg_sched_now(cg_sched_self());
    cg_yield(cg_close_gently(sock, .timeout = options->linger_timeout, .weak_timeout = true,
                             .deadline = after(conn->since, options->body_timeout),
                             .most = options->linger_limit));
    conn->phase = CG__HTTP_AT_WORK;
}

static void finish(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;

    cg__http_output_end(conn);
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

/* How long the connection may be without a request. */
static int64_t patience(const struct cg__http_conn *conn)
{
    const struct cg_http_server *server = conn->server;
    int64_t timeout = conn->requests ? server->options.idle_timeout
                                     : server->options.header_timeout;

    return server->draining && server->drain_idle < timeout ? server->drain_idle : timeout;
}

/* Waits for the first byte of a request; meanwhile the connection holds no buffer. A
 * shutdown can end the wait. Then it looks once more: the request may have come since. */
static ssize_t wait_idle(struct cg__http_conn *conn, struct cg_view *view)
{
    ssize_t n;

    conn->phase = CG__HTTP_IDLE;
    conn->since = cg_sched_now(cg_sched_self()); /* the turn's time: no system call */
    cg_scope_open(&conn->wait, CG_NEVER, false);
    n = cg_yield(cg_borrow(conn->sock, view, .timeout = CG_NEVER,
                           .deadline = after(conn->since, patience(conn))));
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
static enum outcome wrapped(struct cg__http_conn *conn)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 35\r\n"
                                  "Connection: close\r\n\r\n"
                                  "This port speaks HTTPS, not HTTP.\r\n";
    int64_t timeout = conn->server->options.header_timeout;
    ssize_t n = cg_yield(cg_call(wrap, conn, .timeout = timeout));

    if (n != CG_ETLS_HTTP)
        return n < 0 ? CLOSE : IDLE;
    n = cg_yield(cg_writeall(conn->sock, refusal, sizeof refusal - 1, .timeout = timeout));
    return n < 0 ? CLOSE : LINGER;
}

ssize_t cg__http_connection_run(void *arg)
{
    struct cg__http_conn *conn = arg;
    const struct cg_http_server_options *options = &conn->server->options;
    enum outcome outcome = options->wrap != NULL ? wrapped(conn) : IDLE;
    struct cg_view view;

    while (outcome == IDLE) {
        if (wait_idle(conn, &view) <= 0)
            break;
        outcome = serve_all(conn, &view);
    }
    if (outcome == LINGER)
        linger(conn);
    finish(conn);
    return 0;
}
