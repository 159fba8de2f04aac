/* SPDX-License-Identifier: MIT */
/* Sends a request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_SEND_H
#define COGEN_HTTP_CLIENT_CLIENT_SEND_H

#include "http/client/client.h"

/* Sends the head and, unless the final response comes before, the body. If the server has
 * closed the connection, returns 0 and stores the failure in *broken: a response that
 * says why may have come. */
ssize_t cg__http_client_send(struct cg__link *link, struct cg__asking *ask,
                             ssize_t *broken);

/* Makes "Basic ..." from "user:password", to be freed with free(); NULL: no memory. */
char *cg__http_client_send_basic(const char *user);

#endif
