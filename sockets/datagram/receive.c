/* SPDX-License-Identifier: MIT */
/* cg_receive_from, cg_receive_datagrams. No datagram passes through the socket's input: a
 * request that is cancelled has taken none from the kernel. */
#include "config.h"

#include "sockets/datagram/datagram.h"
#include "sockets/slots.h"

#include <errno.h>

/* Both kinds of op begin with the same fields. */
static struct cg_datagrams_op *of(struct cg_op *op)
{
    return (struct cg_datagrams_op *)op;
}

static bool receive_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    op->result = (ssize_t)of(op)->done;
    return of(op)->done > 0 || of(op)->len == 0;
}

static int receive_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_RECV_DATAGRAMS;
    io->datagrams = of(op)->list;
    io->most = of(op)->len;
    return 0;
}

static int receive_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    if (result < 0)
        return (int)result;
    of(op)->done = (size_t)result;
    cg__datagram_charge(sock, of(op)->list, of(op)->done);
    return 0;
}

static const struct cg__work receive_work = {
    .direction = CG__RX,
    .take = receive_take,
    .ask = receive_ask,
    .got = receive_got,
    .datagrams = true,
};

const struct cg_op_type cg_receive_datagrams_type =
    CG__SLOTS_BYTES("receive_datagrams", receive_work);

static enum cg_verdict from_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_receive_from_op *from = (struct cg_receive_from_op *)op;

    from->list = &from->one;
    from->len = 1;
    return cg__slots_bytes_process(op, sched);
}

static ssize_t from_finish(struct cg_op *op)
{
    struct cg_receive_from_op *from = (struct cg_receive_from_op *)op;
    const struct cg_datagram *one = &from->one;

    if (cg__slots_bytes_finish(op) <= 0)
        return op->result;
    if (from->whole != NULL)
        *from->whole = one->whole;
    return one->whole > one->len && from->whole == NULL ? -EMSGSIZE : (ssize_t)one->len;
}

const struct cg_op_type cg_receive_from_type = {
    .name = "receive_from",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = from_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .finish = from_finish,
    .print = cg__slots_print,
    .detail = &receive_work,
};
