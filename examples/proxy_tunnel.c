/* SPDX-License-Identifier: MIT */
/* CONNECT: a tunnel. The end of the stream in one direction is passed on, and the other
 * direction continues; a failure ends both, and so does silence in both. */
#include "proxy.h"

#include <errno.h>
#include <stdio.h>

ssize_t proxy_tunnel(struct cg_http_request *req, const struct proxy *proxy)
{
    const char *target = cg_http_request_target(req);
    struct cg_sock *client, *server;
    ssize_t n = cg_yield(cg_connect(target, &server, .timeout = proxy->patience));

    if (n < 0) {
        char why[512];

        snprintf(why, sizeof why, "%.300s: %s", target, cg_strerror(n));
        return proxy_refuse(req, n == -ETIMEDOUT ? 504 : 502, why);
    }
    n = cg_yield(cg_http_upgrade(req, 200, &client));
    if (n >= 0) {
        cg_yield(cg_relay(client, server, .timeout = proxy->patience, .weak_timeout = true));
        cg_sock_close(client);
        n = 0;
    }
    cg_sock_close(server);
    return n;
}
