/* SPDX-License-Identifier: MIT */
/* The engine of a socket's operations. An op occupies a side of the socket. The engine
 * serves it from what the socket has (take), asks the transport for more (ask), and
 * serves it again, until the op is complete. Bytes that arrive belong to the socket
 * first, so a cancelled op leaves no trace. A cancelled op waits for its request to
 * complete only if the kernel was given the op's own memory. engine_begin.h has the part
 * that a request runs through. */
#include "config.h"

#include "lib/core/op.h"
#include "sockets/engine_begin.h"
#include "sockets/listen/accept.h"
#include "sockets/plain.h"

#include <assert.h>
#include <errno.h>

/* A pending op no longer uses this side. */
static void leave(struct cg_sock *sock, struct cg__side *side)
{
    side->op = NULL;
    side->use = sock->closing ? CG__CLOSED : CG__FREE;
    cg__sock_unhold(sock);
}

/* Completes a pending op. Does not touch the socket after `ended`, which may have freed
 * it. */
static void settle(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                   ssize_t result)
{
    const struct cg__work *work = side->work;

    leave(sock, side);
    if (work->ended != NULL)
        work->ended(sock, op);
    cg__op_complete(op, result, false);
}

/* Whether the request in io belongs to the pending op. An armed receive belongs to the
 * socket, not to the op that submitted it first. */
static bool is_own(const struct cg_sock *sock, const struct cg__side *side)
{
    return side->use == CG__ASKS && !(side->io.code == CG_IO_RECV && sock->multishot);
}

static bool kernel_has_memory(const struct cg_io *io)
{
    switch (io->code) {
    case CG_IO_RECV:
        return io->len > 0;
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
        return true;
    default:
        return false;
    }
}

/* A shortage of the system says nothing about the socket, and passes. -ENOSPC: epoll watches
 * as many descriptors as the user may watch. */
static bool is_shortage(ssize_t result)
{
    return result == -ENOMEM || result == -ENOBUFS || result == -ENOSPC;
}

/* Errors of a connection, which the kernel reports once. They end it in both directions. */
static bool is_of_connection(ssize_t result)
{
    return result == -ECONNRESET || result == -ETIMEDOUT || result == -EHOSTUNREACH ||
           result == -ENETUNREACH || result == -ECONNREFUSED;
}

/* Takes in the result of a receive. Bytes are appended to the input; bytes that are
 * already in the op's buffer are only counted. An error stays in sock->error, except a
 * shortage. */
static int absorb_recv(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                       const struct cg__work *work, ssize_t result)
{
    struct cg_io *io = &side->io;
    struct cg_chunk *chunk = io->chunk;

    io->chunk = NULL;
    if (chunk != NULL)
        cg__input_begin(sock->reactor, &sock->input, chunk);
    if (result == 0)
        cg__sock_end_input(sock);
    else if (is_shortage(result))
        return (int)result;
    else if (result < 0 && result != -ECANCELED)
        sock->error = (int)result;
    if (result <= 0 || chunk != NULL)
        return 0;
    assert(op != NULL && (size_t)result <= io->len);
    if (side->use != CG__LATE || work->partial)
        return work->got(sock, op, result);
    /* Too late for a traceless reader: the input keeps the bytes for the next one. */
    if (cg__input_push(sock->reactor, &sock->input, io->buf, (size_t)result) <
        (size_t)result)
        sock->error = -ENOMEM;
    return 0;
}

int cg__engine_absorb_any(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                          const struct cg__work *work, ssize_t result)
{
    switch (side->io.code) {
    case CG_IO_RECV:
        return absorb_recv(sock, side, op, work, result);
    case CG_IO_ACCEPT:
        return cg__accept_absorb(sock, op, result);
    case CG_IO_POLL:
        if (result >= 0)
            sock->ready = (uint8_t)result;
        break;
    default:
        if (side == &sock->side[CG__TX] && is_of_connection(result))
            sock->lost = (int)result;
        return op != NULL ? work->got(sock, op, result) : 0;
    }
    /* -ECANCELED comes from the request of an earlier op; this op has not made its own
     * yet. */
    return result < 0 && result != -ECANCELED ? (int)result : 0;
}

enum cg__use cg__engine_pump(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                             const struct cg__work *work, size_t moved)
{
    enum cg__use use;

