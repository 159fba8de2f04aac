/* SPDX-License-Identifier: MIT */
/* The keys of session tickets. A server's sessions are in the tickets that its clients
 * keep, encrypted with these, so whoever has a key reads every session that it encrypted.
 * They never outlive the certificates that they were made with, nor twice
 * CG_TLS_TICKET_LIFE. */
#ifndef COGEN_TLS_TICKET_H
#define COGEN_TLS_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct cg__tls_ticket_key {
    unsigned char name[16]; /* which is in the ticket */
    unsigned char aes[32], hmac[32];
    bool made;
};

struct cg__tls_tickets {
    struct cg__tls_ticket_key now;    /* makes tickets */
    struct cg__tls_ticket_key before; /* reads those of its time */
    int64_t since;                    /* the moment when `now` was made */
};

/* Has a context make and read tickets with the keys of its struct cg__tls_keys. */
void cg__tls_ticket_begin(SSL_CTX *context);

/* Erases the keys. */
void cg__tls_ticket_end(struct cg__tls_tickets *tickets);

#endif
