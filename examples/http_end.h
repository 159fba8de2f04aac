/* SPDX-License-Identifier: MIT */
/* How the HTTP servers among the examples end. */
#ifndef EXAMPLES_HTTP_END_H
#define EXAMPLES_HTTP_END_H

#include <cogen/http_server.h>

/* Serves until SIGINT or SIGTERM comes; then no more connections are accepted, and those
 * requests that run have `grace` ns to finish, or until the next signal. Closes the
 * listener. Returns 0, or why it could not serve or wait. */
ssize_t http_serve_to_end(struct cg_http_server *server, struct cg_sock *listener,
                          int64_t grace);

#endif
