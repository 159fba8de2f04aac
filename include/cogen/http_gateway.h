/* SPDX-License-Identifier: MIT */
/* Forwarding of HTTP requests: a reverse proxy as a handler, in front of several servers, and
 * the forwarding of a single request to a URL. See cg_http_forward(3).
 *
 *     struct cg_http_client *client = cg_http_client_new(.per_origin = 1000);
 *     struct cg_http_upstreams *upstreams = cg_http_upstreams_new(client);
 *
 *     cg_http_upstreams_add(upstreams, "http://10.0.0.1:8080");
 *     cg_http_upstreams_add(upstreams, "http://10.0.0.2:8080");
 *     cg_http_server_mount(server, "*", cg_http_forward_handler, upstreams); */
#ifndef COGEN_HTTP_GATEWAY_H
#define COGEN_HTTP_GATEWAY_H

#include <cogen/construct.h>
#include <cogen/http_client.h>
#include <cogen/http_server.h>

/* The servers behind a gateway. They belong to one scheduler and must be freed before their
 * client. */
struct cg_http_upstreams;

enum {
    CG_HTTP_UPSTREAMS_LIMIT = 256,        /* most upstreams of a gateway */
    CG_HTTP_ATTEMPTS_LIMIT = 16,          /* the highest .attempts */
    CG_HTTP_FORWARD_LIMIT = 14 * 1024,    /* bytes of a response's header fields; a server of
                                             this library writes heads of at most 16 KiB */
    CG_HTTP_UPSTREAM_REQUESTS = 1024,     /* requests at a time to one upstream */
};

enum {
    CG_HTTP_NO_PROXY_PROTOCOL = 255, /* a .proxy_protocol of one upstream */
};

/* How requests are forwarded. Zero means the default. The texts are borrowed. */
struct cg_http_hop {
    const char *name;     /* in the field Via, which finds loops: a request that has this name
                             in its Via gets 508. NULL: no such field */
    const char *upgrades; /* protocols to which a connection may be upgraded, as "websocket,
                             x-mine"; a request to upgrade to another one is forwarded without
                             its Upgrade; over HTTP/2 it gets 501. NULL: "websocket"; "": none */
    bool reveal;          /* send X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and
                             Forwarded (RFC 7239) about the client */
    /* With .reveal: the addresses and networks whose own fields of this kind are believed
     * and continued, "10.0.0.0/8, ::1", or "unix" (see cg_http_forwarded_layer(3)). Those of
     * others are removed. If an item is none of these, nothing is forwarded (-EINVAL). NULL:
     * nobody */
    const char *trusted;
    /* Send header fields whose name has a "_", too. Many servers take that for a "-", and see a
     * second Content_Length or X_Forwarded_For, so by default they are left out of requests. */
    bool underscores;
    bool own_host;        /* Host is that of the URL, and not the one that the client sends */
    /* The version, 1 or 2, of the PROXY protocol with which connections to the server begin, to
     * tell it the client's address (0: none; see cg_http_fetch's .proxied). So each connection
     * serves the requests of one connection of one client. */
    uint8_t proxy_protocol;
    int64_t tunnel_timeout; /* silence in both directions after an upgrade, in ns; 0: 1 hour */
    void *reserved;
};

/* Why a request could not be forwarded. */
enum cg_http_fault {
    CG_HTTP_FAULT_NONE,
    CG_HTTP_FAULT_REQUEST,  /* the client has left, or its request is invalid */
    CG_HTTP_FAULT_CONNECT,  /* nothing of the request was sent */
    CG_HTTP_FAULT_UPSTREAM, /* something may have been sent, and no valid response came */
    CG_HTTP_FAULT_RESPONSE, /* the response has begun and is incomplete */
};

/* Which upstream a request goes to. */
enum cg_http_balance {
    CG_HTTP_LEAST = 0,   /* the one with the fewest requests in progress, in turn */
    CG_HTTP_HASH_PATH,   /* the same path: the same upstream, while that is available */
    CG_HTTP_HASH_CLIENT, /* the same client address (the parameter "client-address", or else
                            that of the connection) */
    CG_HTTP_HASH_HEADER, /* the same value of the field .hash_header */
};

/* Zero means the default, which stands in parentheses. Times are in ns. */
struct cg_http_upstreams_options {
    struct cg_http_hop hop;
    uint8_t balance;         /* enum cg_http_balance (CG_HTTP_LEAST) */
    const char *hash_header; /* of CG_HTTP_HASH_HEADER. Borrowed */
    /* How many upstreams a request is tried on (3). Another one is tried if nothing was
     * sent, or if the method is idempotent, the request has no body and no response came,
     * unless the upstream was silent for too long. */
    unsigned attempts;
    unsigned requests;     /* at a time to one upstream (CG_HTTP_UPSTREAM_REQUESTS); if all are
                              at this limit the response is 503 */
    unsigned failures;     /* how many failures within .failure_time take an upstream out (3) */
    int64_t failure_time;  /* (10 s) */
    int64_t out_time;      /* how long an upstream is out (5 s). Then one request tries it, and a
                              response brings it back. If all are out, one request at a time tries
                              each without a delay. With .probe only probes try it */
    const char *probe;     /* a path that cg_http_watch_upstreams requests: "/health". A status
                              of 200 to 399 is a success. NULL: none. Borrowed */
    int64_t probe_interval; /* between two probes of an upstream (5 s) */
    int64_t probe_timeout;  /* of a whole probe (2 s) */
    /* Called with messages for the operator: a request that failed and why, an upstream that
     * is out or back, and once a second how many requests were refused (prints a line on stderr).
     * It must not yield. */
    void (*log)(void *arg, const char *line);
    void *log_arg;
    void *reserved;
};

