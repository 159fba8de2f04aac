/* SPDX-License-Identifier: MIT */
/* The body of a response, and what becomes of its connection behind it. */
#ifndef COGEN_HTTP_CLIENT_BODY_H
#define COGEN_HTTP_CLIENT_BODY_H

#include "http/client/client.h"

/* Fills in the reply from the final head: whether a body follows, and how it is decoded.
 * The ownership of the link passes to the reply. */
ssize_t cg__http_client_body_begin(struct cg_http_reply *reply, struct cg__link *link,
                                   const struct cg__asking *ask);

/* Called when the body of the request is no longer being sent. `unsent`: a part of it was not
 * sent, so that the connection cannot be used again. */
void cg__http_client_body_settle(struct cg_http_reply *reply, bool unsent);

/* Stores the body of a reply that has begun in the cache while it is read; takes the reference.
 * NULL: it is not stored. */
void cg__http_client_body_store(struct cg_http_reply *reply, struct cg__cached *stored);

/* Resets a reply for the head of the next response. */
void cg__http_client_body_reset(struct cg_http_reply *reply);

/* Reads decoded bytes of the body: > 0, 0 at its end, negative. */
ssize_t cg__http_client_body_next(struct cg_http_reply *reply, void *buf, size_t len);

/* Keeps bytes of a read that lost a race for the next read. */
void cg__http_client_body_keep(struct cg_http_reply *reply, const void *data, size_t size);

/* Reads the whole body, at most limit bytes. 0 or a negative code. */
ssize_t cg__http_client_body_whole(struct cg_http_reply *reply, size_t limit);

/* Discards the rest of the body of a redirect if it is short and comes soon, so that its connection
 * can be used again; otherwise the connection is closed. */
void cg__http_client_body_skip(struct cg_http_reply *reply);

#endif
