/* SPDX-License-Identifier: MIT */
/* What an upstream may know about the client. */
#ifndef COGEN_HTTP_GATEWAY_FORWARD_REVEAL_H
#define COGEN_HTTP_GATEWAY_FORWARD_REVEAL_H

#include "http/gateway/forward.h"

/* Adds Forwarded, X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host to ->fields. A trusted
 * client's own ones are continued. 0 or -ENOMEM. */
int cg__http_forward_reveal(struct cg__forward *forward, const char *client, bool trusted);

#endif
