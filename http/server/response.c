/* SPDX-License-Identifier: MIT */
/* The response: its head, whole answers, and how an answer ends. */
#include "config.h"

#include "http/server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a handler sets --------------------------------------------------------- */

void cg_http_response_set_status(struct cg_http_request *req, int status)
{
    req->status = status;
}

int cg_http_response_set_header(struct cg_http_request *req, const char *name,
                                const char *value)
{
    return req->begun ? -EALREADY : cg_http_headers_set(&req->out, name, value);
}

int cg_http_response_add_header(struct cg_http_request *req, const char *name,
                                const char *value)
{
    return req->begun ? -EALREADY : cg_http_headers_add(&req->out, name, value);
}

int cg_http_response_add_trailer(struct cg_http_request *req, const char *name,
                                 const char *value)
{
    return cg_http_headers_add(&req->out_trailers, name, value);
}

void cg_http_response_close(struct cg_http_request *req)
{
    req->keep = false;
}

/* ---- The head -------------------------------------------------------------------- */

static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

#define PUT(to, text) put(to, text, sizeof(text) - 1)

static char *put_fields(char *to, const struct cg_http_headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(headers, i);

        to = put(to, cg__http_message_at(headers, entry->name), entry->name_len);
        to = PUT(to, ": ");
        to = put(to, cg__http_message_at(headers, entry->value), entry->value_len);
        to = PUT(to, "\r\n");
    }
    return to;
}

static bool has(const struct cg_http_request *req, const char *name)
{
    return req->out.count > 0 && cg_http_headers_get(&req->out, name) != NULL;
}

/* The status, and Server and Date unless the handler has said them: a proxy hands on those
 * of others. */
static char *put_start(const struct cg_http_request *req, char *to, int status)
{
    const struct cg_http_server *server = req->server;
    const char *text = cg_http_status_text(status);

    to = PUT(to, "HTTP/1.1 ");
    to += cg__http_framing_decimal(to, (uint64_t)status);
    *to++ = ' ';
    to = put(to, text, strlen(text));
    to = PUT(to, "\r\n");
    if (!has(req, "Server"))
        to = put(to, server->usual + CG__HTTP_OK, server->date_at - CG__HTTP_OK);
    if (!has(req, "Date"))
        to = put(to, server->usual + server->date_at, CG__HTTP_DATE);
    return to;
}

/* What the connection is to become. 1.0 wants to be told that it stays. */
static char *put_connection(const struct cg_http_request *req, char *to, int status)
{
    if (status == 101)
        return to;
    if (!req->keep)
        return PUT(to, "Connection: close\r\n");
    return req->parser.minor == 0 ? PUT(to, "Connection: keep-alive\r\n") : to;
}

/* Whether no body may follow: an answer to HEAD, or to a CONNECT that succeeds. What is
 * refused may have no method. */
static bool is_bare(const struct cg_http_request *req, int status)
{
    int code = req->parser.code;

    return req->parser.method != NULL &&
           (code == HTTP_HEAD || (code == HTTP_CONNECT && status / 100 == 2));
}

/* Not with 1xx and 204, nor in a CONNECT that succeeds (RFC 9110, 8.6). */
static bool may_tell_length(const struct cg_http_request *req, int status)
{
    return status >= 200 && status != 204 &&
           !(is_bare(req, status) && req->parser.code == HTTP_CONNECT);
}

static const char plain_text[] = CG__HTTP_TEXT;

static char *put_type(char *to, const char *type)
{
    to = PUT(to, "Content-Type: ");
    to = put(to, type, strlen(type));
    return PUT(to, "\r\n");
}

/* Our own fields, those that were set, and the frame of the body. */
static char *put_head(struct cg_http_request *req, char *to, int status, int64_t length,
                      const char *type)
{
    to = put_start(req, to, status);
    if (type != NULL)
        to = put_type(to, type);
    if (length >= 0 && may_tell_length(req, status)) {
        to = PUT(to, "Content-Length: ");
        to += cg__http_framing_decimal(to, (uint64_t)length);
        to = PUT(to, "\r\n");
    } else if (req->framing == CG__HTTP_CHUNKED) {
        to = PUT(to, "Transfer-Encoding: chunked\r\n");
    }
    to = put_fields(to, &req->out);
    to = put_connection(req, to, status);
    return PUT(to, "\r\n");
}

