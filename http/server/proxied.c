/* SPDX-License-Identifier: MIT */
/* See proxied.h. Only proxies that are named are asked for a header: from others its bytes
 * would be a claim of anybody, and are a bad request. */
#include "config.h"

#include "http/http1/proxy_header.h"
#include "http/message/network.h"
#include "http/server/clocks.h"
#include "http/server/proxied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_from_proxy(const struct cg__http_conn *conn)
{
    char peer[CG_ADDR_SIZE];

    return cg_sock_peer_addr(conn->sock, peer, sizeof peer) == 0 &&
           cg__http_network_is_trusted(conn->server->options.proxy_protocol,
                                       cg__http_network_host(peer));
}

/* The header stays unread until all of it has come. */
static ssize_t read_header(struct cg__http_conn *conn, char *client, int64_t deadline)
{
    size_t have = 0;

    for (;;) {
        struct cg_view view;
        ssize_t n = cg_yield(cg_borrow(conn->sock, &view, .least = have + 1,
                                       .timeout = CG_NEVER, .deadline = deadline));

        if (n < 0)
            return n;
        if (n == 0 || view.len <= have) { /* the end */
            if (n > 0)
                cg_view_release(&view, 0);
            return CG_EOF;
        }
        have = view.len;
        n = cg__http_proxy_header_parse(view.data, view.len, client);
        cg_view_release(&view, n > 0 ? (size_t)n : 0);
        if (n != 0)
            return n;
    }
}

ssize_t cg__http_proxied_begin(struct cg__http_conn *conn)
{
    char client[CG__PROXY_HEADER_CLIENT];
    ssize_t n;

    if (!is_from_proxy(conn))
        return 0;
    conn->phase = CG__HTTP_IN_HEAD;
    n = read_header(conn, client, cg__http_clocks_begin(conn));
    conn->phase = CG__HTTP_AT_WORK;
    if (n < 0 || *client == '\0')
        return n < 0 ? n : 0;
    conn->peer = strdup(client);
    conn->told = conn->peer != NULL;
    return conn->told ? 0 : -ENOMEM;
}
