/* SPDX-License-Identifier: MIT */
/* A client of HTTP/1.1 and HTTP/2: redirects, persistent connections, proxies, compressed
 * bodies. See cg_http_client(3) and cg_http_get(3).
 *
 *     struct cg_http_client *client = cg_http_client_new();
 *     struct cg_http_reply *reply;
 *     ssize_t status = cg_yield(cg_http_get(client, "http://example.org/", &reply,
 *                                           .timeout = 30 * CG_SECOND));
 *
 *     if (status == 200)
 *         fwrite(cg_http_reply_body(reply, NULL), 1, ..., stdout);
 *     cg_http_reply_free(reply);
 *     cg_http_client_free(client);
 *
 * For https, see cogen/https.h. */
#ifndef COGEN_HTTP_CLIENT_H
#define COGEN_HTTP_CLIENT_H

#include <cogen/http.h>
#include <cogen/op.h>

struct cg_http_cache;
struct cg_http_jar;
struct cg_sock;

/* Options, and idle connections for later requests. A client belongs to one scheduler and
 * must be freed before it. */
struct cg_http_client;

/* The response to a request; the caller frees it. */
struct cg_http_reply;

enum {
    CG_HTTP_WHY_SIZE = 256,                /* size of .why, with its NUL */
    CG_HTTP_BODY_LIMIT = 16 * 1024 * 1024, /* bytes of a whole body, decoded */
    CG_HTTP_REPLY_HEADERS_LIMIT = 256 * 1024, /* bytes of a reply's fields and trailers */
    CG_HTTP_REPLY_HEADERS_COUNT = 1000,       /* number of a reply's fields and trailers */
    CG_HTTP_REDIRECTS = 10,                /* redirects that are followed */
    CG_HTTP_PER_ORIGIN = 8,                /* connections to one host and port */
    CG_HTTP_CONNECTIONS = 256,             /* connections to all hosts */
    CG_HTTP_REPLY_WINDOW = 1024 * 1024,    /* bytes of a body ahead of its reader: HTTP/2 */
    CG_HTTP_REPLY_WINDOWS = 16 * 1024 * 1024, /* of all bodies of a connection of HTTP/2 */
    CG_HTTP_REFRESHES = 8,                 /* stale responses that are refreshed at a time */
    CG_HTTP_H2_USELESS = 256 * 1024,       /* bytes of HTTP/2 without progress */
};

/* How long a refresh of a stale response may take, in ns: see cogen/http_cache.h. */
#define CG_HTTP_REFRESH_TIME CG_MINUTE

/* Times of retries, in ns: see .retries of struct cg_http_fetch. */
#define CG_HTTP_RETRY_PAUSE CG_SECOND
#define CG_HTTP_RETRY_LONGEST CG_MINUTE
#define CG_HTTP_RETRY_TIME (2 * CG_MINUTE)

/* How a client speaks TLS: made by cg_tls_http in cogen/https.h, or by the program. */
struct cg_http_tls {
    /* Does the handshake over the connected socket `inner`. Called in the coroutine of
     * the request; may yield. host: without brackets or port. alpn: the protocols to offer,
     * as in "h2,http/1.1"; cg_sock_protocol(*sock) then tells which one the server chose. 0:
     * *sock is the socket to use, and owns inner. Negative: inner still belongs to the
     * caller, and why (CG_HTTP_WHY_SIZE bytes) may have a message. If what it yields
     * completes with -ECANCELED it must return. */
    ssize_t (*connect)(void *arg, struct cg_sock *inner, const char *host,
                       const char *alpn, struct cg_sock **sock, char *why);
    void *arg; /* borrowed */
};

/* Another address for a host: connections to the host are made to it, and its name is not
 * looked up. The Host field, and the name that a certificate must have, stay those of the URL. */
struct cg_http_target {
    const char *origin; /* of the URL: "example.org:443"; host or port may be "*"; without a
                           port it is any */
    const char *addr;   /* for cg_connect: "10.0.0.1:8443", "other.example:80",
                           "unix:/run/app.sock"; "*" stands for what the URL has: "*:8443" */
};

/* Zero means the default. Times are in ns; CG_NEVER: no limit. */
struct cg_http_client_options {
    const char *user_agent;        /* NULL: "cogen/VERSION"; "": none is sent */
    const struct cg_http_tls *tls; /* copied; NULL: https fails with CG_EHTTP_TLS */

