/* SPDX-License-Identifier: MIT */
/* Sends a request. */
#ifndef COGEN_HTTP_CLIENT_H1_SEND_H
#define COGEN_HTTP_CLIENT_H1_SEND_H

#include "http/client/sending.h"

/* Parts of the carrier HTTP/1.1: see struct cg__carrier. */
ssize_t cg__http_client_h1_send(struct cg__link *link, struct cg__asking *ask);
ssize_t cg__http_client_h1_send_body(struct cg__sending *sending);
ssize_t cg__http_client_h1_send_listen(struct cg__sending *sending);

#endif
