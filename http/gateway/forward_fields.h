/* SPDX-License-Identifier: MIT */
/* The header fields of messages that are forwarded. */
#ifndef COGEN_HTTP_GATEWAY_FORWARD_FIELDS_H
#define COGEN_HTTP_GATEWAY_FORWARD_FIELDS_H

#include "http/gateway/forward.h"

/* Makes ->fields of the request, for all attempts; the caller frees them and ->trailers. `upgrade`:
 * the request asks for another protocol. 0 or -ENOMEM. */
int cg__http_forward_fields_make(struct cg__forward *forward, bool upgrade);

/* Sets ->trailers to those of the request that may be passed on; the request has been read to
 * its end. Trailers that concern one connection, or say who the client is, are left out. 0 or a
 * negative code. */
int cg__http_forward_fields_pass_trailers(struct cg__forward *forward);

/* The size of all fields as they are sent. */
size_t cg__http_forward_fields_size(const struct cg_http_headers *headers);

/* Lists the fields of an interim response that may be passed on, and an empty one at the end. */
void cg__http_forward_fields_interim(const struct cg_http_headers *headers,
                                     struct cg_http_field fields[CG_HTTP_HEADERS_COUNT + 1]);

/* Sets the fields of the response; without Content-Length if the body is complete in memory
 * (`whole`). 0 or a negative code: a response must not be sent with a field missing. */
int cg__http_forward_fields_answer(struct cg__forward *forward, struct cg_http_reply *reply,
                                   bool whole);

/* Sets Content-Length of the response. 0 or -ENOMEM. */
int cg__http_forward_fields_length(struct cg__forward *forward, size_t len);
int cg__http_forward_fields_trailers(struct cg__forward *forward, struct cg_http_reply *reply);

#endif
