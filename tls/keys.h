/* SPDX-License-Identifier: MIT */
/* What was read from files at one time: certificates, keys, whom to trust. Counted, because
 * connections outlive a reload. */
#ifndef COGEN_TLS_KEYS_H
#define COGEN_TLS_KEYS_H

#include <cogen/tls.h>

#include <openssl/ssl.h>

/* A certificate, its key, and those between it and a root. */
struct cg__tls_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) *chain;
};

struct cg__tls_keys {
    unsigned refs;
    SSL_CTX *context;
    BIO_METHOD *bio; /* of the connections */
    struct cg__tls_identity *identities;
    size_t count;
    unsigned char alpn[256]; /* as on the wire: each name after its length */
    unsigned alpn_size;
};

/* ---- bio.c ---- */

/* Made once for all connections of a configuration. NULL: no memory. */
BIO_METHOD *cg__tls_bio_method(void);

/* ---- keys.c ---- */

/* Reads the files of the options. 0, CG_ETLS_FILE, -EINVAL, -ENOMEM. */
int cg__tls_keys_new(const struct cg_tls_options *options, struct cg__tls_keys **keys,
                     char *why);

struct cg__tls_keys *cg__tls_keys_ref(struct cg__tls_keys *keys);
void cg__tls_keys_unref(struct cg__tls_keys *keys);

#endif
