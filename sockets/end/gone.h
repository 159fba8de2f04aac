/* SPDX-License-Identifier: MIT */
/* The operations that wait until a socket's peer is gone. */
#ifndef COGEN_SOCKETS_END_GONE_H
#define COGEN_SOCKETS_END_GONE_H

#include "sockets/sock.h"

/* Part of a socket, made when an op first waits. All ops of a socket share one request. */
struct cg__gone {
    struct cg_io io; /* must be first */
    struct cg_wait_gone_op *first, *last;
};

/* Completes the ops that wait with -EBADF and takes the request back. */
void cg__gone_close(struct cg_sock *sock);

/* Whether a request is with the kernel; whether an op waits. */
static inline bool cg__gone_in_use(const struct cg_sock *sock)
{
    return sock->peer_gone != NULL && sock->peer_gone->io.state != CG_IO_IDLE;
}

static inline bool cg__gone_is_awaited(const struct cg_sock *sock)
{
    return sock->peer_gone != NULL && sock->peer_gone->first != NULL;
}

#endif
