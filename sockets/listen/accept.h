/* SPDX-License-Identifier: MIT */
/* What others do with connections that a listener has accepted. */
#ifndef COGEN_SOCKETS_LISTEN_ACCEPT_H
#define COGEN_SOCKETS_LISTEN_ACCEPT_H

#include "sockets/sock.h"

/* Handles the result of a request to accept. op: the operation that made the request, or
 * NULL. Returns 0, or the error that completes the op. */
int cg__accept_absorb(struct cg_sock *listener, struct cg_op *op, ssize_t result);

/* Gives a connection that was accepted and is not needed back to its listener, for the
 * next accept. Returns false if the listener has no room for it; then conn stays the
 * caller's. */
bool cg__accept_undo(struct cg_sock *listener, struct cg_sock *conn);

#endif
