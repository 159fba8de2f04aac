/* SPDX-License-Identifier: MIT */
/* Serves the requests of a connection over HTTP/1: all that have come, one after another.
 * Their responses are written together. */
#include "config.h"

#include "http/server/access_log.h"
#include "http/server/clocks.h"
#include "http/server/h1/carrier.h"
#include "http/server/output.h"
#include "http/server/h1/serve.h"
#include "http/server/h1/view.h"
#include "http/server/handle.h"
#include "http/server/request/request.h"
#include "http/server/request/request_body.h"

#include <errno.h>
#include <stdlib.h>

static struct cg__http_h1_request *request_get(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;
    struct cg_http_request *req = server->requests;

    if (req != NULL) {
        server->requests = req->next;
        server->nrequests--;
    } else {
        req = calloc(1, sizeof(struct cg__http_h1_request));
        if (req == NULL)
            return NULL;
        req->carrier = &cg__http_h1_carrier;
        req->server = server;
    }
    req->conn = conn;
    return cg__http_h1_of(req);
}

static void request_free(struct cg_http_request *req)
{
    cg__http_request_clear(req);
    free(req);
}

static void request_put(struct cg_http_request *req)
{
    struct cg_http_server *server = req->server;

    cg__http_request_reset(req);
    if (server->nrequests == CG__HTTP_SPARE) {
        request_free(req);
        return;
    }
    req->next = server->requests;
    server->requests = req;
    server->nrequests++;
}

void cg__http_h1_free_spare(struct cg_http_server *server)
{
    struct cg_http_request *req;

    while ((req = server->requests) != NULL) {
        server->requests = req->next;
        request_free(req);
    }
}

/* Borrows further bytes. Not inline: its operation would enlarge the frame of each request. */
__attribute__((noinline)) static ssize_t borrow(struct cg__http_h1_request *h1,
                                                int64_t deadline)
{
    struct cg__http_conn *conn = h1->message.conn;
    ssize_t n;

    conn->phase = CG__HTTP_IN_HEAD;
    n = cg_yield(cg_borrow(conn->sock, &h1->view, .timeout = CG_NEVER, .deadline = deadline));
    conn->phase = CG__HTTP_AT_WORK;
    return n;
}

/* Parses the head, from the lent view and further ones. 0; the status of the response to an
 * invalid head; or a negative code: close without a response. */
static ssize_t read_head(struct cg__http_h1_request *h1)
{
    struct cg__http_conn *conn = h1->message.conn;
    size_t size = h1->view.len - h1->parsed;
    bool waits = false;

    for (;;) {
        enum cg__http_event event;
        ssize_t n;

        if (h1->parser.repeat != NULL) /* another connection may have used it */
            cg__http_repeat_own(h1->parser.repeat, conn);
        event = cg__http_h1_view_parse(h1);
        if (event == CG__HTTP_HEAD)
            return 0;
        if (event == CG__HTTP_BAD)
            return h1->parser.status;
        if (!waits)
            conn->since = cg_sched_now(cg_sched_self());
        waits = true;
        n = conn->out != NULL ? cg__http_output_flush(conn) : 0;
        if (n == 0)
            n = borrow(h1, cg__http_clocks_head(conn, size));
        if (n == -ETIMEDOUT && !cg__http_parser_untouched(&h1->parser))
            return 408;
        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        size += (size_t)n;
    }
}

static bool may_go_on(const struct cg__http_h1_request *h1)
{
    const struct cg_http_server *server = h1->message.server;
    unsigned limit = server->options.requests;

    return h1->parser.keep_alive && !server->draining &&
           h1->parser.code != HTTP_CONNECT &&
           (limit == 0 || h1->message.conn->requests < limit);
}

/* Heads are remembered from the second request of a connection on. */
static void begin(struct cg__http_h1_request *h1)
{
    struct cg_http_request *req = &h1->message;
    struct cg__http_conn *conn = req->conn;

    cg__http_parser_init(&h1->parser, CG__HTTP_REQUEST, &req->in, &req->trailers,
                         &conn->server->limits);
    h1->parser.line = &req->line;
    if (conn->requests > 0)
        h1->parser.repeat = &conn->server->repeats[conn->slot];
}

/* What the parser knows of the head; an invalid one may have no method yet. */
static void tell_head(struct cg__http_h1_request *h1)
{
    const struct cg__http_parser *parser = &h1->parser;
    struct cg_http_request *req = &h1->message;

    req->method = parser->method;
    req->code = parser->code;
    req->minor = parser->minor;
    req->text = parser->text;
    req->text_len = parser->text_len;
    req->length = parser->length;
    req->has_body = parser->has_body;
    req->unsized = parser->chunked;
    req->upgrade = parser->upgrade;
}

/* Responds to an invalid request. The rest of the stream cannot be parsed. */
static enum cg__http_outcome refuse(struct cg_http_request *req, int status)
{
    cg__http_handle_refuse(req, status);
    return CG__HTTP_LINGER;
}

static enum cg__http_outcome serve_one(struct cg__http_h1_request *h1)
{
    struct cg_http_request *req = &h1->message;
    struct cg__http_conn *conn = req->conn;
    ssize_t n;
    int status;

    begin(h1);
    n = read_head(h1);
    if (n < 0)
        return CG__HTTP_CLOSE_NOW;
    conn->requests++;
    tell_head(h1);
    if (n > 0)
        return refuse(req, (int)n);
    req->keep = may_go_on(h1);
    req->body_done = !req->has_body;
    status = cg__http_handle_check(req);
    if (status != 0)
        return refuse(req, status);
    if (conn->out != NULL)
        cg__http_output_late(conn);
    cg__http_handle(req);
    if (req->guest != NULL) {
        conn->guest = req->guest;
        return CG__HTTP_STAYS;
    }
    if (conn->sock == NULL || req->cut || conn->broken)
        return CG__HTTP_CLOSE_NOW;
    if (!req->body_done && !cg__http_request_body_drain(req))
        return CG__HTTP_LINGER;
    return req->keep ? CG__HTTP_GO_ON : CG__HTTP_LINGER;
}

enum cg__http_outcome cg__http_h1_serve(struct cg__http_conn *conn,
                                        struct cg_view *view)
{
    struct cg__http_h1_request *h1 = request_get(conn);
    enum cg__http_outcome outcome;

    if (h1 == NULL) {
        cg_view_release(view, 0);
        return CG__HTTP_CLOSE_NOW;
    }
    h1->view = *view;
    for (;;) {
        outcome = serve_one(h1);
        if (conn->server->options.access_log != NULL)
            cg__http_access_log_add(&h1->message);
        if (outcome != CG__HTTP_GO_ON || !conn->more)
            break;
        cg__http_request_reset(&h1->message);
        if (h1->view.chunk == NULL && borrow(h1, CG_NEVER) <= 0) {
            outcome = CG__HTTP_CLOSE_NOW;
            break;
        }
    }
    cg__http_h1_view_release(h1);
    request_put(&h1->message);
    if (conn->sock != NULL && outcome != CG__HTTP_CLOSE_NOW &&
        cg__http_output_flush(conn) < 0)
        outcome = CG__HTTP_CLOSE_NOW;
    return outcome;
}
