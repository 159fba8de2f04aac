/* SPDX-License-Identifier: MIT */
/* Transports: what carries a socket's bytes. The reactor is one, an in-memory pair another,
 * TLS over either a third. Also what operations of other libraries need of a socket. Users
 * do not need this header. See cg_transport(3). */
#ifndef COGEN_TRANSPORT_H
#define COGEN_TRANSPORT_H

#ifndef __cplusplus

#include <cogen/reactor.h>
#include <cogen/sock.h>

/* Like a reactor: it gets requests and reports their completion. A transport serves RECV,
 * SEND, SENDV, SENDFILE and POLL, one request of a direction at a time (POLL for CG_IN
 * belongs to the reading direction; POLL for CG_HUP alone to neither: if a transport has
 * no `below`, it serves one of these beside the others), and the requests that never wait:
 * SHUTDOWN, SETOPT, GETOPT, SOCKNAME, PEERNAME, LOOK, and OFFER (while nothing is pending
 * in the writing direction). For others it returns -EOPNOTSUPP. */
struct cg_transport_move;

struct cg_transport_type {
    const char *name;
    /* Like cg_reactor_type.submit. May also return RUN (not for options and names) if the
     * transport must yield operations of its own: then run is called in the coroutine that
     * waits, or in one that a cg_any has made for the branch. A direction for which submit
     * returns RUN at times returns DONE at other times, never PENDING. */
    enum cg_verdict (*submit)(struct cg_sock *sock, struct cg_io *io);
    /* Like cg_reactor_type.cancel; not called for a request whose run is called. */
    enum cg_verdict (*cancel)(struct cg_sock *sock, struct cg_io *io);
    /* Serves the request in the calling coroutine, with operations of its own, and returns
     * its result. Called again, without submit, as long as the waiting op needs more. When
     * that op is cancelled, or the socket closed, what run yields completes with
     * -ECANCELED. Run must return that code, but bytes that it has received by then it must
     * keep, or return instead. RECV: with len 0 into io->chunk (cg_chunk_get), else into
     * buf or a chunk. NULL if submit never returns RUN. */
    ssize_t (*run)(struct cg_sock *sock, struct cg_io *io);
    /* The socket is being freed; nothing is pending or runs. Frees `state`. May be NULL. */
    void (*close)(struct cg_sock *sock);
    /* The socket that carries this one's bytes. NULL: no other socket does. */
    struct cg_sock *(*below)(const struct cg_sock *sock);
    /* The application protocol that the ends agreed on, by its ALPN name ("h2"); the text
     * is the socket's. Returns NULL if they agreed on none. NULL: what `below` says. */
    const char *(*protocol)(const struct cg_sock *sock);
    /* For a transport that runs: whether all that it can do now is to wait for input of the
     * socket below. NULL: it never is, and cg_wait_input needs a coroutine. */
    bool (*idle)(const struct cg_sock *sock);
    /* How such a socket, over one with a descriptor, goes to another scheduler
     * (cg_sock_move). NULL: it cannot. */
    const struct cg_transport_move *move;
};

/* Takes a transport's state out of one scheduler and into another one. */
struct cg_transport_move {
    /* Makes the state independent of the scheduler and of the socket below. Nothing is
     * pending or runs. Returns 0, or a code: then nothing has changed. */
    int (*pack)(void *state);
    /* In the other scheduler's thread: continues over this socket. Returns 0, or a code:
     * then the state is still packed. */
    int (*unpack)(void *state, struct cg_sock *below);
    /* Frees a packed state, in any thread. */
    void (*drop)(void *state);
};

/* Makes a socket over a transport. state is the transport's, fd a handle or -1. Returns
 * NULL if there is no memory. A request that such a transport keeps PENDING does not hold
 * the run open: it waits for an operation that does (or for one that never comes: a
 * deadlock). */
CG_API struct cg_sock *cg_sock_open(struct cg_sched *sched,
                                    const struct cg_transport_type *transport, void *state,
                                    int fd);
CG_API void *cg_sock_state(const struct cg_sock *sock);
CG_API const struct cg_transport_type *cg_sock_transport(const struct cg_sock *sock);
CG_API struct cg_sched *cg_sock_sched(const struct cg_sock *sock);

/* The application protocol that the ends of the connection agreed on, such as "h2" by ALPN
 * in TLS. The text is the socket's. NULL: none, or the socket is closed. */
CG_API const char *cg_sock_protocol(const struct cg_sock *sock);

/* For compound operations that use a socket owned by somebody else. As a branch of a
 * cg_any such an op runs in a coroutine of its own: it starts after the yield and still
 * runs for a moment after its cancellation, and meanwhile the socket may be closed. A kept
 * socket can still be closed, but its memory (and a view that is lent and must be
 * released) stays valid until every keep has its unkeep; operations and functions on it
 * return -EBADF. Call keep in process, and unkeep at the end of run, in cancel if that is
 * called instead of run, or in finish. */
CG_API void cg_sock_keep(struct cg_sock *sock);

/* Reverses one keep. Returns 0; -EBADF: the socket was closed, and must not be used any
 * more. */
CG_API int cg_sock_unkeep(struct cg_sock *sock);

#endif
#endif
