/* SPDX-License-Identifier: MIT */
/* The response: its body, and what becomes of its connection. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_REPLY_H
#define COGEN_HTTP_CLIENT_CLIENT_REPLY_H

#include "http/client/client.h"

/* Makes the last head the answer: whether a body comes, and how it is decoded. Takes the
 * link over. */
ssize_t cg__http_client_reply_begin(struct cg_http_reply *reply, struct cg__link *link,
                                    const struct cg__asking *ask);

/* Bytes of the body, decoded: > 0, 0 at its end, negative. */
ssize_t cg__http_client_reply_next(struct cg_http_reply *reply, void *buf, size_t len);

/* Reads the body whole, at most limit bytes. */
ssize_t cg__http_client_reply_whole(struct cg_http_reply *reply, size_t limit);

/* Frees one that no op runs on. */
void cg__http_client_reply_end(struct cg_http_reply *reply);

/* Reads what is left of a body that nobody wants, if it is short; then gives up the
 * connection. */
void cg__http_client_reply_skip(struct cg_http_reply *reply);

#endif
