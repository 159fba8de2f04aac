/* SPDX-License-Identifier: MIT */
/* An HTTP client under test, and the server of HTTP/2 that it sends requests to. */
#ifndef COGEN_TESTS_HTTP_HTTP2_H2_ASK_H
#define COGEN_TESTS_HTTP_HTTP2_H2_ASK_H

#include "tests/http/http2/h2_peer.h"
#include "tests/http/http_ask.h"

extern struct h2_peer peer;

#define PRIOR .protocols = CG_HTTP_H2 | CG_HTTP_H2C
#define AT(path) h2_peer_url(&peer, "http", path)
#define ASK(path) cg_yield(cg_http_get(client, AT(path), &reply, .why = why))

/* Frees the client and stops the server. */
void finish(void);

/* The source of a body, `len` bytes of test_fill, at most `step` at a time; 0: as many as fit. */
struct made {
    size_t at, len, step;
    unsigned rewound;
};

ssize_t make(void *made, void *buf, size_t size);
int make_again(void *made);

/* A request in a coroutine of its own, which runs asks(). */
struct asked {
    struct h2_peer *peer;
    const char *path, *scheme;
    int64_t timeout;
    ssize_t result;
    char body[32];
};

ssize_t asks(void *asked);

/* MANY of them at the same time; then, checks that all have this result. */
enum { MANY = 60 };

void ask_many(struct asked *all, const char *path, const char *scheme);
void all_are(const struct asked *all, ssize_t result);

#endif
