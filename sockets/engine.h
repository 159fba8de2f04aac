/* SPDX-License-Identifier: MIT */
/* The engine (engine.c) that does every operation on a socket: what a type of operation
 * tells it, and what the slots of a type call. */
#ifndef COGEN_SOCKETS_ENGINE_H
#define COGEN_SOCKETS_ENGINE_H

#include "sockets/sock.h"

/* How the operations of one type are done on their side of a socket. */
struct cg__work {
    /* Serves the op from what the socket has and from what requests have moved so far. Returns
     * true when the op is complete; op->result is set then. */
    bool (*take)(struct cg_sock *sock, struct cg_op *op);
    /* Sets the code and the arguments of the next request. Returns 0, or the error that
     * completes the op. */
    int (*ask)(struct cg_sock *sock, struct cg_op *op, struct cg_io *io);
    /* Notes the result of the op's own request: how many bytes it moved, if it counts bytes.
     * Returns 0, or the error that completes the op. NULL if all requests fill the socket's
     * input and not the op's memory. */
    int (*got)(struct cg_sock *sock, struct cg_op *op, ssize_t result);
    /* The op leaves its side, complete and not cancelled. May be NULL. */
    void (*ended)(struct cg_sock *sock, struct cg_op *op);
    enum cg__direction direction;
    bool partial; /* a cancelled op keeps what its requests have moved */
    bool once; /* a request that is still pending in the next turn is taken back */
    bool datagrams; /* for datagram sockets only; else for streams only */
};

/* How many bytes an op moves before other coroutines get their turn. */
enum { CG__AT_ONCE = 64 * 1024 };

/* How many bytes to ask for in one request. A kernel that is asked for everything goes on for
 * as long as the peer reads. */
static inline size_t cg__engine_at_once(size_t left)
{
    return left < CG__AT_ONCE ? left : CG__AT_ONCE;
}

/* Starts an op on a side. Returns what its process slot returns. */
enum cg_verdict cg__engine_begin(struct cg_op *op, struct cg_sock *sock,
                                 enum cg__direction direction,
                                 const struct cg__work *work);

/* Cancels a pending op. Returns what its cancel slot returns. */
enum cg_verdict cg__engine_take_back(struct cg_op *op, struct cg_sock *sock,
                                     enum cg__direction direction);

/* The process slot returned CG_RUN, but run will not be called. */
void cg__engine_never_ran(struct cg_op *op, struct cg_sock *sock);

/* Does an op over a transport that runs, after the op's process slot has returned CG_RUN (by
 * cg__engine_begin or cg_object_enter). Returns what the op's run slot returns. */
ssize_t cg__engine_run(struct cg_op *op, struct cg_sock *sock,
                       enum cg__direction direction, const struct cg__work *work);

/* Makes a new socket ready for use; closes a side when the socket is closed. */
void cg__engine_init(struct cg_sock *sock);
void cg__engine_side_close(struct cg_sock *sock, enum cg__direction direction);

#endif
