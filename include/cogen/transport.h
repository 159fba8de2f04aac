/* SPDX-License-Identifier: MIT */
/* Transports: what carries a socket's bytes. The reactor is one, an in-memory pair another,
 * TLS over either a third; and what operations of other libraries need of a socket. Users
 * do not need this header. See cg_transport(3). */
#ifndef COGEN_TRANSPORT_H
#define COGEN_TRANSPORT_H

#ifndef __cplusplus

#include <cogen/reactor.h>
#include <cogen/sock.h>

/* The same shape as a reactor's: do this request, tell when it is done. A transport sees
 * RECV, SEND, SENDV, SENDFILE, POLL, one request of a direction at a time (POLL for CG_IN
 * is of the reading direction), and the calls that never wait: SHUTDOWN, SETOPT, GETOPT,
 * SOCKNAME, PEERNAME, LOOK, and OFFER (while nothing is pending in the writing direction).
 * What it does not know it answers -EOPNOTSUPP. */
struct cg_transport_type {
    const char *name;
    /* As cg_reactor_type.submit; or RUN (not for options and names): this transport must
     * yield operations of its own, run is called in the coroutine that asked, or in one
     * that a cg_any has made for it. A direction for which submit answers RUN at times
     * answers DONE at other times, never PENDING. */
    enum cg_verdict (*submit)(struct cg_sock *sock, struct cg_io *io);
    /* As cg_reactor_type.cancel; not called for a request that runs. */
    enum cg_verdict (*cancel)(struct cg_sock *sock, struct cg_io *io);
    /* Does the request in the calling coroutine, with operations of its own; answers its
     * result. Called again, without submit, as long as the op that asked needs more. What
     * it yields answers -ECANCELED once that op is cancelled or the socket closed, which it
     * hands on; what it has received by then it keeps or answers all the same. RECV: with
     * len 0 into io->chunk (cg_chunk_get), else into buf or a chunk. NULL where submit
     * never answers RUN. */
    ssize_t (*run)(struct cg_sock *sock, struct cg_io *io);
    /* The socket is going: nothing is pending, nothing runs. Frees `state`. May be NULL. */
    void (*close)(struct cg_sock *sock);
    void *reserved[2];
};

/* A new socket over a transport; state is the transport's, fd a handle or -1. NULL: no
 * memory. A request that such a transport keeps PENDING does not hold the run open: it
 * waits for an operation that does (or that nobody will ever do: a deadlock). */
CG_API struct cg_sock *cg_sock_open(struct cg_sched *sched,
                                    const struct cg_transport_type *transport, void *state,
                                    int fd);
CG_API void *cg_sock_state(const struct cg_sock *sock);
CG_API const struct cg_transport_type *cg_sock_transport(const struct cg_sock *sock);
CG_API struct cg_sched *cg_sock_sched(const struct cg_sock *sock);

/* For compound operations that use a socket of somebody else's: as a branch of a cg_any
 * such an op runs in a coroutine of its own, a moment after it was yielded, and goes on for
 * a moment after it was cancelled; the socket may be closed at any time. Kept, it may still
 * be closed, which is done at once, but its memory stays (and a view that is lent, to be
 * given back) until it has been kept no more as often as it was kept. What is yielded or
 * asked on it answers -EBADF meanwhile. Keep it in process, and give it back at the end of
 * run, where cancel is called instead of run, or in finish. */
CG_API void cg_sock_keep(struct cg_sock *sock);

/* The other half. 0; -EBADF: it was closed meanwhile, and must not be used any more. */
CG_API int cg_sock_unkeep(struct cg_sock *sock);

#endif
#endif
