/* SPDX-License-Identifier: MIT */
/* cg_poll_sock: waits for CG_IN on the reading side and for CG_OUT on the writing side.
 * Whatever comes first ends the wait on both. */
#include "config.h"

#include "sockets/engine.h"
#include "sockets/plain.h"

#include <errno.h>
#include <stdio.h>

static struct cg_poll_sock_op *of(struct cg_op *op)
{
    return (struct cg_poll_sock_op *)op;
}

static bool has_input(const struct cg_sock *sock)
{
    return cg__sock_has_input(sock) || sock->spare >= 0;
}

/* Asks the transport too: input that the socket already holds is reported without a
 * request, which would have reported CG_HUP. */
static bool peer_has_ended(struct cg_sock *sock)
{
    struct cg_io io = {.code = CG_IO_LOOK};
    ssize_t events;

    if (sock->eof || sock->error != 0)
        return true;
    io.events = CG_IN;
    events = cg__sock_call(sock, &io);
    return events > 0 && events & CG_HUP;
}

/* An armed receive would have brought into the input whatever came. */
bool cg_sock_is_quiet(struct cg_sock *sock)
{
    const struct cg__side *side = &sock->side[CG__RX];
    struct cg_io io = {.code = CG_IO_QUIET};

    if (sock->closing || side->use != CG__FREE || has_input(sock) ||
        sock->transport != &cg__plain_transport)
        return false;
    if (side->io.code == CG_IO_RECV && side->io.state == CG_IO_PENDING)
        return true;
    return cg__sock_call(sock, &io) == 1;
}

/* Requests of an earlier op, taken back too late, may have reported other events. */
static bool poll_take(struct cg_sock *sock, struct cg_op *op)
{
    unsigned found = sock->ready & (of(op)->events | CG_ERR | CG_HUP);

    sock->ready = 0;
    if (of(op)->events & CG_IN && has_input(sock))
        found |= CG_IN;
    if ((found & (CG_IN | CG_HUP)) == CG_IN && peer_has_ended(sock))
        found |= CG_HUP;
    op->result = found;
    return found != 0;
}

static int ask_in(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_POLL;
    io->events = CG_IN;
    return 0;
}

static int ask_out(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_POLL;
    io->events = CG_OUT;
    return 0;
}

/* Over a transport that runs, one request serves both directions. */
static int ask_any(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    io->code = CG_IO_POLL;
    io->events = of(op)->events & (CG_IN | CG_OUT);
    return 0;
}

static void poll_ended(struct cg_sock *sock, struct cg_op *op)
{
    for (int direction = CG__RX; direction <= CG__TX; direction++)
        if (sock->side[direction].op == op)
            cg__engine_take_back(op, sock, direction);
}

static const struct cg__work in_work = {
    .take = poll_take,
    .ask = ask_in,
    .ended = poll_ended,
};

static const struct cg__work out_work = {
    .take = poll_take,
    .ask = ask_out,
    .ended = poll_ended,
};

static const struct cg__work any_work = {.take = poll_take, .ask = ask_any};

static enum cg_verdict poll_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_poll_sock_op *poll = of(op);
    struct cg_sock *sock = poll->sock;
    enum cg_verdict verdict = CG_PENDING;

    (void)sched;
    op->result = -EINVAL;
    if (!(poll->events & (CG_IN | CG_OUT)))
        return CG_DONE;
    if (sock != NULL)
        sock->ready = 0; /* events of an earlier op may be out of date */
    if (poll->events & CG_IN)
        verdict = cg__engine_begin(op, sock, CG__RX, &in_work);
    if (verdict == CG_PENDING && poll->events & CG_OUT)
        verdict = cg__engine_begin(op, sock, CG__TX, &out_work);
    if (verdict == CG_DONE && op->result != -EBADF)
        poll_ended(sock, op);
    return verdict;
}

static ssize_t poll_run(struct cg_op *op)
{
    enum cg__direction direction = of(op)->events & CG_IN ? CG__RX : CG__TX;

    return cg__engine_run(op, of(op)->sock, direction, &any_work);
}

static enum cg_verdict poll_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;

    (void)sched;
    if (sock->side[CG__RX].op == op || sock->side[CG__TX].op == op)
        poll_ended(sock, op);
    else
        cg__engine_never_ran(op, sock);
    return CG_DONE;
}

static int poll_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_poll_sock_op *poll = (const struct cg_poll_sock_op *)op;
    char who[32];

    cg__sock_print(poll->sock, who, sizeof who);
    return snprintf(buf, size, "%s,%s%s", who, poll->events & CG_IN ? " in" : "",
                    poll->events & CG_OUT ? " out" : "");
}

const struct cg_op_type cg_poll_sock_type = {
    .name = "poll_sock",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = poll_process,
    .run = poll_run,
    .cancel = poll_cancel,
    .print = poll_print,
};
