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

#include <cogen/http_files.h>
#include <cogen/http_request.h>
#include <cogen/http_response.h>
#include <stdio.h>

struct cg_http_server;

/* A handler responds to a request and returns >= 0. If it returns a negative code before
 * the response has begun, the client gets status 500 (or the status for what went wrong
 * with the request's body), and the code is logged. If it returns one later, the
 * connection is closed. The server completes a response that the handler has not ended.
 *   Two requests of one connection may run in different coroutines or in the same one: a
 * handler sets the values of cg_local that it uses, and must not look for those of another
 * request. */
typedef ssize_t cg_http_handler(struct cg_http_request *req, void *arg);

/* A layer is a function around handlers. `next` is the rest of the chain: the layer calls it by
 * cg_http_layer_run(next, req), returns what that returns, and does what it likes before and
 * after. A layer that does not call the rest responds itself. */
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
    CG_HTTP_HEADER_RATE = 240,        /* the lowest rate of a head, bytes a second */
    CG_HTTP_BODY_RATE = 240,          /* the lowest rate of a body, bytes a second */
    CG_HTTP_DRAIN_LIMIT = 64 * 1024,  /* bytes of an unread body that are discarded */
    CG_HTTP_LINGER_LIMIT = 16 * 1024 * 1024, /* bytes that are discarded before a close */
    CG_HTTP_COMPRESS_ABOVE = 1024,    /* longer texts are compressed; bytes */
    CG_HTTP_REQUEST_WINDOW = 64 * 1024,   /* bytes of a body ahead of its handler: HTTP/2 */
    CG_HTTP_REQUEST_WINDOWS = 256 * 1024, /* of all bodies of a connection of HTTP/2 */
    CG_HTTP_H2_BURST = 2000,          /* frames without progress, at once */
    CG_HTTP_H2_RATE = 400,            /* the same, in a second */
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
    uint64_t drain_limit;   /* CG_HTTP_DRAIN_LIMIT: bytes of a body that may be unread when
                               the response begins, and are then discarded. If there are
                               more, the connection is closed; the response says so unless
                               the body is chunked, whose length nobody knows yet */
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
     * CG_HTTP_H2C, if it begins as HTTP/2 does. A connection that speaks a protocol which is
     * not allowed here is closed. Without nghttp2 the library has only HTTP/1. */
    uint8_t protocols;
    /* Limits of a connection of HTTP/2. */
    unsigned h2_streams;     /* requests in progress, also those whose client has reset them
                                and whose handlers still run; the stream of one more is refused
                                (CG_HTTP_STREAMS). As many handlers may still run after their
                                response was sent */
    uint32_t h2_window;      /* bytes of a body that may wait for its handler
                                (CG_HTTP_REQUEST_WINDOW) */
    uint32_t h2_all_windows; /* of all bodies of a connection, at least 65535
                                (CG_HTTP_REQUEST_WINDOWS) */
    /* How much work without progress a client may cause: at once (CG_HTTP_H2_BURST), and in
     * each second (CG_HTTP_H2_RATE). A frame counts one unless it brings a part of a request,
     * and so does a field beyond the limits of a head; the reset of a stream, whoever sends it,
     * counts ten. Each 256 bytes of a response make up for one, a complete response for four. A
     * client that exceeds it is told ENHANCE_YOUR_CALM, and its connection ends. */
    unsigned h2_burst, h2_rate;
    /* The proxies that begin their connections with a header of the PROXY protocol, version 1
     * or 2, which names their client (none): addresses and networks, "127.0.0.1, 10.0.0.0/8",
     * or "unix". Borrowed. The address that they tell is the parameter "client-address" of
     * their requests, and is in the access log. A connection of theirs without a valid header,
     * of 4 KiB at most and within header_timeout, is closed. From others no header is expected.
     * With an item that is none of these, cg_http_serve completes with -EINVAL. Their
     * connections count as those of one address: see address_connections. */
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
    int64_t grace;
    uint8_t protocols;
};

struct cg_http_shutdown_op { /* cg_http_shutdown, cg_http_wait_shutdown */
    CG_OP_HEAD;
    struct cg_http_server *server;
    int64_t idle;
};

/* cg_http_server_new(.body_limit = n, ...): cg_http_server_new_with with its options as
 * keywords. */
#define cg_http_server_new(...)                                                            \
    cg_http_server_new_with(CG__OPTIONS(struct cg_http_server_options, __VA_ARGS__))

/* cg_http_serve(server, listener): accepts connections and responds to their requests,
 * until it is cancelled or times out, the listener fails or is closed, or the server is shut
 * down. It completes when all these connections have ended, with the reason: 0 (shut down),
 * -ECANCELED, -ETIMEDOUT, -EBADF ... The listener is borrowed. Several of these operations
 * may run at once, with listeners of one scheduler. After a shutdown it also serves the
 * connections that had come by then and were not accepted yet, at most CG_BACKLOG (see
 * cg_drain_listener). Keywords:
 *   .grace   how long, in ns, requests may continue when the op ends for another reason than a
 *            shutdown, such as a cancel. It shuts the server down first then, as
 *            cg_http_shutdown does with this timeout. 0: requests are cancelled at once;
 *            CG_NEVER: there is no limit
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
 * has arrived. When the timeout expires, requests in progress are cancelled. Completes with 0;
 * -ETIMEDOUT or -ECANCELED: some requests were cancelled. */
#define cg_http_shutdown(...) cg__http_shutdown(__VA_ARGS__, )
#define cg__http_shutdown(s, ...) CG_OP(cg_http_shutdown, .server = (s), __VA_ARGS__)

/* cg_http_wait_shutdown(server): completes with 0 once the server is being shut down, at
 * once if it is already. For handlers whose response or upgraded connection has no end of
 * its own: race it with what they wait for. Traceless. */
#define cg_http_wait_shutdown(...) cg__http_wait_shutdown(__VA_ARGS__, )
#define cg__http_wait_shutdown(s, ...)                                                     \
    CG__OP_OF(cg_http_shutdown, cg_http_wait_shutdown, .server = (s), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_serve_type, cg_http_shutdown_type,
    cg_http_wait_shutdown_type;

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
 * not know. Returns 0; -EINVAL: the pattern is invalid or its method unknown; -EEXIST; -ENOMEM. */
CG_API int cg_http_server_mount(struct cg_http_server *server, const char *pattern,
                                cg_http_handler *handler, void *arg);

/* Adds a layer around all handlers of the server, within those that were added before. It
 * also goes around the responses of the server itself to paths that are not mounted. The
 * request's parameters are not known yet. Returns 0; -EINVAL: around is NULL; -ENOMEM. */
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

CG_EXTERN_C_END
#endif
