/* SPDX-License-Identifier: MIT */
/* An HTTP/1 server. A handler is a function in a coroutine: it gets a request and writes a
 * response by yielding operations. See cg_http_server(3).
 *
 *     static ssize_t hello(struct cg_http_request *req, void *arg)
 *     {
 *         return cg_yield(cg_http_send_text(req, 200, "Hello, world!\n"));
 *     }
 *     ...
 *     cg_http_server_mount(server, "GET /hello", hello, NULL);
 *     cg_yield(cg_http_serve(server, listener)); */
#ifndef COGEN_HTTP_SERVER_H
#define COGEN_HTTP_SERVER_H

#include <cogen/http.h>
#include <cogen/sock.h>
#include <stdio.h>

struct cg_http_server;
struct cg_http_request;

/* A handler answers a request and returns >= 0. If it returns a negative code before it has
 * begun to answer, the client gets 500 (or the status that fits what went wrong with the
 * request's body), the log the code; afterwards the connection is cut. What a handler that
 * returns has left open is ended for it. */
typedef ssize_t cg_http_handler(struct cg_http_request *req, void *arg);

enum {
    CG_HTTP_REQUEST_LIMIT = 1024 * 1024, /* bytes of a request's body: 413 */
    CG_HTTP_HEADER_RATE = 240,        /* bytes of a head in a second */
    CG_HTTP_BODY_RATE = 240,          /* bytes of a body in a second */
    CG_HTTP_DRAIN_LIMIT = 64 * 1024,  /* bytes of an unread body that are read away */
    CG_HTTP_LINGER_LIMIT = 16 * 1024 * 1024, /* bytes that are read away before a close */
    CG_HTTP_COMPRESS_ABOVE = 1024,    /* bytes of text that are worth it */
    CG_HTTP_PARAMS_LIMIT = 16,        /* ":name" segments of a pattern */
};

#define CG_HTTP_UNLIMITED UINT64_MAX

/* Zero is the default of each. Lengths of time in ns. */
struct cg_http_server_options {
    int64_t header_timeout; /* for a whole head, from its first byte: 408 (15 s) */
    /* Bytes a second that a head must come with, on average from its first byte on, beyond
     * a grace of 5 s, and within header_timeout: 408 (CG_HTTP_HEADER_RATE). */
    unsigned header_rate;
    int64_t body_timeout;   /* without a byte of the body that is waited for: 408 (30 s) */
    int64_t write_timeout;  /* in which the client takes no byte of the answer: cut (30 s) */
    int64_t idle_timeout;   /* between requests: closed (60 s) */
    uint32_t target_limit;  /* CG_HTTP_TARGET_LIMIT */
    uint32_t headers_limit; /* CG_HTTP_HEADERS_LIMIT */
    uint32_t headers_count; /* CG_HTTP_HEADERS_COUNT */
    uint64_t body_limit;    /* CG_HTTP_REQUEST_LIMIT; CG_HTTP_UNLIMITED */
    uint64_t drain_limit;   /* CG_HTTP_DRAIN_LIMIT; if more of a body is unread when the
                               answer begins, or nobody knows how much, the answer says
                               "Connection: close" */
    /* Behind the last answer of a connection the server reads on, or its close would be a
     * reset, which destroys the answer: until the client closes, or has sent nothing for
     * linger_timeout (1 s), or linger_limit bytes (CG_HTTP_LINGER_LIMIT); at most for
     * body_timeout. */
    int64_t linger_timeout;
    uint64_t linger_limit;
    /* Bytes a second that a body must come with, on average over the time that was waited
     * for it, beyond a grace of body_timeout: 408 (CG_HTTP_BODY_RATE). */
    unsigned body_rate;
    /* At once. When a further one comes, the one is closed that has waited longest for its
     * client: for a request, for the rest of a head, behind the last answer (7/8 of the
     * descriptors that RLIMIT_NOFILE allows, at least 32 less; never more). UINT_MAX: no
     * limit. If the kernel has no descriptor for a connection all the same, that one is
     * closed as well, and for 10 s there are 7/8 of the places that were taken then. */
    unsigned connections;
    /* At once from one IPv4 address, or one /64 of IPv6 (3/4 of .connections: nobody alone
     * can take them all). A further one takes the place of the one from there that has
     * waited longest for its client, and is closed if none waits. At least .connections,
     * UINT_MAX for example: no limit, where all clients come from one proxy. */
    unsigned address_connections;
    unsigned requests;      /* on one connection, which is then closed (no limit) */
    uint64_t compress_above; /* CG_HTTP_COMPRESS_ABOVE; CG_HTTP_UNLIMITED: never */
    size_t stack_size;      /* of a connection's coroutine (the scheduler's) */
    const char *name;       /* of the Server field; "": none ("cogen/VERSION"). Borrowed */
    FILE *access_log;       /* a line a request, in the combined format (none). Borrowed;
                               written once a second, by a thread of cg_offload; what waits
                               beyond 1 MiB is lost, of which .log is told */
    /* Told what clients are not: why a handler failed, or that connections cannot be
     * accepted (a line on stderr). It may not yield: the second is told outside
     * coroutines. */
    void (*log)(void *arg, const char *line);
    void *log_arg;
    /* Puts a transport over each accepted connection, as TLS does; in the connection's
     * coroutine, within header_timeout. *conn becomes the new socket; on failure it is
     * closed by the server. Negative: the connection is given up. */
    ssize_t (*wrap)(struct cg_sock **conn, void *arg);
    void *wrap_arg;
    void *reserved;
};

