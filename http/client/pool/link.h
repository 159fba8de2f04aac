/* SPDX-License-Identifier: MIT */
/* A connection for a request. */
#ifndef COGEN_HTTP_CLIENT_POOL_LINK_H
#define COGEN_HTTP_CLIENT_POOL_LINK_H

#include "http/client/client.h"

/* Gets a connection for a request: waits until the pool allows one, takes an idle one or
 * connects, through a proxy and with TLS if needed. 0 or a negative code. Yields. */
ssize_t cg__http_client_pool_link_open(struct cg__link *link, struct cg__asking *ask);

/* Returns a connection to the pool, or closes it. */
void cg__http_client_pool_link_end(struct cg__link *link, struct cg_http_client *client,
                                   bool keep);

#endif
