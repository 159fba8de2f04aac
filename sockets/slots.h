/* SPDX-License-Identifier: MIT */
/* The slots that the types of a socket's operations share (slots.c). */
#ifndef COGEN_SOCKETS_SLOTS_H
#define COGEN_SOCKETS_SLOTS_H

#include "sockets/engine_begin.h"

#include <assert.h>

/* Every operation on a socket begins with these fields. */
struct cg__sock_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
};

/* Every operation that moves bytes begins with these fields. */
struct cg__bytes_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
};

/* For types whose `detail` is their struct cg__work. While a view of the socket's input is
 * lent, process completes operations that read with -EBUSY. It completes an operation on
 * streams with -EOPNOTSUPP if the socket is for datagrams, and one on datagrams if it is a
 * stream. */
enum cg_verdict cg__slots_process(struct cg_op *op, struct cg_sched *sched);
enum cg_verdict cg__slots_refuse(struct cg_op *op, const struct cg__work *work);
ssize_t cg__slots_run(struct cg_op *op);
enum cg_verdict cg__slots_cancel(struct cg_op *op, struct cg_sched *sched);
int cg__slots_print(const struct cg_op *op, char *buf, size_t size);

/* cg__slots_process, compiled for the caller's own work: see engine_begin.h. */
static inline __attribute__((always_inline)) enum cg_verdict
cg__slots_process_here(struct cg_op *op, const struct cg__work *work)
{
    struct cg_sock *sock = ((struct cg__sock_op *)op)->sock;

    if (sock != NULL &&
        ((sock->datagrams != 0) != work->datagrams ||
         (work->direction == CG__RX && cg__sock_is_lent(sock))))
        return cg__slots_refuse(op, work);
    return cg__engine_begin_here(op, sock, work->direction, work);
}

/* The slot `ask` of work that is done from the socket's input: asks for more of it. */
static inline int cg__slots_ask_input(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_RECV;
    io->buf = NULL;
    io->len = 0;
    return 0;
}

/* Operations that move bytes have these slots instead. */
enum cg_verdict cg__slots_bytes_process(struct cg_op *op, struct cg_sched *sched);
ssize_t cg__slots_bytes_finish(struct cg_op *op);
int cg__slots_bytes_print(const struct cg_op *op, char *buf, size_t size);

/* The slots `take` and `got` of work that moves all of its bytes, or fails. Inline, so that
 * they are compiled with the other slots of a work. */
static inline bool cg__slots_bytes_take(struct cg_sock *sock, struct cg_op *op)
{
    const struct cg__bytes_op *bytes = (struct cg__bytes_op *)op;

    (void)sock;
    if (bytes->done < bytes->len)
        return false;
    op->result = (ssize_t)bytes->done;
    return true;
}

static inline int cg__slots_bytes_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    struct cg__bytes_op *bytes = (struct cg__bytes_op *)op;

    (void)sock;
    if (result < 0)
        return (int)result;
    assert(result != 0);
    bytes->done += (size_t)result;
    assert(bytes->done <= bytes->len);
    return 0;
}

/* A whole type of operations that move bytes; with another slot `process` than the usual one. */
#define CG__SLOTS_BYTES(name_, work_)                                                       \
    CG__SLOTS_BYTES_BY(cg__slots_bytes_process, name_, work_)
#define CG__SLOTS_BYTES_BY(process_, name_, work_)                                          \
    {                                                                                      \
        .name = name_,                                                                     \
        .flags = CG_OP_DEFAULT_TIMEOUT,                                                    \
        .process = process_,                                                               \
        .run = cg__slots_run,                                                              \
        .cancel = cg__slots_cancel,                                                        \
        .finish = cg__slots_bytes_finish,                                                  \
        .print = cg__slots_bytes_print,                                                    \
        .detail = &work_,                                                                  \
    }

#endif
