/* SPDX-License-Identifier: MIT */
/* Sets up OpenSSL for a configuration: certificates, trust, what to offer. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

/* Key exchanges that are cheap for a server. With a finite-field group, a client could
 * cost it 200 ms of CPU time for 1 KiB. */
#define GROUPS "X25519:P-256:P-384"

/* AES with 128 bits first, as browsers have it: no known attack comes near it, and a handshake
 * derives its keys by SHA-256, for which processors have instructions, unlike for SHA-384. All
 * ciphers of TLS 1.2 have forward secrecy, and none has a finite-field Diffie-Hellman. */
#define CIPHERS                                                                            \
    "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES128:ECDHE+AES256:"           \
    "!aNULL:!PSK:!AESCCM"
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

static int offer(SSL_CTX *context, const struct cg_tls_options *options, char *why)
{
    bool last = options->min_version == CG_TLS_1_3;
    const char *suites = options->suites ? options->suites : SUITES;

    SSL_CTX_set_min_proto_version(context, last ? TLS1_3_VERSION : TLS1_2_VERSION);
    if (SSL_CTX_set1_groups_list(context, options->groups ? options->groups : GROUPS) != 1)
        return cg__tls_why_say(why, -EINVAL, "groups: unknown to OpenSSL");
    if (SSL_CTX_set_cipher_list(context, options->ciphers ? options->ciphers : CIPHERS) != 1)
        return cg__tls_why_say(why, -EINVAL, "ciphers: none that OpenSSL knows");
    if (SSL_CTX_set_ciphersuites(context, suites) != 1 || *suites == '\0')
        return cg__tls_why_say(why, -EINVAL, "suites: unknown to OpenSSL");
    /* A client that prefers ChaCha20 has no AES in hardware; the server follows it. */
    if (!options->client_order)
        SSL_CTX_set_options(context,
                            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    return 0;
}

static void configure(SSL_CTX *context)
{
    static const unsigned char id[] = "libcogen";

    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* The queue takes whatever a call writes, so no call is repeated. An idle connection
     * frees its buffers. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
}

static int add_identity(struct cg__tls_keys *keys, const struct cg_tls_pair *pair, char *why)
{
    struct cg__tls_identity *identity = &keys->identities[keys->count++];
    int rc = cg__tls_identity_read(identity, pair, why);

    /* The system's store is not searched: to read it would take 30 ms of each start. */
    if (rc == 0 && !keys->system.awaited && sk_X509_num(identity->chain) == 0)
        rc = cg__tls_identity_complete(identity, SSL_CTX_get_cert_store(keys->context));
    return rc < 0 ? rc : cg__tls_trial(keys->context, identity, why);
}

static int add_identities(struct cg__tls_keys *keys, const struct cg_tls_options *options,
                          char *why)
{
    struct cg_tls_pair first = {options->cert, options->key};
    const struct cg_tls_pair *pair = options->pairs;
    size_t most = options->cert != NULL;
    int rc = 0;

    while (pair != NULL && pair->cert != NULL) {
        most++;
        pair++;
    }
    keys->identities = calloc(most + 1, sizeof *keys->identities);
    if (keys->identities == NULL)
        return -ENOMEM;
    if (options->cert != NULL)
        rc = add_identity(keys, &first, why);
    for (pair = options->pairs; rc == 0 && keys->count < most; pair++)
        rc = add_identity(keys, pair, why);
    return rc;
}

/* Trusts the certificates of a PEM, and checks its revocation lists, if there are any. A server
 * also lists the certificates' names to clients that it asks for a certificate. Returns false if
 * there is no certificate. */
static bool trust_all(SSL_CTX *context, BIO *file, bool *encrypted)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    STACK_OF(X509_INFO) *all =
        PEM_X509_INFO_read_bio(file, NULL, cg__tls_identity_no_passphrase, encrypted);
    int count = 0;

    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        X509_INFO *info = sk_X509_INFO_value(all, i);

        if (info->x509 != NULL && X509_STORE_add_cert(store, info->x509) == 1 &&
            SSL_CTX_add_client_CA(context, info->x509) == 1)
            count++;
        /* OpenSSL looks into lists only if it is told to. */
        if (info->crl != NULL && X509_STORE_add_crl(store, info->crl) == 1)
            X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    return count > 0;
}

