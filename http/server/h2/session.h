/* SPDX-License-Identifier: MIT */
/* What comes from the client, by way of nghttp2. */
#ifndef COGEN_HTTP_SERVER_H2_SESSION_H
#define COGEN_HTTP_SERVER_H2_SESSION_H

#include "http/server/h2/h2.h"

/* Makes the session and submits its settings. 0 or -ENOMEM. */
int cg__http_h2_session_open(struct cg__http_h2 *h2);

/* Takes bytes that have come, and returns how many: those of a few frames. Streams whose heads are
 * complete are then in h2->ready. */
size_t cg__http_h2_session_feed(struct cg__http_h2 *h2, const char *data, size_t len);

#endif