    int64_t connect_timeout; /* for resolving the name and connecting; 0: 30 s */
    int64_t tls_timeout;     /* for the TLS handshake; 0: 30 s */
    int64_t send_timeout;    /* while the server receives no byte of the request, unless it is
                                responding; 0: 60 s */
    int64_t response_timeout; /* from the end of the request to the first byte of the
                                 response; 0: 60 s */
    int64_t idle_timeout;    /* from that byte to the end of the head, and between pieces of
                                the body; 0: 60 s */
    int64_t expect_timeout;  /* for a 100 Continue; then the body is sent; 0: 1 s */
    int64_t keep_timeout;    /* how long an idle connection may be used again; 0: 60 s */

    unsigned per_origin;  /* connections to one host and port at a time; further requests
                             wait in order; 0: CG_HTTP_PER_ORIGIN. By HTTP/2 requests share
                             one connection, as many at a time as the server allows, at
                             most .h2_streams. One that takes no more requests (GOAWAY), and
                             completes those that it has, counts for .connections only */
    unsigned connections; /* connections to all hosts; 0: CG_HTTP_CONNECTIONS */
    unsigned keep;        /* idle connections that are kept; 0: as many as .connections */
    bool no_keep;         /* keep no idle connections */

    uint32_t headers_limit; /* bytes of a reply's header fields and trailers; more is
                               CG_EHTTP_LIMIT; 0: CG_HTTP_REPLY_HEADERS_LIMIT */
    uint32_t headers_count; /* their number; 0: CG_HTTP_REPLY_HEADERS_COUNT */

    /* Other addresses of hosts; the list ends with an empty one. The first that fits the URL
     * counts, and then no proxy is used. NULL: none. */
    const struct cg_http_target *targets;

    /* Proxies for http and https, "http://user:password@host:port", and the hosts that
     * need none. With "socks5://" the proxy speaks SOCKS5 (usual port: 1080), and the host's
     * name is looked up here, an IPv4 address preferred; with "socks5h://" the proxy looks it
     * up. "": no proxy. NULL: from the environment: http_proxy; https_proxy, HTTPS_PROXY;
     * for both also all_proxy, ALL_PROXY; no_proxy, NO_PROXY. (HTTP_PROXY is never read: the
     * client of a CGI program chooses its value.) An empty variable counts as unset. no_proxy
     * is "*" or a list of names (which include all their subdomains), addresses and networks:
     * "localhost,.example.org,10.0.0.1:80,10.0.0.0/8,fd00::/8". Addresses and networks
     * match only URLs with an address as their host: no name is resolved. */
    const char *http_proxy, *https_proxy, *no_proxy;
    bool no_environment; /* do not read these variables */

    uint8_t protocols; /* enum cg_http_protocol; 0: CG_HTTP_H1 | CG_HTTP_H2. With https
                          those are offered by ALPN, and the server chooses. With http it
                          is CG_HTTP_H2C, or else CG_HTTP_H1. Those that this library was
                          built without are left out */
    /* Limits of a connection of HTTP/2; 0: the constant. */
    unsigned h2_streams;     /* requests at a time; CG_HTTP_STREAMS */
    uint32_t h2_window;      /* bytes of a body that may wait for their reader;
                                CG_HTTP_REPLY_WINDOW */
    uint32_t h2_all_windows; /* of all bodies that may be on their way, at least 65535;
                                CG_HTTP_REPLY_WINDOWS */
    uint32_t h2_useless;     /* bytes that the server may send in a row without a part of a head
                              * or of a body; after more the connection fails;
                              * CG_HTTP_H2_USELESS */

    struct cg_http_jar *jar; /* cookies (cogen/http_jar.h), borrowed until the client has made
                                its last request; NULL: none are sent or kept */
    struct cg_http_cache *cache; /* responses (cogen/http_cache.h), kept as long as the client
                                    needs it; NULL: none are stored */
    void *reserved;
};

/* A body that the program generates while it is sent. */
struct cg_http_source {
    /* Writes 1 to size bytes into buf and returns how many; 0 at the end. A negative code
     * ends the request, which completes with it. Called in a coroutine that the request has
     * for its body; may yield. If what it yields completes with -ECANCELED it must return:
     * nobody wants the rest. */
    ssize_t (*read)(void *arg, void *buf, size_t size);
    /* Starts again at the first byte, for a redirect or a second attempt: 0 or a negative
     * code. NULL: it cannot; then such a redirect is not followed but returned. */
    int (*rewind)(void *arg);
    void *arg;
    int64_t len; /* length of the body; -1: unknown, the body is chunked */
    /* Trailers of a chunked body; read after the last chunk. NULL: none. Borrowed. */
    const struct cg_http_headers *trailers;
};

