/* SPDX-License-Identifier: MIT */
/* The inside of a socket: its two sides, its input, and the engine (side.c) by which every
 * operation on it is done. */
#ifndef COGEN_SOCKETS_SOCK_H
#define COGEN_SOCKETS_SOCK_H

#include <cogen/sched.h>
#include <cogen/transport.h>

#include "sockets/input.h"

enum cg__direction { CG__RX, CG__TX };

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
    enum cg__direction direction;
    bool partial; /* cancelled, it keeps what was moved */
};

enum { CG__AT_ONCE = 64 * 1024 }; /* bytes an op moves before the others have a turn */

/* How many bytes to ask for at once: a kernel that is asked for all goes on for as long as
 * the peer reads. */
static inline size_t cg__sock_at_once(size_t left)
{
    return left < CG__AT_ONCE ? left : CG__AT_ONCE;
}

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

/* What a read touches besides its side lies in the first two cache lines. */
struct cg_sock {
    _Alignas(CG__LINE) const struct cg_transport_type *transport;
    void *state; /* the transport's; of plain.c: struct cg__path, or NULL */
    struct cg_sched *sched;
    struct cg_reactor *reactor;
    struct cg__input input;
    struct cg_object object; /* of its operations */
    int64_t timeout; /* default of its waits; 0: the scheduler's */
    size_t
        *holds; /* where its waits are counted: with what holds the run open. Not those
                      * over an in-memory transport: if nobody else can run, nobody will
                      * ever write there */
    int fd;
    int error;       /* of receiving, once the input has been read; stays */
    int spare;       /* of a listener: a connection that came too late for its accept */
    unsigned ready;  /* what the last poll request answered */
    unsigned keeps;   /* cg_sock_keep */
    bool eof;        /* nothing comes after the input */
    bool multishot;  /* its requests to receive stay armed */
    bool listener;
    bool closing;
    bool gone;       /* closed: only the memory is left, for those who keep it */
    bool held;       /* closing, waits for its last request, holds the run open */
    struct cg__side side[2];
    struct cg_deferred deferred[2]; /* of the sides */
    size_t in_memory;
    void *memory; /* as it was allocated; the socket begins at a cache line in it */
};

extern const struct cg_transport_type cg__plain_transport;

/* How every operation on a socket begins, */
struct cg__sock_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
};

/* and those that move bytes. */
struct cg__bytes_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
};

/* ---- side.c ---- */

/* Starts an op on a side: what its process slot answers. */
enum cg_verdict cg__engine_begin(struct cg_op *op, struct cg_sock *sock,
                                 enum cg__direction direction,
                                 const struct cg__work *work);

/* Takes a waiting op back: what its cancel slot answers. */
enum cg_verdict cg__engine_take_back(struct cg_op *op, struct cg_sock *sock,
                                     enum cg__direction direction);

/* An op whose process slot answered RUN will not run. */
void cg__engine_never_ran(struct cg_op *op, struct cg_sock *sock);

/* Does an op over a transport that runs, once its process slot has answered RUN (by
 * cg__engine_begin or cg_object_enter): what its run slot answers. */
ssize_t cg__engine_run(struct cg_op *op, struct cg_sock *sock,
                       enum cg__direction direction, const struct cg__work *work);

/* Makes a side ready for use; ends it when the socket closes. */
void cg__engine_side_init(struct cg_sock *sock, enum cg__direction direction);
void cg__engine_side_close(struct cg_sock *sock, enum cg__direction direction);

/* ---- slots.c ---- */

/* The slots of a type whose `detail` is its struct cg__work. Those that read are refused
 * with -EBUSY while a view is lent. */
enum cg_verdict cg__slots_process(struct cg_op *op, struct cg_sched *sched);
ssize_t cg__slots_run(struct cg_op *op);
enum cg_verdict cg__slots_cancel(struct cg_op *op, struct cg_sched *sched);
int cg__slots_print(const struct cg_op *op, char *buf, size_t size);

/* The slots of those that move bytes, where they differ. */
enum cg_verdict cg__slots_bytes_process(struct cg_op *op, struct cg_sched *sched);
ssize_t cg__slots_bytes_finish(struct cg_op *op);
int cg__slots_bytes_print(const struct cg_op *op, char *buf, size_t size);

#define CG__SLOTS_BYTES(name_, work_)                                                       \
    {                                                                                      \
        .name = name_,                                                                     \
        .flags = CG_OP_DEFAULT_TIMEOUT,                                                    \
        .process = cg__slots_bytes_process,                                                      \
        .run = cg__slots_run,                                                               \
        .cancel = cg__slots_cancel,                                                         \
        .finish = cg__slots_bytes_finish,                                                        \
        .print = cg__slots_bytes_print,                                                          \
        .detail = &work_,                                                                  \
    }

/* ---- accept.c ---- */

/* What a request to accept has brought: 0, or the code that ends the op. NULL: nobody's. */
int cg__accept_absorb(struct cg_sock *listener, struct cg_op *op, ssize_t result);

/* A connection that was accepted and is of no use goes back to its listener, for the next
 * accept. False: there is no room for it. */
bool cg__accept_undo(struct cg_sock *listener, struct cg_sock *conn);

/* ---- sock.c ---- */

/* Ends a closing socket once nothing of it is in use, and frees it once nobody keeps it. */
void cg__sock_settle(struct cg_sock *sock);

/* A request that never waits, straight to the reactor or through a transport: its
 * result. */
ssize_t cg__plain_call(struct cg_reactor *reactor, struct cg_io *io);
ssize_t cg__sock_call(struct cg_sock *sock, struct cg_io *io);

/* Forgets and closes a descriptor. */
void cg__plain_close_fd(struct cg_reactor *reactor, int fd);

/* Prints whose op it is and how far it is: "fd 7, 0/4096". */
int cg__sock_print_bytes(const struct cg_sock *sock, size_t done, size_t len, char *buf,
                         size_t size);
int cg__sock_print(const struct cg_sock *sock, char *buf, size_t size);

/* Of a new socket, or one that gives its descriptor away. */
static inline void cg__sock_set_fd(struct cg_sock *sock, int fd)
{
    sock->fd = sock->side[CG__RX].io.fd = sock->side[CG__TX].io.fd = fd;
}

static inline bool cg__sock_is_lent(const struct cg_sock *sock)
{
    return sock->input.first != NULL && sock->input.first->lent > 0;
}

#endif
