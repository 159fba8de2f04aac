/* SPDX-License-Identifier: MIT */
/* The part of the engine (side.c) that every operation goes through, inline: so that reads and
 * writes are compiled with their own slots in place of calls through the table. */
#ifndef COGEN_SOCKETS_ENGINE_H
#define COGEN_SOCKETS_ENGINE_H

#include "sockets/sock.h"

#include <errno.h>

#define CG__INLINE static inline __attribute__((always_inline))

/* An op that named no timeout names none the next time it is yielded. */
static inline void cg__take_timeout_back(struct cg__side *side, struct cg_op *op)
{
    if (side->defaulted == op) {
        side->defaulted = NULL;
        op->timeout = 0;
    }
}

/* The op no longer uses this side. */
static inline void cg__leave(struct cg_sock *sock, struct cg__side *side)
{
    side->op = NULL;
    side->mine = false;
    side->late = false;
    if (side->held) {
        side->held = false;
        cg_unhold(sock->sched);
    }
}

/* What a request of any kind has brought, also where nobody waits for it: side.c. */
int cg__absorb_any(struct cg_sock *sock, struct cg__side *side, ssize_t result);

/* A request has come back. 0, or the code that ends the op. Nearly always it has moved bytes
 * from or to memory of the op that waits. */
static inline int cg__absorb(struct cg_sock *sock, struct cg__side *side,
                             const struct cg__work *work, ssize_t result)
{
    const struct cg_io *io = &side->io;

    if (result > 0 && side->mine && !side->late && io->code <= CG_IO_SENDFILE &&
        io->chunk == NULL)
        return work->got(sock, side->op, result);
    return cg__absorb_any(sock, side, result);
}

static inline enum cg_verdict cg__submit(struct cg_sock *sock, struct cg_io *io)
{
    if (sock->transport == &cg__plain_transport) /* saves a call */
        return cg_reactor_submit(sock->reactor, io);
    return sock->transport->submit(sock, io);
}

/* Serves the op and asks for more until it is complete, or has to wait. A large op on a
 * socket that is always ready goes on in the next turn, so that the others come in
 * between. */
CG__INLINE enum cg_verdict cg__pump(struct cg_sock *sock, struct cg__side *side,
                                    struct cg_op *op, const struct cg__work *work)
{
    struct cg_io *io = &side->io;
    enum cg_verdict verdict;
    size_t moved = 0;
    int error;

    while (!work->take(sock, op)) {
        if (io->state != CG_IO_IDLE) /* armed, or an earlier op's being cancelled */
            return CG_PENDING;
        if (moved >= CG__AT_ONCE) {
            cg_defer(sock->sched, &sock->deferred[side - sock->side]);
            return CG_PENDING;
        }
        error = work->ask(sock, op, io);
        if (error == 0) {
            io->fd = sock->fd;
            side->mine = true;
            verdict = cg__submit(sock, io);
            if (verdict == CG_PENDING) {
                /* What stays armed belongs to the socket, not to the first who asked. */
                side->mine = io->code != CG_IO_RECV || !sock->multishot;
                return CG_PENDING;
            }
            if (verdict == CG_RUN) {
                side->mine = false;
                return CG_RUN;
            }
            error = cg__absorb(sock, side, work, io->result);
            side->mine = false;
            if (io->result > 0)
                moved += (size_t)io->result;
        }
        if (error < 0) {
            op->result = error;
            break;
        }
    }
    return CG_DONE;
}

/* cg__begin, compiled for the caller's own direction and work. */
CG__INLINE enum cg_verdict cg__begin_here(struct cg_op *op, struct cg_sock *sock,
                                          enum cg__direction direction,
                                          const struct cg__work *work)
{
    struct cg__side *side;
    enum cg_verdict verdict;

    op->result = -EBADF;
    if (sock == NULL || sock->closing)
        return CG_DONE;
    side = &sock->side[direction];
    op->result = -EBUSY;
    if (side->op != NULL)
        return CG_DONE;
    if (sock->timeout != 0 && op->timeout == 0 &&
        (op->type->flags & CG_OP_DEFAULT_TIMEOUT)) {
        op->timeout = sock->timeout;
        side->defaulted = op;
    }
    side->op = op;
    side->work = work;
    verdict = cg__pump(sock, side, op, work);
    if (verdict == CG_PENDING) {
        /* An in-memory transport does not hold the run: if nobody else can run, nobody
         * will ever write there. */
        side->held = sock->transport == &cg__plain_transport;
        if (side->held)
            cg_hold(sock->sched);
        return CG_PENDING;
    }
    cg__leave(sock, side);
    if (verdict == CG_RUN)
        sock->running++; /* until cg__run, which a cg_any calls from another coroutine */
    else
        cg__take_timeout_back(side, op);
    if (verdict == CG_DONE && op->result > 0)
        cg_charge(sock->sched, (size_t)op->result);
    return verdict;
}

CG__INLINE enum cg_verdict cg__begin_reading_here(struct cg_op *op, struct cg_sock *sock,
                                                  const struct cg__work *work)
{
    if (sock != NULL && cg__is_lent(sock)) {
        op->result = -EBUSY;
        return CG_DONE;
    }
    return cg__begin_here(op, sock, CG__RX, work);
}

#endif
