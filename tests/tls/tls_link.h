/* SPDX-License-Identifier: MIT */
/* Two ends of a connection over TLS, made of the two ends of any other. */
#ifndef COGEN_TESTS_TLS_TLS_LINK_H
#define COGEN_TESTS_TLS_TLS_LINK_H

#include "tls/conn.h"

extern struct cg_tls *server_tls, *client_tls;

/* Makes and frees the configurations of both ends. */
void configure(void);
void unconfigure(void);

struct served {
    struct cg_sock *inner, *sock;
    int64_t timeout;
    const char *alpn;
    bool fails;
};

/* A coroutine that makes the handshake of the server, a struct served. */
ssize_t serves(void *arg);

/* Makes TLS sockets of both ends of a connection: *a is the server's. */
void secure(struct cg_sock **a, struct cg_sock **b);

/* Makes them with configurations that are freed before the sockets. */
void secured(struct cg_sock **a, struct cg_sock **b);

void close_both(struct cg_sock *a, struct cg_sock *b);

#endif