#ifndef __cplusplus

struct cg_http_serve_op { /* serve, shutdown */
    CG_OP_HEAD;
    struct cg_http_server *server;
    struct cg_sock *listener;
};

struct cg_http_read_op { /* read, body */
    CG_OP_HEAD;
    struct cg_http_request *req;
    void *buf;
    size_t len;
    char **data;
};

struct cg_http_respond_op { /* answer, text, write */
    CG_OP_HEAD;
    const char *mime;
    int status;
    bool more;
    struct cg_http_request *req;
    const void *body;
    size_t size;
};

struct cg_http_send_file_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    int64_t offset;
    uint64_t size;
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

/* cg_http_server_new(.body_limit = n, ...): cg_http_server_new_with with keywords. */
#define cg_http_server_new(...)                                                            \
    cg_http_server_new_with(CG__OPTIONS(struct cg_http_server_options, __VA_ARGS__))

/* cg_http_serve(server, listener): accepts connections and answers their requests, until it
 * is cancelled, the listener fails or the server is shut down; answers why (0: shut down)
 * once all these connections have ended. A cancel ends them at once, and so does closing
 * the listener (-EBADF), which is borrowed. Several may serve at once, with listeners of
 * one scheduler. */
#define cg_http_serve(...) cg__http_serve(__VA_ARGS__, )
#define cg__http_serve(s, l, ...)                                                          \
    CG_OP(cg_http_serve, .server = (s), .listener = (l), __VA_ARGS__)

/* cg_http_shutdown(server, .timeout = t): stops accepting, closes idle connections, lets
 * running requests finish; at the end of the time their coroutines are cancelled. 0, or
 * -ETIMEDOUT: some were; or -ECANCELED. */
#define cg_http_shutdown(...) cg__http_shutdown(__VA_ARGS__, )
#define cg__http_shutdown(s, ...)                                                          \
    CG__OP_OF(cg_http_serve, cg_http_shutdown, .server = (s), __VA_ARGS__)

/* cg_http_read(req, buf, len): 1 to len bytes of the request's body as they come; 0 at its
 * end. -EMSGSIZE: beyond the limit (413); -EBADMSG: not valid (400); CG_EOF: the client
 * left; -ETIMEDOUT (408). A handler that hands such a code on has the client told.
 * Traceless; only if it ends while answers to earlier requests are being written, which it
 * sees to first, this request is the connection's last. */
