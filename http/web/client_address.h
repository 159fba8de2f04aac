/* SPDX-License-Identifier: MIT */
/* Lists of addresses in header fields. */
#ifndef COGEN_HTTP_WEB_CLIENT_ADDRESS_H
#define COGEN_HTTP_WEB_CLIENT_ADDRESS_H

#include <cogen.h>
#include <cogen/http_server.h>

/* All fields of this name as one list, which the caller frees. NULL: no memory. */
char *cg__http_client_address_list(const struct cg_http_headers *headers, const char *name);

#endif
