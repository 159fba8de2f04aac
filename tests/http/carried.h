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

#endif
