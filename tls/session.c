/* SPDX-License-Identifier: MIT */
/* The client sessions of a configuration: the next connection to the same host resumes one
 * instead of starting with a full handshake. A resumed host was verified when the session
 * was made, for the same name and by the same configuration. */
#include "config.h"

#include "tls/conn.h"

#include <stdlib.h>
#include <string.h>

/* Takes one out, with the lock. */
static struct cg__tls_session *take(struct cg_tls *tls, struct cg__tls_session **link)
{
    struct cg__tls_session *session = *link;

    *link = session->next;
    session->next = NULL;
    tls->count--;
    return session;
}

static struct cg__tls_session *take_oldest(struct cg_tls *tls)
{
    struct cg__tls_session **link = &tls->sessions;

    while ((*link)->next != NULL)
        link = &(*link)->next;
    return take(tls, link);
}

struct cg__tls_session *cg__tls_session_take_all(struct cg_tls *tls)
{
    struct cg__tls_session *all = tls->sessions;

    tls->sessions = NULL;
    tls->count = 0;
    return all;
}

void cg__tls_session_free_all(struct cg__tls_session *session)
{
    while (session != NULL) {
        struct cg__tls_session *next = session->next;

        SSL_SESSION_free(session->session);
        free(session);
        session = next;
    }
}

bool cg__tls_session_put(struct cg_tls *tls, const struct cg__tls_keys *keys,
                         const char *host, SSL_SESSION *session)
{
    size_t size = strlen(host) + 1;
    struct cg__tls_session *place = malloc(sizeof *place + size), *old = NULL;
    bool stored;

    if (place == NULL)
        return false;
    place->session = session;
    memcpy(place->host, host, size);
    pthread_mutex_lock(&tls->lock);
    stored = keys == tls->keys;
    if (stored) {
        if (tls->count == CG_TLS_SESSIONS)
            old = take_oldest(tls);
        place->next = tls->sessions;
        tls->sessions = place;
        tls->count++;
    }
    pthread_mutex_unlock(&tls->lock);
    cg__tls_session_free_all(old);
    if (!stored)
        free(place);
    return stored;
}

SSL_SESSION *cg__tls_session_get(struct cg_tls *tls, const char *host)
{
    struct cg__tls_session **link, *used = NULL;
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&tls->lock);
    link = &tls->sessions;
    while (*link != NULL && strcmp((*link)->host, host) != 0)
        link = &(*link)->next;
    if (*link != NULL) {
        session = (*link)->session;
        SSL_SESSION_up_ref(session);
        /* From TLS 1.3 on a session is used once, so that its connections cannot be
         * linked. */
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
            used = take(tls, link);
    }
    pthread_mutex_unlock(&tls->lock);
    cg__tls_session_free_all(used);
    return session;
}

/* Called by OpenSSL when the server has sent a session; returns 1 if we keep it. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
    struct cg__tls_conn *conn = SSL_get_app_data(ssl);

    return conn->host != NULL && !SSL_is_server(ssl) &&
           cg__tls_session_put(conn->tls, conn->keys, conn->host, session);
}

void cg__tls_session_keep(SSL_CTX *context)
{
    /* A server's sessions are in its tickets, not in memory. */
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}
