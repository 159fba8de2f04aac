/* SPDX-License-Identifier: MIT */
/* What can be asked about a TLS socket. */
#include "config.h"

#include "tls/conn.h"

static const struct cg__tls_conn *of(const struct cg_sock *sock)
{
    if (sock == NULL || cg_sock_transport(sock) != &cg__tls_transport)
        return NULL;
    return cg_sock_state(sock);
}

const char *cg_tls_version(const struct cg_sock *sock)
{
    return of(sock) != NULL ? SSL_get_version(of(sock)->ssl) : NULL;
}

const char *cg_tls_alpn(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->alpn : NULL;
}

bool cg_tls_resumed(const struct cg_sock *sock)
{
    return of(sock) != NULL && SSL_session_reused(of(sock)->ssl);
}

const char *cg_tls_host(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->host : NULL;
}

const char *cg_tls_peer_name(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->peer : NULL;
}

const char *cg_tls_error(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->why : NULL;
}