/* For which client a proxy makes a request: the connection begins with a header of the PROXY
 * protocol that names the client. See cg_write_proxy_header. */
struct cg_http_proxied {
    const char *client, *server; /* the ends of the client's connection; client NULL: none, the
                                  * proxy asks for itself */
    unsigned version;            /* 1 or 2; 0: 2 */
};

/* A request. Everything is borrowed until the operation completes. */
struct cg_http_fetch {
    const char *url; /* its path is sent as it is written, also with dot segments ("/a/../b") */
    const char *method; /* NULL: GET, or POST if there is a body */

    /* Header fields; the array ends with an empty one. They replace the client's own fields
     * with the same name (Host, User-Agent, Accept, Accept-Encoding, Authorization), except
     * Cookie: the cookies of the client's .jar follow it. Several Cookie fields are sent as
     * one. Content-Length and Transfer-Encoding are invalid here. */
    const struct cg_http_field *fields;

    /* The same as a list, such as the fields of another request; it comes first. NULL: none. */
    const struct cg_http_headers *headers;

    /* The body: in memory, from a source, or from an open file. */
    const void *body;
    size_t len; /* length of the body in memory, or of the part of the file */
    const struct cg_http_source *source;
    const int *file;
    int64_t offset; /* of the part of the file */

    const char *basic;  /* "user:password" for this host; NULL: those of the URL */
    const char *bearer; /* a token, which is sent instead */

    /* How urgent the response is: the field Priority (RFC 9218). "u=0" is the most urgent and
     * "u=7" the least; "u=3" is usual. With "i", as in "u=5, i", the response is useful in
     * parts. NULL: not sent. A server of HTTP/2 sends what it has in this order. */
    const char *priority;

    /* The connection begins with the PROXY protocol, behind a SOCKS or CONNECT proxy and before
     * TLS, and is shared only with requests that have the same here. After a redirect to
     * another host or port there is no header. -EINVAL: the request goes through an HTTP proxy
     * that forwards it. NULL: no header. */
    const struct cg_http_proxied *proxied;

    size_t limit;       /* bytes of a whole body, decoded; 0: CG_HTTP_BODY_LIMIT */
    unsigned redirects; /* how many are followed; 0: CG_HTTP_REDIRECTS */
    bool stay;          /* redirects are returned, not followed */
    bool downgrade;     /* redirects from https to http are followed */
    bool stream;        /* the operation completes with the head; cg_http_read_reply reads the
                           body. The rest of the request's body is not sent then */
    bool raw;           /* Accept-Encoding is not sent, nothing is decoded */
    bool bare;          /* of the client's own fields only Host and the length of the body
                           are sent, and its .jar and .cache are not used: for a proxy, which
                           forwards the fields of others */
    bool expect;        /* sends Expect: 100-continue, and waits before it sends the body */
    bool upgrade;       /* the fields ask for another protocol, and a response of 101 is
                           accepted: see cg_http_reply_take_sock */

    /* How often the request is sent again after a failure that may pass: an error of the
     * network before the head of a response, or 408, 429, 502, 503 or 504. Only if that is
     * safe: no connection could be made, or the method is idempotent; and the body can be
     * sent again. 0: never. The pause before the first retry is .retry_pause (ns; 0:
     * CG_HTTP_RETRY_PAUSE); it doubles each time, up to CG_HTTP_RETRY_LONGEST, is shortened
     * at random by up to a half, and is at least what Retry-After asks for. No retry begins
     * later than .retry_time after the first attempt (ns; 0: CG_HTTP_RETRY_TIME): then
     * the last result stands. The op's own timeout covers all attempts; the client's timeouts
     * limit each of them. The streamed body of a response is not retried. */
    unsigned retries;
    int64_t retry_pause, retry_time;

