/* SPDX-License-Identifier: MIT */
/* Whether a request that has failed is sent again, and when. */
#ifndef COGEN_HTTP_CLIENT_RETRY_H
#define COGEN_HTTP_CLIENT_RETRY_H

#include "http/client/client.h"

/* Called with the result of an attempt: 0 if there is a response. Whether there should be
 * another one; *pause is the time until then, in ns. Does not look at the body. */
bool cg__http_client_retry_wants(struct cg__asking *ask, ssize_t result,
                                 int64_t *pause);

#endif
