/* SPDX-License-Identifier: MIT */
/* cg_wait_input: waits like a reader that takes nothing. It waits at the lowest socket above
 * which nothing else is to be done, so that over TLS it needs no coroutine. */
#include "config.h"

#include "sockets/slots.h"

#include <cogen/transport.h>

_Static_assert(sizeof(struct cg_wait_input_op) <= 128, "core ops fit in 128 bytes");

static struct cg_wait_input_op *of(struct cg_op *op)
{
    return (struct cg_wait_input_op *)op;
}

static bool is_idle(const struct cg_sock *sock)
{
    return !sock->closing && !cg__sock_has_input(sock) && sock->side[CG__RX].use == CG__FREE &&
           sock->transport->idle != NULL && sock->transport->idle(sock);
}

static struct cg_sock *waits_at(struct cg_sock *sock)
{
    while (sock != NULL && is_idle(sock))
        sock = sock->transport->below(sock);
    return sock;
}

static bool input_take(struct cg_sock *sock, struct cg_op *op)
{
    op->result = 0;
    return cg__sock_has_input(sock);
}

static const struct cg__work input_work = {
    .direction = CG__RX,
    .take = input_take,
    .ask = cg__slots_ask_input,
};

static enum cg_verdict input_process(struct cg_op *op, struct cg_sched *sched)
{
    of(op)->at = waits_at(of(op)->sock);
    return cg__slots_process(op, sched);
}

static int input_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__sock_print(((const struct cg_wait_input_op *)op)->sock, buf, size);
}

const struct cg_op_type cg_wait_input_type = {
    .name = "wait_input",
    .process = input_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = input_print,
    .detail = &input_work,
};
