/* SPDX-License-Identifier: MIT */
/* The structs of the client. A request passes through the files in this order: fetch.c (with
 * redirect.c and retry.c), cached.c (the cache), exchange.c (up to the head of the response),
 * pool/link.c (a connection: pool/route.c, and pool/dial.c for a new one), fields.c, then its
 * carrier (h1/ or h2/), sending.c (a longer body of the request), and body.c (that of the
 * response). reply.c is what the caller gets. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_H
#define COGEN_HTTP_CLIENT_CLIENT_H

#include <cogen/http_client.h>
#include <cogen/sched.h>
#include <cogen/sock.h>

#include "http/cache/cache.h"
#include "http/client/pool/pool.h"
#include "http/client/pool/proxy.h"
#include "http/http1/parser.h"
#include "http/http2/blocks.h"
#include "http/message/url.h"

struct cg__site;

struct cg_http_client {
    struct cg_http_client_options options; /* with defaults; texts: the caller's */
    struct cg_http_tls tls;
    struct cg__http_limits limits; /* of a response's head */
    struct cg__proxies proxies;
    struct cg_http_target *targets; /* NULL: none */
    struct cg__pool pool;
    struct cg__http2_spare blocks; /* of the sessions of HTTP/2, and of their streams */
    struct cg_http_headers h2_fields; /* memory for those of the next request: h2/fields.c */
    struct cg__site *sites;
    unsigned nsites;
    struct cg_http_reply *spare; /* unused replies, for the next requests: reply.c */
    unsigned nspare;
    unsigned protocols; /* of enum cg_http_protocol: those that are possible here */
    struct cg_sched *sched; /* of the first request */
    char *user_agent;
    unsigned refs; /* of the owner, of each reply and of each refresh */
    struct cg__refresh *refreshes; /* in progress: refresh.c */
    unsigned refresh_count;
    bool freed;    /* the owner has freed it */
};

struct cg__link;
struct cg__asking;
struct cg__h2_stream;
struct cg__refresh;
struct cg__sending;

/* How messages travel. */
struct cg__carrier {
    /* Sends the head, and a short body; starts to send a longer one (sending.h). If
     * the server has closed the connection, returns 0 and stores the failure in
     * ask->broken: a response that says why may have come. If the final response comes
     * before, sets ask->responded. */
    ssize_t (*send)(struct cg__link *link, struct cg__asking *ask);
    /* Sends a longer body, and is called in a coroutine of its own. Returns what becomes the
     * result of the struct cg__sending. */
    ssize_t (*send_body)(struct cg__sending *sending);
    /* Waits until that coroutine has ended, or something has come: 0, 1, or a negative code
     * of waiting. */
    ssize_t (*listen)(struct cg__sending *sending);
    /* Reads the next head, interim or final, into reply->head and reply->headers. The
     * timeout is for its first byte; then idle_timeout is for the whole head. `method`: of
     * the request. 0, or a negative code with a message. */
    ssize_t (*head)(struct cg_http_reply *reply, const char *method, int64_t timeout,
                    char *why);
    /* Reads undecoded bytes of the body: 1 to len, or 0 at the end. Sets reply->ended with
     * or before the latter, and link.spoiled if the connection must then be closed. After
     * a negative code other than -ETIMEDOUT, -ECANCELED and -EBUSY it is not called
     * again. An error behind bytes is stored in reply->error. */
    ssize_t (*body)(struct cg_http_reply *reply, void *buf, size_t len);
};

/* What a head says about its response. */
struct cg__http_head {
    unsigned status;
    const char *protocol; /* static */
    uint32_t reason; /* of the reason phrase: place in the reply's headers */
    bool has_body;   /* a body follows, perhaps an empty one */
    bool closes;     /* without a body: the connection cannot be used again */
    int64_t length;  /* of the body, with HEAD of that which GET would have; -1: unknown */
};

