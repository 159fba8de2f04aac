/* SPDX-License-Identifier: MIT */
/* Interim responses (1xx), whatever carries them. */
#ifndef COGEN_HTTP_CLIENT_INTERIM_H
#define COGEN_HTTP_CLIENT_INTERIM_H

#include "http/client/client.h"

enum { CG__HTTP_MOST_INTERIM = 100 }; /* interim responses before the final one */

/* Whether the last head was interim. Then another head follows. */
static inline bool cg__http_client_is_interim(const struct cg_http_reply *reply)
{
    return reply->head.status / 100 == 1 && reply->head.status != 101;
}

/* If the last head was interim, counts it, and passes it to the callback of the request.
 * Returns 0, or a code that ends the request. */
ssize_t cg__http_client_interim(struct cg__asking *ask);

#endif
