/* SPDX-License-Identifier: MIT */
/* One attempt to connect to one address. It is memory of its own, so that a connection that
 * comes too late has an owner who closes it. */
#ifndef COGEN_SOCKETS_CONNECT_ATTEMPT_H
#define COGEN_SOCKETS_CONNECT_ATTEMPT_H

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

struct cg__attempt {
    struct cg_io io;
    struct cg_sched *sched;
    struct cg__addr addr;
    ssize_t result;
    /* A pending attempt has its result. NULL: nobody cares any more. */
    void (*settled)(struct cg__attempt *attempt);
    void *owner;
};

/* A new attempt; settled and owner are the caller's to set. NULL: no memory. */
struct cg__attempt *cg__attempt_new(struct cg_sched *sched, const struct sockaddr *addr,
                                    socklen_t size);

/* Begins it. DONE: the result is set. PENDING: settled will be called. */
enum cg_verdict cg__attempt_begin(struct cg__attempt *attempt);

/* Ends it, whatever its state: what is connected, or will be yet, is closed. NULL is
 * ignored. */
void cg__attempt_end(struct cg__attempt *attempt);

/* Ends one that has its result, and makes a socket of it if it is connected: 0, or the
 * code. */
int cg__attempt_sock(struct cg__attempt *attempt, struct cg_sock **sock);

/* cg_connect to a host's name, in a coroutine: leaves the socket in op->sock. */
ssize_t cg__connect_name(struct cg_connect_op *op);

#endif
