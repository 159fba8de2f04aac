/* SPDX-License-Identifier: MIT */
/* The part of the engine that an op runs through when it begins. It is inline, so that reads,
 * borrows and writes, which a server makes at each request, are compiled with their own slots in
 * place of calls through struct cg__work. All other types share cg__engine_begin, which is this
 * code, too. That saves an echo request a fifth of its instructions. */
#ifndef COGEN_SOCKETS_ENGINE_BEGIN_H
#define COGEN_SOCKETS_ENGINE_BEGIN_H

#include "sockets/engine.h"

#include <errno.h>

/* Completes an op that may not use its side. */
enum cg_verdict cg__engine_refuse(struct cg_op *op, const struct cg_sock *sock);

/* Takes in the result of any request. op: the pending op that made the request, or NULL.
 * Returns 0, or the error that completes the op. The inline form does what is usual: bytes
 * have come in a chunk, or into the op's own memory, or have gone from there. */
int cg__engine_absorb_any(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                          const struct cg__work *work, ssize_t result);
static inline int cg__engine_absorb(struct cg_sock *sock, struct cg__side *side,
                                    struct cg_op *op, const struct cg__work *work,
                                    ssize_t result)
{
    struct cg_chunk *chunk = side->io.chunk;

    if (result > 0 && chunk != NULL) {
        side->io.chunk = NULL;
        cg__input_begin(sock->reactor, &sock->input, chunk);
        return 0;
    }
    if (result > 0 && op != NULL && work->got != NULL && side->use != CG__LATE)
        return work->got(sock, op, result);
    return cg__engine_absorb_any(sock, side, op, work, result);
}

enum { CG__ENGINE_FAILED = 4096 }; /* an accept that failed and is tried again counts as so
                                    * many bytes */

/* Makes the op's next request, and serves the op from what it brings. The caller has tried to
 * serve the op before. Returns what the side's use is then. CG__FREE: the op is complete.
 * CG__RUNS: the transport runs the op. CG__PUMPED: the op needs another request. Else it has to
 * wait. *moved counts bytes. */
static inline enum cg__use cg__engine_request(struct cg_sock *sock, struct cg__side *side,
                                              struct cg_op *op, const struct cg__work *work,
                                              size_t *moved)
{
    struct cg_io *io = &side->io;
    enum cg_verdict verdict;
    int error;

    if (io->state != CG_IO_IDLE) /* armed, or the cancelled request of an earlier op */
        return CG__WAITS;
    error = work->ask(sock, op, io);
    if (error == 0) {
        verdict = sock->transport->submit(sock, io);
        if (verdict == CG_PENDING && work->once)
            cg_sched_defer(sock->sched, &sock->deferred);
        if (verdict != CG_DONE)
            return verdict == CG_PENDING ? CG__ASKS : CG__RUNS;
        error = cg__engine_absorb(sock, side, op, work, io->result);
        if (side->use == CG__LATE)
            error = -ECANCELED;
        *moved += io->result > 0 ? (size_t)io->result : CG__ENGINE_FAILED;
    }
    if (error < 0) {
        op->result = error;
        return CG__FREE;
    }
    return work->take(sock, op) ? CG__FREE : CG__PUMPED;
}

/* Makes requests until the op is complete or has to wait. An op that has moved CG__AT_ONCE bytes
 * without a wait goes on in the next turn, so that other coroutines run in between; over a
 * transport that may run it goes on in its coroutine. `moved`: what it has moved before. Returns
 * what cg__engine_request does, except CG__PUMPED. */
enum cg__use cg__engine_pump(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                             const struct cg__work *work, size_t moved);

/* Starts an op on a side. Returns what its process slot returns. */
static inline __attribute__((always_inline)) enum cg_verdict
cg__engine_begin_here(struct cg_op *op, struct cg_sock *sock, enum cg__direction direction,
                      const struct cg__work *work)
{
    struct cg__side *side;
    enum cg__use use = CG__FREE;
    size_t moved = 0;

    if (sock == NULL)
        return cg__engine_refuse(op, sock);
    side = &sock->side[direction];
    if (side->use != CG__FREE)
        return cg__engine_refuse(op, sock);
    op->uses = &sock->object;
    if (!work->take(sock, op)) {
        use = cg__engine_request(sock, side, op, work, &moved);
        if (use == CG__PUMPED)
            use = cg__engine_pump(sock, side, op, work, moved);
    }
    if (use >= CG__WAITS) {
        side->use = use;
        side->op = op;
        side->work = work;
        cg__sock_hold(sock);
        return CG_PENDING;
    }
    if (use == CG__RUNS)
        return cg_object_enter(&sock->object, op);
    if (op->result > CG__BUDGET_STEP)
        cg_sched_charge(sock->sched, (size_t)op->result);
    return CG_DONE;
}

#endif
