/* SPDX-License-Identifier: MIT */
/* What was loaded at one time: certificates, keys, whom to trust. Counted, because
 * connections outlive a reload. */
#ifndef COGEN_TLS_KEYS_H
#define COGEN_TLS_KEYS_H

#include "tls/host.h"
#include "tls/ticket.h"

#include <cogen/tls.h>

#include <openssl/ssl.h>

/* A certificate, its key, and those between it and a root. */
struct cg__tls_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) *chain;
    const char *name; /* of its file, for messages while it is loaded */
};

struct cg__tls_keys {
    unsigned refs;
    SSL_CTX *context;
    BIO_METHOD *bio; /* of the connections */
    struct cg__tls_tickets tickets;
    bool strict;     /* a client must name a host that there is a certificate for */
    int log;         /* where the connections' secrets are written; -1: nowhere */
    struct cg__tls_identity *identities;
    size_t count;
    unsigned char alpn[256]; /* as on the wire: each name after its length */
    unsigned alpn_size;
};

/* ---- bio.c ---- */

/* Made once for all connections of a configuration. NULL: no memory. */
BIO_METHOD *cg__tls_bio_method(void);

/* ---- identity.c ---- */

/* Opens PEM: `source` is a path, or the PEM itself. NULL: OpenSSL's queue says why. */
BIO *cg__tls_identity_pem_open(const char *source);

/* What to call it in a message. */
const char *cg__tls_identity_pem_name(const char *source);

/* Reads a certificate and its key into a zeroed identity, which is dropped also after a
 * failure. 0, CG_ETLS_FILE. */
int cg__tls_identity_read(struct cg__tls_identity *identity, const struct cg_tls_pair *pair,
                          char *why);
void cg__tls_identity_drop(struct cg__tls_identity *identity);

/* ---- trial.c ---- */

/* Whether a server with this identity can shake hands with anybody: 0; CG_ETLS_FILE;
 * -ENOMEM. The context has no callbacks yet. */
int cg__tls_trial(SSL_CTX *context, const struct cg__tls_identity *identity, char *why);

/* ---- choose.c ---- */

/* Has one end of a connection show this identity. 1: done. */
int cg__tls_choose_identity(SSL *ssl, const struct cg__tls_identity *identity);

/* The host that a server's client has named, in its usual form. False: none, or one that is
 * invalid. */
bool cg__tls_choose_host(const SSL *ssl, struct cg__tls_host *host);

/* Writes a list of protocols, "h2,http/1.1", into keys->alpn. 0, -EINVAL. */
int cg__tls_choose_encode(struct cg__tls_keys *keys, const char *list, char *why);

/* Sets the callbacks of the context. */
void cg__tls_choose_begin(struct cg__tls_keys *keys);

/* ---- key_log.c ---- */

/* Has the secrets of all connections of keys->context appended to a file, keys->log. 0,
 * CG_ETLS_FILE. */
int cg__tls_key_log_open(struct cg__tls_keys *keys, const char *path, char *why);

/* ---- keys.c ---- */

/* Loads what the options name. 0, CG_ETLS_FILE, -EINVAL, -ENOMEM. */
int cg__tls_keys_new(const struct cg_tls_options *options, struct cg__tls_keys **keys,
                     char *why);

struct cg__tls_keys *cg__tls_keys_ref(struct cg__tls_keys *keys);
void cg__tls_keys_unref(struct cg__tls_keys *keys);

#endif
