/* SPDX-License-Identifier: MIT */
/* cg_close_gently: half-closes, drops what still comes, closes. Only finish closes the
 * socket: it is called however the op ends, and if the op never begins. */
#include "config.h"

#include "sockets/sock.h"

#include <cogen/sock_end.h>

#include <errno.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct cg_close_gently_op) <= 128, "core ops fit in 128 bytes");

static struct cg_close_gently_op *of(struct cg_op *op)
{
    return (struct cg_close_gently_op *)op;
}

static enum cg_verdict close_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EBADF;
    if (of(op)->sock == NULL || of(op)->sock->closing) {
        of(op)->sock = NULL;
        return CG_DONE;
    }
    op->result = -EINVAL;
    if (of(op)->sock->listener)
        return CG_DONE;
    cg_sock_keep(of(op)->sock);
    of(op)->kept = true;
    of(op)->defaulted = op->timeout == 0;
    if (of(op)->defaulted)
        op->timeout = CG_LINGER;
    return CG_RUN;
}

/* Returns 0 at the end of the peer's stream. */
static ssize_t drop_input(struct cg_close_gently_op *close)
{
    uint64_t left = close->most > 0 ? close->most : CG_LINGER_BYTES;
    struct cg_view view;
    ssize_t n;

    while ((n = cg_yield(cg_borrow(close->sock, &view, .timeout = CG_NEVER))) > 0) {
        cg_view_release(&view, view.len);
        if (left < (size_t)n)
            return -EMSGSIZE;
        left -= (size_t)n;
        cg_op_progress(&close->op);
    }
    return n;
}

static ssize_t close_run(struct cg_op *op)
{
    ssize_t rc = cg_yield(cg_shutdown(of(op)->sock, SHUT_WR, .timeout = CG_NEVER));

    return rc < 0 ? rc : drop_input(of(op));
}

static ssize_t close_finish(struct cg_op *op)
{
    struct cg_sock *sock = of(op)->sock;
    bool kept = of(op)->kept;

    of(op)->sock = NULL;
    of(op)->kept = false;
    if (of(op)->defaulted)
        op->timeout = 0;
    of(op)->defaulted = false;
    if (kept && cg_sock_unkeep(sock) < 0)
        return op->result = -EBADF; /* another coroutine has closed it */
    cg_sock_close(sock);
    return op->result;
}

static int close_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__sock_print(((const struct cg_close_gently_op *)op)->sock, buf, size);
}

const struct cg_op_type cg_close_gently_type = {
    .name = "close_gently",
    .flags = CG_OP_ANYHOW,
    .process = close_process,
    .run = close_run,
    .finish = close_finish,
    .print = close_print,
};
