/* SPDX-License-Identifier: MIT */
/* cg_write, cg_writeall, cg_writev. When a piece is sent, the engine asks for the next
 * one without waking the coroutine. */
#include "config.h"

#include "sockets/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static struct cg_write_op *of(struct cg_op *op)
{
    return (struct cg_write_op *)op;
}

static bool write_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    if (of(op)->done == 0 && of(op)->len > 0)
        return false;
    op->result = (ssize_t)of(op)->done;
    return true;
}

static int write_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_write_op *write = of(op);

    (void)sock;
    io->code = CG_IO_SEND;
    io->buf = (char *)write->buf + write->done;
    io->len = cg__engine_at_once(write->len - write->done);
    return 0;
}

static const struct cg__work write_work = {
    .direction = CG__TX,
    .take = write_take,
    .ask = write_ask,
    .got = cg__slots_bytes_got,
    .partial = true,
};

static const struct cg__work writeall_work = {
    .direction = CG__TX,
    .take = cg__slots_bytes_take,
    .ask = write_ask,
    .got = cg__slots_bytes_got,
    .partial = true,
};

static enum cg_verdict writeall_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__slots_process_here(op, &writeall_work);
}

const struct cg_op_type cg_write_type = CG__SLOTS_BYTES("write", write_work);
const struct cg_op_type cg_writeall_type =
    CG__SLOTS_BYTES_BY(writeall_process, "writeall", writeall_work);

static struct cg_writev_op *of_v(struct cg_op *op)
{
    return (struct cg_writev_op *)op;
}

static bool writev_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_writev_op *writev = of_v(op);

    (void)sock;
    while (writev->first < writev->iovcnt && writev->iov[writev->first].iov_len == 0)
        writev->first++;
    op->result = (ssize_t)writev->done;
    return writev->first == writev->iovcnt;
}

/* Asks to send whole parts of less than CG__AT_ONCE bytes together, or a piece of the
 * first part. */
static int writev_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_writev_op *writev = of_v(op);
    const struct iovec *parts = writev->iov + writev->first;
    int count = 0, most = writev->iovcnt - writev->first;
    size_t size = 0;

    (void)sock;
    while (count < most && size + parts[count].iov_len < CG__AT_ONCE)
        size += parts[count++].iov_len;
    if (size == 0) {
        io->code = CG_IO_SEND;
        io->buf = parts->iov_base;
        io->len = CG__AT_ONCE;
        return 0;
    }
    io->code = CG_IO_SENDV;
    io->iov = parts;
    io->iovcnt = count;
    io->more = writev->more;
    return 0;
}

static int writev_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    struct cg_writev_op *writev = of_v(op);
    size_t left = (size_t)result;

    (void)sock;
    if (result < 0)
        return (int)result;
    assert(result != 0);
    writev->done += left;
    while (left > 0) {
        struct iovec *part = &writev->iov[writev->first];
        size_t size = left < part->iov_len ? left : part->iov_len;

        assert(writev->first < writev->iovcnt);
        part->iov_base = (char *)part->iov_base + size;
        part->iov_len -= size;
        left -= size;
        if (part->iov_len == 0)
            writev->first++;
    }
    return 0;
}

static const struct cg__work writev_work = {
    .direction = CG__TX,
    .take = writev_take,
    .ask = writev_ask,
    .got = writev_got,
    .partial = true,
};

static enum cg_verdict writev_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_writev_op *writev = of_v(op);

    writev->first = 0;
    op->result = -EINVAL;
    if (writev->iovcnt < 0 || writev->iovcnt > CG_IOV_LIMIT)
        return CG_DONE;
    return cg__slots_bytes_process(op, sched);
}

static int writev_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_writev_op *writev = (const struct cg_writev_op *)op;
    size_t len = writev->done;

    for (int i = writev->first; i < writev->iovcnt; i++)
        len += writev->iov[i].iov_len;
    return cg__sock_print_bytes(writev->sock, writev->done, len, buf, size);
}

const struct cg_op_type cg_writev_type = {
    .name = "writev",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = writev_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .finish = cg__slots_bytes_finish,
    .print = writev_print,
    .detail = &writev_work,
};
