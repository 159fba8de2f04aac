/* SPDX-License-Identifier: MIT */
/* The inside of a socket: its two sides, its input, and the engine (side.c) by which every
 * operation on it is done. */
#ifndef COGEN_SOCKETS_SOCK_H
#define COGEN_SOCKETS_SOCK_H

#include <cogen/sched.h>
#include <cogen/transport.h>

#include "sockets/input.h"

/* How the operations of one type are done on their side of a socket. */
struct cg__work {
    /* Serves the op from what the socket has and what was moved so far. True: it is
     * complete, op->result is set. */
    bool (*take)(struct cg_sock *sock, struct cg_op *op);
    /* Sets code and arguments of the next request. 0, or the code to end the op with. */
    int (*ask)(struct cg_sock *sock, struct cg_op *op, struct cg_io *io);
    /* What this op's request has moved, or, where there is no count, its result. 0, or the
     * code to end the op with. NULL for requests that fill the socket, not the op. */
    int (*got)(struct cg_sock *sock, struct cg_op *op, ssize_t result);
    /* The op leaves its side without having been cancelled. May be NULL. */
    void (*ended)(struct cg_sock *sock, struct cg_op *op);
    /* cg__complete as it is compiled for this work (one without `ended`). NULL: cg__complete
     * itself will do. */
    void (*complete)(struct cg_io *io, ssize_t result);
    bool partial; /* cancelled, it keeps what was moved */
};

enum { CG__AT_ONCE = 64 * 1024 }; /* bytes an op moves before the others have a turn */

/* Who uses one direction of a socket. */
enum cg__use {
    CG__FREE,   /* nobody */
    CG__CLOSED, /* nobody any more */
    CG__RUNS,   /* an op whose run slot is called */
    CG__LATE,   /* one that is cancelled, or its socket closed, and completes when its request
                   is back */
    CG__PUMPED, /* one that goes on just now: a branch of a race that is won by what its request
                   completes is cancelled amid that */
    CG__WAITS,  /* one that waits for an earlier request, or for its next turn */
    CG__ASKS,   /* one that waits for a request that it has made */
};

/* One direction of a socket: two cache lines. */
struct cg__side {
    _Alignas(CG__LINE) struct cg_io io; /* first */
    struct cg_op *op; /* who uses it; NULL: nobody */
    const struct cg__work *work;
    struct cg_scope *scope; /* of the op, while the transport runs it */
    struct cg_op *defaulted; /* op has the socket's default timeout, for this once */
    uint8_t use;             /* enum cg__use */
};

enum cg__direction { CG__RX, CG__TX };

/* What a read touches besides its side lies in the first two cache lines. */
struct cg_sock {
    _Alignas(CG__LINE) const struct cg_transport_type *transport;
    void *state; /* the transport's; of plain.c: struct cg__path */
    struct cg_sched *sched;
    struct cg_reactor *reactor;
    struct cg__input input;
    int64_t timeout; /* default of its waits; 0: the scheduler's */
    size_t *holds;   /* where its waits are counted: with what holds the run open. Not those
                      * over an in-memory transport: if nobody else can run, nobody will ever
                      * write there */
    size_t in_memory;
    int fd;
    int error;       /* of receiving, once the input has been read; stays */
    int spare;       /* of a listener: a connection that came too late for its accept */
    unsigned ready;  /* what the last poll request answered */
    unsigned running; /* ops whose run slot is called or about to be */
    unsigned keeps;   /* cg_sock_keep */
    bool eof;        /* nothing comes after the input */
    bool multishot;  /* its requests to receive stay armed */
    bool listener;
    bool closing;
    bool gone;       /* closed: only the memory is left, for those who keep it */
    bool held;       /* closing, waits for its last request, holds the run open */
    struct cg__side side[2];
    struct cg_deferred deferred[2]; /* of the sides */
    void *memory; /* as it was allocated; the socket begins at a cache line in it */
};

extern const struct cg_transport_type cg__plain_transport;

/* ---- side.c ---- */

/* Starts an op on a side: what its process slot answers. */
enum cg_verdict cg__begin(struct cg_op *op, struct cg_sock *sock,
                          enum cg__direction direction, const struct cg__work *work);

/* The same for those that read: -EBUSY also while a view is lent. */
enum cg_verdict cg__begin_reading(struct cg_op *op, struct cg_sock *sock,
                                  const struct cg__work *work);

/* Takes a waiting op back: what its cancel slot answers. */
enum cg_verdict cg__take_back(struct cg_op *op, struct cg_sock *sock,
                              enum cg__direction direction);

/* An op whose process slot answered RUN will not run. */
void cg__never_ran(struct cg_sock *sock);

/* Does an op over a transport that runs, once its process slot has answered RUN (and, if
 * not by cg__begin, has counted it in sock->running): what its run slot answers. */
ssize_t cg__run(struct cg_op *op, struct cg_sock *sock, enum cg__direction direction,
                const struct cg__work *work);

/* Makes a side ready for use; ends it when the socket closes. */
void cg__side_init(struct cg_sock *sock, enum cg__direction direction);
void cg__side_close(struct cg_sock *sock, enum cg__direction direction);

/* ---- accept.c ---- */

/* A connection that was accepted and is of no use goes back to its listener, for the next
 * accept. False: there is no room for it. */
bool cg__accept_undo(struct cg_sock *listener, struct cg_sock *conn);

/* ---- sock.c ---- */

/* Ends a closing socket once nothing of it is in use, and frees it once nobody keeps it. */
void cg__sock_settle(struct cg_sock *sock);

/* A request that never waits, straight to the reactor or through a transport: its
 * result. */
ssize_t cg__call_reactor(struct cg_reactor *reactor, struct cg_io *io);
ssize_t cg__call_sock(struct cg_sock *sock, struct cg_io *io);

/* Forgets and closes a descriptor. */
void cg__close_fd(struct cg_reactor *reactor, int fd);

/* Prints whose op it is and how far it is: "fd 7, 0/4096". */
int cg__print(const struct cg_sock *sock, size_t done, size_t len, char *buf,
              size_t size);
int cg__print_sock(const struct cg_sock *sock, char *buf, size_t size);

/* Of a new socket, or one that gives its descriptor away. */
static inline void cg__sock_set_fd(struct cg_sock *sock, int fd)
{
    sock->fd = sock->side[CG__RX].io.fd = sock->side[CG__TX].io.fd = fd;
}

static inline bool cg__is_lent(const struct cg_sock *sock)
{
    return sock->input.first != NULL && sock->input.first->lent > 0;
}

#endif
