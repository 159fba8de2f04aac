/* SPDX-License-Identifier: MIT */
/* The engine of a socket's operations. An op takes a side of the socket, is served from
 * what the socket has (take), asks the transport for more (ask), is served again, until it
 * is complete. What arrives belongs to the socket first, so an op that is cancelled leaves
 * nothing behind; only where the kernel was given memory of the op itself must the op wait
 * for the request to come back. What every op goes through is in engine.h. */
#include "config.h"

#include "sockets/engine.h"

#include <assert.h>
#include <errno.h>

/* Touches nothing of the socket after `ended`, which may have freed it. */
static void settle(struct cg_sock *sock, struct cg__side *side, struct cg_op *op,
                   ssize_t result)
{
    const struct cg__work *work = side->work;

    cg__leave(sock, side);
    cg__take_timeout_back(side, op);
    if (work->ended != NULL)
        work->ended(sock, op);
    cg_complete(op, result);
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

/* A request to receive has a result: bytes to the input, or counted where they already are
 * in the op's buffer. Running out of memory passes, everything else stays. */
static int absorb_recv(struct cg_sock *sock, struct cg__side *side, ssize_t result)
{
    struct cg_io *io = &side->io;
    struct cg_chunk *chunk = io->chunk;

    io->chunk = NULL;
    if (chunk != NULL)
        cg__input_add(sock->reactor, &sock->input, chunk);
    if (result == 0)
        sock->eof = true;
    else if (result == -ENOMEM || result == -ENOBUFS)
        return (int)result;
    else if (result < 0 && result != -ECANCELED)
        sock->error = (int)result;
    if (result <= 0 || chunk != NULL)
        return 0;
    assert(side->op != NULL && side->mine && (size_t)result <= io->len);
    if (!side->late || side->work->partial)
        return side->work->got(sock, side->op, result);
    /* Too late for a reader that must leave no trace: back to where it will be found. */
    if (cg__input_push(sock->reactor, &sock->input, io->buf, (size_t)result) <
        (size_t)result)
        sock->error = -ENOMEM;
    return 0;
}

int cg__absorb_any(struct cg_sock *sock, struct cg__side *side, ssize_t result)
{
    switch (side->io.code) {
    case CG_IO_RECV:
        return absorb_recv(sock, side, result);
    case CG_IO_ACCEPT:
        if (result >= 0)
            sock->spare = (int)result;
        break;
    case CG_IO_POLL:
        if (result >= 0)
            sock->ready = (unsigned)result;
        break;
    default:
        return side->mine ? side->work->got(sock, side->op, result) : 0;
    }
    /* -ECANCELED is an earlier op's request; this one has yet to make its own. */
    return result < 0 && result != -ECANCELED ? (int)result : 0;
}

/* Goes on with an op that waits, after progress. */
CG__INLINE void go_on(struct cg_sock *sock, struct cg__side *side)
{
    struct cg_op *op = side->op;
    enum cg_verdict verdict = cg__pump(sock, side, op, side->work);

    assert(verdict != CG_RUN);
    if (verdict == CG_DONE)
        settle(sock, side, op, op->result);
}

static void resume(struct cg_sock *sock, struct cg__side *side)
{
    if (sock->closing)
        cg__sock_settle(sock);
    else if (side->op != NULL && !side->late)
        go_on(sock, side);
}

static void resume_reading(struct cg_deferred *deferred)
{
    size_t at = offsetof(struct cg_sock, deferred[CG__RX]);
    struct cg_sock *sock = (struct cg_sock *)((char *)deferred - at);

    resume(sock, &sock->side[CG__RX]);
}

static void resume_writing(struct cg_deferred *deferred)
{
    size_t at = offsetof(struct cg_sock, deferred[CG__TX]);
    struct cg_sock *sock = (struct cg_sock *)((char *)deferred - at);

    resume(sock, &sock->side[CG__TX]);
}

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg_sock *sock = io->owner;
    struct cg__side *side =
        io == &sock->side[CG__RX].io ? &sock->side[CG__RX] : &sock->side[CG__TX];
    int error;

    if (side->op != NULL)
        __builtin_prefetch(side->op->owner); /* the coroutine that will be woken */
    error = cg__absorb(sock, side, side->work, result);
    if (io->state != CG_IO_IDLE) {
        io->buf = NULL;
        io->len = 0;
        sock->multishot = true;
        if (side->late || sock->closing)
            return; /* to be told once more */
    }
    if (sock->closing) {
        if (side->op != NULL)
            settle(sock, side, side->op, -EBADF);
        cg__sock_settle(sock);
    } else if (side->late) {
        settle(sock, side, side->op, -ECANCELED);
    } else if (side->op == NULL) {
        if (sock->input.unread >= CG_INPUT_LIMIT && io->state == CG_IO_PENDING)
            sock->transport->cancel(sock, io); /* whoever waits for data arms it again */
    } else if (error < 0) {
        settle(sock, side, side->op, error);
    } else {
        side->mine = false;
        if (result > 0 && side->op->weak_timeout)
            cg_progress(side->op);
        go_on(sock, side);
    }
}

