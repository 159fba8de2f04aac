/* SPDX-License-Identifier: MIT */
/* One listener on several addresses: a transport that completes a request with a
 * connection of any of its descriptors. From the first request on, each descriptor has an
 * accept of its own in flight and keeps the connection that it brings until a request asks
 * for it: at most one per address, which otherwise would wait in the kernel's backlog. */
#include "config.h"

#include "lib/core/sched.h"
#include "sockets/listen/listen.h"
#include "sockets/plain.h"

#include <errno.h>
#include <stdlib.h>

struct member {
    struct cg_io io; /* must be first */
    struct many *many;
    bool arrived;    /* result waits for a request: a connection's descriptor, or -errno */
    ssize_t result;
};

struct many {
    struct cg_sched *sched;
    struct cg_io *asked; /* the socket's pending request, or NULL */
    bool closed;         /* the socket is gone; freed when the kernel has completed all
                          * accepts */
    int count;
    int next; /* index at which the next search begins, so that addresses take turns */
    struct member members[];
};

static void keep(struct member *member, ssize_t result)
{
    if (result == -ECANCELED)
        return;
    member->arrived = true;
    member->result = result;
}

static void arm(struct many *many)
{
    struct cg_reactor *reactor = cg_sched_reactor(many->sched);

    for (int i = 0; i < many->count; i++) {
        struct member *member = &many->members[i];

        if (member->arrived || member->io.state != CG_IO_IDLE)
            continue;
        member->io.code = CG_IO_ACCEPT;
        if (cg_reactor_submit(reactor, &member->io) == CG_DONE)
            keep(member, member->io.result);
    }
}

/* Returns the next member, in turn, that has a result; NULL if none has. */
static struct member *find_arrived(struct many *many)
{
    for (int i = 0; i < many->count; i++) {
        int at = (many->next + i) % many->count;

        if (many->members[at].arrived)
            return &many->members[at];
    }
    return NULL;
}

static bool is_accepting(const struct many *many)
{
    for (int i = 0; i < many->count; i++)
        if (many->members[i].io.state != CG_IO_IDLE)
            return true;
    return false;
}

/* Completes an ACCEPT or a POLL, also one that is being cancelled. Returns false if it has
 * to wait. */
static bool serve(struct many *many, struct cg_io *io)
{
    struct member *member = find_arrived(many);

    if (member == NULL && (io->state != CG_IO_CANCELLING || is_accepting(many)))
        return false;
    io->result = member == NULL ? -ECANCELED : CG_IN;
    if (member == NULL)
        return true;
    if (io->code == CG_IO_ACCEPT) {
        io->result = member->result;
        member->arrived = false;
        many->next = (int)(member - many->members + 1) % many->count;
    }
    return true;
}

static void release(struct many *many)
{
    struct cg_reactor *reactor = cg_sched_reactor(many->sched);

    if (is_accepting(many))
        return;
    for (int i = 0; i < many->count; i++) {
        struct member *member = &many->members[i];

        if (member->arrived && member->result >= 0)
            cg__plain_close_fd(reactor, (int)member->result);
        cg__plain_close_fd(reactor, member->io.fd);
    }
    cg_sched_unhold(many->sched);
    free(many);
}

static void complete(struct cg_io *member_io, ssize_t result)
{
    struct member *member = (struct member *)member_io;
    struct many *many = member->many;
    struct cg_io *io = many->asked;

    keep(member, result);
    if (many->closed) {
        release(many);
    } else if (io != NULL && serve(many, io)) {
        many->asked = NULL;
        io->state = CG_IO_IDLE;
        io->complete(io, io->result);
    }
}

static void complete_observed(struct cg_io *member_io, ssize_t result)
{
    cg__observe_completes(((struct member *)member_io)->many->sched->observe, member_io,
                          result);
    complete(member_io, result);
}

static enum cg_verdict ask(struct many *many, struct cg_io *io)
{
    arm(many);
    if (serve(many, io))
        return CG_DONE;
    many->asked = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

/* Makes the call on each descriptor. Returns the result of the first, or the first
 * failure. */
static enum cg_verdict tell_all(struct many *many, struct cg_io *io)
{
    ssize_t result = 0;

    for (int i = 0; i < many->count && result >= 0; i++) {
        io->fd = many->members[i].io.fd;
        result = cg__plain_call(cg_sched_reactor(many->sched), io);
    }
    io->result = result;
    return CG_DONE;
}

static enum cg_verdict many_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct many *many = sock->state;

    switch ((enum cg_io_code)io->code) {
    case CG_IO_ACCEPT:
        return ask(many, io);
    case CG_IO_POLL:
        if (io->events & CG_IN)
            return ask(many, io);
        io->result = -EOPNOTSUPP;
        return CG_DONE;
    case CG_IO_SETOPT:
    case CG_IO_SHUTDOWN:
        return tell_all(many, io);
    case CG_IO_GETOPT:
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
        io->fd = many->members[0].io.fd;
        cg__plain_call(cg_sched_reactor(many->sched), io);
        return CG_DONE;
    case CG_IO_RECV:
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
        io->result = -ENOTCONN;
        return CG_DONE;
    default:
        io->result = -EOPNOTSUPP;
        return CG_DONE;
    }
}

static void take_back(struct many *many)
{
    struct cg_reactor *reactor = cg_sched_reactor(many->sched);

    for (int i = 0; i < many->count; i++)
        if (many->members[i].io.state == CG_IO_PENDING)
            reactor->type->cancel(reactor, &many->members[i].io);
}

/* Takes all accepts in flight back. Some may nevertheless bring a connection: then the
 * request completes with one of these connections, and the next requests with the
 * others. */
static enum cg_verdict many_cancel(struct cg_sock *sock, struct cg_io *io)
{
    struct many *many = sock->state;

    take_back(many);
    io->state = is_accepting(many) ? CG_IO_CANCELLING : CG_IO_IDLE;
    if (io->state == CG_IO_CANCELLING)
        return CG_PENDING;
    many->asked = NULL;
    return CG_DONE;
}

static void many_close(struct cg_sock *sock)
{
    struct many *many = sock->state;

    many->closed = true;
    cg_sched_hold(many->sched);
    take_back(many);
    release(many);
}

static const struct cg_transport_type many_transport = {
    .name = "listener",
    .submit = many_submit,
    .cancel = many_cancel,
    .close = many_close,
};

struct cg_sock *cg__listen_many(struct cg_sched *sched, const int *fds, int count)
{
    struct many *many = calloc(1, sizeof *many + (size_t)count * sizeof many->members[0]);
    struct cg_sock *sock;

    if (many == NULL)
        return NULL;
    sock = cg_sock_open(sched, &many_transport, many, -1);
    if (sock == NULL) {
        free(many);
        return NULL;
    }
    sock->listener = true;
    sock->holds = true;
    many->sched = sched;
    many->count = count;
    for (int i = 0; i < count; i++) {
        many->members[i].many = many;
        many->members[i].io.fd = fds[i];
        many->members[i].io.complete = sched->observe ? complete_observed : complete;
    }
    return sock;
}
