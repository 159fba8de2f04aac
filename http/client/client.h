/* SPDX-License-Identifier: MIT */
/* The inside of the HTTP client. A request goes through the files in this order: fetch
 * (redirects, retries), link (a connection), send, reply (head and body). */
#ifndef COGEN_HTTP_CLIENT_CLIENT_H
#define COGEN_HTTP_CLIENT_CLIENT_H

#include <cogen/http_client.h>
#include <cogen/sched.h>
#include <cogen/sock.h>

#include "http/client/client_pool.h"
#include "http/client/client_proxy.h"
#include "http/http1/parser.h"
#include "http/message/url.h"

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

/* Releases a reference. */
void cg__http_client_unref(struct cg_http_client *client);

#endif
