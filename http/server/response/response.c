/* SPDX-License-Identifier: MIT */
/* Responses whose body is complete in memory: cg_http_respond. */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "http/coding/compress.h"
#include "http/server/h1/head.h"
#include "http/server/output.h"
#include "http/server/response/response.h"
#include "http/server/response/response_head.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The type of a text, unless its handler gives another. */
#define TEXT "text/plain; charset=utf-8"

static const char plain_text[] = TEXT;

static struct cg_http_respond_op *of(struct cg_op *op)
{
    return (struct cg_http_respond_op *)op;
}

static size_t len_of(const struct cg_http_respond_op *respond)
{
    return respond->len == SIZE_MAX ? strlen(respond->body) : respond->len;
}

static const char *type_of(const struct cg_http_respond_op *respond)
{
    if (respond->mime != NULL || respond->len != SIZE_MAX)
        return respond->mime;
    return plain_text;
}

static bool is_compressible(const struct cg_http_respond_op *respond, size_t len)
{
    return len > respond->req->server->options.compress_above &&
           cg__http_response_is_worth(respond->req, respond->status, type_of(respond));
}

/* A body of no bytes may be NULL, which memcpy must not get. */
static inline const char *body_of(const struct cg_http_respond_op *respond)
{
    return respond->body != NULL ? respond->body : "";
}

/* The length for the head; -1: the handler's own, or none. With 304 and to a HEAD it is that of the
 * body that a GET would get (RFC 9110, 8.6), which a handler that gives none may not know. */
static int64_t told_length(const struct cg_http_respond_op *respond, size_t len)
{
    int status = respond->status;
    bool bare = status == 304 || cg__http_response_is_bare(respond->req, status);

    return len == 0 && bare ? -1 : (int64_t)len;
}

/* Writes the head and a small body into the output. 0: done; 1: the body is still to be
 * written; or an error of cg__http_response_head_put. */
static int put_response(struct cg_http_respond_op *respond, const void *body,
                        size_t len)
{
    struct cg_http_request *req = respond->req;
    bool small = len <= CG__HTTP_COPY;
    int rc = cg__http_response_head_put(req, respond->status, told_length(respond, len),
                                        type_of(respond), small ? len : 0);
    char *to;

    if (rc < 0)
        return rc;
    req->ended = true;
    req->left = 0;
    if (req->framing == CG__HTTP_NO_BODY)
        return 0;
    req->sent = len;
    if (!small || (to = req->carrier->place(req, len)) == NULL)
        return 1;
    memcpy(to, body, len);
    req->carrier->put(req, len);
    return 0;
}

/* Fast path: HTTP/1, status 200 with a type and a small body, no fields set by the handler, on a
 * connection that stays open, while the Date in server->usual is valid. Only type, length
 * and body are copied behind that text. False: take the general path. */
static inline bool put_usual(struct cg_http_respond_op *respond, struct cg_sched *sched)
{
    struct cg_http_request *req = respond->req;
    const struct cg_http_server *server = req->server;
    const char *type = type_of(respond);
    size_t len, type_len;
    char *to;

    if (!cg__http_response_is_usual(req) || respond->status != 200 || type == NULL ||
        cg__http_response_is_bare(req, 200) || cg_sched_now(sched) >= server->date_until)
        return false;
    len = len_of(respond);
    if (len > server->small)
        return false;
    type_len = type == plain_text ? sizeof plain_text - 1 : strlen(type);
    to = cg__http_output_room(req->conn, CG__HTTP_HEAD_ROOM + type_len + len);
    if (to == NULL)
        return false;
    to = cg__http_h1_put(to, server->usual, server->usual_len);
    to = type == plain_text ? CG__HTTP_H1_PUT(to, TEXT)
                            : cg__http_h1_put(to, type, type_len);
    to = CG__HTTP_H1_PUT(to, "\r\nContent-Length: ");
    to += cg__http_framing_decimal(to, len);
    to = CG__HTTP_H1_PUT(to, "\r\n\r\n");
    to = cg__http_h1_put(to, body_of(respond), len);
    req->conn->out->used = (size_t)(to - req->conn->out->data);
    cg__http_response_note(req, len);
    return true;
}

