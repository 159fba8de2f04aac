/* SPDX-License-Identifier: MIT */
/* What must hold for two connected sockets, whatever carries their bytes: the kernel
 * (test_sock), a transport (test_transport) or TLS (test_tls). Each case closes both
 * sockets. */
#ifndef COGEN_TESTS_SOCKETS_SOCK_CASES_H
#define COGEN_TESTS_SOCKETS_SOCK_CASES_H

#include <cogen.h>

/* Every operation on a socket. */
void sock_everything(struct cg_sock *a, struct cg_sock *b);

/* Four coroutines move more bytes than the buffers hold, in both directions at once. */
void sock_both_ways(struct cg_sock *a, struct cg_sock *b);

/* A read that loses a race or times out loses no byte, whenever the byte comes. */
void sock_raced(struct cg_sock *a, struct cg_sock *b);

/* Closing a socket wakes the coroutines that wait for it. */
void sock_closed(struct cg_sock *a, struct cg_sock *b);

/* A weak timeout starts anew with every byte, in a plain yield and in a race. A timeout
 * that is not weak does not. Needs virtual time: the case takes a minute. */
void sock_weak(struct cg_sock *a, struct cg_sock *b);

/* What a coroutine moves, and the result. */
struct piece {
    struct cg_sock *sock;
    char *data;
    size_t size, moved;
    int64_t timeout;
    ssize_t result;
};

/* Coroutines that write (pours) or read (drinks) all of a piece. They return what the
 * operation returns. */
ssize_t pours(void *piece);
ssize_t drinks(void *piece);

#endif
