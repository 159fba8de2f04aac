/* SPDX-License-Identifier: MIT */
/* The response that a handler of an HTTP server sends: its head, its body, and what may come
 * before or instead. See cg_http_response(3). */
#ifndef COGEN_HTTP_RESPONSE_H
#define COGEN_HTTP_RESPONSE_H

#include <cogen/http_request.h>

#ifndef __cplusplus

struct cg_http_respond_op { /* cg_http_respond, cg_http_send_text, cg_http_write */
    CG_OP_HEAD;
    const char *mime;
    int status;
    bool more, last;
    struct cg_http_request *req;
    const void *body;
    size_t len;
};

struct cg_http_send_file_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    int64_t offset;
    uint64_t len;
    int file;
};

struct cg_http_send_event_op {
    CG_OP_HEAD;
    const char *event, *data, *id;
    int64_t retry;
    struct cg_http_request *req;
};

struct cg_http_send_interim_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    const struct cg_http_field *fields;
    int status;
};

struct cg_http_upgrade_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    struct cg_sock **sock;
    int status;
};

/* cg_http_respond(req, status, body, len): sends a whole response. Keyword .mime: its
 * Content-Type, unless the handler has set that field. Small responses to requests that
 * came together are sent together. The status is 200 to 999: 1xx are for
 * cg_http_send_interim and cg_http_upgrade. With 204, 205 and 304, and to a HEAD, the body is not
 * sent. Content-Length with 304 and to a HEAD is len; if that is 0, it is what the handler has
 * set, or is left out. If the request's body has not been read, the server's .drain_limit
 * applies. Completes with 0; -EALREADY: the response has begun; -EINVAL: another status, or
 * .mime is empty or has control characters. */
#define cg_http_respond(...) cg__http_respond(__VA_ARGS__, )
#define cg__http_respond(r, s, b, n, ...)                                                  \
    CG_OP(cg_http_respond, .req = (r), .status = (s), .body = (b), .len = (n), __VA_ARGS__)

/* cg_http_send_text(req, status, "text"): like cg_http_respond, for a string. Its
 * Content-Type is text/plain unless .mime is given. */
#define cg_http_send_text(...) cg__http_text_op(__VA_ARGS__, )
#define cg__http_text_op(r, s, text, ...)                                                  \
    CG_OP(cg_http_respond, .req = (r), .status = (s), .body = (text), .len = SIZE_MAX,    \
          __VA_ARGS__)

/* cg_http_write(req, buf, len): writes a piece of the body. The first one also sends the
 * head, with the status from cg_http_response_set_status (or 200). It sends at once, and
 * completes when the kernel has taken all of it. The body is chunked; for HTTP/1.0 it lasts
 * to the end of the connection. If the handler has set Content-Length, the body has that
 * length.
 *   A text (by its Content-Type, but not server-sent events) without a set length is
 * compressed for clients that accept it. Then .more = true lets a piece stay in the encoder,
 * to be compressed together with the next ones. A write without it, which may be empty
 * (NULL, 0), sends everything; so does the end of the response.
 *   The response ends when the handler returns, or behind a piece with .last = true, also
 * with the trailers. After such a piece the handler may go on, even if the client leaves.
 *   Completes with len
 *   -EMSGSIZE  the body would be longer than the Content-Length that the handler has set
 *   -EPIPE     the response has no body (to a HEAD, or with 204, 205 or 304), and its head
 *              has been sent: so a handler that streams without end ends
 *   -EALREADY  the response has ended
 *   CG_EOF     with .last: the body is shorter than its Content-Length */
#define cg_http_write(...) cg__http_write(__VA_ARGS__, )
#define cg__http_write(r, b, n, ...)                                                       \
    CG__OP_OF(cg_http_respond, cg_http_write, .req = (r), .body = (b), .len = (n),        \
              __VA_ARGS__)

/* cg_http_send_file(req, fd, offset, len): like cg_http_write, with bytes of an open file.
 * Completes with 0; CG_EOF: the file is shorter than that; -EPIPE as cg_http_write. */
#define cg_http_send_file(...) cg__http_send_file(__VA_ARGS__, )
#define cg__http_send_file(r, f, o, n, ...)                                                \
    CG_OP(cg_http_send_file, .req = (r), .file = (f), .offset = (o), .len = (n),          \
          __VA_ARGS__)

