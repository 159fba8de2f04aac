/* SPDX-License-Identifier: MIT */
/* Streams of HTTP/2 as sockets. */
#ifndef COGEN_HTTP_CLIENT_H2_TUNNEL_H
#define COGEN_HTTP_CLIENT_H2_TUNNEL_H

#include "http/client/client.h"

/* Makes a socket of the stream of a link, which ends with it. NULL: no memory; then the link
 * is unchanged. */
struct cg_sock *cg__http_client_h2_tunnel(struct cg_http_client *client,
                                          struct cg__link *link);

#endif
