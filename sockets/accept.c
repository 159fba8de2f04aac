/* SPDX-License-Identifier: MIT */
/* cg_accept. A connection that comes too late for its accept stays with the listener, for the
 * next one. */
#include "config.h"

#include "sockets/sock.h"

#include <errno.h>

static bool accept_take(struct cg_sock *listener, struct cg_op *op)
{
    struct cg_sock *conn;
    int fd = listener->spare;

    if (fd < 0)
        return false;
    conn = cg_sock_new(listener->sched, &cg__plain_transport, NULL, fd);
    op->result = -ENOMEM; /* the connection is still there for the next accept */
    if (conn == NULL)
        return true;
    listener->spare = -1;
    *((struct cg_accept_op *)op)->conn = conn;
    op->result = 0;
    return true;
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

    if (listener->closing || listener->spare >= 0 || listener->side[CG__RX].op != NULL)
        return false;
    fd = cg_detach(conn, &rest, &size);
    listener->spare = fd < 0 ? -1 : fd;
    return fd >= 0;
}

/* The listener is closed before the coroutine has the connection. */
static void accept_withdraw(struct cg_op *op)
{
    struct cg_sock **conn = ((struct cg_accept_op *)op)->conn;

    cg_close(*conn);
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
