/* SPDX-License-Identifier: MIT */
/* The body of a request, read as a stream: bytes are taken from the socket only when the
 * handler reads, so that a slow handler slows the client down (backpressure). */
#include "config.h"

#include "http/server/metrics.h"
#include "http/server/request/request_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Notes why the body cannot be read: the status of the response. */
ssize_t cg__http_request_body_failed(struct cg_http_request *req, int status,
                                     ssize_t code)
{
    bool first = req->failure == 0; /* a handler may try to read again */

    if (first && status == 413)
        cg__http_metrics_refuse(req->server, CG__HTTP_REFUSED_BODY);
    if (first && status == 408)
        cg__http_metrics_refuse(req->server, CG__HTTP_REFUSED_BODY_TIME);
    req->failure = status;
    req->keep = false;
    return code;
}

/* How long to wait for more of the body: at most body_timeout, and altogether at most
 * body_timeout longer than the received bytes take at body_rate. Only the time of waiting
 * counts: a slow handler is not the client's fault. */
int64_t cg__http_request_body_patience(const struct cg_http_request *req)
{
    const struct cg_http_server_options *options = &req->server->options;
    uint64_t seconds = req->body_seen / options->body_rate;
    int64_t left;

    if (options->body_timeout > CG_NEVER / 4) /* no limit; the sum below could overflow */
        return options->body_timeout;
    left = options->body_timeout - req->waited +
           CG_SECOND * (int64_t)(seconds < UINT32_MAX ? seconds : UINT32_MAX);
    if (left > options->body_timeout)
        return options->body_timeout;
    return left > 0 ? left : CG_NOWAIT;
}

/* Makes sure that req->body has bytes. 1; 0: the body has ended; negative. */
static ssize_t fill(struct cg_http_request *req)
{
    while (req->body_left == 0 && !req->body_done) {
        ssize_t n;

        if (req->failure != 0)
            return -EBADMSG;
        n = req->carrier->more(req);
        if (n < 0)
            return n;
        req->body_seen += req->body_left;
        if (req->body_seen > req->server->options.body_limit) {
            req->body_left = 0;
            return cg__http_request_body_failed(req, 413, -EMSGSIZE);
        }
    }
    return !req->body_done || req->body_left > 0;
}

static size_t take(struct cg_http_request *req, char *buf, size_t len)
{
    if (len > req->body_left)
        len = req->body_left;
    if (buf != NULL)
        memcpy(buf, req->body, len);
    req->body += len;
    req->body_left -= len;
    return len;
}

static struct cg_http_read_op *of(struct cg_op *op)
{
    return (struct cg_http_read_op *)op;
}

static ssize_t read_run(struct cg_op *op)
{
    return fill(of(op)->req);
}

/* Bytes are consumed only here: a read that has lost a race has consumed none. */
static ssize_t read_finish(struct cg_op *op)
{
    struct cg_http_read_op *read = of(op);

    return op->result <= 0 ? op->result : (ssize_t)take(read->req, read->buf, read->len);
}

static int read_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_read_op *read = (const struct cg_http_read_op *)op;

    return snprintf(buf, size, "%s, %zu", cg_http_request_target(read->req), read->len);
}

const struct cg_op_type cg_http_read_type = {
    .name = "http_read",
    .run = read_run,
    .finish = read_finish,
    .print = read_print,
};

static ssize_t body_run(struct cg_op *op)
{
    struct cg_http_read_op *read = of(op);
    struct cg_http_request *req = read->req;
    size_t size = 0, room = 0;
    ssize_t n;

    if (read->len != 0 && !req->unsized && req->length > read->len)
        return cg__http_request_body_failed(req, 413, -EMSGSIZE);
    while ((n = fill(req)) > 0) {
        if (read->len != 0 && size + req->body_left > read->len)
            return cg__http_request_body_failed(req, 413, -EMSGSIZE);
        if (size + req->body_left + 1 > room) {
            size_t wanted = 2 * room > size + req->body_left ? 2 * room
                                                             : size + req->body_left + 1;
            char *whole = realloc(req->whole, wanted);

            if (whole == NULL)
                return cg__http_request_body_failed(req, 503, -ENOMEM);
            req->whole = whole;
            room = wanted;
        }
        size += take(req, req->whole + size, req->body_left);
    }
    if (n < 0)
        return n;
    if (req->whole == NULL && (req->whole = malloc(1)) == NULL)
        return cg__http_request_body_failed(req, 503, -ENOMEM);
    req->whole[size] = '\0';
    *read->data = req->whole;
    return (ssize_t)size;
}

const struct cg_op_type cg_http_read_body_type = {
    .name = "http_read_body",
    .run = body_run,
    .print = read_print,
};

/* Nobody knows whether a client that still waits for 100 Continue sends the body, nor how much is
 * left of a chunked body. Most of those are short, and worth a try. */
bool cg__http_request_body_will_drain(const struct cg_http_request *req)
{
    if (req->body_done)
        return true;
    return req->failure == 0 && !req->expects &&
           (req->unsized ||
            req->length - req->body_seen <= req->server->options.drain_limit);
}

bool cg__http_request_body_drain(struct cg_http_request *req)
{
    uint64_t seen = req->body_seen;

    if (!req->keep)
        return false;
    while (req->body_seen - seen <= req->server->options.drain_limit && fill(req) > 0)
        take(req, NULL, req->body_left);
    return req->body_done;
}

struct cg_sock *cg_http_request_sock(const struct cg_http_request *req)
{
    /* A request is never a constant, whatever it is for the caller. */
    return req->carrier->sock((struct cg_http_request *)req);
}
