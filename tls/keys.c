/* SPDX-License-Identifier: MIT */
/* Certificates, keys and whom to trust, read from files; and how a server chooses among
 * them: a certificate by the host that the client names, a protocol by its own order. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* ---- Identities -------------------------------------------------------------------- */

static void forget(struct cg__tls_identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->chain, X509_free);
}

/* A key with a passphrase is refused: OpenSSL would ask for it at the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static bool read_certs(struct cg__tls_identity *identity, BIO *file)
{
    X509 *next;

    identity->cert = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
    identity->chain = sk_X509_new_null();
    if (identity->cert == NULL || identity->chain == NULL)
        return false;
    while ((next = PEM_read_bio_X509(file, NULL, no_passphrase, NULL)) != NULL) {
        if (sk_X509_push(identity->chain, next) <= 0) {
            X509_free(next);
            return false;
        }
    }
    /* The last one did not begin: that is how the file ends. */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static int read_pair(struct cg__tls_identity *identity, const struct cg_tls_pair *pair,
                     char *why)
{
    const char *key = pair->key != NULL ? pair->key : pair->cert;
    BIO *file = BIO_new_file(pair->cert, "r");
    bool ok = file != NULL && read_certs(identity, file);

    BIO_free(file);
    if (!ok)
        return cg__tls_why_file(pair->cert, why);
    file = BIO_new_file(key, "r");
    if (file != NULL)
        identity->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
    BIO_free(file);
    if (identity->key == NULL || !X509_check_private_key(identity->cert, identity->key))
        return cg__tls_why_file(key, why);
    return 0;
}

static int read_pairs(struct cg__tls_keys *keys, const struct cg_tls_options *options,
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
        rc = read_pair(&keys->identities[keys->count++], &first, why);
    for (pair = options->pairs; rc == 0 && keys->count < most; pair++)
        rc = read_pair(&keys->identities[keys->count++], pair, why);
    return rc;
}

static int use(SSL *ssl, const struct cg__tls_identity *identity)
{
    return SSL_use_cert_and_key(ssl, identity->cert, identity->key, identity->chain, 1);
}

/* Called in the handshake, by a server once it knows which host is meant. */
static int choose_identity(SSL *ssl, void *arg)
{
    const struct cg__tls_keys *keys = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    if (keys->count == 0)
        return 1;
    for (size_t i = 0; SSL_is_server(ssl) && host != NULL && i < keys->count; i++)
        if (X509_check_host(keys->identities[i].cert, host, 0, 0, NULL) == 1)
            return use(ssl, &keys->identities[i]);
    return use(ssl, &keys->identities[0]);
}

/* A client's name is always taken note of, whatever certificate it leads to. */
static int accept_host(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- Protocols --------------------------------------------------------------------- */

/* "h2,http/1.1" as it goes over the wire. */
static int encode_alpn(struct cg__tls_keys *keys, const char *list, char *why)
{
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");

        if (len == 0 || len > 255 || keys->alpn_size + 1 + len > sizeof keys->alpn)
            return cg__tls_why_say(why, -EINVAL, "alpn: not a list of protocols");
        keys->alpn[keys->alpn_size++] = (unsigned char)len;
        memcpy(keys->alpn + keys->alpn_size, list, len);
        keys->alpn_size += (unsigned)len;
        list += len;
        if (*list == ',' && *++list == '\0')
            return cg__tls_why_say(why, -EINVAL, "alpn: not a list of protocols");
    }
    return 0;
}

/* Without one in common there is nothing to talk about (RFC 7301). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                       const unsigned char *offered, unsigned offered_size, void *arg)
{
    const struct cg__tls_keys *keys = arg;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, size, keys->alpn, keys->alpn_size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- Trust ------------------------------------------------------------------------- */

static int trust(SSL_CTX *context, const struct cg_tls_options *options, char *why)
{
    const char *file = options->ca_file, *path = options->ca_path;

    if (file == NULL && path == NULL) {
        /* A system without a store trusts nobody, which the handshake will say. */
        SSL_CTX_set_default_verify_paths(context);
        ERR_clear_error();
        return 0;
    }
    if (SSL_CTX_load_verify_locations(context, file, path) != 1)
        return cg__tls_why_file(file != NULL ? file : path, why);
    if (options->verify_client != CG_TLS_ANYONE && file != NULL)
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file));
    return 0;
}

/* ---- All of it --------------------------------------------------------------------- */

static void configure(struct cg__tls_keys *keys)
{
    static const unsigned char id[] = "libcogen";
    SSL_CTX *context = keys->context;

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* The queue takes whatever a call brings, so no call is ever repeated; an idle
     * connection gives its buffers back. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
    SSL_CTX_set_cert_cb(context, choose_identity, keys);
    SSL_CTX_set_tlsext_servername_callback(context, accept_host);
    if (keys->alpn_size > 0) {
        SSL_CTX_set_alpn_protos(context, keys->alpn, keys->alpn_size);
        SSL_CTX_set_alpn_select_cb(context, choose_alpn, keys);
    }
}

int cg__tls_keys_new(const struct cg_tls_options *options, struct cg__tls_keys **out,
                     char *why)
{
    struct cg__tls_keys *keys = calloc(1, sizeof *keys);
    int rc = -ENOMEM;

    if (keys == NULL)
        return -ENOMEM;
    ERR_clear_error();
    keys->refs = 1;
    keys->context = SSL_CTX_new(TLS_method());
    keys->bio = cg__tls_bio_method();
    if (keys->context != NULL && keys->bio != NULL)
        rc = encode_alpn(keys, options->alpn, why);
    if (rc == 0)
        rc = read_pairs(keys, options, why);
    if (rc == 0)
        rc = trust(keys->context, options, why);
    if (rc < 0) {
        cg__tls_keys_unref(keys);
        ERR_clear_error();
        return rc;
    }
    configure(keys);
    *out = keys;
    return 0;
}

struct cg__tls_keys *cg__tls_keys_ref(struct cg__tls_keys *keys)
{
    keys->refs++;
    return keys;
}

void cg__tls_keys_unref(struct cg__tls_keys *keys)
{
    if (--keys->refs > 0)
        return;
    for (size_t i = 0; i < keys->count; i++)
        forget(&keys->identities[i]);
    free(keys->identities);
    SSL_CTX_free(keys->context);
    BIO_meth_free(keys->bio);
    free(keys);
}
