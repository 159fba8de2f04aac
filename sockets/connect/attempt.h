/* SPDX-License-Identifier: MIT */
/* One attempt to connect to one address. It has memory of its own, so that a connection
 * that comes too late has an owner that closes it. */
#ifndef COGEN_SOCKETS_CONNECT_ATTEMPT_H
#define COGEN_SOCKETS_CONNECT_ATTEMPT_H

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

struct cg__attempt {
    struct cg_io io;
    struct cg_sched *sched;
    struct cg_addr addr;
    const struct cg_connect_options *options; /* NULL: none */
    ssize_t result;
    /* Called when a pending attempt has its result. NULL: nobody needs it any more. */
    void (*settled)(struct cg__attempt *attempt);
    void *owner;
};

/* Makes an attempt; the caller sets settled, owner and perhaps options. Returns NULL if there is no
 * memory. */
struct cg__attempt *cg__attempt_new(struct cg_sched *sched, const struct sockaddr *addr,
                                    socklen_t size);

/* Starts the attempt. CG_DONE: the result is set. CG_PENDING: settled will be called. */
enum cg_verdict cg__attempt_begin(struct cg__attempt *attempt);

/* Ends an attempt in any state. A connection that it has made, or will make, is closed.
 * NULL is ignored. */
void cg__attempt_end(struct cg__attempt *attempt);

/* Frees an attempt that has its result; if it is connected, makes a socket of it. Returns
 * 0 or the error. */
int cg__attempt_sock(struct cg__attempt *attempt, struct cg_sock **sock);

/* cg_connect to a host name, in a coroutine. Leaves the socket in op->sock. */
ssize_t cg__connect_name(struct cg_connect_op *op);

#endif
