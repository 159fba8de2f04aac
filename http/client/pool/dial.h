/* SPDX-License-Identifier: MIT */
/* New connections. */
#ifndef COGEN_HTTP_CLIENT_POOL_DIAL_H
#define COGEN_HTTP_CLIENT_POOL_DIAL_H

#include "http/client/pool/route.h"

/* Connects to where a route leads: link->sock. If it fails, that may be a socket, which the
 * caller closes. Yields. */
ssize_t cg__http_client_pool_dial(struct cg__link *link, struct cg__asking *ask,
                                  const struct cg__route *route);

#endif
