/* SPDX-License-Identifier: MIT */
/* How long a connection may wait for its client. */
#ifndef COGEN_HTTP_SERVER_CLOCKS_H
#define COGEN_HTTP_SERVER_CLOCKS_H

#include "http/server/server.h"
#include "lib/base/moment.h"

/* The deadline for the next bytes of a head of which `size` bytes have come: header_timeout
 * after its first byte (conn->since), or earlier if it would fall behind header_rate. */
int64_t cg__http_clocks_head(const struct cg__http_conn *conn, size_t size);

/* The deadline for what comes before the first request: a proxy's header, a TLS handshake. */
int64_t cg__http_clocks_begin(const struct cg__http_conn *conn);

/* How long the connection may be without a request. */
static inline int64_t cg__http_clocks_idle(const struct cg__http_conn *conn)
{
    const struct cg_http_server *server = conn->server;
    int64_t timeout =
        conn->requests ? server->options.idle_timeout : server->options.header_timeout;

    return server->draining && server->drain_idle < timeout ? server->drain_idle
                                                            : timeout;
}

#endif
