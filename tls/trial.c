/* SPDX-License-Identifier: MIT */
/* A handshake of a certificate with itself, in memory, when it is loaded: OpenSSL accepts
 * any certificate into a context and refuses a weak one only in each handshake. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/err.h>

enum { ROUNDS = 10 }; /* more than a handshake has flights */

/* The client checks only the strength of keys and digests: trust, dates, names and uses
 * are for the peers to judge. */
static int mind_strength(int ok, X509_STORE_CTX *store)
{
    switch (X509_STORE_CTX_get_error(store)) {
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return ok;
    default:
        return 1;
    }
}

/* Connects two ends, each of which reads what the other writes. */
static bool connect_ends(SSL *server, SSL *client)
{
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());

    if (up == NULL || down == NULL) {
        BIO_free(up);
        BIO_free(down);
        return false;
    }
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(server, up, down);
    SSL_set_bio(client, down, up);
    return true;
}

/* Neither end keeps sessions, names a host or chooses a certificate. */
static bool prepare(SSL *server, SSL *client, const struct cg__tls_identity *identity)
{
    if (server == NULL || client == NULL || !connect_ends(server, client))
        return false;
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    SSL_set_num_tickets(server, 0);
    SSL_set_options(server, SSL_OP_NO_TICKET);
    SSL_set_verify(client, SSL_VERIFY_PEER, mind_strength);
    return cg__tls_choose_identity(server, identity) == 1;
}

/* Makes one end do its next flight. Returns false if it failed; OpenSSL's error queue says
 * why. */
static bool step(SSL *ssl)
{
    int rc = SSL_do_handshake(ssl);

    return rc == 1 || SSL_get_error(ssl, rc) == SSL_ERROR_WANT_READ;
}

/* Returns NULL if the handshake succeeds, or else the end that failed. */
static SSL *shake(SSL *server, SSL *client)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!step(client))
            return client;
        if (!step(server))
            return server;
        if (SSL_is_init_finished(client) && SSL_is_init_finished(server))
            return NULL;
    }
    return server;
}

int cg__tls_trial(SSL_CTX *context, const struct cg__tls_identity *identity, char *why)
{
    SSL *server, *client, *failed;
    char text[CG_TLS_WHY_SIZE];
    int rc = 0;

    ERR_clear_error();
    server = SSL_new(context);
    client = SSL_new(context);
    failed = server;
    if (prepare(server, client, identity))
        failed = shake(server, client);
    if (failed != NULL || server == NULL)
        rc = cg__tls_why(failed, text);
    SSL_free(server);
    SSL_free(client);
    ERR_clear_error();
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    return cg__tls_why_named(identity->name, text, why);
}
