/* SPDX-License-Identifier: MIT */
/* A server of HTTP/2 for tests of the client, by the server's side of nghttp2. What it does
 * with a request stands in the path. */
#ifndef COGEN_TESTS_HTTP_HTTP2_H2_PEER_H
#define COGEN_TESTS_HTTP_HTTP2_H2_PEER_H

#include <cogen/http_client.h>

#include "tests/support/support.h"

enum { H2_CONNECTIONS = 512, H2_IDS = 1024, H2_BIG = 300 * 1000, HALF_FIELDS = 45 };

/* Paths:
 *   /ok          200 with "ok", and Content-Length
 *   /big         200 with H2_BIG bytes of test_fill
 *   /count       200 with the number of bytes of the request's body, all of test_fill, and
 *                its trailer x-t
 *   /early       200 with "early" at once; the body of the request is not taken
 *   /interim     103 twice, then like /ok
 *   /trailers    200 with "body" and the trailer x-t: yes
 *   /status/N    status N without a body
 *   /never       no response
 *   /head        a head, and no body after it
 *   /hold        a head; the test itself sends the body, 5 bytes
 *   /reset, /refuse, /1.1    RST_STREAM: INTERNAL_ERROR, REFUSED_STREAM, HTTP_1_1_REQUIRED
 *   /half        "half" of a body, then RST_STREAM
 *   /short       fewer bytes than Content-Length says
 *   /goaway      GOAWAY, then like /ok
 *   /leave       GOAWAY that leaves this request out, and the end of the connection
 *   /cut         "cut", and the end of the connection
 *   /fields/N    N fields; /long/N: a field of N bytes
 *   /bad         a field with an invalid name
 *   /pings, /settings, /empty    many frames of this kind, then like /ok
 *   /few-pings   1000 of them, then no response
 *   /late-interims, /late-resets    many of them for the stream before this one, if there is one,
 *                then like /ok
 *   /push        PUSH_PROMISE
 *   /idle        DATA for a stream that was never opened
 *   /half-head   the first half of a head; /half-fields: with HALF_FIELDS fields
 *   /no-streams  SETTINGS that allow no streams, then like /ok */
struct h2_peer {
    /* Set before the start: */
    uint32_t most;   /* streams at a time; 0: 100 */
    bool stingy;     /* opens no windows */
    bool deaf;       /* does not read, for the time being */
    unsigned lives;  /* requests, after which a connection says GOAWAY; 0: no limit */

    struct cg_sock *listener;
    struct cg_coro *coro, *conns[H2_CONNECTIONS];
    struct cg_sock *socks[H2_CONNECTIONS];
    char addr[CG_ADDR_SIZE];
    unsigned connections, requests;
    unsigned open, most_open; /* streams */
    unsigned resets;          /* RST_STREAM received */
    unsigned char processed[H2_IDS]; /* how often /count was, by the field x-id; else 0 */
    char seen[64 * 1024];     /* "name: value\n" of all requests */
};

void h2_peer_start(struct h2_peer *peer);
void h2_peer_end(struct h2_peer *peer);

/* Closes its connections. */
void h2_peer_hang_up(struct h2_peer *peer);

/* The URL of a path, in a buffer that the fourth call after this one overwrites. */
const char *h2_peer_url(const struct h2_peer *peer, const char *scheme, const char *path);

/* A client's "TLS" that encrypts nothing, and that agrees on the first of `accepts` that is
 * offered. */
struct h2_alpn {
    const char *accepts; /* "h2", "http/1.1" */
    char offered[64];
    unsigned handshakes;
    unsigned sends; /* of the client, on all connections */
    ssize_t fails; /* with this code; 0: it does not */
    ssize_t broken; /* what the client receives instead of bytes; 0: nothing */
    ssize_t unpolled; /* the result of polls; 0: the usual one */
    int64_t pause;
};
ssize_t h2_alpn_connect(void *alpn, struct cg_sock *inner, const char *host,
                        const char *offer, struct cg_sock **sock, char *why);

#endif
