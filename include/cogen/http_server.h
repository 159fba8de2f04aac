/* SPDX-License-Identifier: MIT */
/* A server of HTTP/1 and HTTP/2. A handler is a function that runs in a coroutine: it gets
 * a request and writes the response by yielding operations. See cg_http_server(3).
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
#include <cogen/sock_end.h>
#include <cogen/sync.h>
#include <stdio.h>

struct cg_http_server;
struct cg_http_request;

/* A handler responds to a request and returns >= 0. If it returns a negative code before
 * the response has begun, the client gets status 500 (or the status for what went wrong
 * with the request's body), and the code is logged. If it returns one later, the
 * connection is closed. The server completes a response that the handler has not ended.
 *   Two requests of one connection may run in different coroutines or in the same one: a
 * handler sets the values of cg_local that it uses, and must not look for those of another
 * request. */
typedef ssize_t cg_http_handler(struct cg_http_request *req, void *arg);

/* A layer around handlers, and what it goes around: next. It calls cg_http_layer_run(next,
 * req) for the rest, returns what that has returned, and does what it likes before and
 * after. If it does not call the rest, it responds itself. */
struct cg_http_layer;
typedef ssize_t cg_http_around(struct cg_http_request *req, const struct cg_http_layer *next,
                               void *arg);

/* Layers are an array, the outermost one first. Its last element has a handler instead. */
struct cg_http_layer {
    cg_http_around *around;
    cg_http_handler *handler;
    void *arg; /* of either */
};

enum {
    CG_HTTP_REQUEST_LIMIT = 1024 * 1024, /* bytes of a request's body; beyond: 413 */
    CG_HTTP_HEADER_RATE = 240,        /* bytes a second of a head, at least */
    CG_HTTP_BODY_RATE = 240,          /* bytes a second of a body, at least */
    CG_HTTP_DRAIN_LIMIT = 64 * 1024,  /* bytes of an unread body that are discarded */
    CG_HTTP_LINGER_LIMIT = 16 * 1024 * 1024, /* bytes that are discarded before a close */
    CG_HTTP_COMPRESS_ABOVE = 1024,    /* longer texts are compressed; bytes */
    CG_HTTP_REQUEST_WINDOW = 64 * 1024,   /* bytes of a body ahead of its handler: HTTP/2 */
    CG_HTTP_REQUEST_WINDOWS = 256 * 1024, /* of all bodies of a connection of HTTP/2 */
    CG_HTTP_H2_BURST = 2000,          /* frames without progress at once, and .. */
    CG_HTTP_H2_RATE = 400,            /* .. a second */
    CG_HTTP_PARAMS_LIMIT = 16,        /* ":name" segments of a pattern */
};

#define CG_HTTP_UNLIMITED UINT64_MAX

enum cg_http_access_format {
    CG_HTTP_LOG_COMBINED = 0, /* the combined format of Apache and nginx */
    CG_HTTP_LOG_JSON,         /* an object a line: time, client, status, bytes, seconds,
                                 method, target, protocol, host, referer, user_agent, and the
                                 parameters "auth-user" (as user) and "request-id" (as
                                 request_id) */
};

struct cg_http_metrics; /* cogen/http_metrics.h */

/* Zero means the default, which stands in parentheses. Times are in ns. A number such as
 * 408 is the status of the response when the limit is exceeded. */
