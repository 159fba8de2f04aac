/* SPDX-License-Identifier: MIT */
/* Bodies of requests that are read while they are sent. */
#ifndef COGEN_HTTP_CLIENT_SOURCE_H
#define COGEN_HTTP_CLIENT_SOURCE_H

#include "http/client/client.h"

/* Reads the next piece of the body, from its source or file, behind the ask->sent bytes that
 * were sent. Returns its length, at most `size`; *last: no piece follows. Negative, with a
 * message in `why`: the source has failed, or has not the length that it has announced. */
ssize_t cg__http_client_source_read(struct cg__asking *ask, char *buf, size_t size,
                                    bool *last, char *why);

/* Rewinds the body, if pieces of it have been read. False: it cannot be sent again. */
bool cg__http_client_source_rewind(struct cg__asking *ask);

#endif
