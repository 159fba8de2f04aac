/* SPDX-License-Identifier: MIT */
/* cg_shutdown. On a plain socket it never waits and does not disturb a pending writer.
 * Over a transport that runs it occupies the writing side, like a writer. */
#include "config.h"

#include "sockets/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static bool take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    op->result = 0;
    return ((struct cg_shutdown_op *)op)->done;
}

static int ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_SHUTDOWN;
    io->how = ((struct cg_shutdown_op *)op)->how;
    return 0;
}

static int got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    ((struct cg_shutdown_op *)op)->done = true;
    return result < 0 ? (int)result : 0;
}

static const struct cg__work shutdown_work = {.take = take, .ask = ask, .got = got};

static enum cg_verdict shutdown_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_shutdown_op *shut = (struct cg_shutdown_op *)op;
    struct cg_io io = {.code = CG_IO_SHUTDOWN, .fd = -1};
    enum cg_verdict verdict;

    (void)sched;
    op->result = -EBADF;
    if (shut->sock == NULL || shut->sock->closing)
        return CG_DONE;
    op->result = -EOPNOTSUPP;
    if (shut->sock->datagrams)
        return CG_DONE; /* datagrams have no end of the stream */
    op->uses = &shut->sock->object;
    shut->done = false;
    io.fd = cg__sock_fd(shut->sock);
    io.how = shut->how;
    verdict = shut->sock->transport->submit(shut->sock, &io);
    assert(verdict != CG_PENDING);
    if (verdict == CG_RUN)
        return cg_object_enter(&shut->sock->object, op);
    op->result = io.result;
    return verdict;
}

static ssize_t shutdown_run(struct cg_op *op)
{
    return cg__engine_run(op, ((struct cg_shutdown_op *)op)->sock, CG__TX,
                          &shutdown_work);
}

/* Called only when there is no memory to run the op, which is never pending. */
static enum cg_verdict shutdown_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__engine_never_ran(op, ((struct cg_shutdown_op *)op)->sock);
    return CG_DONE;
}

static int shutdown_print(const struct cg_op *op, char *buf, size_t size)
{
    static const char *const hows[] = {"read", "write", "both"};
    const struct cg_shutdown_op *shut = (const struct cg_shutdown_op *)op;
    char who[32];

    cg__sock_print(shut->sock, who, sizeof who);
    return snprintf(buf, size, "%s, %s", who,
                    shut->how >= SHUT_RD && shut->how <= SHUT_RDWR ? hows[shut->how] : "?");
}

const struct cg_op_type cg_shutdown_type = {
    .name = "shutdown",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = shutdown_process,
    .run = shutdown_run,
    .cancel = shutdown_cancel,
    .print = shutdown_print,
};
