/* SPDX-License-Identifier: MIT */
/* Certificates and private keys in PEM, from files or from memory. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool in_memory(const char *source)
{
    return strstr(source, "-----BEGIN ") != NULL;
}

/* A directory can be opened, but OpenSSL does not report that reading it fails. */
static BIO *open_file(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    FILE *stream = NULL;
    struct stat stat;

    if (file == NULL || BIO_get_fp(file, &stream) != 1 ||
        fstat(fileno(stream), &stat) < 0 || !S_ISDIR(stat.st_mode))
        return file;
    BIO_free(file);
    ERR_raise(ERR_LIB_SYS, EISDIR);
    return NULL;
}

BIO *cg__tls_identity_pem_open(const char *source)
{
    return in_memory(source) ? BIO_new_mem_buf(source, -1) : open_file(source);
}

const char *cg__tls_identity_pem_name(const char *source)
{
    return in_memory(source) ? "PEM in memory" : source;
}

void cg__tls_identity_drop(struct cg__tls_identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->chain, X509_free);
}

int cg__tls_identity_no_passphrase(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool read_certs(struct cg__tls_identity *identity, BIO *file, bool *encrypted)
{
    X509 *next;

    identity->cert = PEM_read_bio_X509(file, NULL, cg__tls_identity_no_passphrase, encrypted);
    identity->chain = sk_X509_new_null();
    if (identity->cert == NULL || identity->chain == NULL)
        return false;
    while ((next = PEM_read_bio_X509(file, NULL, cg__tls_identity_no_passphrase, encrypted)) !=
           NULL) {
        if (sk_X509_push(identity->chain, next) <= 0) {
            X509_free(next);
            return false;
        }
    }
    /* At the end of the file OpenSSL reports that no further certificate begins. */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static int read_cert(struct cg__tls_identity *identity, const char *source, char *why)
{
    BIO *file = cg__tls_identity_pem_open(source);
    bool encrypted = false, ok = file != NULL && read_certs(identity, file, &encrypted);

    BIO_free(file);
    if (ok)
        return 0;
    if (encrypted)
        return cg__tls_why_named(source, "the certificate is encrypted", why);
    return cg__tls_why_file(source, "no certificate in PEM", why);
}

static int read_key(struct cg__tls_identity *identity, const char *source, char *why)
{
    BIO *file = cg__tls_identity_pem_open(source);
    bool encrypted = false, opened = file != NULL;

    if (opened)
        identity->key = PEM_read_bio_PrivateKey(file, NULL, cg__tls_identity_no_passphrase,
                                                &encrypted);
    BIO_free(file);
    if (encrypted)
        return cg__tls_why_named(source, "the private key is encrypted", why);
    if (opened && identity->key == NULL && !cg__tls_why_system())
        return cg__tls_why_named(source, "no private key in PEM", why);
    if (identity->key == NULL || !X509_check_private_key(identity->cert, identity->key))
        return cg__tls_why_file(source, "no private key in PEM", why);
    return 0;
}

/* The last of a chain is left out if it is a root: clients trust their own copy or none. */
static bool adopt_chain(struct cg__tls_identity *identity, STACK_OF(X509) *found)
{
    int n = sk_X509_num(found);

    if (n > 0 && X509_self_signed(sk_X509_value(found, n - 1), 0) == 1)
        n--;
    for (int i = 1; i < n; i++) {
        X509 *cert = sk_X509_value(found, i);

        if (sk_X509_push(identity->chain, cert) <= 0)
            return false;
        X509_up_ref(cert);
    }
    return true;
}

int cg__tls_identity_complete(struct cg__tls_identity *identity, X509_STORE *store)
{
    X509_STORE_CTX *search = X509_STORE_CTX_new();
    bool ok = false;

    if (search != NULL && X509_STORE_CTX_init(search, store, identity->cert, NULL) == 1) {
        X509_verify_cert(search); /* a chain that ends too early, or is not valid, is found too */
        ok = adopt_chain(identity, X509_STORE_CTX_get0_chain(search));
    }
    X509_STORE_CTX_free(search);
    ERR_clear_error();
    return ok ? 0 : -ENOMEM;
}

int cg__tls_identity_read(struct cg__tls_identity *identity, const struct cg_tls_pair *pair,
                          char *why)
{
    int rc = read_cert(identity, pair->cert, why);

    identity->name = cg__tls_identity_pem_name(pair->cert);
    return rc < 0 ? rc : read_key(identity, pair->key ? pair->key : pair->cert, why);
}
