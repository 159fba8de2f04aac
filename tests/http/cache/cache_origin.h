/* SPDX-License-Identifier: MIT */
/* A server for tests of the client's cache. It knows what it was asked, and validates what has
 * its entity tag or date. */
#ifndef COGEN_TESTS_HTTP_CACHE_CACHE_ORIGIN_H
#define COGEN_TESTS_HTTP_CACHE_CACHE_ORIGIN_H

#include <cogen/http_cache.h>
#include <cogen/http_client.h>

#include "tests/support/support.h"

/* What the server responds with; changed by the test at any time. In fields "@-10" stands for
 * the date ten seconds before the start. */
struct origin {
    const char *line;   /* "200 OK" */
    const char *fields; /* each with its CRLF; Date and Content-Length are added */
    const char *body;   /* NULL: the number of the request */
    const char *raw;    /* NULL: or all that is sent */
    const char *again;  /* fields of a 304; NULL: the same as in `fields` */
    bool undated, breaks;
    int64_t pause, began;
    unsigned asked;       /* requests so far */
    char request[8192];   /* the last one */
    char url[CG_ADDR_SIZE + 16];
    struct cg_sock *listener;
    struct cg_coro *coro;
};

extern struct origin origin;

void origin_start(void);
void origin_end(void);

/* Whether the last request has a piece. */
bool origin_heard(const char *piece);

#endif
