/* SPDX-License-Identifier: MIT */
/* The keys of session tickets. Clients keep a server's sessions in tickets that are
 * encrypted with these keys, so whoever gets a key can read every session that it
 * encrypted. A key never outlives the certificates with which it was made, nor twice
 * CG_TLS_TICKET_LIFE. */
#ifndef COGEN_TLS_TICKET_H
#define COGEN_TLS_TICKET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct cg__tls_ticket_key {
    unsigned char name[16]; /* sent in the ticket, to find the key */
    unsigned char aes[32], hmac[32];
    bool made;
};

struct cg__tls_tickets {
    pthread_mutex_t lock; /* protects the following fields */
    struct cg__tls_ticket_key now;    /* encrypts new tickets */
    struct cg__tls_ticket_key before; /* decrypts tickets from its time */
    int64_t since;                    /* when `now` was made */
};

/* Makes a context use the keys of its struct cg__tls_keys for tickets. */
void cg__tls_ticket_begin(SSL_CTX *context);

/* Erases the keys. */
void cg__tls_ticket_end(struct cg__tls_tickets *tickets);

#endif