static int trust_file(SSL_CTX *context, const char *source, char *why)
{
    BIO *file = cg__tls_identity_pem_open(source);
    bool encrypted = false, opened = file != NULL;
    bool ok = opened && trust_all(context, file, &encrypted);

    BIO_free(file);
    if (encrypted)
        return cg__tls_why_named(source, "a certificate is encrypted", why);
    if (!ok && opened && !cg__tls_why_system())
        return cg__tls_why_named(source, "no certificate in PEM", why);
    return ok ? 0 : cg__tls_why_file(source, "no certificate in PEM", why);
}

/* OpenSSL reads the directory only when it searches for an issuer. */
static int trust_path(SSL_CTX *context, const char *path, char *why)
{
    DIR *dir = opendir(path);

    if (dir == NULL)
        return cg__tls_why_named(path, cg_strerror(-errno), why);
    closedir(dir);
    if (SSL_CTX_load_verify_dir(context, path) != 1)
        return cg__tls_why_file(path, "not usable", why);
    return 0;
}

void cg__tls_keys_trust_system(struct cg__tls_keys *keys)
{
    pthread_mutex_lock(&keys->system.lock);
    if (keys->system.awaited) {
        /* A system without a certificate store trusts nobody; the handshake will say so. */
        SSL_CTX_set_default_verify_paths(keys->context);
        keys->system.awaited = false;
    }
    pthread_mutex_unlock(&keys->system.lock);
}

static int trust(struct cg__tls_keys *keys, const struct cg_tls_options *options, char *why)
{
    SSL_CTX *context = keys->context;
    int rc = 0;

    keys->system.awaited = options->ca_file == NULL && options->ca_path == NULL;
    if (options->ca_file != NULL)
        rc = trust_file(context, options->ca_file, why);
    if (rc == 0 && options->ca_path != NULL)
        rc = trust_path(context, options->ca_path, why);
    ERR_clear_error();
    return rc;
}

static int fill(struct cg__tls_keys *keys, const struct cg_tls_options *options, char *why)
{
    int rc;

    if (keys->context == NULL || keys->bio == NULL)
        return -ENOMEM;
    configure(keys->context);
    if ((rc = offer(keys->context, options, why)) < 0 ||
        (rc = cg__tls_choose_encode(&keys->alpn, options->alpn, why)) < 0 ||
        (rc = trust(keys, options, why)) < 0 ||
        (rc = add_identities(keys, options, why)) < 0)
        return rc;
    if (!cg__tls_choose_begin(keys))
        return -ENOMEM;
    cg__tls_ticket_begin(keys->context);
    if (options->verify_client == CG_TLS_ANYONE)
        cg__tls_handover_name(keys);
    return options->key_log != NULL ? cg__tls_key_log_open(keys, options->key_log, why) : 0;
}

int cg__tls_keys_new(const struct cg_tls_options *options, struct cg__tls_keys **out,
                     char *why)
{
    struct cg__tls_keys *keys = calloc(1, sizeof *keys);
    int rc;

    if (keys == NULL)
        return -ENOMEM;
    ERR_clear_error();
    atomic_init(&keys->refs, 1);
    pthread_mutex_init(&keys->tickets.lock, NULL);
    pthread_mutex_init(&keys->system.lock, NULL);
    keys->log = -1;
    keys->strict = options->strict_sni;
    keys->context = SSL_CTX_new(TLS_method());
    keys->bio = cg__tls_bio_method();
    rc = fill(keys, options, why);
    ERR_clear_error();
    if (rc < 0)
        cg__tls_keys_unref(keys);
    else
        *out = keys;
    return rc;
}

struct cg__tls_keys *cg__tls_keys_ref(struct cg__tls_keys *keys)
{
    atomic_fetch_add(&keys->refs, 1);
    return keys;
}

void cg__tls_keys_unref(struct cg__tls_keys *keys)
{
    if (atomic_fetch_sub(&keys->refs, 1) > 1)
        return;
    for (size_t i = 0; i < keys->count; i++)
        cg__tls_identity_drop(&keys->identities[i]);
    free(keys->identities);
    SSL_CTX_free(keys->context);
    BIO_meth_free(keys->bio);
    cg__tls_ticket_end(&keys->tickets);
    pthread_mutex_destroy(&keys->tickets.lock);
    pthread_mutex_destroy(&keys->system.lock);
    if (keys->log >= 0)
        close(keys->log);
    free(keys);
}
