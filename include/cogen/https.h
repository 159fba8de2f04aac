/* SPDX-License-Identifier: MIT */
/* https for HTTP clients: the seam between libcogen-http and libcogen-tls, which do not
 * know each other. A program that includes this links with both.
 *
 *     struct cg_http_client *client = cg_http_client_new(.tls = cg_tls_http(tls)); */
#ifndef COGEN_HTTPS_H
#define COGEN_HTTPS_H

#include <cogen/http_client.h>
#include <cogen/tls.h>

#ifndef __cplusplus

static inline ssize_t cg__tls_http(void *tls, struct cg_sock *inner, const char *host,
                                   struct cg_sock **sock, char *why)
{
    return cg_yield(cg_tls_connect(inner, (struct cg_tls *)tls, host, sock, .why = why,
                                   .timeout = CG_NEVER));
}

/* cg_tls_http(tls): how a client speaks TLS, by this configuration, which is borrowed until
 * the client's last connection is made. */
#define cg_tls_http(configuration)                                                         \
    (&(struct cg_http_tls){.connect = cg__tls_http, .arg = (configuration)})

_Static_assert((int)CG_TLS_WHY_SIZE <= (int)CG_HTTP_WHY_SIZE, "words of TLS fit in");

#endif
#endif
