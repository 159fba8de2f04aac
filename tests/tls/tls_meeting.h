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
    struct cg_sock *sock[2]; /* the server's, the client's; inner ones after a failure */
    ssize_t result[2];
    char why[2][CG_TLS_WHY_SIZE];
};

/* Connects the inner sockets and starts the server's side. */
struct cg_coro *meet_server(struct meeting *m);

/* Both sides make the handshake. If both succeed, the client also reads a byte from the
 * server: then it knows that its certificate was accepted, and has the server's tickets. */
void meet(struct meeting *m);

/* Closes the sockets that are open. */
void part(struct meeting *m);

/* Makes a handshake, closes the sockets, and returns whether the session was resumed. */
bool meet_resumes(struct meeting *m);

#endif
