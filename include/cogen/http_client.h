/* SPDX-License-Identifier: MIT */
/* An HTTP/1.1 client: redirects, kept connections, proxies, compressed bodies. See
 * cg_http_client(3).
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
 * https takes one more line, see cogen/https.h. */
#ifndef COGEN_HTTP_CLIENT_H
#define COGEN_HTTP_CLIENT_H

#include <cogen/http.h>
#include <cogen/op.h>

struct cg_sock;

/* Connections that are kept, and how everything is fetched. Of one scheduler, before whose
 * end it is freed. */
struct cg_http_client;

/* The answer to a request; whoever fetched it frees it. */
struct cg_http_reply;

enum {
    CG_HTTP_WHY_SIZE = 256,                /* room for .why, with its NUL */
    CG_HTTP_BODY_LIMIT = 16 * 1024 * 1024, /* bytes of a whole body, decoded */
    CG_HTTP_REPLY_HEADERS_LIMIT = 256 * 1024, /* bytes of a reply's fields, and trailers */
    CG_HTTP_REPLY_HEADERS_COUNT = 1000,       /* how many of them */
    CG_HTTP_REDIRECTS = 10,                /* that are followed */
    CG_HTTP_PER_ORIGIN = 8,                /* connections to a host and port */
    CG_HTTP_CONNECTIONS = 256,             /* to all of them */
};

/* How to speak TLS: what cg_tls_http in cogen/https.h makes, or one's own. */
struct cg_http_tls {
    /* Does the handshake over a connected socket, in the calling coroutine, which it may
     * suspend. host: without brackets or port. 0: *sock is the socket to use, and owns
     * inner. Negative: inner stays the caller's; why (CG_HTTP_WHY_SIZE bytes) may say more.
     * Ends early when what it yields answers -ECANCELED. */
    ssize_t (*connect)(void *arg, struct cg_sock *inner, const char *host,
                       struct cg_sock **sock, char *why);
    void *arg; /* borrowed */
};

/* All zero are the defaults. Times in ns; CG_NEVER: no limit. */
struct cg_http_client_options {
    const char *user_agent;        /* NULL: "cogen/VERSION"; "": none is sent */
    const struct cg_http_tls *tls; /* copied; NULL: https answers CG_EHTTP_TLS */

    int64_t connect_timeout; /* looking the name up and connecting; 0: 30 s */
    int64_t tls_timeout;     /* the handshake; 0: 30 s */
    int64_t send_timeout;    /* while nothing of a request can be sent; 0: 60 s */
    int64_t answer_timeout;  /* from the end of the request to the first byte; 0: 60 s */
    int64_t idle_timeout;    /* from there to the end of the head, and between two pieces
                                of the body; 0: 60 s */
    int64_t expect_timeout;  /* for a 100 before the body is sent without; 0: 1 s */
    int64_t keep_timeout;    /* how long an unused connection is worth using; 0: 60 s */

    unsigned per_origin;  /* connections to a host and port at a time, for which further
                             requests wait in order; 0: CG_HTTP_PER_ORIGIN */
    unsigned connections; /* the same to all; 0: CG_HTTP_CONNECTIONS */
    unsigned keep;        /* unused ones that are kept; 0: as many as .connections */
    bool no_keep;         /* none is kept */

    uint32_t headers_limit; /* bytes of a reply's header fields, and of its trailers: else
                               CG_EHTTP_LIMIT; 0: CG_HTTP_REPLY_HEADERS_LIMIT */
    uint32_t headers_count; /* how many of them; 0: CG_HTTP_REPLY_HEADERS_COUNT */

    /* Proxies for http and https, "http://user:password@host:port"; "": none; NULL: what
     * the environment says: http_proxy (never HTTP_PROXY, which a CGI program's client
     * chooses), https_proxy, HTTPS_PROXY, for both else all_proxy, ALL_PROXY; no_proxy,
     * NO_PROXY. An empty variable is as if it were not set. Exceptions: "*", or a list of
     * names (with all below them), addresses and networks:
     * "localhost,.example.org,10.0.0.1:80,10.0.0.0/8,fd00::/8". Networks have only hosts
     * that a URL names by their address: no name is resolved. */
    const char *http_proxy, *https_proxy, *no_proxy;
    bool no_environment; /* do not look at these variables */
    void *reserved;
};

