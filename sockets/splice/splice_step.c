/* SPDX-License-Identifier: MIT */
/* The two halves of a splice: into the pipe, on the reading side of one socket; out of it,
 * on the writing side of the other. Neither request moves anything once it is cancelled. */
#include "config.h"

#include "sockets/slots.h"
#include "sockets/splice/splice_step.h"

#include <errno.h>

static struct cg__splice_step_op *of(struct cg_op *op)
{
    return (struct cg__splice_step_op *)op;
}

static bool has_moved(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    op->result = of(op)->got;
    return of(op)->got >= 0;
}

static bool fill_take(struct cg_sock *sock, struct cg_op *op)
{
    if (has_moved(sock, op))
        return true;
    op->result = sock->input.first != NULL ? -EAGAIN : sock->error;
    return op->result != 0 || sock->eof;
}

static int fill_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_SPLICE_IN;
    io->file = of(op)->pipe->ends[1];
    io->count = of(op)->most;
    return 0;
}

/* An error of the connection stays with the socket, as that of a receive does. */
static int fill_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    if (result < 0 && result != -EOPNOTSUPP && result != -ENOMEM && result != -ECANCELED)
        sock->error = (int)result;
    if (result == 0)
        result = cg__sock_end_input(sock);
    if (result < 0)
        return (int)result;
    of(op)->got = result;
    of(op)->pipe->held = (size_t)result;
    sock->piped = result > 0;
    return 0;
}

static const struct cg__work fill_work = {
    .direction = CG__RX,
    .take = fill_take,
    .ask = fill_ask,
    .got = fill_got,
};

/* An armed receive would take the bytes, so it is taken back first. What it still brings is
 * unread input. */
static enum cg_verdict fill_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;
    struct cg_io *io = &sock->side[CG__RX].io;

    of(op)->got = -1;
    if (!sock->closing && sock->side[CG__RX].use == CG__FREE && sock->input.first == NULL &&
        io->state == CG_IO_PENDING)
        sock->transport->cancel(sock, io);
    return cg__slots_process(op, sched);
}

static int drain_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_SPLICE_OUT;
    io->file = of(op)->pipe->ends[0];
    io->count = of(op)->pipe->held;
    return 0;
}

static int drain_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    struct cg__splice_pipe *pipe = of(op)->pipe;

    (void)sock;
    if (result < 0)
        return (int)result;
    of(op)->got = result;
    pipe->held -= (size_t)result;
    if (pipe->held == 0)
        pipe->from->piped = false;
    return 0;
}

static const struct cg__work drain_work = {
    .direction = CG__TX,
    .take = has_moved,
    .ask = drain_ask,
    .got = drain_got,
};

static enum cg_verdict drain_process(struct cg_op *op, struct cg_sched *sched)
{
    of(op)->got = -1;
    return cg__slots_process(op, sched);
}

const struct cg_op_type cg__splice_fill_type = {
    .name = "splice_fill",
    .process = fill_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &fill_work,
};

const struct cg_op_type cg__splice_drain_type = {
    .name = "splice_drain",
    .process = drain_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &drain_work,
};
