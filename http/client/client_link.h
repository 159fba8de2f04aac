/* SPDX-License-Identifier: MIT */
/* A connection for a request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_LINK_H
#define COGEN_HTTP_CLIENT_CLIENT_LINK_H

#include "http/client/client.h"

/* A connection for what is asked; waits for a place, connects, passes proxies, shakes
 * hands. */
ssize_t cg__http_client_link_open(struct cg__link *link, struct cg__asking *ask);

/* Gives it back: to be kept, or closed. */
void cg__http_client_link_end(struct cg__link *link, struct cg_http_client *client,
                              bool keep);

#endif
