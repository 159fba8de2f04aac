/* SPDX-License-Identifier: MIT */
/* The steps by which a socket gives its descriptor up. */
#ifndef COGEN_SOCKETS_ATTACH_H
#define COGEN_SOCKETS_ATTACH_H

#include "sockets/sock.h"

/* Whether no operation uses the socket and nothing of it is borrowed. */
bool cg__attach_is_free(const struct cg_sock *sock);

/* Takes back what the reactor still does for a free socket, which may bring more input.
 * Returns 0, -EBADF, -EOPNOTSUPP or -EBUSY. */
int cg__attach_prepare(struct cg_sock *sock);

/* Copies the unread input; the caller frees *rest (NULL: there is none). Returns 0 or
 * -ENOMEM. */
int cg__attach_copy(const struct cg_sock *sock, void **rest, size_t *len);

/* Closes a prepared socket and returns its descriptor. */
int cg__attach_let_go(struct cg_sock *sock);

#endif