    /* Called with the reply when its head has come, in the coroutine of the request; may yield.
     * It reads the body by cg_http_read_reply while the rest of the request's body is still
     * being sent (unless the response is not successful, 2xx). If sending fails, what it yields
     * completes with -ECANCELED, and the operation with that failure. If it has read the whole
     * response and returns 0, the operation completes when the rest of the request is sent, or
     * when the server takes no more of it (for .send_timeout). Otherwise the rest is not sent;
     * a negative result becomes that of the operation. It must not free the reply. NULL: see
     * .stream. */
    ssize_t (*receive)(void *arg, struct cg_http_reply *reply);
    void *receive_arg;

    /* Called with each interim response (1xx), in the coroutine of the request; may yield.
     * A negative result ends the request. The header fields belong to the library and are
     * valid until it returns. */
    ssize_t (*interim)(void *arg, int status, const struct cg_http_headers *headers);
    void *interim_arg;
    void *reserved;
};

/* Where a response is from: the server, or the client's .cache. */
enum cg_http_from {
    CG_HTTP_FROM_SERVER,
    CG_HTTP_FROM_CACHE,     /* a fresh response */
    CG_HTTP_FROM_VALIDATED, /* a stale one; the server has confirmed that it is unchanged */
    CG_HTTP_FROM_STALE,     /* a stale one, which the request or the server allows */
};

#ifndef __cplusplus

struct cg_http_fetch_op { /* cg_http_get, cg_http_fetch */
    CG_OP_HEAD;
    struct cg_http_client *client;
    const struct cg_http_fetch *fetch;
    const char *url;
    struct cg_http_reply **reply;
    char *why;
    bool *sent;
    bool started;
};

struct cg_http_read_reply_op {
    CG_OP_HEAD;
    struct cg_http_reply *reply;
    void *buf;
    size_t len;
    size_t got;
};

/* cg_http_get(client, url, &reply), cg_http_fetch(client, &fetch, &reply): complete with
 * the status of the response (200, 404 ...) and store the reply in *reply, to be freed
 * with cg_http_reply_free; or complete with a negative code, and *reply is NULL:
 *   CG_EHTTP_URL       the URL is invalid, or neither http nor https
 *   CG_EHTTP_TLS       the URL is https, and the client has no .tls
 *   CG_EHTTP           the response is not valid HTTP
 *   CG_EHTTP_LIMIT     its head or its (whole) body exceeds a limit
 *   CG_EHTTP_CODING    its compressed body is invalid, or expands too much
 *   CG_EHTTP_REDIRECT  too many redirects, or one that must not be followed
 *   CG_EHTTP_PROXY     the proxy is invalid, or refuses
 *   CG_EOF             the connection ended before the response did
 *   -ETIMEDOUT         one of the client's timeouts, or the op's own, which covers
 *                      everything: waiting for a connection, redirects, the body unless
 *                      it is streamed
 *   -EINVAL            an invalid method or field; a client of another scheduler
 * and the errors of connecting, TLS, the source and the socket. If .why = buf is given
 * (CG_HTTP_WHY_SIZE bytes) a failure stores a message there, in printable ASCII; other
 * bytes become "\x1b". With .sent = &flag, flag tells whether bytes of the request may have
 * been sent to a server. The default timeout does not apply. Partial: a request that failed
 * or was cancelled may have taken effect on the server. */
#define cg_http_get(...) cg__http_get(__VA_ARGS__, )
#define cg__http_get(c, u, r, ...)                                                         \
    CG_OP(cg_http_fetch, .client = (c), .url = (u), .reply = (r), __VA_ARGS__)
#define cg_http_fetch(...) cg__http_fetch(__VA_ARGS__, )
#define cg__http_fetch(c, f, r, ...)                                                       \
    CG_OP(cg_http_fetch, .client = (c), .fetch = (f), .reply = (r), __VA_ARGS__)

/* cg_http_read_reply(reply, buf, size): reads 1 to size bytes of a streamed body as they
 * come; 0 at its end, when the trailers are available. Errors are those of cg_http_fetch,
 * and permanent, except a timeout or a cancellation: the body can be read further after
 * these (traceless). -EBUSY: another coroutine is reading; -EBADF: the reply was freed
 * before the coroutine resumed. */
