/* SPDX-License-Identifier: MIT */
/* The body of a request over HTTP/1, from views of the connection's input. */
#include "config.h"

#include "http/server/h1/body.h"
#include "http/server/output.h"
#include "http/server/h1/view.h"
#include "http/server/request/request_body.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

/* Handles an event other than a piece of the body. 0, or the error. */
static ssize_t no_piece(struct cg__http_h1_request *h1, enum cg__http_event event)
{
    h1->message.body_done = event == CG__HTTP_DONE;
    return event == CG__HTTP_BAD
               ? cg__http_request_body_failed(&h1->message, h1->parser.status, -EBADMSG)
               : 0;
}

/* Asks a client that waits for 100 Continue to send the body, unless it has begun to. */
static ssize_t ask(struct cg_http_request *req)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const size_t len = sizeof text - 1;
    char *to;

    req->expects = false;
    if (req->conn->more)
        return 0;
    to = cg__http_output_room(req->conn, len);
    if (to == NULL)
        return cg__http_output_write(req->conn, &(struct iovec){(void *)text, len}, 1, false);
    memcpy(to, text, len);
    req->conn->out->used += len;
    return 0;
}

/* Borrows further bytes of the connection. Pending output is left to the writer: another
 * coroutine of the handler may be writing, or begin to, and one at a time may write. */
static ssize_t borrow(struct cg__http_h1_request *h1)
{
    struct cg_http_request *req = &h1->message;
    int64_t start;
    ssize_t n = 0;

    if (req->expects && !req->begun)
        n = ask(req);
    if (n == 0 && !req->conn->more && req->conn->out != NULL)
        cg__http_output_late(req->conn);
    if (n == 0) {
        start = cg_sched_now(cg_sched_self());
        n = cg_yield(cg_borrow(req->conn->sock, &h1->view,
                               .timeout = cg__http_request_body_patience(req)));
        req->waited += cg_sched_now(cg_sched_self()) - start;
    }
    if (n == -ETIMEDOUT)
        return cg__http_request_body_failed(req, 408, n);
    h1->parsed = 0;
    return n == 0 ? cg__http_request_body_failed(req, 400, CG_EOF) : n;
}

ssize_t cg__http_h1_body_more(struct cg_http_request *req)
{
    struct cg__http_h1_request *h1 = cg__http_h1_of(req);
    enum cg__http_event event;
    ssize_t n;

    if (h1->view.chunk == NULL && (n = borrow(h1)) < 0)
        return n;
    req->expects = req->expects && req->begun; /* the client has begun to send it */
    event = cg__http_h1_view_parse(h1);
    if (event != CG__HTTP_BODY)
        return no_piece(h1, event);
    req->body = h1->parser.body;
    req->body_left = h1->parser.body_len;
    return 0;
}

/* The handler may use the socket itself: releases the view if it has no piece of the body.
 * After the last piece the parser may still have its DONE event, which needs no bytes. */
struct cg_sock *cg__http_h1_body_sock(struct cg_http_request *req)
{
    struct cg__http_h1_request *h1 = cg__http_h1_of(req);

    if (req->body_left == 0 && h1->view.chunk != NULL) {
        if (req->conn->more)
            cg__http_h1_view_release(h1);
        else
            no_piece(h1, cg__http_h1_view_parse(h1));
    }
    return req->conn->sock;
}
