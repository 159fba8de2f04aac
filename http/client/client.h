/* SPDX-License-Identifier: MIT */
/* The inside of the HTTP client. A request goes through the files in this order: fetch
 * (redirects, retries), link (a connection), send, reply (head and body). */
#ifndef COGEN_HTTP_CLIENT_CLIENT_H
#define COGEN_HTTP_CLIENT_CLIENT_H

#include <cogen/http_client.h>
#include <cogen/sched.h>
#include <cogen/sock.h>

#include "http/coding/decoder.h"
#include "http/http1/parser.h"
#include "http/client/client_pool.h"
#include "http/client/client_proxy.h"
#include "http/message/url.h"

enum {
    CG__MOST_INTERIM = 100
}; /* answers 1xx before the last one */

struct cg_http_client {
    struct cg_http_client_options options; /* without zeros; the texts are our own */
    struct cg_http_tls tls;
    struct cg__http_limits limits; /* of a reply's head */
    struct cg__proxies proxies;
    struct cg__pool pool;
    struct cg_sched *sched; /* that of the first request */
    char *user_agent;
    unsigned refs; /* the owner's, each request's and each unread reply's */
    bool freed;    /* by its owner */
};

/* A connection in use. */
struct cg__link {
    struct cg_sock *sock;
    struct cg__origin *lease;
    bool kept;     /* it comes from the pool */
    bool to_proxy; /* requests name the whole URL */
    bool spoiled;  /* good for this answer, then to be closed */
};

struct cg_http_reply {
    struct cg_http_client *client;
    struct cg_object object;
    struct cg_scope *scope; /* of what a read waits for */
    struct cg__link link; /* while the body is to come */
    struct cg__url url;
    struct cg_http_headers headers, trailers;
    struct cg__http_parser parser;
    struct cg__decoder *decoder;
    char *body;
    size_t size;
    char *kept; /* what a read that lost a race had got; NULL: nothing */
    size_t kept_from, kept_to;
    int64_t received;
    int64_t length;
    ssize_t error; /* what reading the body answers from now on */
    unsigned status;
    uint32_t reason; /* place in headers */
    bool touched;    /* some byte of it has come */
    bool ended;      /* no more bytes are to come */
    bool more;       /* bytes have come that are not its own, as far as was looked */
    bool decoded;
    char why[CG_HTTP_WHY_SIZE];
};

/* One request on its way: what is asked for now, after redirects. */
struct cg__asking {
    struct cg_http_client *client;
    const struct cg_http_fetch *fetch;
    const char *method;
    struct cg__url url;
    char *proxy_auth; /* a field's value for the proxy; NULL: none */
    char *why;
    struct cg_http_reply *reply;
    unsigned redirects; /* that were followed */
    bool with_body;
    bool foreign; /* redirected to another host: no credentials */
    bool expect;
    bool begun;    /* the source has been read from */
    bool fresh;    /* kept connections are not trusted */
    bool answered; /* the head of the answer is there */
    uint64_t sent; /* bytes of the body */
};

/* Puts a failure into words, which are printable ASCII, and answers its code. why may be
 * NULL, or among the arguments. */
__attribute__((format(printf, 3, 4))) ssize_t
cg__http_client_because(char *why, ssize_t code, const char *format, ...);

/* ---- client_fetch.c ---- */

/* Hands an interim answer on to who fetches. 0, or the code that ends the request. */
ssize_t cg__http_client_fetch_interim(struct cg__asking *ask);

/* ---- client.c ---- */

void cg__http_client_unref(struct cg_http_client *client);

/* ---- client_link.c ---- */

/* A connection for what is asked; waits for a place, connects, passes proxies, shakes
 * hands. */
ssize_t cg__http_client_link_open(struct cg__link *link, struct cg__asking *ask);

/* Gives it back: to be kept, or closed. */
void cg__http_client_link_end(struct cg__link *link, struct cg_http_client *client,
                              bool keep);

/* ---- client_send.c ---- */

/* Sends the head and, unless an answer is there before, the body. Answers 0 as well when
 * the server would take no more: perhaps it has said why; then the failure is in
 * *broken. */
ssize_t cg__http_client_send(struct cg__link *link, struct cg__asking *ask,
                             ssize_t *broken);

/* "Basic ..." of "user:password"; malloc'd, NULL: no memory. */
char *cg__http_client_send_basic(const char *user);

/* ---- client_reply.c ---- */

/* Whether the last head was an interim one: another will follow. */
static inline bool cg__http_client_reply_is_interim(const struct cg_http_reply *reply)
{
    return reply->parser.status / 100 == 1 && reply->parser.status != 101;
}

/* Reads the next head, an interim one (1xx) or the last; waits for its first byte so long
 * at most. 0 or a negative code, with words. The method is that of the request. */
ssize_t cg__http_client_reply_head(struct cg_http_reply *reply, const char *method,
                                   int64_t timeout, char *why);

/* Makes the last head the answer: whether a body comes, and how it is decoded. Takes the
 * link over. */
ssize_t cg__http_client_reply_begin(struct cg_http_reply *reply, struct cg__link *link,
                                    const struct cg__asking *ask);

/* Bytes of the body, decoded: > 0, 0 at its end, negative. */
ssize_t cg__http_client_reply_next(struct cg_http_reply *reply, void *buf, size_t len);

/* Reads the body whole, at most limit bytes. */
ssize_t cg__http_client_reply_whole(struct cg_http_reply *reply, size_t limit);

/* Frees one that no op runs on. */
void cg__http_client_reply_end(struct cg_http_reply *reply);

/* Reads what is left of a body that nobody wants, if it is short; then gives up the
 * connection. */
void cg__http_client_reply_skip(struct cg_http_reply *reply);

#endif
