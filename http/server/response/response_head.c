/* SPDX-License-Identifier: MIT */
/* The head of a response: the setters for handlers, and its layout. */
#include "config.h"

#include "http/coding/compress.h"
#include "http/server/log.h"
#include "http/server/output.h"
#include "http/server/request/request_body.h"
#include "http/server/response/response_head.h"

#include <errno.h>
#include <string.h>

void cg_http_response_set_status(struct cg_http_request *req, int status)
{
    req->status = status;
}

void cg_http_response_set_failure(struct cg_http_request *req, int status)
{
    req->failure = status;
}

int cg_http_response_status(const struct cg_http_request *req)
{
    return req->begun ? req->status : 0;
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

char *cg__http_response_head_fields(char *to, const struct cg_http_headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(headers, i);

        to = cg__http_response_put(to, cg__http_message_at(headers, entry->name),
                                   entry->name_len);
        to = CG__HTTP_PUT(to, ": ");
        to = cg__http_response_put(to, cg__http_message_at(headers, entry->value),
                                   entry->value_len);
        to = CG__HTTP_PUT(to, "\r\n");
    }
    return to;
}

static bool has(const struct cg_http_request *req, const char *name)
{
    return req->out.count > 0 && cg_http_headers_get(&req->out, name) != NULL;
}

/* The status line, and Server and Date unless the handler has set them: a proxy forwards
 * those of the origin. */
static char *put_start(const struct cg_http_request *req, char *to, int status)
{
    const struct cg_http_server *server = req->server;
    const char *text = cg_http_status_text(status);

    to = CG__HTTP_PUT(to, "HTTP/1.1 ");
    to += cg__http_framing_decimal(to, (uint64_t)status);
    *to++ = ' ';
    to = cg__http_response_put(to, text, strlen(text));
    to = CG__HTTP_PUT(to, "\r\n");
    if (!has(req, "Server"))
        to = cg__http_response_put(to, server->usual + CG__HTTP_OK,
                                   server->date_at - CG__HTTP_OK);
    if (!has(req, "Date"))
        to = cg__http_response_put(to, server->usual + server->date_at, CG__HTTP_DATE);
    return to;
}

/* The field Connection. HTTP/1.0 needs it for a connection that stays open. */
static char *put_connection(const struct cg_http_request *req, char *to, int status)
{
    if (status == 101)
        return to;
    if (!req->keep)
        return CG__HTTP_PUT(to, "Connection: close\r\n");
    return req->parser.minor == 0 ? CG__HTTP_PUT(to, "Connection: keep-alive\r\n") : to;
}

/* Content-Length is not allowed with 1xx, 204, and CONNECT that succeeds (RFC 9110,
 * 8.6). */
static bool may_tell_length(const struct cg_http_request *req, int status)
{
    return status >= 200 && status != 204 &&
           !(cg__http_response_is_bare(req, status) &&
             req->parser.code == HTTP_CONNECT);
}

static char *put_type(char *to, const char *type)
{
    to = CG__HTTP_PUT(to, "Content-Type: ");
    to = cg__http_response_put(to, type, strlen(type));
    return CG__HTTP_PUT(to, "\r\n");
}

/* The whole head: our own fields, the framing of the body, the fields of the handler. */
static char *put_head(struct cg_http_request *req, char *to, int status, int64_t length,
                      const char *type)
{
    to = put_start(req, to, status);
    if (type != NULL)
        to = put_type(to, type);
    if (length >= 0 && may_tell_length(req, status)) {
        to = CG__HTTP_PUT(to, "Content-Length: ");
        to += cg__http_framing_decimal(to, (uint64_t)length);
        to = CG__HTTP_PUT(to, "\r\n");
    } else if (req->framing == CG__HTTP_CHUNKED) {
        to = CG__HTTP_PUT(to, "Transfer-Encoding: chunked\r\n");
    }
    to = cg__http_response_head_fields(to, &req->out);
    to = put_connection(req, to, status);
    return CG__HTTP_PUT(to, "\r\n");
}

/* Lets the handler's Content-Length and Content-Type replace these, and computes the room
 * that the head needs. 0, -EINVAL or -EMSGSIZE. */
static int measure(const struct cg_http_request *req, int64_t *length,
                   const char **type, size_t *room)
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
    *room = CG__HTTP_HEAD_ROOM + req->out.used + 4 * req->out.count +
            (*type != NULL ? strlen(*type) : 0);
    return *room > CG__HTTP_OUT_SIZE ? -EMSGSIZE : 0;
}

/* Removes the handler's framing fields, and chooses the framing and whether the connection
 * stays open. */
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
    req->framing = cg__http_framing_choose(
        status, cg__http_response_is_bare(req, status), req->parser.minor, has_length);
    if (req->framing == CG__HTTP_CLOSE || req->server->draining ||
        !cg__http_request_body_will_drain(req))
        req->keep = false;
}

/* Only cg_http_upgrade may send 101, after which the connection is no longer HTTP. Other
 * 1xx are interim. */
static bool is_final(const struct cg_http_request *req, int status)
{
    return (status >= 200 && status <= 999) || (status == 101 && req->switches);
}

int cg__http_response_head_put(struct cg_http_request *req, int status, int64_t length,
                               const char *type, size_t behind)
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
    to = cg__http_output_room(conn,
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

ssize_t cg__http_response_head_write(struct cg_http_request *req, int status,
                                     int64_t length, const char *type)
{
    ssize_t n = cg__http_response_head_put(req, status, length, type, 0);

    if (n == -ENOBUFS && (n = cg__http_output_flush(req->conn, NULL, 0)) == 0)
        n = cg__http_response_head_put(req, status, length, type, 0);
    return n;
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
