/* SPDX-License-Identifier: MIT */
/* The keys of session tickets, replaced after some time. */
#include "config.h"

#include "tls/conn.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

enum { TRIES = 4 }; /* for each handshake: a ClientHello may contain a thousand tickets */

static bool make(struct cg__tls_ticket_key *key)
{
    key->made = RAND_bytes(key->name, sizeof key->name) == 1 &&
                RAND_priv_bytes(key->aes, sizeof key->aes) == 1 &&
                RAND_priv_bytes(key->hmac, sizeof key->hmac) == 1;
    return key->made;
}

/* Replaces keys that are too old at this moment. Returns false if there is no key to make
 * tickets with. If there are no random bytes for a new key, the last one still decrypts its
 * tickets. */
static bool rotate(struct cg__tls_tickets *tickets, int64_t now)
{
    struct cg__tls_ticket_key key;
    int64_t age = now - tickets->since, life = CG_TLS_TICKET_LIFE * CG_SECOND;

    if (tickets->now.made && age < life)
        return true;
    OPENSSL_cleanse(&tickets->before, sizeof tickets->before);
    if (age >= 2 * life)
        cg__tls_ticket_end(tickets);
    if (make(&key)) {
        tickets->before = tickets->now;
        tickets->now = key;
        tickets->since = now;
    }
    OPENSSL_cleanse(&key, sizeof key);
    return tickets->since == now && tickets->now.made;
}

static bool has_name(const struct cg__tls_ticket_key *key, const unsigned char *name)
{
    return key->made && memcmp(key->name, name, sizeof key->name) == 0;
}

static const struct cg__tls_ticket_key *find(const struct cg__tls_tickets *tickets,
                                             const unsigned char *name)
{
    if (has_name(&tickets->now, name))
        return &tickets->now;
    return has_name(&tickets->before, name) ? &tickets->before : NULL;
}

static bool authenticate(EVP_MAC_CTX *mac, const struct cg__tls_ticket_key *key)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->hmac,
                                          sizeof key->hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int encrypt(const struct cg__tls_ticket_key *key, unsigned char *name,
                   unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    memcpy(name, key->name, sizeof key->name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1)
        return -1;
    return authenticate(mac, key) ? 1 : -1;
}

/* Returns 0 if the key is unknown, so that the handshake is a full one; 2 if the client
 * should get a new ticket in place of this one, because from TLS 1.3 on it may use a
 * ticket only once. */
static int decrypt(const struct cg__tls_tickets *tickets, bool once,
                   const unsigned char *name, const unsigned char *iv,
                   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    const struct cg__tls_ticket_key *key = find(tickets, name);

    if (key == NULL)
        return 0;
    if (!authenticate(mac, key) ||
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1)
        return -1;
    return once || key != &tickets->now ? 2 : 1;
}

/* Called by OpenSSL for each ticket that a server makes or receives. */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
                      EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    struct cg__tls_conn *conn = SSL_get_app_data(ssl);
    struct cg__tls_tickets *tickets = &conn->keys->tickets;
    bool ready = rotate(tickets, cg_sched_now(cg_sock_sched(conn->inner)));

    if (making)
        return ready ? encrypt(&tickets->now, name, iv, cipher, mac) : -1;
    if (conn->tickets_tried++ >= TRIES)
        return 0;
    return decrypt(tickets, SSL_version(ssl) >= TLS1_3_VERSION, name, iv, cipher, mac);
}

void cg__tls_ticket_begin(SSL_CTX *context)
{
    SSL_CTX_set_timeout(context, CG_TLS_TICKET_LIFE);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

void cg__tls_ticket_end(struct cg__tls_tickets *tickets)
{
    OPENSSL_cleanse(tickets, sizeof *tickets);
}
