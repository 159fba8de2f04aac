/* SPDX-License-Identifier: MIT */
/* Sends a request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_SEND_H
#define COGEN_HTTP_CLIENT_CLIENT_SEND_H

#include "http/client/client.h"

/* Sends the head and, unless an answer is there before, the body. Answers 0 as well when
 * the server would take no more: perhaps it has said why; then the failure is in
 * *broken. */
ssize_t cg__http_client_send(struct cg__link *link, struct cg__asking *ask,
                             ssize_t *broken);

/* "Basic ..." of "user:password"; malloc'd, NULL: no memory. */
char *cg__http_client_send_basic(const char *user);

#endif
