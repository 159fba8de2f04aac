/* SPDX-License-Identifier: MIT */
/* What must hold of two connected sockets, whatever carries their bytes: plain ones
 * (test_sock), a transport that runs (test_transport), TLS (test_tls). Each case closes
 * both sockets. */
#ifndef COGEN_TESTS_SOCKETS_SOCK_CASES_H
#define COGEN_TESTS_SOCKETS_SOCK_CASES_H

#include <cogen.h>

/* All that can be done with a socket. */
void sock_everything(struct cg_sock *a, struct cg_sock *b);

/* Both directions at once, by four coroutines, more than fits anywhere. */
void sock_both_ways(struct cg_sock *a, struct cg_sock *b);

/* A read that loses a race or times out loses no byte, however close it was. */
void sock_raced(struct cg_sock *a, struct cg_sock *b);

/* Closing ends whoever waits. */
void sock_closed(struct cg_sock *a, struct cg_sock *b);

/* A weak timeout starts anew with every byte, yielded alone and raced; one that is not weak
 * does not. In virtual time: it takes a minute. */
void sock_weak(struct cg_sock *a, struct cg_sock *b);

/* What a coroutine is to move, and how that went. */
struct piece {
    struct cg_sock *sock;
    char *data;
    size_t size, moved;
    int64_t timeout;
    ssize_t result;
};

/* Coroutines that write or read all of a piece, and answer as the operation does. */
ssize_t pours(void *piece);
ssize_t drinks(void *piece);

#endif