/* A body that is made while it is sent. */
struct cg_http_source {
    /* Writes 1 to len bytes into buf and answers how many; 0 at the end; a negative code
     * ends the request with it. Called in the coroutine that fetches; may yield. */
    ssize_t (*read)(void *arg, void *buf, size_t len);
    /* Begins anew, for a redirect or a second try: 0 or a negative code. NULL: it cannot,
     * and the redirect is answered as it came. */
    int (*rewind)(void *arg);
    void *arg;
    int64_t size; /* bytes; -1: unknown, they are sent in chunks */
    /* Looked at behind the last chunk, and sent there; NULL: none. Borrowed. */
    const struct cg_http_headers *trailers;
};

/* What is asked for. Everything is borrowed until the answer. */
struct cg_http_fetch {
    const char *url;
    const char *method; /* NULL: GET, or POST if there is a body */

    /* Header fields, ended by an empty one. They take the place of ours of the same name
     * (Host, User-Agent, Accept, Accept-Encoding, Authorization). Content-Length and
     * Transfer-Encoding are not yours. */
    const struct cg_http_field *fields;

    /* A body: in memory, or from a source, or from an open file. */
    const void *body;
    size_t size; /* of what is in memory, or of the part of the file */
    const struct cg_http_source *source;
    const int *file;
    int64_t offset; /* where in the file */

    const char *basic;  /* "user:password" for this host; NULL: those of the URL */
    const char *bearer; /* or a token */

    size_t limit;       /* bytes of a whole body, decoded; 0: CG_HTTP_BODY_LIMIT */
    unsigned redirects; /* at most; 0: CG_HTTP_REDIRECTS */
    bool stay;          /* redirects are answered, not followed */
    bool downgrade;     /* follows them from https to http, too */
    bool stream;        /* the answer comes with the head; the body is had from
                           cg_http_read_reply */
    bool raw;           /* no Accept-Encoding, nothing is decoded */
    bool bare;          /* of our fields only Host, and what says how long the body is: for
                           those who hand on what others ask */
    bool expect;        /* asks before a body is sent: Expect: 100-continue */

    /* Told of each interim answer (1xx), in the coroutine that fetches; may yield.
     * Negative: that ends the request. The headers are the library's, and valid until it
     * returns. */
    ssize_t (*interim)(void *arg, int status, const struct cg_http_headers *headers);
    void *interim_arg;
    void *reserved;
};

#ifndef __cplusplus

struct cg_http_fetch_op { /* get, fetch */
    CG_OP_HEAD;
    struct cg_http_client *client;
    const struct cg_http_fetch *fetch;
    const char *url;
    struct cg_http_reply **reply;
    char *why;
    bool started;
};

struct cg_http_read_reply_op { /* reply_read */
    CG_OP_HEAD;
    struct cg_http_reply *reply;
    void *buf;
    size_t len;
    size_t got;
};

/* cg_http_get(client, url, &reply), cg_http_fetch(client, &fetch, &reply): answer the
 * status (200, 404 ...) and in *reply the rest, to be freed by cg_http_reply_free; or a
 * negative code, and *reply is NULL:
 *   CG_EHTTP_URL       what is no URL of http or https
 *   CG_EHTTP_TLS       https, and the client knows no TLS
 *   CG_EHTTP           the answer is not valid HTTP
 *   CG_EHTTP_LIMIT     its head or (whole) body is larger than allowed
 *   CG_EHTTP_CODING    its compressed body is broken, or grows beyond reason
 *   CG_EHTTP_REDIRECT  too many redirects, or one that must not be followed
 *   CG_EHTTP_PROXY     the proxy is none, or refuses
 *   CG_EOF             the connection ended before the answer did
 *   -ETIMEDOUT         one of the client's timeouts, or the op's own, which is for all of
 *                      it: waiting for a connection, redirects, the body (not streamed)
 *   -EINVAL            a method or a field that is none; a client of another scheduler
 * and what connecting, TLS, the source and the socket say. With .why = buf
 * (CG_HTTP_WHY_SIZE bytes) a failure is put into words there, in printable ASCII: the rest
 * is written "\x1b". The default timeout does not apply. Partial: a request that failed or
 * was cancelled may have had its effect. */
