/* SPDX-License-Identifier: MIT */
/* Sends a request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_SEND_H
#define COGEN_HTTP_CLIENT_CLIENT_SEND_H

#include "http/client/client.h"

/* Sends a request by HTTP/1.1: see struct cg__carrier. */
ssize_t cg__http_client_send(struct cg__link *link, struct cg__asking *ask,
                             ssize_t *broken);

#endif
