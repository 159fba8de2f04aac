/* SPDX-License-Identifier: MIT */
/* What was loaded together: certificates, keys, trust. It has a reference count, because
 * connections outlive a reload. Threads share it: only the tickets and the count change. */
#ifndef COGEN_TLS_KEYS_H
#define COGEN_TLS_KEYS_H

#include "tls/host.h"
#include "tls/ticket.h"

#include <cogen/restart.h>
#include <cogen/tls.h>

#include <openssl/ssl.h>
#include <stdatomic.h>

enum { CG__TLS_HANDOVER_NAME = 40 };

/* A certificate, its key, and the intermediate certificates. */
struct cg__tls_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) *chain;
    const char *name; /* the file's name, for messages while it is loaded */
};

/* Protocols in wire format: each name follows its length. */
struct cg__tls_alpn {
    unsigned len;
    unsigned char names[256];
};

struct cg__tls_keys {
    atomic_uint refs;
    SSL_CTX *context;
    BIO_METHOD *bio; /* the method of all connections' BIOs */
    struct cg__tls_tickets tickets;
    struct cg_handover handover; /* the tickets' keys, for a successor; name NULL: they
                                  * are not handed over */
    char handover_name[CG__TLS_HANDOVER_NAME];
    bool strict;     /* clients must name a host for which there is a certificate */
    int log;         /* file for the connections' secrets; -1: none */
    struct cg__tls_identity *identities;
    size_t count;
    struct cg__tls_alpn alpn;
    struct {
        pthread_mutex_t lock;
        bool awaited; /* trusted, but not read yet */
    } system; /* the certificates that the system trusts */
};

/* Defined in bio.c: */

/* Makes the method that all connections of a configuration share. Returns NULL if there is
 * no memory. */
BIO_METHOD *cg__tls_bio_method(void);

/* Defined in identity.c: */

/* Opens PEM; source is a path or the PEM itself. Returns NULL on failure; OpenSSL's error
 * queue says why. */
BIO *cg__tls_identity_pem_open(const char *source);

/* The name of a source for messages. */
const char *cg__tls_identity_pem_name(const char *source);

/* The callback of everything that reads PEM: without it OpenSSL would ask for a passphrase at
 * the terminal. Sets *asked, a bool, if OpenSSL needed one. */
int cg__tls_identity_no_passphrase(char *buf, int size, int writing, void *asked);

/* Reads a certificate and its key into a zeroed identity. Drop the identity also after a
 * failure. Returns 0 or CG_ETLS_FILE. */
int cg__tls_identity_read(struct cg__tls_identity *identity, const struct cg_tls_pair *pair,
                          char *why);

/* Adds the intermediate certificates that the store has to an identity without any. Returns 0
 * or -ENOMEM. */
int cg__tls_identity_complete(struct cg__tls_identity *identity, X509_STORE *store);
void cg__tls_identity_drop(struct cg__tls_identity *identity);

/* Defined in trial.c: */

/* Checks that a handshake with this identity can succeed. The context must have no
 * callbacks yet. Returns 0, CG_ETLS_FILE or -ENOMEM. */
int cg__tls_trial(SSL_CTX *context, const struct cg__tls_identity *identity, char *why);

/* Defined in choose.c: */

/* Makes one end of a connection show this identity. Returns 1 on success. */
int cg__tls_choose_identity(SSL *ssl, const struct cg__tls_identity *identity);

/* Gets the host that the client named to a server, in its normal form. Returns false if it
 * named none, or an invalid one. */
bool cg__tls_choose_host(const SSL *ssl, struct cg__tls_host *host);

/* Encodes a list of protocols, "h2,http/1.1" or NULL. Returns 0 or -EINVAL. */
int cg__tls_choose_encode(struct cg__tls_alpn *alpn, const char *list, char *why);

/* Sets the callbacks of the context, and the first identity, which all connections inherit.
 * Returns false if there is no memory. */
bool cg__tls_choose_begin(struct cg__tls_keys *keys);

/* Defined in handover.c: */

/* Names what is handed over. Called once, when the certificates are loaded. */
void cg__tls_handover_name(struct cg__tls_keys *keys);

/* Takes the keys that a predecessor with the same certificates has handed over. */
void cg__tls_handover_take(struct cg__tls_keys *keys);

/* While the keys are those of a configuration, they are handed to a successor. */
void cg__tls_handover_begin(struct cg__tls_keys *keys);
void cg__tls_handover_end(struct cg__tls_keys *keys);

/* Defined in key_log.c: */

/* Appends the secrets of all connections of keys->context to a file, keys->log. Returns 0
 * or CG_ETLS_FILE. */
int cg__tls_key_log_open(struct cg__tls_keys *keys, const char *path, char *why);

/* Defined in keys.c: */

/* Loads what the options name. Returns 0, CG_ETLS_FILE, -EINVAL or -ENOMEM. */
int cg__tls_keys_new(const struct cg_tls_options *options, struct cg__tls_keys **keys,
                     char *why);

/* Reads the certificates that the system trusts, once, unless the options name others. Call it
 * before a peer is checked: reading a hundred of them takes 30 ms, and most servers check
 * nobody. */
void cg__tls_keys_trust_system(struct cg__tls_keys *keys);

struct cg__tls_keys *cg__tls_keys_ref(struct cg__tls_keys *keys);
void cg__tls_keys_unref(struct cg__tls_keys *keys);

#endif