enum cg_verdict cg__begin(struct cg_op *op, struct cg_sock *sock,
                          enum cg__direction direction, const struct cg__work *work)
{
    return cg__begin_here(op, sock, direction, work);
}

enum cg_verdict cg__begin_reading(struct cg_op *op, struct cg_sock *sock,
                                  const struct cg__work *work)
{
    return cg__begin_reading_here(op, sock, work);
}

enum cg_verdict cg__take_back(struct cg_op *op, struct cg_sock *sock,
                              enum cg__direction direction)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_io *io = &side->io;

    if (side->op != op) { /* it was to run, and there is no memory for that */
        cg__take_timeout_back(side, op);
        cg__never_ran(sock);
        return CG_DONE;
    }
    if (side->late)
        return CG_PENDING;
    if (side->mine && io->state == CG_IO_PENDING &&
        sock->transport->cancel(sock, io) == CG_PENDING && kernel_has_memory(io)) {
        side->late = true;
        return CG_PENDING;
    }
    cg__leave(sock, side);
    cg__take_timeout_back(side, op);
    return CG_DONE;
}

void cg__never_ran(struct cg_sock *sock)
{
    sock->running--;
    if (sock->closing)
        cg__sock_settle(sock);
}

/* Whether the answer will be the reason of a cancellation, whatever run says. */
static bool is_cancelled(const struct cg_op *op, const struct cg_scope *scope)
{
    return op->state == CG_OP_CANCELLING || scope->parent->reason != 0;
}

static ssize_t run(struct cg_op *op, struct cg_sock *sock, struct cg__side *side,
                   const struct cg_scope *scope)
{
    const struct cg__work *work = side->work;
    struct cg_io *io = &side->io;
    ssize_t result;

    for (;;) {
        /* What comes too late for an op that must leave no trace is left in the input. */
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
        io->fd = sock->fd;
        side->mine = true;
        result = sock->transport->run(sock, io);
        if (result > 0)
            cg_progress(op);
        if (result >= 0)
            result = cg__absorb(sock, side, side->work, result);
        side->mine = false;
        if (result < 0)
            return result;
    }
}

ssize_t cg__run(struct cg_op *op, struct cg_sock *sock, enum cg__direction direction,
                const struct cg__work *work)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_scope scope;
    ssize_t result = sock->closing ? -EBADF : -EBUSY;

    if (side->op == NULL && !sock->closing) {
        side->op = op;
        side->work = work;
        side->scope = &scope; /* cg_close ends by it what the transport waits for */
        cg_scope_open(&scope, CG_NEVER, false);
        result = run(op, sock, side, &scope);
        cg_scope_close(&scope);
        side->scope = NULL;
        cg__leave(sock, side);
    }
    cg__take_timeout_back(side, op);
    sock->running--;
    if (sock->closing) {
        result = -EBADF; /* also if it got done: the caller must know that the socket is gone */
        cg__sock_settle(sock);
    }
    return result;
}

void cg__side_init(struct cg_sock *sock, enum cg__direction direction)
{
    struct cg_io *io = &sock->side[direction].io;

    io->fd = sock->fd;
    io->complete = complete;
    io->owner = sock;
    sock->deferred[direction].fn = direction == CG__RX ? resume_reading : resume_writing;
}

void cg__side_close(struct cg_sock *sock, enum cg__direction direction)
{
    struct cg__side *side = &sock->side[direction];
    struct cg_io *io = &side->io;

    if (side->scope != NULL) {
        cg_scope_cancel(side->scope);
        return;
    }
    if (io->state == CG_IO_PENDING)
        sock->transport->cancel(sock, io);
    if (side->op == NULL)
        return;
    if (side->mine && io->state != CG_IO_IDLE && kernel_has_memory(io))
        side->late = true; /* answered when the kernel has let go of its memory */
    else
        settle(sock, side, side->op, -EBADF);
}
