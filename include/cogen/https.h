/* SPDX-License-Identifier: MIT */
/* https for HTTP clients and servers. libcogen-http and libcogen-tls do not depend on each
 * other; this header connects them. A program that includes it links with both.
 *
 *     struct cg_http_client *client = cg_http_client_new(.tls = cg_tls_http(tls));
 *     ...
 *     cg_yield(cg_http_serve(server, listener, .wrap = cg_https_wrap, .wrap_arg = tls)); */
#ifndef COGEN_HTTPS_H
#define COGEN_HTTPS_H

#include <cogen/http_client.h>
#include <cogen/http_server.h>
#include <cogen/tls.h>

#ifndef __cplusplus

static inline ssize_t cg__tls_http(void *tls, struct cg_sock *inner, const char *host,
                                   const char *alpn, struct cg_sock **sock, char *why)
{
    return cg_yield(cg_tls_connect(inner, (struct cg_tls *)tls, host, sock, .why = why,
                                   .alpn = alpn, .timeout = CG_NEVER));
}

/* cg_tls_http(tls): the option .tls of a client that uses this configuration. The
 * configuration is borrowed until the client has made its last connection. */
#define cg_tls_http(configuration)                                                         \
    (&(struct cg_http_tls){.connect = cg__tls_http, .arg = (configuration)})

/* The option .wrap of a server, or of one of its listeners; .wrap_arg is the configuration,
 * which is borrowed. */
static inline ssize_t cg_https_wrap(struct cg_sock **conn, void *tls)
{
    return cg_yield(cg_tls_accept(*conn, (struct cg_tls *)tls, conn));
}

_Static_assert((int)CG_TLS_WHY_SIZE <= (int)CG_HTTP_WHY_SIZE, "words of TLS fit in");

#endif
#endif
