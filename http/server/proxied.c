/* SPDX-License-Identifier: MIT */
/* See proxied.h. A header is read only from the proxies that the options name. Any other peer could
 * name a client of its choice in it, so a header from such a peer is a bad request. */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/peer.h"
#include "http/server/proxied.h"

#include <cogen/proxied.h>

ssize_t cg__http_proxied_begin(struct cg__http_conn *conn)
{
    const char *client;
    ssize_t n;

    conn->phase = CG__HTTP_IN_HEAD;
    n = cg_yield(cg_read_proxy_header(conn->sock, .from = conn->server->options.proxy_protocol,
                                      .timeout = CG_NEVER,
                                      .deadline = cg__http_clocks_begin(conn)));
    conn->phase = CG__HTTP_AT_WORK;
    conn->told = n == 1;
    return n == 1 ? cg__http_peer_find(conn, &client) : n;
}
