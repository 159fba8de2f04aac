/* SPDX-License-Identifier: MIT */
/* cg_connect: to an address it is one attempt; to a host name it is compound
 * (connect_name.c). Only finish hands the socket over, because only finish knows whether
 * the op succeeds: a connection that came together with a timeout is closed there. */
#include "config.h"

#include "sockets/connect/attempt.h"

#include <errno.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_connect_op) <= 128, "core ops fit in 128 bytes");

static struct cg_connect_op *of(struct cg_op *op)
{
    return (struct cg_connect_op *)op;
}

/* Hands over the socket of either kind: stores it if the op's result is 0. */
static int take_sock(struct cg_op *op)
{
    struct cg__attempt *attempt = of(op)->attempt;

    of(op)->attempt = NULL;
    return cg__attempt_sock(attempt, &of(op)->sock);
}

static void settled(struct cg__attempt *attempt)
{
    struct cg_op *op = attempt->owner;

    cg_op_complete(op, take_sock(op));
}

static enum cg_verdict connect_process(struct cg_op *op, struct cg_sched *sched)
{
    char host[CG_HOST_SIZE], port[6];
    struct cg__attempt *attempt;
    struct cg_addr addr;

    of(op)->sock = NULL;
    of(op)->attempt = NULL;
    if (cg__addr_split(of(op)->addr, host, port))
        return CG_RUN;
    op->result = cg__addr_parse(of(op)->addr, false, &addr, 1);
    if (op->result < 0)
        return CG_DONE;
    op->result = -ENOMEM;
    attempt = cg__attempt_new(sched, &addr.base, addr.len);
    if (attempt == NULL)
        return CG_DONE;
    attempt->settled = settled;
    attempt->owner = op;
    attempt->options = of(op)->options;
    of(op)->attempt = attempt;
    if (cg__attempt_begin(attempt) == CG_PENDING)
        return CG_PENDING;
    op->result = take_sock(op);
    return CG_DONE;
}

static ssize_t connect_run(struct cg_op *op)
{
    return cg__connect_name(of(op));
}

/* The cancel slot is also called if process returned CG_RUN and there is no memory to run
 * the op. */
static enum cg_verdict connect_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__attempt_end(of(op)->attempt);
    of(op)->attempt = NULL;
    return CG_DONE;
}

static ssize_t connect_finish(struct cg_op *op)
{
    struct cg_sock *sock = of(op)->sock;

    of(op)->sock = NULL;
    if (sock != NULL && op->result >= 0)
        *of(op)->conn = sock;
    else
        cg_sock_close(sock);
    return op->result;
}

static int connect_print(const struct cg_op *op, char *buf, size_t size)
{
    const char *addr = ((const struct cg_connect_op *)op)->addr;

    return snprintf(buf, size, "%s", addr != NULL ? addr : "nowhere");
}

const struct cg_op_type cg_connect_type = {
    .name = "connect",
    .process = connect_process,
    .run = connect_run,
    .cancel = connect_cancel,
    .finish = connect_finish,
    .print = connect_print,
};
