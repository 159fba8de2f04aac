/* SPDX-License-Identifier: MIT */
/* The header fields of a request. */
#ifndef COGEN_HTTP_CLIENT_FIELDS_H
#define COGEN_HTTP_CLIENT_FIELDS_H

#include "http/client/client.h"

/* Appends a field, whose texts are valid: to a list, as cg__http_message_put does, or as a
 * carrier lays it out. 0 or -ENOMEM. */
typedef int cg__fields_put(struct cg_http_headers *to, const char *name, size_t name_len,
                           const char *value, size_t value_len);

/* Appends the fields of a request, but not those that say how its body is framed, by `put`.
 * to_proxy: the request is sent to a proxy, which forwards it. 0 or -ENOMEM. */
int cg__http_client_fields(struct cg_http_headers *to, cg__fields_put *put,
                           const struct cg__asking *ask, bool to_proxy);

/* Whether a field of the caller with this name is sent. */
bool cg__http_client_fields_has(const struct cg__asking *ask, const char *name,
                                bool to_proxy);

/* Makes "Basic ..." from "user:password", to be freed with free(); NULL: no memory. */
char *cg__http_client_fields_basic(const char *user);

#endif
