/* SPDX-License-Identifier: MIT */
/* How a head is laid out in HTTP/1. */
#include "config.h"

#include "http/server/h1/head.h"
#include "http/server/output.h"
#include "http/server/request/request_body.h"
#include "http/server/response/response_head.h"

#include <errno.h>
#include <string.h>

char *cg__http_h1_fields(char *to, const struct cg_http_headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(headers, i);

        to = cg__http_h1_put(to, cg__http_message_at(headers, entry->name),
                             entry->name_len);
        to = CG__HTTP_H1_PUT(to, ": ");
        to = cg__http_h1_put(to, cg__http_message_at(headers, entry->value),
                             entry->value_len);
        to = CG__HTTP_H1_PUT(to, "\r\n");
    }
    return to;
}

/* The status line, and Server and Date unless the handler has set them: a proxy forwards
 * those of the origin. */
static char *put_start(const struct cg_http_request *req, char *to, int status)
{
    const struct cg_http_server *server = req->server;
    const char *text = cg_http_status_text(status);

    to = CG__HTTP_H1_PUT(to, "HTTP/1.1 ");
    to += cg__http_framing_decimal(to, (uint64_t)status);
    *to++ = ' ';
    to = cg__http_h1_put(to, text, strlen(text));
    to = CG__HTTP_H1_PUT(to, "\r\n");
    if (!(req->sets & CG__HTTP_SETS_SERVER))
        to = cg__http_h1_put(to, server->usual + CG__HTTP_OK,
                             server->date_at - CG__HTTP_OK);
    if (!(req->sets & CG__HTTP_SETS_DATE))
        to = cg__http_h1_put(to, server->usual + server->date_at, CG__HTTP_DATE);
    return to;
}

/* The field Connection. HTTP/1.0 needs it for a connection that stays open. */
static char *put_connection(const struct cg_http_request *req, char *to, int status)
{
    if (status == 101)
        return to;
    if (!req->keep)
        return CG__HTTP_H1_PUT(to, "Connection: close\r\n");
    return req->minor == 0 ? CG__HTTP_H1_PUT(to, "Connection: keep-alive\r\n") : to;
}

/* Content-Length is not allowed with 1xx, 204, and CONNECT that succeeds (RFC 9110,
 * 8.6). */
static bool may_tell_length(const struct cg_http_request *req, int status)
{
    return status >= 200 && status != 204 &&
           !(cg__http_response_is_bare(req, status) && req->code == HTTP_CONNECT);
}

static char *put_type(char *to, const char *type)
{
    to = CG__HTTP_H1_PUT(to, "Content-Type: ");
    to = cg__http_h1_put(to, type, strlen(type));
    return CG__HTTP_H1_PUT(to, "\r\n");
}

/* The whole head: our own fields, the framing of the body, the fields of the handler. */
static char *put_head(struct cg_http_request *req, char *to, int status, int64_t length,
                      const char *type)
{
    to = put_start(req, to, status);
    if (type != NULL)
        to = put_type(to, type);
    if (length >= 0 && may_tell_length(req, status)) {
        to = CG__HTTP_H1_PUT(to, "Content-Length: ");
        to += cg__http_framing_decimal(to, (uint64_t)length);
        to = CG__HTTP_H1_PUT(to, "\r\n");
    } else if (req->framing == CG__HTTP_CHUNKED) {
        to = CG__HTTP_H1_PUT(to, "Transfer-Encoding: chunked\r\n");
    }
    to = cg__http_h1_fields(to, &req->out);
    to = put_connection(req, to, status);
    return CG__HTTP_H1_PUT(to, "\r\n");
}

int cg__http_h1_room(struct cg_http_request *req, size_t head, size_t behind)
{
    size_t wanted = behind < CG__HTTP_OUT_SIZE - head ? head + behind : head;

    if (cg__http_output_room(req->conn, wanted) != NULL)
        return 0;
    return req->conn->out != NULL ? -ENOBUFS : -ENOMEM;
}

/* The head also says whether the connection stays open. */
int cg__http_h1_head(struct cg_http_request *req, int status, int64_t length,
                     const char *type)
{
    struct cg__http_out *out = req->conn->out;

    if (req->framing == CG__HTTP_CLOSE || req->server->draining ||
        !cg__http_request_body_will_drain(req))
        req->keep = false;
    out->used = (size_t)(put_head(req, out->data + out->used, status, length, type) -
                         out->data);
    return 0;
}
