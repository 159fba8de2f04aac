/* SPDX-License-Identifier: MIT */
/* See proxied.h. Only proxies that are named are asked for a header: from others its bytes
 * would be a claim of anybody, and are a bad request. */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/peer.h"
#include "http/server/proxied.h"
#include "lib/base/network.h"

#include <cogen/proxied.h>

static bool is_from_proxy(const struct cg__http_conn *conn)
{
    char peer[CG_ADDR_SIZE];

    return cg_sock_peer_addr(conn->sock, peer, sizeof peer) == 0 &&
           cg__network_trusts(conn->server->options.proxy_protocol, cg__network_host(peer)) > 0;
}

ssize_t cg__http_proxied_begin(struct cg__http_conn *conn)
{
    const char *client;
    ssize_t n;

    if (!is_from_proxy(conn))
        return 0;
    conn->phase = CG__HTTP_IN_HEAD;
    n = cg_yield(cg_read_proxy_header(conn->sock, .timeout = CG_NEVER,
                                      .deadline = cg__http_clocks_begin(conn)));
    conn->phase = CG__HTTP_AT_WORK;
    conn->told = n == 1;
    return n == 1 ? cg__http_peer_find(conn, &client) : n;
}