struct cg_http_server_options {
    int64_t header_timeout; /* for a whole head, from its first byte: 408 (15 s) */
    /* The lowest average rate of a head in bytes a second, counted from its first byte. A
     * head may fall behind this rate by 5 s, but header_timeout holds as well: 408
     * (CG_HTTP_HEADER_RATE). */
    unsigned header_rate;
    int64_t body_timeout;   /* for the next bytes of a body, once a handler waits for
                               them: 408 (30 s) */
    int64_t write_timeout;  /* while the client receives no byte of the response; then the
                               connection is reset (30 s) */
    int64_t idle_timeout;   /* between requests; then the connection is closed (60 s) */
    uint32_t target_limit;  /* CG_HTTP_TARGET_LIMIT */
    uint32_t headers_limit; /* CG_HTTP_HEADERS_LIMIT */
    uint32_t headers_count; /* CG_HTTP_HEADERS_COUNT */
    uint64_t body_limit;    /* CG_HTTP_REQUEST_LIMIT; CG_HTTP_UNLIMITED */
    uint64_t drain_limit;   /* CG_HTTP_DRAIN_LIMIT; if more of a body is unread when the
                               response begins, or it is unknown how much, the response says
                               "Connection: close" */
    /* After the last response of a connection the server discards what the client still
     * sends. A close with unread bytes would reset the connection, and the client might
     * lose the response. The server closes when the client does, when nothing has come
     * for linger_timeout (1 s), after linger_limit bytes (CG_HTTP_LINGER_LIMIT), or after
     * body_timeout. */
    int64_t linger_timeout;
    uint64_t linger_limit;
    /* The lowest average rate of a body in bytes a second. Only the time in which a handler
     * waits for the body counts. A body may fall behind this rate by body_timeout: 408
     * (CG_HTTP_BODY_RATE). */
    unsigned body_rate;
    /* How many connections may be open at once. When one more comes, the server closes
     * the connection that has waited longest for its client: for a request, for the rest
     * of a head, or after the last response. The default, which is also the highest
     * number, is 7/8 of the descriptors that RLIMIT_NOFILE allows, and at least 32 fewer.
     * UINT_MAX: no limit. If the kernel has no descriptor for a connection, the server
     * closes the longest waiting one too, and for 10 s it allows 7/8 of the number that
     * was open then. */
    unsigned connections;
    /* How many of them may come from one IPv4 address or one /64 prefix of IPv6 (3/4 of
     * .connections, so that no address can take all of them). One more replaces the
     * connection from this address that has waited longest for its client; if none waits,
     * the new one is closed. If the value is .connections or more (UINT_MAX), there is no
     * limit, for servers whose clients all come through one proxy. */
    unsigned address_connections;
    unsigned requests;      /* on one connection, which is then closed (no limit) */
    uint64_t compress_above; /* CG_HTTP_COMPRESS_ABOVE; CG_HTTP_UNLIMITED: never */
    size_t stack_size;      /* of a connection's coroutine (the scheduler's default) */
    const char *name;       /* value of the field Server; "": no such field
                               ("cogen/VERSION"). Borrowed */
    FILE *access_log;       /* gets a line for each request in .access_format (no log).
                               Borrowed. A thread of cg_offload writes the lines once a
                               second. If more than 1 MiB waits to be written, further lines
                               are lost, and .log says how many. Keep it open until the
                               process ends if its reader may be slow: a thread may still
                               write to it after the server has ended */
    uint8_t access_format; /* enum cg_http_access_format */
    /* Counts requests and connections (no counts). Borrowed; see cogen/http_metrics.h */
    struct cg_http_metrics *metrics;
    /* Called with messages for the operator: why a handler failed, or that connections
     * cannot be accepted (prints a line on stderr). It must not yield: it may be called
     * outside coroutines. */
    void (*log)(void *arg, const char *line);
    void *log_arg;
    /* Puts a transport such as TLS over each accepted connection. Called in the
     * connection's coroutine when the client has sent something. It is cancelled
     * header_timeout after the connection was accepted. Stores the new socket in *conn and
     * returns >= 0. Negative: the server closes *conn. */
    ssize_t (*wrap)(struct cg_sock **conn, void *arg);
    void *wrap_arg;
    /* enum cg_http_protocol (CG_HTTP_H1 | CG_HTTP_H2). A connection speaks HTTP/2 if its
     * ends have agreed on "h2" by ALPN, which the configuration of TLS must offer, or, with
     * CG_HTTP_H2C, if it begins as HTTP/2 does. One that speaks what is not allowed here is
     * closed. Without nghttp2 the library has only HTTP/1. */
    uint8_t protocols;
    /* Limits of a connection of HTTP/2. */
    unsigned h2_streams;     /* requests in progress, also those whose client has reset them
                                and whose handlers still run; the stream of one more is refused
                                (CG_HTTP_STREAMS) */
    uint32_t h2_window;      /* bytes of a body that may wait for its handler
                                (CG_HTTP_REQUEST_WINDOW) */
    uint32_t h2_all_windows; /* of all bodies of a connection, at least 65535
                                (CG_HTTP_REQUEST_WINDOWS) */
    /* A client may cause so much work without progress, at once (CG_HTTP_H2_BURST) and a second
     * (CG_HTTP_H2_RATE): a frame counts one unless it brings a part of a request, the reset of
     * a stream, whoever sends it, ten. Each 256 bytes of a response make up for one, a complete
     * response for four. Then the connection ends with ENHANCE_YOUR_CALM. */
    unsigned h2_burst, h2_rate;
    /* The proxies that begin their connections with the PROXY protocol, version 1 or 2, to
     * tell whom they serve (none): addresses and networks, "127.0.0.1, 10.0.0.0/8", or
     * "unix". Borrowed. The address that they tell is the parameter "client-address" of their
     * requests, and is in the access log. A connection of theirs without a valid header, of
     * 4 KiB at most and within header_timeout, is closed. From others no header is expected.
     * With an item that is none of these, cg_http_serve completes with -EINVAL.
     * Their connections count as those of one address: see address_connections. */
    const char *proxy_protocol;
    void *reserved;
};

