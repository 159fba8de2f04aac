/* SPDX-License-Identifier: MIT */
/* cg_send_fds, cg_receive_fds. Descriptors never pass through the socket's input: a request
 * that is cancelled has taken none from the kernel. */
#include "config.h"

#include "sockets/plain.h"
#include "sockets/slots.h"

#include <cogen/passing.h>

#include <errno.h>

_Static_assert(sizeof(struct cg_send_fds_op) <= 160, "the arguments of a message");

/* Other kinds of sockets take descriptors and drop them, so they are refused. */
static enum cg_verdict refuse(struct cg_op *op, struct cg_sock *sock, bool valid)
{
    op->result = sock == NULL || sock->closing ? -EBADF : valid ? -EOPNOTSUPP : -EINVAL;
    return CG_DONE;
}

static struct cg_send_fds_op *of_send(struct cg_op *op)
{
    return (struct cg_send_fds_op *)op;
}

static int send_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_send_fds_op *send = of_send(op);

    (void)sock;
    io->code = CG_IO_SEND_FDS;
    if (send->done == 0) {
        send->passed.len = cg__engine_at_once(send->len);
        io->passed = &send->passed;
        return 0;
    }
    io->code = CG_IO_SEND;
    io->buf = (char *)send->passed.buf + send->done;
    io->len = cg__engine_at_once(send->len - send->done);
    return 0;
}

static enum cg_verdict send_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_send_fds_op *send = of_send(op);
    bool valid = send->len > 0 && send->passed.count > 0 && send->passed.count <= CG_FDS_MOST;

    send->done = 0;
    if (send->sock == NULL || send->sock->closing || !valid || !cg__sock_is_unix(send->sock))
        return refuse(op, send->sock, valid);
    return cg__slots_process(op, sched);
}

static const struct cg__work send_work = {
    .direction = CG__TX,
    .take = cg__slots_bytes_take,
    .ask = send_ask,
    .got = cg__slots_bytes_got,
    .partial = true,
};

const struct cg_op_type cg_send_fds_type = {
    .name = "send_fds",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = send_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .finish = cg__slots_bytes_finish,
    .print = cg__slots_bytes_print,
    .detail = &send_work,
};

static struct cg_receive_fds_op *of(struct cg_op *op)
{
    return (struct cg_receive_fds_op *)op;
}

static bool receive_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_io_passed *passed = &of(op)->passed;

    if (of(op)->got >= 0) {
        op->result = of(op)->got;
        return true;
    }
    if (sock->input.first != NULL) {
        op->result = (ssize_t)cg__input_read(sock->reactor, &sock->input, passed->buf, passed->len);
        return true;
    }
    op->result = sock->error;
    return sock->error != 0 || sock->eof;
}

static int receive_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_RECV_FDS;
    io->passed = &of(op)->passed;
    return 0;
}

static int receive_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    if (result < 0)
        return (int)result;
    if (result == 0)
        sock->eof = true;
    of(op)->got = result;
    return 0;
}

static enum cg_verdict receive_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;
    bool valid = of(op)->passed.len > 0;

    of(op)->got = -1;
    of(op)->passed.into->count = 0;
    if (sock == NULL || sock->closing || !valid || !cg__sock_is_unix(sock))
        return refuse(op, sock, valid);
    return cg__slots_process(op, sched);
}

/* The socket was closed before the coroutine received the descriptors. */
static void receive_withdraw(struct cg_op *op)
{
    struct cg_fds *fds = of(op)->passed.into;

    while (fds->count > 0)
        cg__plain_close_fd(of(op)->sock->reactor, fds->fds[--fds->count]);
}

static const struct cg__work receive_work = {
    .direction = CG__RX,
    .take = receive_take,
    .ask = receive_ask,
    .got = receive_got,
};

const struct cg_op_type cg_receive_fds_type = {
    .name = "receive_fds",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = receive_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &receive_work,
    .withdraw = receive_withdraw,
};
