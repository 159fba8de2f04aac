/* SPDX-License-Identifier: MIT */
/* The header fields of a request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_FIELDS_H
#define COGEN_HTTP_CLIENT_CLIENT_FIELDS_H

#include "http/client/client.h"

/* Adds the fields of a request to an empty list, but not those that say how its body is
 * framed. to_proxy: the request is sent to a proxy, which forwards it. 0; -ENOMEM;
 * -EINVAL, with a message: a value cannot be sent. */
int cg__http_client_fields(struct cg_http_headers *fields, const struct cg__asking *ask,
                           bool to_proxy);

/* Whether a field of the caller with this name is sent. */
bool cg__http_client_fields_has(const struct cg__asking *ask, const char *name,
                                bool to_proxy);

/* Makes "Basic ..." from "user:password", to be freed with free(); NULL: no memory. */
char *cg__http_client_fields_basic(const char *user);

#endif
