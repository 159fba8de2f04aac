/* SPDX-License-Identifier: MIT */
/* A gateway under test: the server of http_serve.h forwards /up/ to scripts. */
#ifndef COGEN_TESTS_HTTP_GATEWAY_GATEWAY_ON_H
#define COGEN_TESTS_HTTP_GATEWAY_GATEWAY_ON_H

#include <cogen/http_gateway.h>

#include "tests/http/http_script.h"
#include "tests/http/http_serve.h"

extern struct script up[3];
extern struct cg_http_client *client;
extern struct cg_http_upstreams *upstreams;
extern char said[8192]; /* all that the gateway has logged, each with a newline */

/* GATEWAY(count, .attempts = 2, ...) starts a server that forwards to the first `count`
 * scripts; gateway_off stops it. Connecting may take 3 s, and a silent upstream 20 s. */
#define GATEWAY(...) GATEWAY_(__VA_ARGS__, )
#define GATEWAY_(count, ...)                                                               \
    gateway_on(count, (struct cg_http_upstreams_options){.reserved = NULL, __VA_ARGS__})
void gateway_on(unsigned count, struct cg_http_upstreams_options options);
void gateway_off(void);

#define GET_UP "GET /up/x" V CLOSE
#define POST_UP "POST /up/x" V CLOSE

/* Check that an upstream has received a piece of a request, or that it has not; that a text
 * has a piece; and how often it has it. */
void saw(const struct script *script, const char *piece);
void saw_not(const struct script *script, const char *piece);
void has(const char *text, const char *piece);
unsigned times(const char *text, const char *piece);

#endif
