/* SPDX-License-Identifier: MIT */
/* SOCKS5 (RFC 1928, 1929). */
#ifndef COGEN_HTTP_CLIENT_POOL_SOCKS_H
#define COGEN_HTTP_CLIENT_POOL_SOCKS_H

#include "http/client/client.h"

/* Asks a proxy, which sock is connected to, for a connection to the host of a URL. The proxy
 * looks its name up if its scheme is socks5h, otherwise we do. All of it takes at most the
 * client's .connect_timeout. 0; CG_EHTTP_PROXY; -ETIMEDOUT; the errors of cg_resolve. Yields. */
ssize_t cg__http_client_pool_socks(struct cg_sock *sock, const struct cg__url *proxy,
                                   const struct cg__url *to, struct cg_http_client *client,
                                   char *why);

#endif
