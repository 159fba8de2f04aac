/* SPDX-License-Identifier: MIT */
/* Where http_client connects to: the options --resolve, --connect-to and --unix-socket, as curl
 * has them. */
#ifndef EXAMPLES_HTTP_CLIENT_TARGETS_H
#define EXAMPLES_HTTP_CLIENT_TARGETS_H

#include <cogen/http_client.h>

/* Each adds what an option says: "HOST:PORT:ADDR", "HOST1:PORT1:HOST2:PORT2", or the path of a
 * socket. NULL, or why it is wrong. */
const char *targets_resolve(const char *text);
const char *targets_connect(const char *text);
const char *targets_unix(const char *path);

/* For the client's options; NULL: none. */
const struct cg_http_target *targets_list(void);

void targets_free(void);

#endif