    do {
        if (moved >= CG__AT_ONCE) {
            if (sock->transport->run != NULL)
                return CG__RUNS; /* in the next turn it could not begin to run any more */
            cg_sched_defer(sock->sched, &sock->deferred);
            return CG__WAITS;
        }
        use = cg__engine_request(sock, side, op, work, &moved);
    } while (use == CG__PUMPED);
    return use;
}

/* Continues a pending op after progress. */
static inline void go_on(struct cg_sock *sock, struct cg__side *side)
{
    struct cg_op *op = side->op;
    enum cg__use use = CG__FREE;

    side->use = CG__PUMPED;
    if (!side->work->take(sock, op))
        use = cg__engine_pump(sock, side, op, side->work, 0);
    assert(use != CG__RUNS);
    if (use >= CG__WAITS && side->use == CG__PUMPED)
        side->use = use;
    else if (use == CG__FREE || sock->transport->cancel(sock, &side->io) == CG_DONE)
        settle(sock, side, op, op->result);
}

/* Continues a pending op after a request has completed. */
static inline void continue_op(struct cg_sock *sock, struct cg__side *side, ssize_t result,
                               int error)
{
    if (error < 0) {
        settle(sock, side, side->op, error);
        return;
    }
    if (result > 0 && side->op->weak_timeout)
        cg_op_progress(side->op);
    go_on(sock, side);
}

static void resume_side(struct cg_sock *sock, struct cg__side *side)
{
    if (sock->closing)
        return;
    if (side->use == CG__ASKS && side->work->once && side->io.state == CG_IO_PENDING)
        sock->transport->cancel(sock, &side->io);
    if (side->use >= CG__WAITS && side->io.state == CG_IO_IDLE)
        go_on(sock, side);
}

static void resume(struct cg_deferred *deferred)
{
    size_t at = offsetof(struct cg_sock, deferred);
    struct cg_sock *sock = (struct cg_sock *)((char *)deferred - at);

    cg_sock_keep(sock); /* an op that completes may close it */
    resume_side(sock, &sock->side[CG__RX]);
    resume_side(sock, &sock->side[CG__TX]);
    cg_sock_unkeep(sock);
}

/* The rest of complete(), where no op waits, or not any more, or a receive stays armed for the
 * first time. */
__attribute__((noinline)) static void complete_unusual(struct cg_sock *sock, struct cg__side *side,
                                                       ssize_t result, int error)
{
    struct cg_io *io = &side->io;

    if (io->state != CG_IO_IDLE) {
        io->buf = NULL;
        io->len = 0;
        sock->multishot = true;
        if (side->use == CG__LATE || sock->closing)
            return; /* the request will complete once more */
    }
    if (sock->closing) {
        if (side->use == CG__LATE)
            settle(sock, side, side->op, -EBADF);
        cg__sock_settle(sock);
    } else if (side->use == CG__LATE) {
        settle(sock, side, side->op, -ECANCELED);
    } else if (side->op != NULL) {
        continue_op(sock, side, result, error);
    } else if (sock->input.unread >= CG_INPUT_LIMIT && io->state == CG_IO_PENDING) {
        sock->transport->cancel(sock, io); /* the next op that waits for data arms it
                                            * again */
    }
}

/* Called by the transport when a request has completed. */
static void complete(struct cg_io *io, ssize_t result)
{
    struct cg__side *side = (struct cg__side *)io;
    struct cg_sock *sock = io->owner;
    /* Otherwise it is the request of an earlier op. */
    bool own = side->use == CG__ASKS || side->use == CG__LATE;
    int error = cg__engine_absorb(sock, side, own ? side->op : NULL, side->work, result);

    if (side->use >= CG__WAITS && (io->state == CG_IO_IDLE || sock->multishot))
        continue_op(sock, side, result, error);
    else
        complete_unusual(sock, side, result, error);
}

enum cg_verdict cg__engine_refuse(struct cg_op *op, const struct cg_sock *sock)
{
    op->result = sock == NULL || sock->closing ? -EBADF : -EBUSY;
    return CG_DONE;
}

enum cg_verdict cg__engine_begin(struct cg_op *op, struct cg_sock *sock,
                                 enum cg__direction direction,
                                 const struct cg__work *work)
{
    return cg__engine_begin_here(op, sock, direction, work);
}

