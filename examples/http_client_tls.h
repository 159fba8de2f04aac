/* SPDX-License-Identifier: MIT */
/* TLS for http_client: http_client_tls.c, or http_client_no_tls.c if libcogen-tls was not
 * built. */
#ifndef EXAMPLES_HTTP_CLIENT_TLS_H
#define EXAMPLES_HTTP_CLIENT_TLS_H

#include <cogen/http_client.h>

/* The client's option .tls. NULL: there is no TLS; if why (CG_HTTP_WHY_SIZE bytes) is not
 * empty, the options of the command line cannot be used, and it says why. */
const struct cg_http_tls *download_tls(const char *cacert, const char *pins, bool insecure,
                                       char *why);

/* Frees what download_tls has made. */
void download_tls_end(void);

#endif
