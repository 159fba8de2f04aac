/* SPDX-License-Identifier: MIT */
/* The request that a handler of an HTTP server gets: reading it, and what it says. See
 * cg_http_request(3). */
#ifndef COGEN_HTTP_REQUEST_H
#define COGEN_HTTP_REQUEST_H

#include <cogen/http.h>
#include <cogen/sock_end.h>
#include <cogen/sync.h>

struct cg_http_request;

#ifndef __cplusplus

struct cg_http_read_op { /* cg_http_read, cg_http_read_body */
    CG_OP_HEAD;
    struct cg_http_request *req;
    void *buf;
    size_t len;
    char **data;
};

struct cg_http_wait_left_op {
    union {
        struct {
            CG_OP_HEAD;
        };
        struct cg_wait_gone_op gone;    /* over HTTP/1 */
        struct cg_wait_event_op event;  /* over HTTP/2 */
    };
    const struct cg_op_type *served_by; /* the type of that */
    struct cg_http_request *req;
};

/* cg_http_read(req, buf, size): reads 1 to size bytes of the request's body as they come; 0
 * at its end. Errors, with the status that the client gets if the handler returns the code:
 *   -EMSGSIZE   the body exceeds the limit (413)
 *   -EBADMSG    the body is invalid (400)
 *   -ETIMEDOUT  nothing came for too long (408)
 *   CG_EOF      the client has closed the connection
 * Traceless, with one exception: it first writes the responses to earlier requests, and if
 * it is cancelled during that, this request is the last of its connection. */
#define cg_http_read(...) cg__http_read(__VA_ARGS__, )
#define cg__http_read(r, b, n, ...)                                                        \
    CG_OP(cg_http_read, .req = (r), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_http_read_body(req, &data): reads the whole body, or the unread part of it, and a NUL
 * after it; completes with its length. The memory belongs to the request and is freed after
 * the handler returns. .len = n: a limit lower than the server's. Errors as cg_http_read,
 * and -ENOMEM. Partial: if it is cancelled, the bytes read so far are lost. */
#define cg_http_read_body(...) cg__http_read_body(__VA_ARGS__, )
#define cg__http_read_body(r, d, ...)                                                      \
    CG__OP_OF(cg_http_read, cg_http_read_body, .req = (r), .data = (d), __VA_ARGS__)

/* cg_http_wait_left(req): completes with 0 once the client has left, at once if it already
 * has: over HTTP/1 when it has ended the connection or its sending direction, which look
 * alike; over HTTP/2 when it has reset the request's stream or ended the connection. Further
 * requests that it has sent do not matter. A branch for a race with whatever the handler
 * works on or waits for. Over HTTP/2 a handler whose client leaves is cancelled; one that
 * waits with this is told instead, and may clean up as over HTTP/1. -EOPNOTSUPP: see
 * cg_wait_gone; -EBADF: the connection was given up by cg_http_upgrade. Several may wait. The
 * default timeout does not apply. Traceless. */
#define cg_http_wait_left(...) cg__http_wait_left(__VA_ARGS__, )
#define cg__http_wait_left(r, ...) CG_OP(cg_http_wait_left, .req = (r), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_read_type, cg_http_read_body_type,
    cg_http_wait_left_type;

/* The texts of a request are valid until its handler returns. */

/* The method, such as "GET"; the target as the client sent it; the path. The path is
 * decoded, except "%2F" and "%25": a slash or a percent sign within a segment stays
 * distinguishable. Dot segments are removed: "/b/../a" is "/a". Patterns are matched
 * against the path. It is "*" for OPTIONS of the server itself, also in the form "OPTIONS
 * http://host". */
CG_API const char *cg_http_request_method(const struct cg_http_request *req);
CG_API const char *cg_http_request_target(const struct cg_http_request *req);
CG_API const char *cg_http_request_path(const struct cg_http_request *req);

/* The segment that ":name" in the pattern stands for, wholly decoded: "a%2Fb" is "a/b".
 * Under the name "*", the rest of the path after a pattern that ends with a slash,
 * decoded like the path. cg_http_request_query: the decoded value of a name in the query.
 * NULL: none. */
CG_API const char *cg_http_request_param(const struct cg_http_request *req,
                                         const char *name);
CG_API const char *cg_http_request_query(struct cg_http_request *req, const char *name);

/* Stores the number that a name in the query has, "7" or "-7"; `otherwise`, which need not be
 * in the range, if the query lacks the name. Returns 0; -EINVAL: the value is not a number;
 * -ERANGE: it is below `least` or above `most`. *number is `otherwise` then, too. */
CG_API int cg_http_request_query_number(struct cg_http_request *req, const char *name,
                                        int64_t least, int64_t most, int64_t otherwise,
                                        int64_t *number);

/* Sets a parameter, in the place of others with this name: what a layer has found out, for
 * the handler ("user"). The texts that cg_http_request_path and _param have returned before
 * are no longer valid. Returns 0; -EINVAL: the name is not a token, or the value has control
 * characters; -ENOMEM. */
CG_API int cg_http_request_set_param(struct cg_http_request *req, const char *name,
                                     const char *value);

/* The value of the first header field with this name, or NULL; all header fields; the
 * trailers of a chunked body that has been read. If the target names a host, the field Host
 * has that value. */
CG_API const char *cg_http_request_header(const struct cg_http_request *req,
                                          const char *name);
CG_API const struct cg_http_headers *
cg_http_request_headers(const struct cg_http_request *req);
CG_API const struct cg_http_headers *
cg_http_request_trailers(const struct cg_http_request *req);

/* The length of the body; 0: there is none; -1: it is chunked, its length is unknown. */
CG_API int64_t cg_http_request_length(const struct cg_http_request *req);

/* The minor version: 0 of HTTP/1.0, 1 of HTTP/1.1; later versions are treated as 1.1. */
CG_API int cg_http_request_minor(const struct cg_http_request *req);

/* The protocol that the request has come by: "HTTP/1.0", "HTTP/1.1" or "HTTP/2". */
CG_API const char *cg_http_request_protocol(const struct cg_http_request *req);

/* The scheme that the client names, "http" or "https": in front of the target of HTTP/1 or, as
 * every client does, beside that of HTTP/2. NULL: none, or another. It tells what a proxy is
 * asked for, not how the client has connected. */
CG_API const char *cg_http_request_scheme(const struct cg_http_request *req);

/* Stores the address of the client: the parameter "client-address", which the option
 * .proxy_protocol and cg_http_forwarded_layer set, or else that of the connection's other end,
 * without port, brackets and zone: "192.0.2.1", "2001:db8::1", "unix" for a UNIX socket. The
 * kernel is asked once for each connection. The text is valid until the handler returns or the
 * parameter is set again. Returns 0; -ENOMEM, or an error of getpeername, -ENOTCONN: then
 * *client is NULL. */
CG_API int cg_http_request_client(const struct cg_http_request *req, const char **client);

/* The connection's socket, borrowed, for its addresses. To learn that the client has left, use
 * cg_http_wait_left: the bytes on this socket belong to the server. */
CG_API struct cg_sock *cg_http_request_sock(const struct cg_http_request *req);

CG_EXTERN_C_END
#endif
