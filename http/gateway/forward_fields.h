/* SPDX-License-Identifier: MIT */
/* The header fields of messages that are forwarded. */
#ifndef COGEN_HTTP_GATEWAY_FORWARD_FIELDS_H
#define COGEN_HTTP_GATEWAY_FORWARD_FIELDS_H

#include "http/gateway/forward.h"

/* Makes ->fields of the request. `upgrade`: it asks for another protocol. 0 or -ENOMEM. */
int cg__http_forward_fields_make(struct cg__forward *forward, bool upgrade);
void cg__http_forward_fields_free(struct cg__forward *forward);

/* Sets ->trailers to those of the request, which has ended, that an upstream may have: they say
 * as little of the client, and nothing about the connection, as its fields. 0 or -ENOMEM. */
int cg__http_forward_fields_pass_trailers(struct cg__forward *forward);

/* Whether a field concerns one connection and not the message: one of a list, or one that
 * Connection names, except Host, which requests cannot do without. */
bool cg__http_forward_fields_is_hop(const struct cg_http_headers *headers, const char *name);

/* Whether the library sends the field itself: the length of the body. */
bool cg__http_forward_fields_is_framing(const char *name);

/* The size of all fields as they are sent. */
size_t cg__http_forward_fields_size(const struct cg_http_headers *headers);

/* Sets the fields of the response; without Content-Length if the body is complete in memory
 * (`whole`). 0 or a negative code: a response must not be sent with a field missing. */
int cg__http_forward_fields_answer(struct cg__forward *forward, struct cg_http_reply *reply,
                                   bool whole);
int cg__http_forward_fields_trailers(struct cg__forward *forward, struct cg_http_reply *reply);

#endif
