/* SPDX-License-Identifier: MIT */
/* The inside of a socket: its two sides and its input. engine.h has the operations on
 * it. */
#ifndef COGEN_SOCKETS_SOCK_H
#define COGEN_SOCKETS_SOCK_H

#include <cogen/transport.h>

#include "lib/core/sched.h"
#include "sockets/input.h"

#include <assert.h>

enum cg__direction { CG__RX, CG__TX };

struct cg__work; /* engine.h */

/* What happens on one side of a socket. */
enum cg__use {
    CG__FREE,   /* no op uses it */
    CG__CLOSED, /* no op will use it any more */
    CG__RUNS,   /* an op runs over the transport (its run slot) */
    CG__LATE,   /* an op was cancelled or its socket closed; it completes with its
                 * request */
    CG__PUMPED, /* pump() serves an op at this moment. The op may be cancelled
                 * re-entrantly, from within pump(): it may be a branch of a race that
                 * this progress decides. */
    CG__WAITS,  /* an op waits for an earlier request to complete, or for its next turn */
    CG__ASKS,   /* an op waits for its own request */
};

/* One direction of a socket. */
struct cg__side {
    struct cg_io io; /* must be first */
    uint8_t use;      /* enum cg__use */
    struct cg_op *op; /* uses the side; NULL: none does */
    union {
        const struct cg__work *work; /* the op's, while it is pending */
        struct cg_scope *scope;      /* the op's, while it is CG__RUNS */
    };
};

/* What requests touch stands together, since with thousands of connections each of its cache
 * lines is missed: first what every request looks at, in one line, then the sides. A read that
 * waits and a write that need not wait touch five lines. */
struct cg_sock {
    const struct cg_transport_type *transport;
    struct cg_sched *sched;
    struct cg_reactor *reactor;
    struct cg__input input;
    int error; /* of receiving; reported when the input has been read, and stays */
    uint8_t ready;     /* events that the last poll request reported */
    uint8_t datagrams; /* the family of a datagram socket; 0 (AF_UNSPEC): a stream */
    bool eof : 1; /* no bytes come after the input */
    bool multishot : 1; /* receives of this socket stay armed */
    bool listener : 1;
    bool closing : 1;
    bool gone : 1;  /* closed; only the memory is left, until nobody keeps it */
    bool piped : 1; /* bytes that come before the input are in a pipe (splice/) */
    bool holds : 1; /* a pending op holds the run open, since it waits for the kernel, and so
                     * does the socket while it closes. Over another transport they do not: if
                     * no coroutine can run, none will ever write to the socket */
    struct cg_object object; /* what its ops refer to by op->uses; begins with their default
                              * timeout, which each op that waits looks at */
    struct cg__side side[2];
    void *state; /* the transport's; for plain.c a struct cg__path or NULL */
    struct cg_deferred deferred; /* continues ops in the next turn */
    char *told; /* the client's address that a proxy has told: proxied/; NULL: nothing */
    struct cg__gone *peer_gone; /* end/gone.c; NULL: nobody has waited for it */
    int lost; /* an error of the connection that a write has completed with; 0: none */
    unsigned keeps; /* cg_sock_keep minus cg_sock_unkeep */
    int spare; /* a listener's: a connection that arrived after its accept was
                * cancelled, or -1 */
};

/* Ends a closing socket once no request and no op uses it, and frees it once nobody
 * keeps it. */
void cg__sock_settle(struct cg_sock *sock);

/* Makes a request that never waits through the socket's transport. Returns its result. */
ssize_t cg__sock_call(struct cg_sock *sock, struct cg_io *io);

/* The socket that has the descriptor, or the end of a pair: below all other transports. */
struct cg_sock *cg__sock_bottom(struct cg_sock *sock);

/* Whether it is a UNIX socket, or is carried by one. */
bool cg__sock_is_unix(struct cg_sock *sock);

/* Prints the socket and the op's progress, "fd 7, 0/4096", as snprintf does. */
int cg__sock_print_bytes(const struct cg_sock *sock, size_t done, size_t len, char *buf,
                         size_t size);
int cg__sock_print(const struct cg_sock *sock, char *buf, size_t size);

/* For a new socket, or one that hands its descriptor over (-1). */
static inline void cg__sock_set_fd(struct cg_sock *sock, int fd)
{
    sock->side[CG__RX].io.fd = sock->side[CG__TX].io.fd = fd;
}

static inline void cg__sock_hold(struct cg_sock *sock)
{
    if (sock->holds)
        sock->sched->holds++;
}

static inline void cg__sock_unhold(struct cg_sock *sock)
{
    if (!sock->holds)
        return;
    assert(sock->sched->holds > 0);
    sock->sched->holds--;
}

static inline int cg__sock_fd(const struct cg_sock *sock)
{
    return sock->side[CG__RX].io.fd;
}

/* A receive has met the end of the stream. Returns 0, or the error that ended it instead: the
 * kernel reports an error once, and after a write has taken it, receives look like the end. */
static inline int cg__sock_end_input(struct cg_sock *sock)
{
    if (sock->lost == 0)
        sock->eof = true;
    else
        sock->error = sock->lost;
    return sock->lost;
}

/* Whether a read would complete at once. */
static inline bool cg__sock_has_input(const struct cg_sock *sock)
{
    return sock->input.first != NULL || sock->eof || sock->error != 0;
}

/* Whether somebody has the first unread bytes, so that nobody else may read. */
static inline bool cg__sock_is_lent(const struct cg_sock *sock)
{
    return (sock->input.first != NULL && sock->input.first->lent > 0) || sock->piped;
}

#endif