#ifndef __cplusplus

struct cg_http_serve_op {
    CG_OP_HEAD;
    struct cg_http_server *server;
    struct cg_sock *listener;
    const char *spread;
    ssize_t (*wrap)(struct cg_sock **conn, void *arg);
    void *wrap_arg;
    uint8_t protocols;
};

struct cg_http_shutdown_op { /* cg_http_shutdown, cg_http_wait_shutdown */
    CG_OP_HEAD;
    struct cg_http_server *server;
    int64_t idle;
};

struct cg_http_read_op { /* cg_http_read, cg_http_read_body */
    CG_OP_HEAD;
    struct cg_http_request *req;
    void *buf;
    size_t len;
    char **data;
};

struct cg_http_respond_op { /* cg_http_respond, cg_http_send_text, cg_http_write */
    CG_OP_HEAD;
    const char *mime;
    int status;
    bool more;
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

/* cg_http_server_new(.body_limit = n, ...): cg_http_server_new_with with its options as
 * keywords. */
#define cg_http_server_new(...)                                                            \
    cg_http_server_new_with(CG__OPTIONS(struct cg_http_server_options, __VA_ARGS__))

/* cg_http_serve(server, listener): accepts connections and responds to their requests,
 * until it is cancelled, the listener fails, or the server is shut down. It completes
 * when all these connections have ended, with the reason (0: shut down). A cancel ends
 * them at once; so does closing the listener (-EBADF). The listener is borrowed. Several
 * of these operations may run at once, with listeners of one scheduler. After a shutdown
 * it also serves the connections that had come by then and were not accepted yet, at most
 * CG_BACKLOG (see cg_drain_listener). Keyword:
 *   .spread  in a crew: a new connection goes to the worker that serves the fewest, as with
 *            cg_serve. The service's name, the same for the servers of all workers; NULL:
 *            all connections stay here. Borrowed. -EEXIST: this worker serves under this
 *            name already
 *   .protocols; .wrap, .wrap_arg
 *            for the connections of this listener, in the place of the server's options: one
 *            server can have a port in the clear and one with TLS. 0, NULL: the server's */
#define cg_http_serve(...) cg__http_serve(__VA_ARGS__, )
#define cg__http_serve(s, l, ...)                                                          \
    CG_OP(cg_http_serve, .server = (s), .listener = (l), __VA_ARGS__)

/* cg_http_shutdown(server, .timeout = t): stops accepting and waits until all connections
 * have ended. Each gets one more response, which says "Connection: close". A connection
 * without a request stays open for .idle ns (CG_SECOND, and at most half of .timeout),
 * because its client may have sent one already; CG_NOWAIT: it is closed unless a request
 * has arrived. When the timeout expires, requests in progress are cancelled. 0;
 * -ETIMEDOUT: some were cancelled; -ECANCELED: the same. */
#define cg_http_shutdown(...) cg__http_shutdown(__VA_ARGS__, )
#define cg__http_shutdown(s, ...) CG_OP(cg_http_shutdown, .server = (s), __VA_ARGS__)

/* cg_http_wait_shutdown(server): completes with 0 once the server is being shut down, at
 * once if it is already. For handlers whose response or upgraded connection has no end of
 * its own: race it with what they wait for. Traceless. */
#define cg_http_wait_shutdown(...) cg__http_wait_shutdown(__VA_ARGS__, )
#define cg__http_wait_shutdown(s, ...)                                                     \
    CG__OP_OF(cg_http_shutdown, cg_http_wait_shutdown, .server = (s), __VA_ARGS__)

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

/* cg_http_respond(req, status, body, len): sends a whole response. Keyword .mime: its
 * Content-Type, unless the handler has set that field. Small responses to requests that
 * came together are sent together. The status is 200 to 999: 1xx are for
 * cg_http_send_interim and cg_http_upgrade. With 204, 205 and 304, and to a HEAD, the body is not
 * sent. Content-Length with 304 and to a HEAD is len; if that is 0, it is what the handler has
 * set, or is left out. If the request's body has not been read, drain_limit applies. 0;
 * -EALREADY: the response has begun; -EINVAL: another status, or .mime is empty or has control
 * characters. */
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
 * length, and writing more is -EMSGSIZE. A text (by its Content-Type, but not server-sent
 * events) without a set length is compressed for clients that accept it. Then .more = true
 * lets a piece stay in the encoder, to be compressed together with the next ones. A write
 * without it, which may be empty (NULL, 0), sends everything; so does the end of the
 * response. Completes with len; -EPIPE: the response has no body (to a HEAD, or with 204, 205
 * or 304), and its head has been sent: so a handler that streams without end ends. */
#define cg_http_write(...) cg__http_write(__VA_ARGS__, )
#define cg__http_write(r, b, n, ...)                                                       \
    CG__OP_OF(cg_http_respond, cg_http_write, .req = (r), .body = (b), .len = (n),        \
              __VA_ARGS__)

/* cg_http_send_file(req, fd, offset, len): like cg_http_write, with bytes of an open
 * file. 0; CG_EOF: the file is shorter than that; -EPIPE as cg_http_write. */
#define cg_http_send_file(...) cg__http_send_file(__VA_ARGS__, )
#define cg__http_send_file(r, f, o, n, ...)                                                \
    CG_OP(cg_http_send_file, .req = (r), .file = (f), .offset = (o), .len = (n),          \
          __VA_ARGS__)

/* cg_http_send_event(req, .data = "text", .event = "name", .id = "7", .retry = ns): sends a
 * server-sent event; the first one begins the response. Without any keyword it sends a
 * comment, which keeps the connection alive. 0; -EINVAL: the name or the id has a line
 * break; -EPIPE as cg_http_write. */
#define cg_http_send_event(...) cg__http_send_event_op(__VA_ARGS__, )
#define cg__http_send_event_op(r, ...) CG_OP(cg_http_send_event, .req = (r), __VA_ARGS__)

/* cg_http_send_interim(req, status, fields): sends an interim response such as 103 Early
 * Hints; the final response must follow. fields: an array that ends with an empty field,
 * or NULL; borrowed. HTTP/1.0 has no interim responses, so its clients are sent nothing.
 * 0; -EALREADY: the response has begun; -EINVAL: the status is not 100 or 102 to 199, or
 * a field cannot be sent; -EMSGSIZE: the fields exceed headers_limit. If it fails
 * otherwise or is cancelled, the connection is closed. */
#define cg_http_send_interim(...) cg__http_send_interim(__VA_ARGS__, )
#define cg__http_send_interim(r, s, f, ...)                                                \
    CG_OP(cg_http_send_interim, .req = (r), .status = (s), .fields = (f), __VA_ARGS__)

/* cg_http_upgrade(req, status, &sock): responds with this status (101, or 2xx to CONNECT)
 * and the fields that were set. Then the ownership of the connection passes to the
 * caller, who closes *sock; its unread input stays readable. A 101 gets "Connection:
 * upgrade" and, unless the handler has set Upgrade, an Upgrade field with the first
 * protocol that the client asks for. 0, or
 *   -EALREADY  the response has begun
 *   -EINVAL    another status; the body has not been read; the client has not asked for
 *              an upgrade, or not for the protocol that the handler has set
 * Over HTTP/2 the socket is a stream of the connection (RFC 8441). */
#define cg_http_upgrade(...) cg__http_upgrade(__VA_ARGS__, )
#define cg__http_upgrade(r, s, out, ...)                                                   \
    CG_OP(cg_http_upgrade, .req = (r), .status = (s), .sock = (out), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_serve_type, cg_http_shutdown_type,
    cg_http_wait_shutdown_type, cg_http_wait_left_type, cg_http_read_type,
    cg_http_read_body_type, cg_http_respond_type, cg_http_write_type, cg_http_send_file_type,
    cg_http_send_event_type, cg_http_send_interim_type, cg_http_upgrade_type;

/* Makes a server. The options are copied (NULL: all defaults). Returns NULL if there is no
 * memory. */
CG_API struct cg_http_server *
cg_http_server_new_with(const struct cg_http_server_options *options);

/* Frees a server; no cg_http_serve may be running. NULL is ignored. */
CG_API void cg_http_server_free(struct cg_http_server *server);

/* Mounts a handler on a pattern:
 *   "GET /hello"  this method and path; GET includes HEAD
 *   "/hello"      any method
 *   "/users/:id"  any segment in the place of ":id"
 *   "/static/"    this path and everything beneath it
 *   "/static/$"   only this path
 *   "*"           every target that no other pattern matches, also those that are not
 *                 paths: the target of CONNECT, and "OPTIONS *"
 * A host may stand before the path, without a port: "GET example.org/hello",
 * "*.example.org/" for all names beneath it, "[::1]/". Requests for a host that has
 * patterns of its own (or else, for the most specific "*.name" that matches it) are matched
 * against these only; the patterns without a host are for all other hosts.
 *   The most specific pattern wins. The server responds with 405 to a path that is mounted
 * for other methods only, with 404 to other paths, and with 501 to methods that it does
 * not know. 0; -EINVAL: the pattern is invalid or its method unknown; -EEXIST; -ENOMEM. */
CG_API int cg_http_server_mount(struct cg_http_server *server, const char *pattern,
                                cg_http_handler *handler, void *arg);

/* Adds a layer around all handlers of the server, within those that were added before. It
 * also goes around the responses of the server itself to paths that are not mounted. The
 * request's parameters are not known yet. 0; -EINVAL: NULL; -ENOMEM. */
CG_API int cg_http_server_add_layer(struct cg_http_server *server, cg_http_around *around,
                                    void *arg);

/* Calls the first of these layers, or the handler at their end, and returns what it
 * returns. May yield. */
CG_API ssize_t cg_http_layer_run(const struct cg_http_layer *layers,
                                 struct cg_http_request *req);

/* A handler whose arg is an array of layers: for a single pattern. */
CG_API ssize_t cg_http_layers_handler(struct cg_http_request *req, void *layers);

/* The number of open connections. */
CG_API unsigned cg_http_server_connections(const struct cg_http_server *server);

/* The request. Its texts are valid until its handler returns. */

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
 * in the range, if the query lacks the name. 0; -EINVAL: the value is not a number; -ERANGE: it is
 * below `least` or above `most`. *number is `otherwise` then, too. */
CG_API int cg_http_request_query_number(struct cg_http_request *req, const char *name,
                                        int64_t least, int64_t most, int64_t otherwise,
                                        int64_t *number);

/* Sets a parameter, in the place of others with this name: what a layer has found out, for
 * the handler ("user"). The texts that cg_http_request_path and _param have returned before
 * are no longer valid. 0; -EINVAL: the name is not a token, or the value has control
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
 * every client does, beside that of HTTP/2. NULL: none, or another. What a proxy is asked for;
 * it does not tell how the client has connected. */
CG_API const char *cg_http_request_scheme(const struct cg_http_request *req);

/* Stores the address of the client: the parameter "client-address", which the option
 * .proxy_protocol and cg_http_forwarded_layer set, or else that of the connection's other end,
 * without port, brackets and zone: "192.0.2.1", "2001:db8::1", "unix" for a UNIX socket. It is
 * asked for once a connection, and valid as long as the request and the parameter. 0; -ENOMEM, or
 * an error of getpeername, -ENOTCONN: then *client is NULL. */
CG_API int cg_http_request_client(const struct cg_http_request *req, const char **client);

/* The connection's socket, borrowed, for its addresses. To learn that the client has left, use
 * cg_http_wait_left: the bytes on this socket belong to the server. */
CG_API struct cg_sock *cg_http_request_sock(const struct cg_http_request *req);

/* The response, before it begins. */

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
 * replace those of the server. 0; -EINVAL: an invalid name or value; -ENOMEM; -EALREADY:
 * the response has begun. */
CG_API int cg_http_response_set_header(struct cg_http_request *req, const char *name,
                                       const char *value);
CG_API int cg_http_response_add_header(struct cg_http_request *req, const char *name,
                                       const char *value);

/* Returns the header fields that the handler has set so far. They may be read and changed until the
 * response begins. */
CG_API struct cg_http_headers *cg_http_response_headers(struct cg_http_request *req);

/* Adds a trailer, to be sent after a chunked body. Other responses are sent without it. 0,
 * -EINVAL, -ENOMEM. */
CG_API int cg_http_response_add_trailer(struct cg_http_request *req, const char *name,
                                        const char *value);

/* Lets the server close the connection after this response. */
CG_API void cg_http_response_close(struct cg_http_request *req);

/* Files. */

struct cg_http_files_options {
    bool listing;        /* list directories that have no index.html; false: 403 */
    bool hidden;         /* serve and list names that begin with a dot; false: 404, except
                            what is in /.well-known/ */
    const char *cache;   /* value of Cache-Control; NULL: no such field. Borrowed */
    void *reserved;
};

/* Opens a directory whose files cg_http_files_handler serves, with *files as its arg,
 * mounted on a pattern such as "GET /prefix/". 0 or -errno. */
struct cg_http_files;
CG_API int cg_http_files_open(const char *root, const struct cg_http_files_options *options,
                              struct cg_http_files **files);
CG_API void cg_http_files_close(struct cg_http_files *files);

/* A handler whose arg is a struct cg_http_files: responds with the file that the rest of
 * the path names. It knows conditional requests, ranges, index.html, and compressed
 * siblings. No path leads out of the directory. Replace files by rename(2): a response that is
 * made while a file is written in place may have old and new bytes. */
CG_API ssize_t cg_http_files_handler(struct cg_http_request *req, void *files);

CG_EXTERN_C_END
#endif
