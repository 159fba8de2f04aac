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
 * tickets. The clocks of two schedulers may differ by a turn, so an age may be negative. */
static bool rotate(struct cg__tls_tickets *tickets, int64_t now)
{
    struct cg__tls_ticket_key key;
    int64_t age = now - tickets->since, life = CG_TLS_TICKET_LIFE * CG_SECOND;
    bool fresh;

    if (tickets->now.made && age < life)
        return true;
    OPENSSL_cleanse(&tickets->before, sizeof tickets->before);
    if (age >= 2 * life)
        cg__tls_ticket_end(tickets);
    fresh = make(&key);
    if (fresh) {
        tickets->before = tickets->now;
        tickets->now = key;
        tickets->since = now;
    }
    OPENSSL_cleanse(&key, sizeof key);
    return fresh;
}

static bool has_name(const struct cg__tls_ticket_key *key, const unsigned char *name)
{
    return key->made && memcmp(key->name, name, sizeof key->name) == 0;
}

/* Copies the key of a ticket, or to make one if name is NULL, since another thread may
 * replace the keys. Returns false if there is none. *old: the ticket should be replaced. */
static bool find(struct cg__tls_tickets *tickets, int64_t now, const unsigned char *name,
                 struct cg__tls_ticket_key *key, bool *old)
{
    const struct cg__tls_ticket_key *found = NULL;
    bool ready;

    pthread_mutex_lock(&tickets->lock);
    ready = rotate(tickets, now);
    if (name == NULL ? ready : has_name(&tickets->now, name))
        found = &tickets->now;
    else if (name != NULL && has_name(&tickets->before, name))
        found = &tickets->before;
    if (found != NULL)
        *key = *found;
    *old = found == &tickets->before;
    pthread_mutex_unlock(&tickets->lock);
    return found != NULL;
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

/* Returns 2 if the client should get a new ticket in place of this one. */
static int decrypt(const struct cg__tls_ticket_key *key, bool renew,
                   const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    if (!authenticate(mac, key) ||
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1)
        return -1;
    return renew ? 2 : 1;
}

/* Called by OpenSSL for each ticket that a server makes or receives. Returns 0 if the key
 * of a ticket is unknown: the handshake is a full one then. From TLS 1.3 on a client may
 * use a ticket only once, so it gets a new one. */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
                      EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    struct cg__tls_conn *conn = SSL_get_app_data(ssl);
    struct cg__tls_ticket_key key;
    bool known, old;
    int rc;

    if (!making && conn->tickets_tried++ >= TRIES)
        return 0;
    known = find(&conn->keys->tickets, cg_sched_now(cg_sock_sched(conn->inner)),
                 making ? NULL : name, &key, &old);
    if (!known)
        return making ? -1 : 0;
    rc = making ? encrypt(&key, name, iv, cipher, mac)
                : decrypt(&key, old || SSL_version(ssl) >= TLS1_3_VERSION, iv, cipher, mac);
    OPENSSL_cleanse(&key, sizeof key);
    return rc;
}

void cg__tls_ticket_begin(SSL_CTX *context)
{
    SSL_CTX_set_timeout(context, CG_TLS_TICKET_LIFE);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

void cg__tls_ticket_end(struct cg__tls_tickets *tickets)
{
    OPENSSL_cleanse(&tickets->now, sizeof tickets->now);
    OPENSSL_cleanse(&tickets->before, sizeof tickets->before);
}
