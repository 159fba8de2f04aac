/* SPDX-License-Identifier: MIT */
/* A request and the head of its response, on one connection or, if the server has not processed the
 * request there, on another. */
#ifndef COGEN_HTTP_CLIENT_EXCHANGE_H
#define COGEN_HTTP_CLIENT_EXCHANGE_H

#include "http/client/client.h"

/* Opens a connection, sends the request and reads the heads of responses up to the final one. 0:
 * the link is open, and the body of the request may go on being sent; or a negative code. */
ssize_t cg__http_client_exchange(struct cg__asking *ask, struct cg__link *link);

#endif
