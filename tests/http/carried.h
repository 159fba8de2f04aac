/* SPDX-License-Identifier: MIT */
/* Connected sockets that a server's handler and a client have after an upgrade, by HTTP/1.1 or
 * HTTP/2. */
#ifndef COGEN_TESTS_HTTP_CARRIED_H
#define COGEN_TESTS_HTTP_CARRIED_H

#include <cogen/http_client.h>
#include <cogen/http_server.h>

#include "tests/support/support.h"

/* From carried_begin to carried_end: */
extern struct cg_http_server *carried_server;
extern struct cg_http_client *carried_client;

void carried_begin(bool h2);
void carried_end(void);

/* The URL of a path of the server; valid until the next call. */
const char *carried_url(const char *path);

/* Makes a pair: the server's socket, whose handler has returned, and the client's. By HTTP/2,
 * all pairs share a connection. */
void carried_pair(struct cg_sock **served, struct cg_sock **asked);

/* The same by a URL, which may be redirected to the server's "/". */
void carried_pair_at(const char *url, struct cg_sock **served, struct cg_sock **asked);

/* CARRIED(fn) makes tests of a function: by_h1 calls fn(false), and by_h2, if HTTP/2 is built,
 * fn(true). CARRIED_CASES are their entries in a table of cases. */
#ifdef HAVE_NGHTTP2
#define CARRIED(fn) CARRIED_BY(by_h1, fn, false) CARRIED_BY(by_h2, fn, true)
#define CARRIED_CASES CORO(by_h1, .where = ON_SIM), CORO(by_h2, .where = ON_SIM)
#else
#define CARRIED(fn) CARRIED_BY(by_h1, fn, false)
#define CARRIED_CASES CORO(by_h1, .where = ON_SIM)
#endif
#define CARRIED_BY(name, fn, h2)                                                           \
    static ssize_t name(void *arg)                                                         \
    {                                                                                      \
        (void)arg;                                                                         \
        fn(h2);                                                                            \
        return 0;                                                                          \
    }

#endif
