/* SPDX-License-Identifier: MIT */
/* The option --protocols of the HTTP servers among the examples. */
#ifndef EXAMPLES_HTTP_PROTOCOLS_H
#define EXAMPLES_HTTP_PROTOCOLS_H

#include "common.h"

#define HTTP_PROTOCOLS_HELP "any of h1, h2 (over TLS), h2c (without TLS) (h1,h2)"

/* Reads "h1,h2,h2c" in any order; `tls`: the server speaks TLS. Exits if they are wrong.
 * Returns enum cg_http_protocol, combined; 0, the library's own choice, if list is NULL. */
unsigned http_protocols(const struct example *ex, const char *list, bool tls);

/* What TLS offers to its clients, by ALPN. */
const char *http_protocols_alpn(unsigned protocols);

#endif
