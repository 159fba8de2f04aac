/* SPDX-License-Identifier: MIT */
/* Cases that must hold over every transport: the end of a connection, and borrowed views
 * of much input. Each case closes both sockets. */
#ifndef COGEN_TESTS_SOCKETS_END_CASES_H
#define COGEN_TESTS_SOCKETS_END_CASES_H

#include <cogen.h>

/* A wait for the peer's end completes although input is unread and other coroutines
 * read. */
void end_gone(struct cg_sock *a, struct cg_sock *b);

/* A wait for the peer's end completes when the own socket is closed. */
void end_gone_closed(struct cg_sock *a, struct cg_sock *b);

/* A gentle close lets a peer that is still sending read what was written. */
void end_gently(struct cg_sock *a, struct cg_sock *b);

/* A gentle close is bounded, and closes the socket whatever happens. */
void end_gently_bounded(struct cg_sock *a, struct cg_sock *b);
void end_gently_lost(struct cg_sock *a, struct cg_sock *b);

/* A view holds as many bytes as were asked for, side by side. */
void end_least(struct cg_sock *a, struct cg_sock *b);

/* Reading to the end takes all of a stream, or as much as fits. */
void end_to_end(struct cg_sock *a, struct cg_sock *b);

#endif