/* A head takes at most so many bytes besides what has been set, and the type. */
enum { HEAD = CG__HTTP_USUAL + 256 };

/* The length and the type as they are if the handler has set them, and the room that the
 * head takes. 0, -EINVAL or -EMSGSIZE. */
static int measure(const struct cg_http_request *req, int64_t *length, const char **type,
                   size_t *room)
{
    const char *text = cg_http_headers_get(&req->out, "Content-Length");
    uint64_t set = 0;

    if (*length < 0 && text != NULL) {
        if (!cg__http_framing_length(text, &set) || set > INT64_MAX)
            return -EINVAL;
        *length = (int64_t)set;
    }
    if (has(req, "Content-Type"))
        *type = NULL;
    *room = HEAD + req->out.used + 4 * req->out.count + (*type != NULL ? strlen(*type) : 0);
    return *room > CG__HTTP_OUT_SIZE ? -EMSGSIZE : 0;
}

/* What the handler has set that is ours to say goes, and the frame is chosen. */
static void settle(struct cg_http_request *req, int status, bool has_length)
{
    if (req->out.count > 0) {
        cg_http_headers_remove(&req->out, "Content-Length");
        cg_http_headers_remove(&req->out, "Transfer-Encoding");
        if (cg_http_headers_has(&req->out, "Connection", "close")) {
            cg_http_headers_remove(&req->out, "Connection");
            req->keep = false;
        }
    }
    req->framing = cg__http_framing_choose(status, is_bare(req, status),
                                           req->parser.minor, has_length);
    if (req->framing == CG__HTTP_CLOSE || req->server->draining ||
        !cg__http_request_body_will_drain(req))
        req->keep = false;
}

/* 101 ends the request's HTTP: only cg_http_upgrade sends it. Other 1xx announce an
 * answer. */
static bool is_final(const struct cg_http_request *req, int status)
{
    return (status >= 200 && status <= 999) || (status == 101 && req->switches);
}

/* Puts the head into the output, with room for so many bytes behind it if that can be. */
static int begin(struct cg_http_request *req, int status, int64_t length, const char *type,
                 size_t behind)
{
    struct cg__http_conn *conn = req->conn;
    size_t room;
    int rc = measure(req, &length, &type, &room);
    char *to;

    if (!is_final(req, status))
        return -EINVAL;
    if (rc < 0)
        return rc;
    if (status == 205)
        length = 0;
    to = cg__http_server_room(conn,
                              behind < CG__HTTP_OUT_SIZE - room ? room + behind : room);
    if (to == NULL)
        return conn->out != NULL ? -ENOBUFS : -ENOMEM;
    cg__http_log_date(req->server);
    settle(req, status, length >= 0);
    to = put_head(req, to, status, length, type);
    conn->out->used = (size_t)(to - conn->out->data);
    req->begun = true;
    req->status = status;
    req->left = length >= 0 ? (uint64_t)length : 0;
    return 0;
}

int cg__http_response_begin(struct cg_http_request *req, int status, int64_t length,
                            const char *type)
{
    return begin(req, status, length, type, 0);
}

/* ---- Whole answers --------------------------------------------------------------- */

static struct cg_http_respond_op *of(struct cg_op *op)
{
    return (struct cg_http_respond_op *)op;
}

static size_t size_of(const struct cg_http_respond_op *answer)
{
    return answer->size == SIZE_MAX ? strlen(answer->body) : answer->size;
}

static const char *type_of(const struct cg_http_respond_op *answer)
{
    if (answer->mime != NULL || answer->size != SIZE_MAX)
        return answer->mime;
    return plain_text;
}

bool cg__http_response_is_worth(const struct cg_http_request *req, int status,
                                const char *type)
{
    const char *set;

    if (status != 200 || has(req, "Content-Encoding") || has(req, "Content-Range"))
        return false;
    set = cg_http_headers_get(&req->out, "Content-Type");
    return cg__http_compress_is_text(set ? set : type);
}

static bool is_compressible(const struct cg_http_respond_op *answer, size_t size)
{
    return size > answer->req->server->options.compress_above &&
           cg__http_response_is_worth(answer->req, answer->status, type_of(answer));
}

