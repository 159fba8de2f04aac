/* SPDX-License-Identifier: MIT */
/* One request that is being forwarded. */
#ifndef COGEN_HTTP_GATEWAY_FORWARD_H
#define COGEN_HTTP_GATEWAY_FORWARD_H

#include <cogen.h>
#include <cogen/http_gateway.h>

#include "http/message/message.h"

struct cg__upstream;
struct cg_starter;

struct cg__forward {
    struct cg_http_request *req;
    const struct cg_http_hop *hop;
    const char *path; /* and query, which follow the URL of the upstream; NULL: ->url is whole */
    /* One attempt: */
    struct cg_http_client *client;
    struct cg__upstream *upstream; /* NULL: it is of no set */
    bool early; /* the upstream is tried before its time, as all are out */
    const char *url;
    uint8_t proxy_protocol; /* the version of the PROXY protocol; 0: none */
    char *why;
    enum cg_http_fault fault;
    ssize_t result; /* of handing the response back; 0: there is none yet */
    /* What is passed on of the request, and Max-Forwards, if it has that. */
    struct cg_http_headers fields, trailers;
    char hops[16];
    struct cg_http_proxied proxied; /* whom the PROXY protocol tells the upstream */
    char client_end[CG_ADDR_SIZE], own_end[CG_ADDR_SIZE];
    /* The request's body. */
    int64_t received;
    bool read;      /* some of it has been asked for */
    bool read_all;  /* it has ended */
    ssize_t broken; /* why the client is lost; 0: it is not */
    bool sent;      /* bytes of the request may have been sent */
    /* For the watch on the client: forward_watch.c. */
    struct cg_starter **starter; /* of watches; NULL at first, and freed by the caller */
    int64_t waits;          /* since when a piece of the response is awaited; 0: it is not */
    bool answering;         /* the final response is being written, or follows at once */
    struct cg_mutex saying; /* held while a head is written to the client */
};

static inline bool cg__http_forward_is_http2(const struct cg__forward *forward)
{
    return strcmp(cg_http_request_protocol(forward->req), "HTTP/2") == 0;
}

/* Whether the client asks for a protocol that may be asked for. */
static inline bool cg__http_forward_wants_upgrade(const struct cg__forward *forward)
{
    struct cg_http_request *req = forward->req;
    const char *to = cg_http_request_header(req, "Upgrade");
    const char *allowed = forward->hop->upgrades != NULL ? forward->hop->upgrades : "websocket";

    return to != NULL && cg__http_message_has_word(allowed, to) &&
           cg_http_headers_has(cg_http_request_headers(req), "Connection", "upgrade") &&
           cg_http_request_minor(req) > 0 && cg_http_request_length(req) == 0;
}

/* Forwards the request once. Completes as cg_http_forward_to does, and sets ->fault. */
ssize_t cg__http_forward_once(struct cg__forward *forward);

/* Responds to a request that must not be forwarded: it has come by here before (508), Max-Forwards
 * is 0, or an extended CONNECT, which only HTTP/2 has, asks for a protocol that may not be asked
 * for (501). Returns a status; 0: the request is to be forwarded; or a negative code. */
ssize_t cg__http_forward_last(struct cg__forward *forward);

/* Runs fn(arg), which forwards the request, until the client has left. */
ssize_t cg__http_forward_watch(struct cg__forward *forward, cg_fn *fn, void *arg);

#endif
