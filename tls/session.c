/* SPDX-License-Identifier: MIT */
/* The client sessions of a configuration: the next connection to the same host resumes one
 * instead of starting with a full handshake. A resumed host was verified when the session
 * was made, for the same name and by the same configuration. */
#include "config.h"

#include "tls/conn.h"

#include <stdlib.h>
#include <string.h>

static void drop(struct cg_tls *tls, struct cg__tls_session **link)
{
    struct cg__tls_session *session = *link;

    *link = session->next;
    tls->count--;
    SSL_SESSION_free(session->session);
    free(session);
}

static void drop_oldest(struct cg_tls *tls)
{
    struct cg__tls_session **link = &tls->sessions;

    while ((*link)->next != NULL)
        link = &(*link)->next;
    drop(tls, link);
}

bool cg__tls_session_put(struct cg_tls *tls, const char *host, SSL_SESSION *session)
{
    size_t size = strlen(host) + 1;
    struct cg__tls_session *place = malloc(sizeof *place + size);

    if (place == NULL)
        return false;
    if (tls->count == CG_TLS_SESSIONS)
        drop_oldest(tls);
    place->session = session;
    memcpy(place->host, host, size);
    place->next = tls->sessions;
    tls->sessions = place;
    tls->count++;
    return true;
}

SSL_SESSION *cg__tls_session_get(struct cg_tls *tls, const char *host)
{
    struct cg__tls_session **link = &tls->sessions;
    SSL_SESSION *session;

    while (*link != NULL && strcmp((*link)->host, host) != 0)
        link = &(*link)->next;
    if (*link == NULL)
        return NULL;
    session = (*link)->session;
    SSL_SESSION_up_ref(session);
    /* From TLS 1.3 on a session is used once, so that its connections cannot be linked. */
    if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
        drop(tls, link);
    return session;
}

void cg__tls_session_clear(struct cg_tls *tls)
{
    while (tls->sessions != NULL)
        drop(tls, &tls->sessions);
}

/* Called by OpenSSL when the server has sent a session; returns 1 if we keep it. A session
 * of a connection from before a reload is refused: its trust may have been withdrawn. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
    struct cg__tls_conn *conn = SSL_get_app_data(ssl);

    return conn->host != NULL && !SSL_is_server(ssl) && conn->keys == conn->tls->keys &&
           cg__tls_session_put(conn->tls, conn->host, session);
}

void cg__tls_session_keep(SSL_CTX *context)
{
    /* A server's sessions are in its tickets, not in memory. */
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}
