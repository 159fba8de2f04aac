/* SPDX-License-Identifier: MIT */
/* Connections that proxies in front of the server begin with the PROXY protocol. */
#ifndef COGEN_HTTP_SERVER_PROXIED_H
#define COGEN_HTTP_SERVER_PROXIED_H

#include "http/server/server.h"

/* Reads the header if the connection comes from a proxy. Returns 0, or a negative code: the
 * connection must be closed. */
ssize_t cg__http_proxied_begin(struct cg__http_conn *conn);

#endif
