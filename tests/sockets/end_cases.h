/* SPDX-License-Identifier: MIT */
/* What must hold of the end of a connection, and of views of much input, whatever carries
 * the bytes. Each case closes both sockets. */
#ifndef COGEN_TESTS_SOCKETS_END_CASES_H
#define COGEN_TESTS_SOCKETS_END_CASES_H

#include <cogen.h>

/* Whoever waits for the peer's end learns of it while input is unread and others read. */
void end_gone(struct cg_sock *a, struct cg_sock *b);

/* Waiting for it ends when the own socket is closed. */
void end_gone_closed(struct cg_sock *a, struct cg_sock *b);

/* A gentle close lets a peer that is still sending read what was written. */
void end_gently(struct cg_sock *a, struct cg_sock *b);

/* A gentle close is bounded, and closes the socket whatever happens. */
void end_gently_bounded(struct cg_sock *a, struct cg_sock *b);
void end_gently_lost(struct cg_sock *a, struct cg_sock *b);

/* A view holds as many bytes as were asked for, side by side. */
void end_least(struct cg_sock *a, struct cg_sock *b);

#endif
