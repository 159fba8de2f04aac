/* SPDX-License-Identifier: MIT */
/* cg_write, cg_writeall, cg_writev. A writer that waits goes on from the completion of each
 * piece, without waking its coroutine. */
#include "config.h"

#include "sockets/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static struct cg_write_op *of(struct cg_op *op)
{
    return (struct cg_write_op *)op;
}

static ssize_t finish(struct cg_op *op, size_t *done, size_t *moved)
{
    if (moved != NULL)
        *moved = *done;
    *done = 0;
    return op->result;
}

/* ---- write, writeall ---- */

static bool write_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    if (of(op)->done == 0 && of(op)->len > 0)
        return false;
    op->result = (ssize_t)of(op)->done;
    return true;
}

static bool writeall_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    if (of(op)->done < of(op)->len)
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
    io->len = write->len - write->done;
    return 0;
}

static int write_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    if (result < 0)
        return (int)result;
    assert(result != 0);
    of(op)->done += (size_t)result;
    assert(of(op)->done <= of(op)->len);
    return 0;
}

static const struct cg__work write_work = {
    .take = write_take,
    .ask = write_ask,
    .got = write_got,
    .partial = true,
};

static void writeall_complete(struct cg_io *io, ssize_t result);

static const struct cg__work writeall_work = {
    .take = writeall_take,
    .ask = write_ask,
    .got = write_got,
    .complete = writeall_complete,
    .partial = true,
};

static void writeall_complete(struct cg_io *io, ssize_t result)
{
    cg__moved_here(io, result, CG__TX, &writeall_work);
}

static enum cg_verdict write_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__begin_here(op, of(op)->sock, CG__TX, &write_work);
}

static enum cg_verdict writeall_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__begin_here(op, of(op)->sock, CG__TX, &writeall_work);
}

static ssize_t write_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__TX, &write_work);
}

static ssize_t writeall_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__TX, &writeall_work);
}

static enum cg_verdict write_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__take_back(op, of(op)->sock, CG__TX);
}

static ssize_t write_finish(struct cg_op *op)
{
    return finish(op, &of(op)->done, of(op)->moved);
}

static int write_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_write_op *write = (const struct cg_write_op *)op;

    return cg__print(write->sock, write->done, write->len, buf, size);
}

const struct cg_op_type cg_write_type = {
    .name = "write",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = write_process,
    .run = write_run,
    .cancel = write_cancel,
    .finish = write_finish,
    .print = write_print,
};

const struct cg_op_type cg_writeall_type = {
    .name = "writeall",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = writeall_process,
    .run = writeall_run,
    .cancel = write_cancel,
    .finish = write_finish,
    .print = write_print,
};

/* ---- writev ---- */

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

static int writev_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_writev_op *writev = of_v(op);

    (void)sock;
    io->code = CG_IO_SENDV;
    io->iov = writev->iov + writev->first;
    io->iovcnt = writev->iovcnt - writev->first;
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
    .take = writev_take,
    .ask = writev_ask,
    .got = writev_got,
    .partial = true,
};

static enum cg_verdict writev_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_writev_op *writev = of_v(op);

    (void)sched;
    writev->first = 0;
    writev->done = 0;
    op->result = -EINVAL;
    if (writev->iovcnt < 0 || writev->iovcnt > CG_IOV_LIMIT)
        return CG_DONE;
    return cg__begin(op, writev->sock, CG__TX, &writev_work);
}

static ssize_t writev_run(struct cg_op *op)
{
    return cg__run(op, of_v(op)->sock, CG__TX, &writev_work);
}

static enum cg_verdict writev_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__take_back(op, of_v(op)->sock, CG__TX);
}

static ssize_t writev_finish(struct cg_op *op)
{
    return finish(op, &of_v(op)->done, of_v(op)->moved);
}

static int writev_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_writev_op *writev = (const struct cg_writev_op *)op;
    size_t len = writev->done;

    for (int i = writev->first; i < writev->iovcnt; i++)
        len += writev->iov[i].iov_len;
    return cg__print(writev->sock, writev->done, len, buf, size);
}

const struct cg_op_type cg_writev_type = {
    .name = "writev",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = writev_process,
    .run = writev_run,
    .cancel = writev_cancel,
    .finish = writev_finish,
    .print = writev_print,
};
