/* SPDX-License-Identifier: MIT */
/* The part of the engine (side.c) that every operation goes through, inline: so that reads and
 * writes are compiled with their own slots in place of calls through the table, from the
 * operation's start to its completion. Nothing is noted of an op that need not wait. */
#ifndef COGEN_SOCKETS_ENGINE_H
#define COGEN_SOCKETS_ENGINE_H

#include "sockets/sock.h"

#include <assert.h>
#include <errno.h>

#define CG__INLINE static inline __attribute__((always_inline))

enum { CG__COUNTED = 4096 }; /* bytes that cg_charge counts for any immediate completion */

/* ---- side.c ---- */

/* Goes on with the start of an op, which may have ended with an error by now. */
enum cg_verdict cg__begin_any(struct cg_sock *sock, struct cg__side *side,
                              struct cg_op *op, const struct cg__work *work, int error);

/* The same where its first request has been answered with DONE or RUN. */
enum cg_verdict cg__begun(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                          const struct cg__work *work, enum cg_verdict verdict);

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
    assert(*sock->holds > 0);
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
static inline enum cg_verdict cg__done(struct cg_sock *sock, struct cg_op *op)
{
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

/* cg__begin, compiled for the caller's own direction and work: of a socket without a default
 * timeout, where one request will do. */
CG__INLINE enum cg_verdict cg__begin_here(struct cg_op *op, struct cg_sock *sock,
                                          enum cg__direction direction,
                                          const struct cg__work *work)
{
    struct cg__side *side;
    enum cg_verdict verdict;
    int error;

    if (sock == NULL || sock->side[direction].use != CG__FREE || sock->timeout != 0)
        return cg__begin(op, sock, direction, work);
    side = &sock->side[direction];
    if (work->take(sock, op))
        return cg__done(sock, op);
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
        return cg__done(sock, op);
    return cg__begin_any(sock, side, op, work, error);
}

/* cg__begin_reading in the same way, where nothing is unread. */
CG__INLINE enum cg_verdict cg__begin_reading_here(struct cg_op *op, struct cg_sock *sock,
                                                  const struct cg__work *work)
{
    if (sock == NULL || sock->input.first != NULL)
        return cg__begin_reading(op, sock, work);
    return cg__begin_here(op, sock, CG__RX, work);
}

/* The op is complete with what its request, or one that is armed, has brought. */
CG__INLINE void cg__ends_here(struct cg_sock *sock, struct cg__side *side)
{
    struct cg_op *op = side->op;

    side->op = NULL;
    side->use = CG__FREE;
    --*sock->holds;
    cg__take_timeout_back(side, op);
    cg_complete(op, op->result);
}

CG__INLINE struct cg_sock *cg__sock_of(struct cg_io *io, enum cg__direction direction)
{
    return (struct cg_sock *)((char *)io - offsetof(struct cg_sock, side[direction]));
}

/* cg__complete, compiled for a direction and the work that has set it: where bytes have come
 * to or gone from memory of the op's own, and complete it. */
CG__INLINE void cg__moved_here(struct cg_io *io, ssize_t result,
                               enum cg__direction direction, const struct cg__work *work)
{
    struct cg__side *side = (struct cg__side *)io;
    struct cg_sock *sock = cg__sock_of(io, direction);
    int error;

    if (side->use != CG__ASKS || result <= 0) {
        cg__complete(io, result);
        return;
    }
    error = work->got(sock, side->op, result);
    if (error == 0 && work->take(sock, side->op))
        cg__ends_here(sock, side);
    else
        cg__absorbed(sock, side, result, error);
}

/* The same where they have come in a chunk, the only one. */
CG__INLINE void cg__filled_here(struct cg_io *io, ssize_t result, const struct cg__work *work)
{
    struct cg__side *side = (struct cg__side *)io;
    struct cg_sock *sock = cg__sock_of(io, CG__RX);
    struct cg_chunk *chunk = io->chunk;

    if (side->use < CG__WAITS || result <= 0 || sock->input.first != NULL ||
        (io->state != CG_IO_IDLE && !sock->multishot)) {
        cg__complete(io, result);
        return;
    }
    io->chunk = NULL;
    cg__input_begin(&sock->input, chunk);
    if (work->take(sock, side->op))
        cg__ends_here(sock, side);
    else
        cg__absorbed(sock, side, result, 0);
}

#endif
