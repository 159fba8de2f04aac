/* SPDX-License-Identifier: MIT */
/* The reply: the body of a response, and what becomes of its connection. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_REPLY_H
#define COGEN_HTTP_CLIENT_CLIENT_REPLY_H

#include "http/client/client.h"

#include <stdlib.h>

/* A reply for a request, which takes a reference of the client: an unused one that the client has
 * kept, with the memory of its fields, or a new one. NULL: no memory. */
struct cg_http_reply *cg__http_client_reply_new(struct cg_http_client *client);

/* Frees a spare reply. */
static inline void cg__http_client_reply_forget(struct cg_http_reply *reply)
{
    cg__http_message_clear(&reply->headers);
    free(reply->url_room);
    free(reply);
}

/* Fills in the reply from the final head: whether a body follows, and how it is decoded.
 * The ownership of the link passes to the reply. */
ssize_t cg__http_client_reply_begin(struct cg_http_reply *reply, struct cg__link *link,
                                    const struct cg__asking *ask);

/* Called when the body of the request is no longer being sent. `unsent`: a part of it was not
 * sent, so that the connection cannot be used again. */
void cg__http_client_reply_settle(struct cg_http_reply *reply, bool unsent);

/* Stores the body of a reply that has begun in the cache while it is read; takes the reference.
 * NULL: it is not stored. */
void cg__http_client_reply_store(struct cg_http_reply *reply, struct cg__cached *stored);

/* Resets a reply for the head of the next response. */
void cg__http_client_reply_reset(struct cg_http_reply *reply);

/* Reads decoded bytes of the body: > 0, 0 at its end, negative. */
ssize_t cg__http_client_reply_next(struct cg_http_reply *reply, void *buf, size_t len);

/* Reads the whole body, at most limit bytes. 0 or a negative code. */
ssize_t cg__http_client_reply_whole(struct cg_http_reply *reply, size_t limit);

/* Frees a reply that no operation uses. */
void cg__http_client_reply_end(struct cg_http_reply *reply);

/* Discards the rest of the body of a redirect if it is short, so that its connection can be
 * used again; otherwise the connection is closed. */
void cg__http_client_reply_skip(struct cg_http_reply *reply);

#endif
