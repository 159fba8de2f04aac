/* SPDX-License-Identifier: MIT */
/* How http_client speaks TLS: http_client_tls.c where libcogen-tls was built, otherwise
 * http_client_no_tls.c. */
#ifndef EXAMPLES_HTTP_CLIENT_TLS_H
#define EXAMPLES_HTTP_CLIENT_TLS_H

#include <cogen/http_client.h>

/* What to give the client; NULL: there is no TLS, or, if why (CG_HTTP_WHY_SIZE bytes) is
 * not empty then, it cannot be done as the command line says. */
const struct cg_http_tls *download_tls(const char *cacert, bool insecure, char *why);

/* Gives back what that has made. */
void download_tls_end(void);

#endif
