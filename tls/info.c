/* SPDX-License-Identifier: MIT */
/* What a program can ask about a TLS socket. */
#include "config.h"

#include "tls/conn.h"
#include "tls/names.h"
#include "tls/why.h"


static const struct cg__tls_conn *of(const struct cg_sock *sock)
{
    if (sock == NULL || cg_sock_transport(sock) != &cg__tls_transport)
        return NULL;
    return cg_sock_state(sock);
}

const char *cg_tls_session_version(const struct cg_sock *sock)
{
    return of(sock) != NULL ? SSL_get_version(of(sock)->ssl) : NULL;
}

const char *cg_tls_session_alpn(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->alpn : NULL;
}

bool cg_tls_session_resumed(const struct cg_sock *sock)
{
    return of(sock) != NULL && SSL_session_reused(of(sock)->ssl);
}

const char *cg_tls_session_host(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->host : NULL;
}

const char *cg_tls_session_peer_name(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->peer : NULL;
}

/* The list is made on the first request, because few programs need it. */
static void list_names(struct cg__tls_conn *conn)
{
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);

    if (conn->alt != NULL || conn->peer == NULL || cert == NULL)
        return;
    cg__tls_why_clear();
    conn->alt = cg__tls_names_alt(cert);
    cg__tls_why_clear();
}

const char *cg_tls_session_peer_alt(const struct cg_sock *sock, unsigned i)
{
    struct cg__tls_conn *conn = (struct cg__tls_conn *)of(sock);

    if (conn == NULL)
        return NULL;
    list_names(conn);
    for (unsigned at = 0; conn->alt != NULL && conn->alt[at] != NULL; at++)
        if (at == i)
            return conn->alt[at];
    return NULL;
}

const char *cg_tls_session_error(const struct cg_sock *sock)
{
    return of(sock) != NULL ? of(sock)->why : NULL;
}