/* cg_http_send_event(req, .data = "text", .event = "name", .id = "7", .retry = ns): sends a
 * server-sent event; the first one begins the response. Without any keyword it sends a
 * comment, which keeps the connection alive. Completes with 0; -EINVAL: the name or the id has
 * a line break; -EPIPE as cg_http_write. */
#define cg_http_send_event(...) cg__http_send_event_op(__VA_ARGS__, )
#define cg__http_send_event_op(r, ...) CG_OP(cg_http_send_event, .req = (r), __VA_ARGS__)

/* cg_http_send_interim(req, status, fields): sends an interim response such as 103 Early
 * Hints; the final response must follow. fields: an array that ends with an empty field,
 * or NULL; borrowed. HTTP/1.0 has no interim responses, so its clients are sent nothing.
 * Completes with 0; -EALREADY: the response has begun; -EINVAL: the status is not 100 or 102 to
 * 199, or a field cannot be sent; -EMSGSIZE: the fields exceed headers_limit. If it fails
 * otherwise or is cancelled, the connection is closed. */
#define cg_http_send_interim(...) cg__http_send_interim(__VA_ARGS__, )
#define cg__http_send_interim(r, s, f, ...)                                                \
    CG_OP(cg_http_send_interim, .req = (r), .status = (s), .fields = (f), __VA_ARGS__)

/* cg_http_upgrade(req, status, &sock): responds with this status (101, or 2xx to CONNECT)
 * and the fields that were set. Then the ownership of the connection passes to the
 * caller, who closes *sock; its unread input stays readable. A 101 gets "Connection:
 * upgrade" and, unless the handler has set Upgrade, an Upgrade field with the first
 * protocol that the client asks for. Completes with 0, or
 *   -EALREADY  the response has begun
 *   -EINVAL    another status; the body has not been read; the client has not asked for
 *              an upgrade, or not for the protocol that the handler has set
 * Over HTTP/2 the socket is a stream of the connection (RFC 8441). */
#define cg_http_upgrade(...) cg__http_upgrade(__VA_ARGS__, )
#define cg__http_upgrade(r, s, out, ...)                                                   \
    CG_OP(cg_http_upgrade, .req = (r), .status = (s), .sock = (out), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_respond_type, cg_http_write_type,
    cg_http_send_file_type, cg_http_send_event_type, cg_http_send_interim_type,
    cg_http_upgrade_type;

/* The following are for a response that has not begun. */

/* Sets the status of a response that cg_http_write, cg_http_send_file or cg_http_send_event
 * begins, or of a response without a body if the handler sends none. It must be 200 to 999:
 * with another these operations complete with -EINVAL, and a response that the handler
 * leaves to the server is a 500. */
CG_API void cg_http_response_set_status(struct cg_http_request *req, int status);

/* Sets the status that the client gets if the handler returns a negative code before the
 * response has begun (500): 400 to 599. The rest of the request's body is not read, and the
 * connection is closed. */
CG_API void cg_http_response_set_failure(struct cg_http_request *req, int status);

/* The status of the response; 0: it has not begun. */
CG_API int cg_http_response_status(const struct cg_http_request *req);

/* Sets a header field, or adds one more with this name. The fields Server and Date
 * replace those of the server. Return 0; -EINVAL: an invalid name or value; -ENOMEM; -EALREADY:
 * the response has begun. */
CG_API int cg_http_response_set_header(struct cg_http_request *req, const char *name,
                                       const char *value);
CG_API int cg_http_response_add_header(struct cg_http_request *req, const char *name,
                                       const char *value);

/* Returns the header fields that the handler has set so far. They may be read and changed until the
 * response begins. */
CG_API struct cg_http_headers *cg_http_response_headers(struct cg_http_request *req);

/* Adds a trailer, to be sent after a chunked body. Other responses are sent without it. Returns
 * 0, -EALREADY (the response has ended), -EINVAL or -ENOMEM. */
CG_API int cg_http_response_add_trailer(struct cg_http_request *req, const char *name,
                                        const char *value);

/* Lets the server close the connection after this response. */
CG_API void cg_http_response_close(struct cg_http_request *req);

CG_EXTERN_C_END
#endif
