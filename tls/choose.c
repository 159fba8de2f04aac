/* SPDX-License-Identifier: MIT */
/* What a server chooses during the handshake: a certificate by the host that the client
 * names, and a protocol by the server's own order. */
#include "config.h"

#include "tls/conn.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

int cg__tls_choose_identity(SSL *ssl, const struct cg__tls_identity *identity)
{
    return SSL_use_cert_and_key(ssl, identity->cert, identity->key, identity->chain, 1);
}

bool cg__tls_choose_host(const SSL *ssl, struct cg__tls_host *host)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    return name != NULL && cg__tls_host_parse(name, host) == NULL;
}

/* Finds the identity for the host that the client named. Returns NULL if there is none. */
static const struct cg__tls_identity *find(const struct cg__tls_keys *keys, SSL *ssl)
{
    struct cg__tls_host host;
    bool named = cg__tls_choose_host(ssl, &host);

    for (size_t i = 0; named && i < keys->count; i++)
        if (X509_check_host(keys->identities[i].cert, host.text, 0, 0, NULL) == 1)
            return &keys->identities[i];
    return NULL;
}

/* Called during the handshake: of a server when it knows the host, of a client when the
 * server asks for a certificate. The connection has the first identity already. */
static int choose_identity(SSL *ssl, void *arg)
{
    const struct cg__tls_keys *keys = arg;
    const struct cg__tls_identity *identity = NULL;

    if (keys->count > 1 && SSL_is_server(ssl))
        identity = find(keys, ssl);
    if (identity == NULL || identity == &keys->identities[0])
        return 1;
    SSL_certs_clear(ssl); /* the first one may have a key of another kind, and would stay */
    return cg__tls_choose_identity(ssl, identity);
}

/* Called in each handshake of a server, whether the client named a host or not. Without
 * this callback OpenSSL would not keep the name. */
static int check_host(SSL *ssl, int *alert, void *arg)
{
    const struct cg__tls_keys *keys = arg;

    if (!keys->strict || find(keys, ssl) != NULL)
        return SSL_TLSEXT_ERR_OK;
    ERR_raise(ERR_LIB_USER, CG__TLS_NO_HOST); /* before OpenSSL's own error, which says
                                               * less */
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int cg__tls_choose_encode(struct cg__tls_alpn *alpn, const char *list, char *why)
{
    alpn->len = 0;
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");

        if (len == 0 || len > 255 || alpn->len + 1 + len > sizeof alpn->names)
            return cg__tls_why_say(why, -EINVAL, "alpn: not a list of protocols");
        alpn->names[alpn->len++] = (unsigned char)len;
        memcpy(alpn->names + alpn->len, list, len);
        alpn->len += (unsigned)len;
        list += len;
        if (*list == ',' && *++list == '\0')
            return cg__tls_why_say(why, -EINVAL, "alpn: not a list of protocols");
    }
    return 0;
}

/* Without a common protocol the handshake fails (RFC 7301); a server without a list ignores
 * what its client offers. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                       const unsigned char *offered, unsigned offered_size, void *arg)
{
    const struct cg__tls_conn *conn = SSL_get_app_data(ssl);
    const struct cg__tls_alpn *alpn = conn->offer != NULL ? conn->offer : arg;
    unsigned char *chosen;

    if (alpn->len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, size, alpn->names, alpn->len, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

bool cg__tls_choose_begin(struct cg__tls_keys *keys)
{
    const struct cg__tls_identity *first = &keys->identities[0];

    SSL_CTX_set_cert_cb(keys->context, choose_identity, keys);
    SSL_CTX_set_tlsext_servername_callback(keys->context, check_host);
    SSL_CTX_set_tlsext_servername_arg(keys->context, keys);
    SSL_CTX_set_alpn_protos(keys->context, keys->alpn.names, keys->alpn.len);
    SSL_CTX_set_alpn_select_cb(keys->context, choose_alpn, &keys->alpn);
    return keys->count == 0 || SSL_CTX_use_cert_and_key(keys->context, first->cert, first->key,
                                                        first->chain, 1) == 1;
}
