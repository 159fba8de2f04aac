/* SPDX-License-Identifier: MIT */
/* cg_sendfile. */
#include "config.h"

#include "sockets/sock.h"

static struct cg_sendfile_op *of(struct cg_op *op)
{
    return (struct cg_sendfile_op *)op;
}

static bool sendfile_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    op->result = (ssize_t)of(op)->done;
    return of(op)->done == of(op)->len || of(op)->ended;
}

static int sendfile_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_sendfile_op *send = of(op);

    (void)sock;
    io->code = CG_IO_SENDFILE;
    io->file = send->file;
    io->offset = send->offset + (int64_t)send->done;
    io->count = send->len - send->done;
    return 0;
}

static int sendfile_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    if (result < 0)
        return (int)result;
    of(op)->done += (size_t)result;
    of(op)->ended = result == 0;
    return 0;
}

static const struct cg__work sendfile_work = {
    .take = sendfile_take,
    .ask = sendfile_ask,
    .got = sendfile_got,
    .partial = true,
};

static enum cg_verdict sendfile_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    of(op)->ended = false;
    return cg__begin(op, of(op)->sock, CG__TX, &sendfile_work);
}

static ssize_t sendfile_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__TX, &sendfile_work);
}

static enum cg_verdict sendfile_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__take_back(op, of(op)->sock, CG__TX);
}

static ssize_t sendfile_finish(struct cg_op *op)
{
    if (of(op)->moved != NULL)
        *of(op)->moved = of(op)->done;
    of(op)->done = 0;
    return op->result;
}

static int sendfile_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_sendfile_op *send = (const struct cg_sendfile_op *)op;

    return cg__print(send->sock, send->done, send->len, buf, size);
}

const struct cg_op_type cg_sendfile_type = {
    .name = "sendfile",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = sendfile_process,
    .run = sendfile_run,
    .cancel = sendfile_cancel,
    .finish = sendfile_finish,
    .print = sendfile_print,
};