/* A connection in use. */
struct cg__link {
    const struct cg__carrier *carrier;
    struct cg_sock *sock;         /* of HTTP/1.1 */
    struct cg__h2_stream *stream; /* of HTTP/2 */
    struct cg__h2 *h2;            /* a connection of HTTP/2 that has no stream yet */
    struct cg__origin *lease;
    bool kept;     /* it was idle in the pool */
    bool to_proxy; /* the target of a request is the whole URL */
    bool spoiled;  /* to be closed after this response */
};

struct cg_http_reply {
    struct cg_http_client *client; /* NULL: it is a spare one */
    struct cg_http_reply *next;    /* in client->spare */
    struct cg_object object;
    struct cg_scope *scope; /* of the running read; or NULL */
    struct cg__link link; /* until the body has ended */
    struct cg__http_repeat *repeat; /* of the origin, while heads are read; or NULL */
    struct cg__url url;
    char *url_room; /* memory of its text, if the client knows the site; for the next URL, too */
    size_t url_size;
    struct cg_http_headers headers, trailers;
    struct cg__http_head head; /* the last one */
    struct cg__http_parser parser; /* of HTTP/1.1 */
    struct cg__decoder *decoder;
    struct cg__cached *stored; /* in the cache: where the body is from, or goes to; or NULL */
    enum cg_http_from from;
    bool storing; /* the body goes to the cache */
    bool sends;   /* the body of the request is being sent: the link is in use */
    char *body;
    size_t len;
    char *kept; /* bytes of a read that lost a race; NULL: none */
    size_t kept_from, kept_to;
    int64_t received;
    int64_t length;
    ssize_t error; /* result of all further reads of the body */
    bool touched;    /* a byte of the response has been received */
    bool ended;      /* the message is complete */
    bool more;       /* the last view had bytes after the message */
    bool decoded;
    char why[CG_HTTP_WHY_SIZE];
};

/* What the cache has to do with a request. */
struct cg__cached_asking {
    struct cg_http_cache *cache;   /* NULL: nothing */
    struct cg_http_headers fields; /* of the request, as they are sent */
    struct cg__cache_request request;
    struct cg__cached *stored; /* a response that the server may validate; NULL: none */
    bool refresh;              /* the response that was found is to be validated meanwhile */
    bool bypass;               /* a 304 was about another response: do not look it up again */
};

/* A request in progress; after a redirect, the redirected one. */
struct cg__asking {
    struct cg_http_client *client;
    const struct cg_http_fetch *fetch;
    const char *method;
    struct cg__url url;
    struct cg__site *site; /* of the URL; NULL: none is known, or it is that of a redirect */
    char *proxy_auth; /* value of Proxy-Authorization; or NULL */
    char *why;
    const char *moment; /* for the message, should the request end now: "before ..." */
    bool *put; /* set when the request may have been sent */
    struct cg_http_reply *reply;
    unsigned redirects; /* followed so far */
    unsigned retries;   /* made so far */
    int64_t begun_at;   /* the first attempt */
    bool with_body;
    bool refreshing; /* a stored response is validated for later requests */
    bool foreign; /* redirected to another host: no credentials */
    bool expect;
    bool begun;    /* the source has been read from */
    bool fresh;    /* do not use a connection from the pool */
    bool plain;    /* HTTP/1.1 only: for an upgrade, or because the server wants it */
    bool connected; /* the last attempt had a connection */
    unsigned interims; /* responses before the final one, in the last attempt */
    bool responded; /* the head of the final response has been read */
    bool unsent;    /* a part of the body was not sent */
    ssize_t broken; /* why the server takes no more of the request; 0: it does */
    uint64_t sent; /* bytes of the body */
    struct cg__sending *sending; /* the body is being sent; or NULL */
    struct cg__cached_asking *cached; /* never NULL */
};

/* Releases a reference. */
void cg__http_client_unref(struct cg_http_client *client);

#endif