/* Puts the head, and a small body, into the output. 0: done; else what
 * cg__http_response_begin says, or 1: the body is still to be written. */
static int put_answer(struct cg_http_respond_op *answer, const void *body, size_t size)
{
    struct cg_http_request *req = answer->req;
    bool small = size <= CG__HTTP_COPY;
    int rc = begin(req, answer->status, (int64_t)size, type_of(answer), small ? size : 0);
    struct cg__http_out *out = req->conn->out;

    if (rc < 0)
        return rc;
    req->ended = true;
    req->left = 0;
    if (req->framing == CG__HTTP_NO_BODY)
        return 0;
    req->sent = size;
    if (!small || size > out->size - out->used)
        return 1;
    put(out->data + out->used, body, size);
    out->used += size;
    return 0;
}

/* Most answers: 200 with a type and a small body, nothing set by the handler, on a
 * connection that stays, in the second of the one before. Type, length and body are all
 * there is to lay out. False: it is not so, or there is no room. */
static inline bool put_usual(struct cg_http_respond_op *answer, struct cg_sched *sched)
{
    struct cg_http_request *req = answer->req;
    const struct cg_http_server *server = req->server;
    const char *type = type_of(answer);
    size_t size, type_size;
    char *to;

    if (answer->status != 200 || type == NULL || req->out.count > 0 || !req->keep ||
        !req->body_done || server->draining || req->parser.minor == 0 ||
        is_bare(req, 200) || cg_sched_now(sched) >= server->date_until)
        return false;
    size = size_of(answer);
    if (size > server->small)
        return false;
    type_size = type == plain_text ? sizeof plain_text - 1 : strlen(type);
    to = cg__http_server_room(req->conn, HEAD + type_size + size);
    if (to == NULL)
        return false;
    to = put(to, server->usual, server->usual_size);
    to = type == plain_text ? PUT(to, CG__HTTP_TEXT) : put(to, type, type_size);
    to = PUT(to, "\r\nContent-Length: ");
    to += cg__http_framing_decimal(to, size);
    to = PUT(to, "\r\n\r\n");
    to = put(to, answer->body, size);
    req->conn->out->used = (size_t)(to - req->conn->out->data);
    req->framing = CG__HTTP_LENGTH;
    req->sent = size;
    req->status = 200;
    req->begun = true;
    req->ended = true;
    return true;
}

/* What fits into the output makes nobody wait. */
static enum cg_verdict process_rare(struct cg_http_respond_op *answer)
{
    size_t size = size_of(answer);
    int rc;

    if (size > CG__HTTP_COPY || is_compressible(answer, size))
        return CG_RUN;
    rc = put_answer(answer, answer->body, size);
    if (rc == -ENOBUFS || rc == 1) /* then the head has been put: see write_answer */
        return CG_RUN;
    answer->result = rc;
    return CG_DONE;
}

/* A line break within it would begin another field, or the body. */
static bool is_type(const char *mime)
{
    return *mime != '\0' && cg__http_message_is_value(mime, strlen(mime));
}

static enum cg_verdict answer_process(struct cg_op *op, struct cg_sched *sched)
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

/* There is no memory to run it: of an answer whose head has been put the body never
 * comes. */
static enum cg_verdict answer_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->req->cut |= of(op)->req->begun;
    return CG_DONE;
}

static ssize_t write_answer(struct cg_http_respond_op *answer, const void *body,
                            size_t size)
{
    struct cg__http_conn *conn = answer->req->conn;
    ssize_t n = 0;
    int rc = answer->req->begun ? 1 : put_answer(answer, body, size);

    if (rc == -ENOBUFS && (n = cg__http_output_flush(conn, NULL, 0)) == 0)
        rc = put_answer(answer, body, size);
    if (rc == 1)
        n = cg__http_output_flush(conn, &(struct iovec){(void *)body, size}, 1);
    if (n < 0)
        answer->req->cut = true;
    return n < 0 ? n : rc < 0 ? rc : 0;
}