#define cg_http_read_reply(...) cg__http_read_reply(__VA_ARGS__, )
#define cg__http_read_reply(r, b, n, ...)                                                  \
    CG_OP(cg_http_read_reply, .reply = (r), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_http_client_new(.tls = cg_tls_http(tls)): cg_http_client_new_with with its options as
 * keywords. */
#define cg_http_client_new(...)                                                            \
    cg_http_client_new_with(CG__OPTIONS(struct cg_http_client_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_fetch_type, cg_http_read_reply_type;

/* Makes a client. The options and their texts are copied; the environment is read now. Returns
 * NULL if there is no memory. */
CG_API struct cg_http_client *
cg_http_client_new_with(const struct cg_http_client_options *options);

/* Closes the idle connections, and the others when their replies are freed. NULL is
 * ignored. */
CG_API void cg_http_client_free(struct cg_http_client *client);

/* Closes connections that have been idle for .keep_timeout. Every request does that too;
 * call it where requests are rare. */
CG_API void cg_http_client_tidy(struct cg_http_client *client);

/* The number of open connections, in use or idle. */
CG_API size_t cg_http_client_connections(const struct cg_http_client *client);

/* The number of open connections to the host and port of a URL, directly or through a proxy's
 * tunnel. For http through an HTTP proxy, whose connections serve all hosts: the number of
 * connections to that proxy. CG_EHTTP_URL: the URL is invalid; CG_EHTTP_PROXY: the proxy is
 * invalid; -ENOMEM. */
CG_API ssize_t cg_http_client_connections_to(struct cg_http_client *client, const char *url);

/* Closes the idle ones of these connections, so that the next request connects anew. Returns
 * how many there were, or the same codes. */
CG_API ssize_t cg_http_client_close_idle(struct cg_http_client *client, const char *url);

/* Frees a reply. If its body was read to the end, the connection is kept for the next
 * request, otherwise closed. A pending cg_http_read_reply completes with -EBADF, also one
 * that has completed but whose coroutine has not resumed. NULL is ignored. */
CG_API void cg_http_reply_free(struct cg_http_reply *reply);

/* The parts of a reply. The texts belong to it. cg_http_reply_url is the URL after all
 * redirects. */
CG_API int cg_http_reply_status(const struct cg_http_reply *reply);
CG_API const char *cg_http_reply_reason(const struct cg_http_reply *reply);
CG_API const char *cg_http_reply_url(const struct cg_http_reply *reply);
CG_API struct cg_http_headers *cg_http_reply_headers(struct cg_http_reply *reply);
CG_API struct cg_http_headers *cg_http_reply_trailers(struct cg_http_reply *reply);

/* The value of the first header field with this name; NULL: there is none. */
CG_API const char *cg_http_reply_header(const struct cg_http_reply *reply,
                                        const char *name);

/* The whole body, with a NUL after it; stores its length in *len unless len is NULL. ""
 * if the body is streamed. */
CG_API const char *cg_http_reply_body(const struct cg_http_reply *reply, size_t *len);

/* Takes the connection out of the reply to a request with .upgrade, if its status is 101:
 * what is unread on it belongs to the other protocol. The caller closes the socket; it
 * counts no more against the client's limits. Over HTTP/2 the socket is a stream of a
 * connection that other requests use, too; there a server accepts with 2xx, and the reply shows
 * 101 and the fields that HTTP/1.1 would have: Upgrade, Connection and Sec-WebSocket-Accept.
 * Returns NULL if the status is another one, the connection was taken already, or there is no
 * memory. */
CG_API struct cg_sock *cg_http_reply_take_sock(struct cg_http_reply *reply);

/* The protocol that the response has come by: "HTTP/1.0", "HTTP/1.1" or "HTTP/2". */
CG_API const char *cg_http_reply_protocol(const struct cg_http_reply *reply);

/* The length of the body as sent, before decoding, according to the head; for HEAD, the
 * length that GET would have. -1: the head does not say. */
CG_API int64_t cg_http_reply_length(const struct cg_http_reply *reply);

/* How many bytes of the body have been received, before decoding. */
CG_API int64_t cg_http_reply_received(const struct cg_http_reply *reply);

/* Whether the body is decoded; the header fields still say how it was sent. A part of a
 * body (206) is never decoded. */
CG_API bool cg_http_reply_decoded(const struct cg_http_reply *reply);

/* Where the response is from. */
CG_API enum cg_http_from cg_http_reply_from(const struct cg_http_reply *reply);

/* The message for a failure to read the body; "": it has not failed. */
CG_API const char *cg_http_reply_why(const struct cg_http_reply *reply);

CG_EXTERN_C_END
#endif