#define cg_http_get(...) cg__http_get(__VA_ARGS__, )
#define cg__http_get(c, u, r, ...)                                                         \
    CG_OP(cg_http_fetch, .client = (c), .url = (u), .reply = (r), __VA_ARGS__)
#define cg_http_fetch(...) cg__http_fetch(__VA_ARGS__, )
#define cg__http_fetch(c, f, r, ...)                                                       \
    CG_OP(cg_http_fetch, .client = (c), .fetch = (f), .reply = (r), __VA_ARGS__)

/* cg_http_read_reply(reply, buf, len): 1 to len bytes of a streamed body, as they come; 0
 * at its end, when the trailers are there. Errors are those of cg_http_fetch, and stay;
 * after a timeout or a cancellation one may go on reading. Nothing is lost then: traceless.
 * -EBUSY: another coroutine reads it; -EBADF: it was freed before the coroutine ran on. */
#define cg_http_read_reply(...) cg__http_read_reply(__VA_ARGS__, )
#define cg__http_read_reply(r, b, n, ...)                                                  \
    CG_OP(cg_http_read_reply, .reply = (r), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_http_client_new(.tls = cg_http_tls(tls)): cg_http_client_new_with with keywords. */
#define cg_http_client_new(...)                                                            \
    cg_http_client_new_with(CG__OPTIONS(struct cg_http_client_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_fetch_type, cg_http_read_reply_type;

/* A new client. The options are copied, their texts too; the environment is read now. NULL:
 * no memory. */
CG_API struct cg_http_client *
cg_http_client_new_with(const struct cg_http_client_options *options);

/* Closes the unused connections, and the others when their replies are freed. NULL is
 * ignored. */
CG_API void cg_http_client_free(struct cg_http_client *client);

/* Closes unused connections whose time (.keep_timeout) is over. Every request does so, too;
 * a program that seldom makes any may wish to be tidier. */
CG_API void cg_http_client_tidy(struct cg_http_client *client);

/* Connections that are open now, used or not. */
CG_API size_t cg_http_client_connections(const struct cg_http_client *client);

/* Frees a reply. If its body was read to the end the connection is kept for the next
 * request, else closed. Whoever reads it is answered -EBADF, also if its operation has
 * completed but its coroutine has not run since. NULL is ignored. */
CG_API void cg_http_reply_free(struct cg_http_reply *reply);

/* What it says. The texts are the reply's. */
CG_API int cg_http_reply_status(const struct cg_http_reply *reply);
CG_API const char *cg_http_reply_reason(const struct cg_http_reply *reply);
CG_API const char *
cg_http_reply_url(const struct cg_http_reply *reply); /* the last one */
CG_API struct cg_http_headers *cg_http_reply_headers(struct cg_http_reply *reply);
CG_API struct cg_http_headers *cg_http_reply_trailers(struct cg_http_reply *reply);

/* The value of the first header field of that name; NULL: there is none. */
CG_API const char *cg_http_reply_header(const struct cg_http_reply *reply,
                                        const char *name);

/* The body as it was read whole, *size bytes (size may be NULL), with a NUL behind it; of a
 * streamed one "". */
CG_API const char *cg_http_reply_body(const struct cg_http_reply *reply, size_t *size);

/* How many bytes the body has on the wire (before they are decoded), as the head says; also
 * of one that does not come, because of HEAD. -1: the head does not say. */
CG_API int64_t cg_http_reply_length(const struct cg_http_reply *reply);

/* How many bytes of it have come from the wire. */
CG_API int64_t cg_http_reply_received(const struct cg_http_reply *reply);

/* Whether the body is decoded: the header fields still tell how it was sent. A part of a
 * body (206) never is. */
CG_API bool cg_http_reply_decoded(const struct cg_http_reply *reply);

/* Why reading the body failed, in words; "" if it has not. */
CG_API const char *cg_http_reply_why(const struct cg_http_reply *reply);

CG_EXTERN_C_END
#endif
