/* SPDX-License-Identifier: MIT */
/* What the PROXY protocol tells the upstream. */
#ifndef COGEN_HTTP_GATEWAY_FORWARD_PROXIED_H
#define COGEN_HTTP_GATEWAY_FORWARD_PROXIED_H

#include "http/gateway/forward.h"

/* The client of the request; NULL: the upstream is told nothing. */
const struct cg_http_proxied *cg__http_forward_proxied(struct cg__forward *forward);

#endif