enum cg_verdict cg__engine_take_back(struct cg_op *op, struct cg_sock *sock,
                                     enum cg__direction direction)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_io *io = &side->io;

    if (side->op != op) { /* process returned CG_RUN, but there was no memory for a
                           * coroutine to run the op */
        cg__engine_never_ran(op, sock);
        return CG_DONE;
    }
    if (side->use == CG__PUMPED)
        side->use = CG__LATE;
    if (side->use == CG__LATE)
        return CG_PENDING;
    if (is_own(sock, side) && io->state == CG_IO_PENDING &&
        sock->transport->cancel(sock, io) == CG_PENDING && kernel_has_memory(io)) {
        side->use = CG__LATE;
        return CG_PENDING;
    }
    leave(sock, side);
    return CG_DONE;
}

void cg__engine_never_ran(struct cg_op *op, struct cg_sock *sock)
{
    if (cg_object_leave(&sock->object, op) < 0)
        cg__sock_settle(sock);
}

/* Whether the op completes with the reason of a cancellation, whatever run returns. */
static bool is_cancelled(const struct cg_op *op, const struct cg_scope *scope)
{
    return op->state == CG_OP_CANCELLING || scope->parent->reason != 0;
}

static ssize_t run(struct cg_op *op, struct cg_sock *sock, struct cg__side *side,
                   const struct cg__work *work, const struct cg_scope *scope)
{
    struct cg_io *io = &side->io;
    ssize_t result;

    for (;;) {
        /* Bytes that come too late for a traceless op stay in the input. */
        if (!work->partial && is_cancelled(op, scope))
            return -ECANCELED;
        if (work->take(sock, op))
            return op->result;
        result = work->ask(sock, op, io);
        if (result < 0)
            return result;
        if (io->code == CG_IO_RECV && !work->partial) {
            io->buf = NULL;
            io->len = 0;
        }
        result = sock->transport->run(sock, io);
        if (result > 0)
            cg_op_progress(op);
        if (result >= 0)
            result = cg__engine_absorb(sock, side, op, work, result);
        if (result < 0)
            return result;
    }
}

ssize_t cg__engine_run(struct cg_op *op, struct cg_sock *sock,
                       enum cg__direction direction, const struct cg__work *work)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_scope scope;
    ssize_t result = sock->closing ? -EBADF : -EBUSY;

    if (side->use == CG__FREE) {
        side->use = CG__RUNS;
        side->op = op;
        side->scope = &scope; /* cg_sock_close cancels it to abort the transport */
        cg_scope_open(&scope, CG_NEVER, false);
        result = run(op, sock, side, work, &scope);
        cg_scope_close(&scope);
        side->scope = NULL;
        side->op = NULL;
        side->use = sock->closing ? CG__CLOSED : CG__FREE;
    }
    if (cg_object_leave(&sock->object, op) == 0)
        return result;
    cg__sock_settle(sock);
    return -EBADF; /* even if the op succeeded: the caller must learn that the socket is
                    * gone */
}

/* Only requests to the reactor count: other transports make those on another socket. */
static void complete_observed(struct cg_io *io, ssize_t result)
{
    struct cg_sock *sock = io->owner;

    if (sock->transport == &cg__plain_transport)
        cg__observe_completes(sock->sched->observe, io, result);
    complete(io, result);
}

void cg__engine_init(struct cg_sock *sock)
{
    for (int direction = CG__RX; direction <= CG__TX; direction++) {
        sock->side[direction].io.complete =
            sock->sched->observe ? complete_observed : complete;
        sock->side[direction].io.owner = sock;
    }
    sock->deferred.fn = resume;
}

void cg__engine_side_close(struct cg_sock *sock, enum cg__direction direction)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_io *io = &side->io;

    if (side->use == CG__RUNS) {
        cg_scope_cancel(side->scope);
        return;
    }
    if (io->state == CG_IO_PENDING)
        sock->transport->cancel(sock, io);
    if (side->use == CG__FREE)
        side->use = CG__CLOSED;
    else if (is_own(sock, side) && io->state != CG_IO_IDLE && kernel_has_memory(io))
        side->use = CG__LATE; /* completes when the kernel has released its memory */
    else if (side->use >= CG__WAITS)
        settle(sock, side, side->op, -EBADF);
}