#define cg_http_read(...) cg__http_read(__VA_ARGS__, )
#define cg__http_read(r, b, n, ...)                                                        \
    CG_OP(cg_http_read, .req = (r), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_http_read_body(req, &data): the whole body, or what is left of it, with a NUL behind
 * it; answers its length. It is the request's until its handler returns. .len = n: a limit
 * lower than the server's. Errors as cg_http_read, -ENOMEM. Partial: what had come when it
 * was cancelled is gone. */
#define cg_http_read_body(...) cg__http_read_body(__VA_ARGS__, )
#define cg__http_read_body(r, d, ...)                                                      \
    CG__OP_OF(cg_http_read, cg_http_read_body, .req = (r), .data = (d), __VA_ARGS__)

/* cg_http_respond(req, status, body, size): answers with all of the body. Keyword .mime:
 * the Content-Type, unless that is set. It may be sent together with the answers to
 * requests that came in the same packet. The status is 200 to 999: 1xx are for
 * cg_http_send_interim and cg_http_upgrade; with 204, 205 and 304 the body is not sent. If
 * the request's body is not read yet, see drain_limit. 0; -EALREADY: the answer has begun;
 * -EINVAL: another status, or a type with control characters or of no length. */
#define cg_http_respond(...) cg__http_respond(__VA_ARGS__, )
#define cg__http_respond(r, s, b, n, ...)                                                  \
    CG_OP(cg_http_respond, .req = (r), .status = (s), .body = (b), .size = (n), __VA_ARGS__)

/* cg_http_send_text(req, status, "text"): the same for a string, which is text/plain unless
 * .mime says otherwise. */
#define cg_http_send_text(...) cg__http_text_op(__VA_ARGS__, )
#define cg__http_text_op(r, s, text, ...)                                                  \
    CG_OP(cg_http_respond, .req = (r), .status = (s), .body = (text), .size = SIZE_MAX,    \
          __VA_ARGS__)

/* cg_http_write(req, buf, len): writes a piece of the body; the first sends the head, with
 * the status that cg_http_response_set_status set (200). It goes out at once and waits for
 * the client to take it. The body is in chunks, or up to the end of the connection
 * (HTTP/1.0), or, if a field Content-Length was set, of that length: more is -EMSGSIZE.
 * Text whose length is not set is compressed for clients that accept it, by what
 * Content-Type says (no server-sent events); .more = true then lets a piece be kept, to be
 * compressed with the next ones: a write without it, also one of nothing (NULL, 0), sends
 * all, and so does the end. len. */
#define cg_http_write(...) cg__http_write(__VA_ARGS__, )
#define cg__http_write(r, b, n, ...)                                                       \
    CG__OP_OF(cg_http_respond, cg_http_write, .req = (r), .body = (b), .size = (n),        \
              __VA_ARGS__)

/* cg_http_send_file(req, fd, offset, size): as cg_http_write, from an open file. CG_EOF:
 * the file has become shorter. 0. */
#define cg_http_send_file(...) cg__http_send_file(__VA_ARGS__, )
#define cg__http_send_file(r, f, o, n, ...)                                                \
    CG_OP(cg_http_send_file, .req = (r), .file = (f), .offset = (o), .size = (n),          \
          __VA_ARGS__)

/* cg_http_send_event(req, .data = "text", .event = "name", .id = "7", .retry = ns): a
 * server-sent event; the first begins the stream. Without any of them: a comment, which
 * keeps the connection alive. 0; -EINVAL: a line break in the name or id. */
#define cg_http_send_event(...) cg__http_send_event_op(__VA_ARGS__, )
#define cg__http_send_event_op(r, ...) CG_OP(cg_http_send_event, .req = (r), __VA_ARGS__)

/* cg_http_send_interim(req, status, fields): sends an interim answer, 103 Early Hints say;
 * the one that counts has yet to be made. fields: ended by an empty one, borrowed; NULL:
 * none. To a client of HTTP/1.0, which knows none, nothing is sent. 0; -EALREADY: the
 * answer has begun; -EINVAL: no status of this kind, or a field that cannot be sent;
 * -EMSGSIZE: too many. If it fails otherwise or is cancelled the connection is cut. */
#define cg_http_send_interim(...) cg__http_send_interim(__VA_ARGS__, )
#define cg__http_send_interim(r, s, f, ...)                                                \
    CG_OP(cg_http_send_interim, .req = (r), .status = (s), .fields = (f), __VA_ARGS__)

/* cg_http_upgrade(req, status, &sock): answers with this status (101, or 2xx to CONNECT)
 * and the fields that were set, and hands the connection over: *sock with what it has
 * unread is the caller's, who closes it. A 101 gets "Connection: upgrade" and, unless the
 * handler has set one, an Upgrade field with the first protocol that the client asks for.
 * 0; -EALREADY: the answer has begun; -EINVAL: another status, the body has not been read,
 * or the client has not asked for an upgrade, or not for the protocol that was set. */
#define cg_http_upgrade(...) cg__http_upgrade(__VA_ARGS__, )
#define cg__http_upgrade(r, s, out, ...)                                                   \
    CG_OP(cg_http_upgrade, .req = (r), .status = (s), .sock = (out), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_serve_type, cg_http_shutdown_type,
    cg_http_read_type, cg_http_read_body_type, cg_http_respond_type, cg_http_write_type,
    cg_http_send_file_type, cg_http_send_event_type, cg_http_send_interim_type,
    cg_http_upgrade_type;

/* A server that serves nothing yet; options are copied (NULL: all defaults). NULL: no
 * memory. */
CG_API struct cg_http_server *
cg_http_server_new_with(const struct cg_http_server_options *options);

/* Frees it; nothing may be serving. NULL is ignored. */
CG_API void cg_http_server_free(struct cg_http_server *server);

/* Has requests answered by a handler: "GET /hello", "/hello" (any method), "/users/:id" (a
 * segment), "/static/" (it and everything beneath), "/static/$" (only it). GET means HEAD
 * as well. "*" is every target that no other pattern has, also those that are no paths: of
 * CONNECT, of "OPTIONS *". The most special pattern wins. A path that only other methods
 * have is answered 405, no path 404. 0; -EINVAL: not a pattern, or a method that the server
 * does not know (requests with it are answered 501); -EEXIST; -ENOMEM. */
CG_API int cg_http_server_mount(struct cg_http_server *server, const char *pattern,
                                cg_http_handler *handler, void *arg);

/* The number of open connections. */
CG_API unsigned cg_http_server_connections(const struct cg_http_server *server);

/* ---- The request; texts are its own, until its handler returns ---- */

/* "GET"; the target as it came; its path, decoded but for "%2F" and "%25", so that
 * a slash or a percent sign within a name is told from others, and without dot segments:
 * "/a" for "/b/../a". Patterns are matched with that. "*": of OPTIONS for the server
 * itself, also in the form of "OPTIONS http://host". */
CG_API const char *cg_http_request_method(const struct cg_http_request *req);
CG_API const char *cg_http_request_target(const struct cg_http_request *req);
CG_API const char *cg_http_request_path(const struct cg_http_request *req);

/* The segment that ":name" stands for, decoded: "a%2Fb" is "a/b". Of a pattern that
 * ends with a slash, what is beneath it is called "*", and is decoded as the path is. The
 * value of a name in the query. NULL: there is none. */
CG_API const char *cg_http_request_param(const struct cg_http_request *req,
                                         const char *name);
CG_API const char *cg_http_request_query(struct cg_http_request *req, const char *name);

/* The first header field of that name, or NULL; all fields; those behind a chunked body,
 * once that has been read. Host is that of the target where the target has one. */
CG_API const char *cg_http_request_header(const struct cg_http_request *req,
                                          const char *name);
CG_API const struct cg_http_headers *
cg_http_request_headers(const struct cg_http_request *req);
CG_API const struct cg_http_headers *
cg_http_request_trailers(const struct cg_http_request *req);

/* The length of the body: 0: none; -1: not known before its end. */
CG_API int64_t cg_http_request_length(const struct cg_http_request *req);

/* The minor version, of 1.0 or 1.1; later ones are treated as 1.1. */
CG_API int cg_http_request_minor(const struct cg_http_request *req);

/* The connection: borrowed, for its addresses, and to poll for CG_IN, which is how a
 * handler that writes a stream learns that the client has left. */
CG_API struct cg_sock *cg_http_request_sock(const struct cg_http_request *req);

/* ---- The response, before it begins ---- */

/* The status of what cg_http_write and cg_http_send_event begin, or of an answer without a
 * body, if the handler does nothing else. 200 to 999; any other makes these -EINVAL, and an
 * answer that the handler leaves to the server a 500. */
CG_API void cg_http_response_set_status(struct cg_http_request *req, int status);

/* Sets a header field, or adds one more of that name. A Server or Date takes the place of
 * ours. 0, -EINVAL, -ENOMEM, -EALREADY (the
 * head has been sent). */
CG_API int cg_http_response_set_header(struct cg_http_request *req, const char *name,
                                       const char *value);
CG_API int cg_http_response_add_header(struct cg_http_request *req, const char *name,
                                       const char *value);

/* Adds a field to be sent behind a body in chunks; left out where there are none. */
CG_API int cg_http_response_add_trailer(struct cg_http_request *req, const char *name,
                                        const char *value);

/* Has the connection closed after this answer. */
CG_API void cg_http_response_close(struct cg_http_request *req);

/* ---- Files ---- */

struct cg_http_files_options {
    bool listing;        /* of directories without index.html; else 403 */
    bool hidden;         /* serve and list names that begin with a dot, too; else 404, but for
                            what is in /.well-known/ */
    const char *cache;   /* Cache-Control; NULL: none. Borrowed */
    void *reserved;
};

/* The files beneath a directory, for "GET /prefix/" patterns: handler cg_http_files_handler
 * with this as its arg. 0 or -errno. */
struct cg_http_files;
CG_API int cg_http_files_open(const char *root, const struct cg_http_files_options *options,
                              struct cg_http_files **files);
CG_API void cg_http_files_close(struct cg_http_files *files);

/* A handler, cg_http_files being its arg: answers with the file that the rest of the path
 * names, with conditions, ranges, index.html and compressed siblings. No path leads out of
 * the directory. */
CG_API ssize_t cg_http_files_handler(struct cg_http_request *req, void *files);

CG_EXTERN_C_END
#endif
