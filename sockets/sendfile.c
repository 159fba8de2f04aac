/* SPDX-License-Identifier: MIT */
/* cg_sendfile. */
#include "config.h"

#include "sockets/slots.h"

/* How many bytes of a file to ask for in one request: more than of memory, since the kernel
 * need not copy them. */
enum { FILE_AT_ONCE = 4 * CG__AT_ONCE };

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
    size_t left = send->len - send->done;

    (void)sock;
    io->code = CG_IO_SENDFILE;
    io->file = send->file;
    io->offset = send->offset + (int64_t)send->done;
    io->count = left < FILE_AT_ONCE ? left : FILE_AT_ONCE;
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
    .direction = CG__TX,
    .take = sendfile_take,
    .ask = sendfile_ask,
    .got = sendfile_got,
    .partial = true,
};

static enum cg_verdict sendfile_process(struct cg_op *op, struct cg_sched *sched)
{
    of(op)->ended = false;
    return cg__slots_bytes_process(op, sched);
}

const struct cg_op_type cg_sendfile_type = {
    .name = "sendfile",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = sendfile_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .finish = cg__slots_bytes_finish,
    .print = cg__slots_bytes_print,
    .detail = &sendfile_work,
};
