/* SPDX-License-Identifier: MIT */
/* A handshake between two configurations, over a pair in memory. */
#ifndef COGEN_TESTS_TLS_TLS_MEETING_H
#define COGEN_TESTS_TLS_TLS_MEETING_H

#include <cogen.h>
#include <cogen/tls.h>

struct meeting {
    struct cg_tls *server, *client;
    const char *host;
    struct cg_sock *inner[2];
    struct cg_sock *sock[2]; /* the server's, the client's; the inner ones if it failed */
    ssize_t result[2];
    char why[2][CG_TLS_WHY_SIZE];
};

/* Connects the inner sockets and starts the server's side. */
struct cg_coro *meet_server(struct meeting *m);

/* Both sides shake hands; where both succeed the client has read a byte of the server's, so
 * that it knows whether its certificate was accepted, and has the server's tickets. */
void meet(struct meeting *m);

/* Closes what is open. */
void part(struct meeting *m);

/* Meets, parts, and tells whether the session was resumed. */
bool meet_resumes(struct meeting *m);

#endif