/* Options of one upstream. */
struct cg_http_upstream_options {
    /* The version, 1 or 2, of the PROXY protocol, as in struct cg_http_hop; 0: that of the set's
     * .hop; CG_HTTP_NO_PROXY_PROTOCOL: none. */
    uint8_t proxy_protocol;
    void *reserved;
};

#ifndef __cplusplus

struct cg_http_forward_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    struct cg_http_upstreams *upstreams;
};

struct cg_http_forward_to_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    struct cg_http_client *client;
    const char *url;
    const struct cg_http_hop *hop;
    char *why;
    enum cg_http_fault *fault;
};

struct cg_http_watch_upstreams_op {
    CG_OP_HEAD;
    struct cg_http_upstreams *upstreams;
};

/* cg_http_forward(req, upstreams): forwards a request to one of the upstreams, and its
 * response to the client, and completes with the response's status. Where that is not
 * possible it responds itself: 502 if the upstream is not reachable or its response is
 * invalid, 503 if none is available, 504 if it is silent for too long, 400 if the path has
 * dot segments. A negative code is for the handler to return: the client has left, its body
 * cannot be read, or the response is incomplete, and the connection must be closed.
 *   The target of the request is appended to the URL of the upstream. Bodies are copied in
 * pieces, as fast as the slower side takes them. Partial: it may have taken effect on the
 * upstream. */
#define cg_http_forward(...) cg__http_forward_op(__VA_ARGS__, )
#define cg__http_forward_op(r, u, ...)                                                     \
    CG_OP(cg_http_forward, .req = (r), .upstreams = (u), __VA_ARGS__)

/* cg_http_forward_to(req, client, url): forwards a request to this URL, and the response to
 * the client. Completes with its status, or with a negative code. If nothing has been sent to
 * the client (cg_http_response_status is 0), the caller may respond, or forward the request to
 * another URL. Keywords:
 *   .hop    how it is forwarded; NULL: all defaults
 *   .why    CG_HTTP_WHY_SIZE bytes: what has failed, in printable ASCII
 *   .fault  where it has failed
 * If the client ends its stream, an interim response (100) is sent to find out whether it still
 * reads; if it does not, it has left. Partial, like cg_http_fetch. */
#define cg_http_forward_to(...) cg__http_forward_to(__VA_ARGS__, )
#define cg__http_forward_to(r, c, u, ...)                                                  \
    CG_OP(cg_http_forward_to, .req = (r), .client = (c), .url = (u), __VA_ARGS__)

/* cg_http_watch_upstreams(upstreams): requests the path .probe of each upstream again and
 * again, until it is cancelled. It runs beside cg_http_serve. -EINVAL: there is no .probe;
 * -ENOMEM. */
#define cg_http_watch_upstreams(...) cg__http_watch_upstreams(__VA_ARGS__, )
#define cg__http_watch_upstreams(u, ...)                                                   \
    CG_OP(cg_http_watch_upstreams, .upstreams = (u), __VA_ARGS__)

/* cg_http_upstreams_new(client, .probe = "/health", ...): cg_http_upstreams_new_with with its
 * options as keywords. */
#define cg_http_upstreams_new(...) cg__http_upstreams_new(__VA_ARGS__, )
#define cg__http_upstreams_new(c, ...)                                                     \
    cg_http_upstreams_new_with(c, CG__OPTIONS(struct cg_http_upstreams_options, __VA_ARGS__))

/* cg_http_upstreams_add(upstreams, url, .proxy_protocol = 2): cg_http_upstreams_add_with with its
 * options as keywords. */
#define cg_http_upstreams_add(...) cg__http_upstreams_add(__VA_ARGS__, )
#define cg__http_upstreams_add(u, url, ...)                                                \
    cg_http_upstreams_add_with(u, url,                                                     \
                               CG__OPTIONS(struct cg_http_upstream_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_forward_type, cg_http_forward_to_type,
    cg_http_watch_upstreams_type;

/* Makes an empty set of upstreams, which belongs to the scheduler that forwards its first request.
 * The client is borrowed: its connections, limits and timeouts are those of the gateway. It should
 * allow as many connections to one origin (.per_origin) as requests are expected at a time, and
 * read no proxies from the environment. Returns NULL if there is no memory. */
CG_API struct cg_http_upstreams *
cg_http_upstreams_new_with(struct cg_http_client *client,
                           const struct cg_http_upstreams_options *options);

/* Frees the set, before its client and its scheduler are freed. No operation may use it any
 * more, so end the server that forwards with it first. NULL is ignored. */
CG_API void cg_http_upstreams_free(struct cg_http_upstreams *upstreams);

/* Adds an upstream, at any time, by its URL, "http://10.0.0.1:8080" or "https://backend/app",
 * without a query. The options are copied (NULL: all defaults). Returns 0; -EINVAL: the URL or
 * an option is invalid, or CG_HTTP_UPSTREAMS_LIMIT is exceeded; -EEXIST; -ENOMEM. */
CG_API int cg_http_upstreams_add_with(struct cg_http_upstreams *upstreams, const char *url,
                                      const struct cg_http_upstream_options *options);

/* Removes the upstream that was added with this URL, at any time: no further request goes to it,
 * requests in progress are finished, and its idle connections are closed. Returns 0; -ENOENT:
 * there is none. */
CG_API int cg_http_upstreams_remove(struct cg_http_upstreams *upstreams, const char *url);

/* The number of upstreams that are available, not taken out after failures. */
CG_API size_t cg_http_upstreams_available(const struct cg_http_upstreams *upstreams);

/* A handler whose arg is a struct cg_http_upstreams: forwards as cg_http_forward does. */
CG_API ssize_t cg_http_forward_handler(struct cg_http_request *req, void *upstreams);

CG_EXTERN_C_END
#endif
