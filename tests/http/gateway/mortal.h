/* SPDX-License-Identifier: MIT */
/* Upstreams that fail, and a gateway to them. */
#ifndef COGEN_TESTS_HTTP_GATEWAY_MORTAL_H
#define COGEN_TESTS_HTTP_GATEWAY_MORTAL_H

#include "tests/http/gateway/gateway_on.h"

/* An upstream that serves any number of connections: it reads a head, sends the first `dies`
 * bytes of its response and closes or resets the connection, or keeps it if that is all. */
struct mortal {
    const char *says;
    size_t dies;
    bool reset;
    int64_t pause;
    unsigned requests;
    struct cg_sock *listener;
    struct cg_coro *coro;
    char url[CG_ADDR_SIZE + 16];
};

extern struct mortal mortals[3];

/* Starts an upstream; bury ends it and its accepted connections. */
void bear(unsigned i, const char *says, size_t dies);
void bury(unsigned i);

/* MORTALS(count, .attempts = 2, ...) starts a gateway to the first of them. */
#define MORTALS(...) MORTALS_(__VA_ARGS__, )
#define MORTALS_(count, ...)                                                               \
    mortals_on(count, (struct cg_http_upstreams_options){.reserved = NULL, __VA_ARGS__})
void mortals_on(unsigned count, struct cg_http_upstreams_options options);

/* A client as a coroutine: asks the gateway, and reads the first bytes of the response into arg,
 * which has 64 bytes. */
ssize_t ask_slowly(void *arg);

#define SHORT OK_200(5, "hello")
#define STREAM                                                                             \
    HEAD_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n"
#define NEVER_OUT .failures = UINT32_MAX

#endif
