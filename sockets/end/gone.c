/* SPDX-License-Identifier: MIT */
/* cg_wait_gone: waits while others read and write the socket, so it uses neither side
 * of the engine but a separate request, for CG_HUP alone. For a socket over another one
 * (TLS), it waits on the lowest socket: only that notices the end while input is
 * unread. */
#include "config.h"

#include "sockets/end/gone.h"
#include "sockets/slots.h"

#include <cogen/sock_end.h>

#include <errno.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_wait_gone_op) <= 128, "core ops fit in 128 bytes");

static struct cg_wait_gone_op *of(struct cg_op *op)
{
    return (struct cg_wait_gone_op *)op;
}

static void append(struct cg__gone *gone, struct cg_wait_gone_op *wait)
{
    wait->next = NULL;
    wait->prev = gone->last;
    *(gone->last != NULL ? &gone->last->next : &gone->first) = wait;
    gone->last = wait;
}

static void take_out(struct cg__gone *gone, struct cg_wait_gone_op *wait)
{
    *(wait->prev != NULL ? &wait->prev->next : &gone->first) = wait->next;
    *(wait->next != NULL ? &wait->next->prev : &gone->last) = wait->prev;
}

/* Removes an op that no longer waits. */
static void leave(struct cg_sock *sock, struct cg_wait_gone_op *wait)
{
    take_out(sock->peer_gone, wait);
    cg__sock_unhold(cg__sock_bottom(sock));
}

/* One by one: completing an op may cancel others, as branches of the same race. */
static void complete_all(struct cg_sock *sock, ssize_t result)
{
    struct cg_wait_gone_op *wait;

    while ((wait = sock->peer_gone->first) != NULL) {
        leave(sock, wait);
        cg_op_complete(&wait->op, result);
    }
}

/* Submits the request. Returns true if the end is known at once: *result is 0, or the
 * error of the request. */
static bool ask(struct cg_sock *sock, ssize_t *result)
{
    struct cg_sock *bottom = cg__sock_bottom(sock);
    struct cg_io *io = &sock->peer_gone->io;
    enum cg_verdict verdict;

    io->code = CG_IO_POLL;
    io->fd = cg__sock_fd(bottom);
    io->events = CG_HUP;
    io->result = -EOPNOTSUPP;
    verdict = bottom->transport->submit(bottom, io);
    *result = verdict == CG_RUN ? -EOPNOTSUPP : io->result < 0 ? io->result : 0;
    return verdict != CG_PENDING;
}

/* -ECANCELED means that the request was cancelled with earlier ops. */
static void complete(struct cg_io *io, ssize_t result)
{
    struct cg_sock *sock = io->owner;

    if (sock->closing) {
        cg__sock_settle(sock);
        return;
    }
    if (!cg__gone_is_awaited(sock) || (result == -ECANCELED && !ask(sock, &result)))
        return;
    complete_all(sock, result < 0 ? result : 0);
}

/* Whether the end is known already: the socket, or one below it, has read it. */
static bool is_known(const struct cg_sock *sock)
{
    for (;;) {
        if (sock->eof || sock->error != 0)
            return true;
        if (sock->transport->below == NULL)
            return false;
        sock = sock->transport->below(sock);
    }
}

static int make(struct cg_sock *sock)
{
    if (sock->peer_gone == NULL)
        sock->peer_gone = calloc(1, sizeof *sock->peer_gone);
    if (sock->peer_gone == NULL)
        return -ENOMEM;
    sock->peer_gone->io.complete = complete;
    sock->peer_gone->io.owner = sock;
    return 0;
}

static enum cg_verdict gone_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;

    (void)sched;
    op->result = -EBADF;
    if (sock == NULL || sock->closing)
        return CG_DONE;
    op->uses = &sock->object;
    op->result = sock->listener ? -EINVAL : 0;
    if (sock->listener || is_known(sock))
        return CG_DONE;
    op->result = make(sock);
    if (op->result < 0)
        return CG_DONE;
    if (sock->peer_gone->io.state == CG_IO_IDLE && ask(sock, &op->result))
        return CG_DONE;
    append(sock->peer_gone, of(op));
    cg__sock_hold(cg__sock_bottom(sock));
    return CG_PENDING;
}

static void take_back(struct cg_sock *sock)
{
    struct cg_sock *bottom = cg__sock_bottom(sock);

    if (sock->peer_gone->io.state == CG_IO_PENDING)
        bottom->transport->cancel(bottom, &sock->peer_gone->io);
}

/* The kernel has no memory of the op's, so it need not wait for the request. */
static enum cg_verdict gone_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;

    (void)sched;
    leave(sock, of(op));
    if (!cg__gone_is_awaited(sock))
        take_back(sock);
    return CG_DONE;
}

void cg__gone_close(struct cg_sock *sock)
{
    if (sock->peer_gone == NULL)
        return;
    complete_all(sock, -EBADF);
    take_back(sock);
}

const struct cg_op_type cg_wait_gone_type = {
    .name = "wait_gone",
    .process = gone_process,
    .cancel = gone_cancel,
    .print = cg__slots_print,
};
