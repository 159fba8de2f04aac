/* SPDX-License-Identifier: MIT */
/* cg_accept and cg_drain_listener. A connection that arrives after its accept was cancelled
 * stays with the listener, for the next accept. */
#include "config.h"

#include "sockets/listen/accept.h"

#include "lib/base/probe.h"
#include "sockets/plain.h"
#include "sockets/slots.h"

#include <errno.h>

/* Reports an error that does not complete the op. */
static void report(struct cg_op *op, int error)
{
    struct cg_accept_op *accept = (struct cg_accept_op *)op;

    if (accept->trouble != NULL)
        accept->trouble(accept->trouble_arg, error);
}

/* If there is no memory for its socket, the connection is closed and the op waits for
 * the next one. */
static bool accept_take(struct cg_sock *listener, struct cg_op *op)
{
    struct cg_sock *conn;
    int fd = listener->spare;

    if (fd < 0)
        return false;
    listener->spare = -1;
    conn = cg_sock_open(listener->sched, &cg__plain_transport, NULL, fd);
    if (conn == NULL) {
        cg__plain_close_fd(listener->reactor, fd);
        report(op, -ENOMEM);
        return false;
    }
    CG__PROBE(accept, listener, conn, fd);
    *((struct cg_accept_op *)op)->conn = conn;
    op->result = 0;
    return true;
}

/* These three errors mean that the listener is broken. Every other error costs one
 * connection at most, and the op goes on: accept(2) returns errors of the network too,
 * firewalls add their own, and shortages pass. The reactor pauses where needed.
 * -ECANCELED comes from the request of an earlier op. */
int cg__accept_absorb(struct cg_sock *listener, struct cg_op *op, ssize_t result)
{
    if (result >= 0)
        listener->spare = (int)result;
    else if (result == -EBADF || result == -EINVAL || result == -ENOTSOCK)
        return (int)result;
    else if (op != NULL && result != -ECANCELED)
        report(op, (int)result);
    if (op != NULL && result == -ECONNABORTED) /* others may wait behind this connection */
        ((struct cg_accept_op *)op)->looked = false;
    return 0;
}

static int accept_ask(struct cg_sock *listener, struct cg_op *op, struct cg_io *io)
{
    (void)op;
    io->code = CG_IO_ACCEPT;
    return listener->listener ? 0 : -EINVAL;
}

bool cg__accept_undo(struct cg_sock *listener, struct cg_sock *conn)
{
    void *rest;
    size_t size;
    int fd;

    /* A pending request may bring a connection that needs this place. */
    if (listener->closing || listener->spare >= 0 || listener->side[CG__RX].op != NULL ||
        listener->side[CG__RX].io.state != CG_IO_IDLE)
        return false;
    fd = cg_sock_detach(conn, &rest, &size);
    listener->spare = fd < 0 ? -1 : fd;
    return fd >= 0;
}

/* The listener was closed before the coroutine received the connection. */
static void accept_withdraw(struct cg_op *op)
{
    struct cg_sock **conn = ((struct cg_accept_op *)op)->conn;

    cg_sock_close(*conn);
    *conn = NULL;
}

static const struct cg__work accept_work = {
    .direction = CG__RX, .take = accept_take, .ask = accept_ask};

const struct cg_op_type cg_accept_type = {
    .name = "accept",
    .process = cg__slots_process,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &accept_work,
    .withdraw = accept_withdraw,
};

/* Makes one accept, which is taken back in the next turn. It brings a connection that has
 * come, or none. The engine first waits for an earlier accept that was cancelled and that
 * the kernel still holds. */
static int drain_ask(struct cg_sock *listener, struct cg_op *op, struct cg_io *io)
{
    struct cg_accept_op *drain = (struct cg_accept_op *)op;

    if (drain->looked)
        return CG_EOF;
    drain->looked = true;
    return accept_ask(listener, op, io);
}

static enum cg_verdict drain_process(struct cg_op *op, struct cg_sched *sched)
{
    ((struct cg_accept_op *)op)->looked = false;
    return cg__slots_process(op, sched);
}

static const struct cg__work drain_work = {
    .direction = CG__RX, .take = accept_take, .ask = drain_ask, .once = true};

const struct cg_op_type cg_drain_listener_type = {
    .name = "drain_listener",
    .process = drain_process,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &drain_work,
    .withdraw = accept_withdraw,
};
