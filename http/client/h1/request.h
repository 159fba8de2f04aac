/* SPDX-License-Identifier: MIT */
/* The head of a request in HTTP/1.1. */
#ifndef COGEN_HTTP_CLIENT_H1_REQUEST_H
#define COGEN_HTTP_CLIENT_H1_REQUEST_H

#include "http/client/client.h"

/* Appends the head to a text. Returns 0 or -ENOMEM. */
int cg__http_client_h1_request_put(struct cg_http_headers *text, const struct cg__asking *ask,
                                   bool to_proxy);

/* Appends the line of a field. Returns 0 or -ENOMEM. */
int cg__http_client_h1_request_field(struct cg_http_headers *text, const char *name,
                                     size_t name_len, const char *value, size_t value_len);

#endif
