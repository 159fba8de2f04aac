/* SPDX-License-Identifier: MIT */
/* The reply, as an object. */
#ifndef COGEN_HTTP_CLIENT_REPLY_H
#define COGEN_HTTP_CLIENT_REPLY_H

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

/* Frees a reply that no operation uses. */
void cg__http_client_reply_end(struct cg_http_reply *reply);

#endif
