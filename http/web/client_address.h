/* SPDX-License-Identifier: MIT */
/* The address of a client; lists of addresses. */
#ifndef COGEN_HTTP_WEB_CLIENT_ADDRESS_H
#define COGEN_HTTP_WEB_CLIENT_ADDRESS_H

#include <cogen.h>
#include <cogen/http_server.h>

/* Writes the parameter "client-address", or else the address of the connection's other end,
 * without port, brackets and zone, "unix" for a UNIX socket. 0 or a negative code. */
int cg__http_client_address(struct cg_http_request *req, char buf[static CG_ADDR_SIZE]);

/* All fields of this name as one list, which the caller frees. NULL: no memory. */
char *cg__http_client_address_list(const struct cg_http_headers *headers, const char *name);

#endif
