/* SPDX-License-Identifier: MIT */
/* The slots that the types of a socket's operations share. What differs between types
 * is in their struct cg__work, to which `detail` points. */
#include "config.h"

#include "sockets/slots.h"

#include <errno.h>

static struct cg_sock *sock_of(const struct cg_op *op)
{
    return ((const struct cg__sock_op *)op)->sock;
}

static const struct cg__work *work_of(const struct cg_op *op)
{
    return op->type->detail;
}

enum cg_verdict cg__slots_refuse(struct cg_op *op, const struct cg__work *work)
{
    const struct cg_sock *sock = sock_of(op);
    bool fits = (sock->datagrams != 0) == work->datagrams;

    op->result = sock->closing ? -EBADF : fits ? -EBUSY : -EOPNOTSUPP;
    return CG_DONE;
}

enum cg_verdict cg__slots_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__slots_process_here(op, work_of(op));
}

ssize_t cg__slots_run(struct cg_op *op)
{
    return cg__engine_run(op, sock_of(op), work_of(op)->direction, work_of(op));
}

enum cg_verdict cg__slots_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__engine_take_back(op, sock_of(op), work_of(op)->direction);
}

int cg__slots_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__sock_print(sock_of(op), buf, size);
}

static struct cg__bytes_op *bytes(struct cg_op *op)
{
    return (struct cg__bytes_op *)op;
}

enum cg_verdict cg__slots_bytes_process(struct cg_op *op, struct cg_sched *sched)
{
    bytes(op)->done = 0;
    return cg__slots_process(op, sched);
}

ssize_t cg__slots_bytes_finish(struct cg_op *op)
{
    if (bytes(op)->moved != NULL)
        *bytes(op)->moved = bytes(op)->done;
    bytes(op)->done = 0;
    return op->result;
}

int cg__slots_bytes_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg__bytes_op *b = (const struct cg__bytes_op *)op;

    return cg__sock_print_bytes(b->sock, b->done, b->len, buf, size);
}
