/* SPDX-License-Identifier: MIT */
/* cg_send_to, cg_send_datagrams. */
#include "config.h"

#include "sockets/datagram/datagram.h"
#include "sockets/slots.h"

#include <assert.h>
#include <errno.h>

/* Both kinds of op begin with the same fields. */
static struct cg_datagrams_op *of(struct cg_op *op)
{
    return (struct cg_datagrams_op *)op;
}

static int send_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_SEND_DATAGRAMS;
    io->datagrams = of(op)->list + of(op)->done;
    io->most = of(op)->len - of(op)->done;
    return 0;
}

static int send_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    if (result < 0)
        return (int)result;
    cg__datagram_charge(sock, of(op)->list + of(op)->done, (size_t)result);
    of(op)->done += (size_t)result;
    assert(of(op)->done <= of(op)->len);
    return 0;
}

static const struct cg__work send_work = {
    .direction = CG__TX,
    .take = cg__slots_bytes_take,
    .ask = send_ask,
    .got = send_got,
    .partial = true,
    .datagrams = true,
};

const struct cg_op_type cg_send_datagrams_type =
    CG__SLOTS_BYTES("send_datagrams", send_work);

/* The address is parsed into the op, since the request may have to wait. */
static enum cg_verdict to_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_send_to_op *to = (struct cg_send_to_op *)op;

    if (to->text != NULL && to->sock != NULL) {
        op->result = cg__datagram_addr(to->text, to->sock->datagrams, &to->parsed);
        if (op->result < 0)
            return CG_DONE;
        to->one.addr = &to->parsed;
    }
    to->list = &to->one;
    to->len = 1;
    return cg__slots_bytes_process(op, sched);
}

static ssize_t to_finish(struct cg_op *op)
{
    const struct cg_send_to_op *to = (struct cg_send_to_op *)op;

    return cg__slots_bytes_finish(op) < 0 ? op->result : (ssize_t)to->one.len;
}

const struct cg_op_type cg_send_to_type = {
    .name = "send_to",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = to_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .finish = to_finish,
    .print = cg__slots_print,
    .detail = &send_work,
};
