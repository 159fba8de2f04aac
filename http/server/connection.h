/* SPDX-License-Identifier: MIT */
/* A connection of the server. */
#ifndef COGEN_HTTP_SERVER_CONNECTION_H
#define COGEN_HTTP_SERVER_CONNECTION_H

#include "http/server/server.h"

/* The body of a connection's coroutine. */
ssize_t cg__http_connection_run(void *arg);

/* The same for a dormant connection, whose wait for a request is `op`. */
ssize_t cg__http_connection_resume(void *op);

/* The end of a guest that has stayed, in its last coroutine. Yields. */
void cg__http_connection_leave(struct cg__http_guest *guest);

#endif