static ssize_t answer_run(struct cg_op *op)
{
    struct cg_http_respond_op *answer = of(op);
    size_t size = size_of(answer);
    ssize_t smaller = 0;
    enum cg__http_coding coding = CG__HTTP_IDENTITY;
    void *compressed = NULL;
    ssize_t n;

    if (!answer->req->begun && is_compressible(answer, size)) {
        coding =
            cg__http_accept_encoding(answer->req, cg__http_compress_can(CG__HTTP_GZIP),
                                     cg__http_compress_can(CG__HTTP_BR));
        cg_http_headers_add(&answer->req->out, "Vary", "Accept-Encoding");
    }
    if (coding != CG__HTTP_IDENTITY)
        smaller = cg__http_compress(coding, answer->body, size, &compressed);
    if (smaller <= 0)
        return smaller < 0 ? smaller : write_answer(answer, answer->body, size);
    n = cg_http_headers_set(&answer->req->out, "Content-Encoding", cg__http_coding_name(coding));
    if (n == 0)
        n = write_answer(answer, compressed, (size_t)smaller);
    free(compressed);
    return n;
}

static int answer_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_respond_op *answer = (const struct cg_http_respond_op *)op;

    return snprintf(buf, size, "%d", answer->status);
}

const struct cg_op_type cg_http_respond_type = {
    .name = "http_respond",
    .process = answer_process,
    .run = answer_run,
    .cancel = answer_cancel,
    .print = answer_print,
};

ssize_t cg__http_response_plain(struct cg_http_request *req, int status)
{
    char text[64];

    if (!cg__http_framing_has_body(status))
        return cg_yield(cg_http_respond(req, status, "", 0));
    snprintf(text, sizeof text, "%d %s\n", status, cg_http_status_text(status));
    return cg_yield(cg_http_send_text(req, status, text));
}

/* ---- The end --------------------------------------------------------------------- */

/* Ends a body in chunks. */
static ssize_t end_chunks(struct cg_http_request *req)
{
    size_t size = 8 + req->out_trailers.used + 4 * req->out_trailers.count;
    char *to = size > CG__HTTP_OUT_SIZE ? NULL : cg__http_server_room(req->conn, size),
         *start = to;

    if (to == NULL) {
        ssize_t n = cg__http_output_flush(req->conn, NULL, 0);

        if (n < 0 || size > CG__HTTP_OUT_SIZE)
            return n < 0 ? n : -EMSGSIZE;
        start = to = cg__http_server_room(req->conn, size);
        if (to == NULL)
            return -ENOMEM;
    }
    to = PUT(to, "0\r\n");
    to = put_fields(to, &req->out_trailers);
    to = PUT(to, "\r\n");
    req->conn->out->used += (size_t)(to - start);
    return 0;
}

/* What the peer or the server's end is the cause of is no failure of the handler. */
static bool is_usual(ssize_t n)
{
    return n == -EPIPE || n == -ECONNRESET || n == -ECANCELED || n == -ETIMEDOUT ||
           n == CG_EOF;
}

/* A handler that has not answered: what the client is told instead. */
static ssize_t instead(struct cg_http_request *req, ssize_t n)
{
    if (n >= 0 && req->status != 0) {
        n = cg_yield(cg_http_respond(req, req->status, "", 0));
        if (n != -EINVAL)
            return n;
    }
    if (n < 0 && req->failure != 0) {
        req->keep = false;
        return cg__http_response_plain(req, req->failure);
    }
    if (n >= 0 || !is_usual(n))
        cg__http_access_log_failure(req, n);
    cg__http_message_reset(&req->out, CG__HTTP_KEEP);
    return cg__http_response_plain(req, n == -ECANCELED ? 503 : 500);
}

void cg__http_response_end_rest(struct cg_http_request *req, ssize_t n)
{
    if (req->conn->sock == NULL || req->cut || req->conn->broken)
        return;
    if (!req->begun) {
        if (instead(req, n) < 0)
            req->cut = true;
        return;
    }
    if (n < 0 && !is_usual(n))
        cg__http_access_log_failure(req, n);
    if (req->ended)
        return;
    if (n >= 0 && req->encoder != NULL)
        n = cg__http_response_write_end(req);
    req->ended = true;
    if (n >= 0 && req->framing == CG__HTTP_CHUNKED)
        n = end_chunks(req);
    else if (n >= 0 && req->framing == CG__HTTP_LENGTH && req->left > 0)
        n = CG_EOF; /* it promised more */
    /* Only an early end tells the client that there should have been more. */
    req->cut = n < 0;
}
