/* SPDX-License-Identifier: MIT */
/* The head of a response. */
#ifndef COGEN_HTTP_CLIENT_H1_HEAD_H
#define COGEN_HTTP_CLIENT_H1_HEAD_H

#include "http/client/client.h"

enum { CG__HTTP_MOST_INTERIM = 100 }; /* interim responses before the final one */

/* Whether the last head was an interim one (1xx): another follows. */
static inline bool cg__http_client_h1_head_is_interim(const struct cg_http_reply *reply)
{
    return reply->head.status / 100 == 1 && reply->head.status != 101;
}

/* Reads the next head of HTTP/1.1: see struct cg__carrier. */
ssize_t cg__http_client_h1_head_read(struct cg_http_reply *reply, const char *method,
                                   int64_t timeout, char *why);

/* The error for a head or body that the parser has refused, with a message. */
ssize_t cg__http_client_h1_head_refused(const struct cg__http_parser *parser, char *why);

/* Counts an interim response, and passes it to the callback of the request. 0, or a code that
 * ends the request. */
ssize_t cg__http_client_h1_head_interim(struct cg__asking *ask);

#endif