/* The general path. A response that fits into the output completes at once. */
static enum cg_verdict process_rare(struct cg_http_respond_op *respond)
{
    size_t len = len_of(respond);
    int rc;

    if (len > CG__HTTP_COPY || is_compressible(respond, len))
        return CG_RUN;
    rc = put_response(respond, body_of(respond), len);
    if (rc == -ENOBUFS ||
        rc == 1) /* 1: the head has been written: see write_response */
        return CG_RUN;
    respond->result = rc;
    return CG_DONE;
}

/* A line break in the type could inject a field, or begin the body. */
static bool is_type(const char *mime)
{
    return *mime != '\0' && cg__http_message_is_value(mime, strlen(mime));
}

static enum cg_verdict respond_process(struct cg_op *op, struct cg_sched *sched)
{
    op->result = -EALREADY;
    if (of(op)->req->begun)
        return CG_DONE;
    op->result = -EINVAL;
    if (of(op)->mime != NULL && !is_type(of(op)->mime))
        return CG_DONE;
    op->result = 0;
    return put_usual(of(op), sched) ? CG_DONE : process_rare(of(op));
}

/* There is no memory to run it: if the head has been written, its body never follows. */
static enum cg_verdict respond_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->req->cut |= of(op)->req->begun;
    return CG_DONE;
}

static ssize_t write_response(struct cg_http_respond_op *respond, const void *body,
                              size_t len)
{
    struct cg_http_request *req = respond->req;
    ssize_t n = 0;
    int rc = req->begun ? 1 : put_response(respond, body, len);

    if (rc == -ENOBUFS && (n = req->carrier->write(req, NULL, 0)) == 0)
        rc = put_response(respond, body, len);
    if (rc == 1)
        n = req->carrier->write(req, body, len);
    if (n < 0)
        req->cut = true;
    return n < 0 ? n : rc < 0 ? rc : 0;
}

static ssize_t respond_run(struct cg_op *op)
{
    struct cg_http_respond_op *respond = of(op);
    size_t len = len_of(respond);
    ssize_t smaller = 0;
    enum cg__http_coding coding = CG__HTTP_IDENTITY;
    void *compressed = NULL;
    ssize_t n;

    if (!respond->req->begun && is_compressible(respond, len)) {
        coding = cg__http_accept_encoding(&respond->req->in, cg__http_compress_whole);
        cg_http_headers_add(&respond->req->out, "Vary", "Accept-Encoding");
    }
    if (coding != CG__HTTP_IDENTITY)
        smaller = cg__http_compress(coding, body_of(respond), len, &compressed);
    if (smaller <= 0)
        return smaller < 0 ? smaller : write_response(respond, body_of(respond), len);
    n = cg__http_response_head_coded(respond->req, coding);
    if (n == 0)
        n = write_response(respond, compressed, (size_t)smaller);
    free(compressed);
    return n;
}

static int respond_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_respond_op *respond = (const struct cg_http_respond_op *)op;

    return snprintf(buf, size, "%d", respond->status);
}

const struct cg_op_type cg_http_respond_type = {
    .name = "http_respond",
    .process = respond_process,
    .run = respond_run,
    .cancel = respond_cancel,
    .print = respond_print,
};

ssize_t cg__http_response_plain(struct cg_http_request *req, int status)
{
    char text[64];

    if (!cg__http_framing_has_body(status))
        return cg_yield(cg_http_respond(req, status, "", 0));
    snprintf(text, sizeof text, "%d %s\n", status, cg_http_status_text(status));
    return cg_yield(cg_http_send_text(req, status, text));
}
