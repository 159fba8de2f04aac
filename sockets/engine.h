/* SPDX-License-Identifier: MIT */
/* The part of the engine (side.c) that every operation goes through, inline: so that reads and
 * writes are compiled with their own slots in place of calls through the table, from the
 * operation's start to its completion. Nothing is noted of an op that need not wait. */
#ifndef COGEN_SOCKETS_ENGINE_H
#define COGEN_SOCKETS_ENGINE_H

#include "sockets/sock.h"

#include <errno.h>

#define CG__INLINE static inline __attribute__((always_inline))

enum { CG__COUNTED = 4096 }; /* bytes that cg_charge counts for any immediate completion */

/* ---- side.c ---- */

/* What process answers for an op that finds its side in use, or the socket closed. */
enum cg_verdict cg__refuse(struct cg_op *op, const struct cg_sock *sock);

/* The same for any other op; it may have ended with an error by now. */
enum cg_verdict cg__begin_any(struct cg_sock *sock, struct cg__side *side,
                              struct cg_op *op, const struct cg__work *work, int error);

/* The same once its first request has been answered with DONE or RUN. */
enum cg_verdict cg__begun(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                          const struct cg__work *work, enum cg_verdict verdict);

/* The socket's default timeout, for an op that has none. */
void cg__take_default(struct cg_sock *sock, struct cg__side *side, struct cg_op *op);

/* A request has come back. */
void cg__complete(struct cg_io *io, ssize_t result);

/* The same once it has been absorbed, without completing the op that waits. */
void cg__absorbed(struct cg_sock *sock, struct cg__side *side, ssize_t result, int error);

/* ---- */

/* An op that named no timeout names none the next time it is yielded. */
static inline void cg__take_timeout_back(struct cg__side *side, struct cg_op *op)
{
    if (side->defaulted == op) {
        side->defaulted = NULL;
        op->timeout = 0;
    }
}

/* The op that waited no longer uses this side. */
static inline void cg__leave(struct cg_sock *sock, struct cg__side *side)
{
    side->op = NULL;
    side->use = sock->closing ? CG__CLOSED : CG__FREE;
    --*sock->holds;
}

static inline enum cg_verdict cg__submit(struct cg_sock *sock, struct cg_io *io)
{
    if (sock->transport == &cg__plain_transport) /* saves a call */
        return cg_reactor_submit(sock->reactor, io);
    return sock->transport->submit(sock, io);
}

/* The op need not wait, and has its result. */
static inline enum cg_verdict cg__done(struct cg_sock *sock, struct cg__side *side,
                                       struct cg_op *op)
{
    cg__take_timeout_back(side, op);
    if (op->result > CG__COUNTED)
        cg_charge(sock->sched, (size_t)op->result);
    return CG_DONE;
}

/* The op waits. */
static inline enum cg_verdict cg__waits(struct cg_sock *sock, struct cg__side *side,
                                        struct cg_op *op, const struct cg__work *work,
                                        enum cg__use use)
{
    side->use = use;
    side->op = op;
    side->work = work;
    side->io.complete = work->complete != NULL ? work->complete : cg__complete;
    ++*sock->holds;
    return CG_PENDING;
}

/* cg__begin, compiled for the caller's own direction and work; but for its first request. */
CG__INLINE enum cg_verdict cg__begin_here(struct cg_op *op, struct cg_sock *sock,
                                          enum cg__direction direction,
                                          const struct cg__work *work)
{
    struct cg__side *side;
    enum cg_verdict verdict;
    int error;

    if (sock == NULL || sock->side[direction].use != CG__FREE)
        return cg__refuse(op, sock);
    side = &sock->side[direction];
    if (sock->timeout != 0)
        cg__take_default(sock, side, op);
    if (work->take(sock, op))
        return cg__done(sock, side, op);
    if (side->io.state != CG_IO_IDLE)
        return cg__waits(sock, side, op, work, CG__WAITS);
    error = work->ask(sock, op, &side->io);
    if (error < 0)
        return cg__begin_any(sock, side, op, work, error);
    verdict = cg__submit(sock, &side->io);
    if (verdict == CG_PENDING)
        return cg__waits(sock, side, op, work, CG__ASKS);
    if (verdict != CG_DONE || side->io.result <= 0 || work->got == NULL ||
        (direction == CG__RX && side->io.chunk != NULL))
        return cg__begun(sock, side, op, work, verdict);
    error = work->got(sock, op, side->io.result);
    if (error == 0 && work->take(sock, op))
        return cg__done(sock, side, op);
    return cg__begin_any(sock, side, op, work, error);
}

CG__INLINE enum cg_verdict cg__begin_reading_here(struct cg_op *op, struct cg_sock *sock,
                                                  const struct cg__work *work)
{
    if (sock != NULL && cg__is_lent(sock))
        return cg__refuse(op, sock);
    return cg__begin_here(op, sock, CG__RX, work);
}

/* cg__complete, compiled for a direction and the work that has set it: for what brings bytes
 * that complete the op that waits. */
CG__INLINE void cg__complete_here(struct cg_io *io, ssize_t result,
                                  enum cg__direction direction, const struct cg__work *work)
{
    struct cg__side *side = (struct cg__side *)io;
    struct cg_sock *sock =
        (struct cg_sock *)((char *)side - offsetof(struct cg_sock, side[direction]));
    struct cg_op *op = side->op;
    struct cg_chunk *chunk = io->chunk;
    int error = 0;

    if (result <= 0 || side->use < (chunk != NULL ? CG__WAITS : CG__ASKS) ||
        (io->state != CG_IO_IDLE && !sock->multishot) ||
        (chunk == NULL && work->got == NULL)) {
        cg__complete(io, result);
        return;
    }
    if (chunk != NULL) {
        io->chunk = NULL;
        cg__input_add(sock->reactor, &sock->input, chunk);
    } else {
        error = work->got(sock, op, result);
    }
    if (error < 0 || !work->take(sock, op)) {
        cg__absorbed(sock, side, result, error);
        return;
    }
    side->op = NULL;
    side->use = CG__FREE;
    --*sock->holds;
    cg__take_timeout_back(side, op);
    cg_complete(op, op->result);
}

#endif
