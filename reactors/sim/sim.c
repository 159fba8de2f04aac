/* SPDX-License-Identifier: MIT */
/* The simulated reactor: requests, and the clock of a host that is alone. A request that
 * cannot complete waits at its socket. Whatever may change that touches the socket. wait delivers what is
 * due on the network, tries the requests of all touched sockets in the order in which they
 * were touched, and moves the clock only if no request has completed. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "reactors/sim/sim.h"

void cg__sim_touch(struct cg_sim_sock *sock)
{
    struct cg_sim_queue *queue = &sock->host->touched;

    if (sock->touched || (!sock->ios && sock->state != CG_SIM_CLOSED))
        return;
    sock->touched = true;
    sock->next_touched = NULL;
    if (queue->head)
        queue->tail->next_touched = sock;
    else
        queue->head = sock;
    queue->tail = sock;
}

static void hang(struct cg_sim_sock *sock, struct cg_io *io)
{
    io->next = NULL;
    io->prev = sock->last_io;
    if (sock->last_io)
        sock->last_io->next = io;
    else
        sock->ios = io;
    sock->last_io = io;
}

static void unhang(struct cg_sim_sock *sock, struct cg_io *io)
{
    if (io->prev)
        io->prev->next = io->next;
    else
        sock->ios = io->next;
    if (io->next)
        io->next->prev = io->prev;
    else
        sock->last_io = io->prev;
    if (sock->connector == io)
        sock->connector = NULL; /* the connect itself continues */
    io->state = CG_IO_IDLE;
}

/* Tries a request. Returns false if it has to wait. */
static bool try(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                ssize_t *result)
{
    switch (io->code) {
    case CG_IO_RECV:
        return cg__sim_recv(sim, sock, io, result);
    case CG_IO_RECV_DATAGRAMS:
        return cg__sim_recv_datagrams(sim, sock, io, result);
    case CG_IO_SEND_DATAGRAMS:
        return cg__sim_send_datagrams(sim, sock, io, result);
    case CG_IO_ACCEPT:
        return cg__sim_accept(sim, sock, result);
    case CG_IO_CONNECT:
        return cg__sim_connect(sim, sock, io, result);
    case CG_IO_POLL:
        return cg__sim_poll(sim, sock, io, result);
    default:
        return cg__sim_send(sim, sock, io, result);
    }
}

static enum cg_verdict done(struct cg_sim *sim, struct cg_io *io, ssize_t result)
{
    io->result = result;
    cg__sim_note_result(sim, io, result);
    return CG_DONE;
}

static enum cg_verdict sim_submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg_sim *sim = cg__sim_of(reactor);
    struct cg_sim_sock *sock;
    ssize_t result;

    assert(io->state == CG_IO_IDLE);
    sim->now += sim->opt.cost;
    io->chunk = NULL;
    if (cg__sim_host_of(reactor)->dead && io->code <= CG_IO_LISTEN)
        return done(sim, io, -ENETDOWN);
    if (io->code > CG_IO_POLL)
        return done(sim, io, cg__sim_call(cg__sim_host_of(reactor), io));
    if (!(sock = cg__sim_find(sim, io->fd)))
        return done(sim, io, -EBADF);
    if (io->code >= CG_IO_RECV_FDS && io->code <= CG_IO_SPLICE_OUT)
        return done(sim, io, -EOPNOTSUPP); /* its handles are no descriptors */
    if (!sim->opt.completion && try(sim, sock, io, &result))
        return done(sim, io, result);
    io->state = CG_IO_PENDING;
    io->mark = sim->pass; /* not in the pass that may be in progress */
    hang(sock, io);
    if (sim->opt.completion)
        cg__sim_touch(sock);
    return CG_PENDING;
}

static enum cg_verdict sim_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg_sim *sim = cg__sim_of(reactor);
    struct cg_sim_sock *sock = cg__sim_find(sim, io->fd);

    assert(sock && io->state != CG_IO_IDLE);
    if (sim->opt.late_cancel) {
        io->state = CG_IO_CANCELLING;
        cg__sim_touch(sock);
        return CG_PENDING;
    }
    unhang(sock, io);
    cg__sim_note_result(sim, io, -ECANCELED);
    return CG_DONE;
}

static bool moves_datagrams(const struct cg_io *io)
{
    return io->code == CG_IO_RECV_DATAGRAMS || io->code == CG_IO_SEND_DATAGRAMS;
}

/* A cancelled request completes in any case; chance decides whether with its true
 * result, unless it moves datagrams. */
static bool settle(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                   ssize_t *result)
{
    if (io->state == CG_IO_PENDING && !sock->host->dead)
        return try(sim, sock, io, result);
    if (io->state == CG_IO_PENDING) {
        *result = -ENETDOWN;
        return true;
    }
    if (moves_datagrams(io) || cg__sim_below(sim, 2) == 0 || !try(sim, sock, io, result))
        *result = -ECANCELED;
    return true;
}

static void complete(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                     ssize_t result)
{
    bool stays = sim->opt.multishot && io->code == CG_IO_RECV &&
                 io->state == CG_IO_PENDING && result > 0;

    if (stays)
        cg__sim_touch(sock); /* there may be more input */
    else
        unhang(sock, io);
    cg__sim_note_result(sim, io, result);
    io->complete(io, result);
}

/* Tries each request of a socket once. A completion may do anything: so the search starts
 * again at the head, and the memory of a closed socket stays until the socket is served
 * again. */
static size_t serve(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    struct cg_io *io = sock->ios;
    size_t completed = 0;
    ssize_t result;

    sim->pass++;
    while (io) {
        if (io->mark == sim->pass) {
            io = io->next;
            continue;
        }
        io->mark = sim->pass;
        if (!settle(sim, sock, io, &result))
            continue;
        complete(sim, sock, io, result);
        completed++;
        io = sock->ios;
    }
    return completed;
}

size_t cg__sim_serve_touched(struct cg_sim_host *host)
{
    struct cg_sim_sock *sock, *next = host->touched.head;
    size_t completed = 0;

    host->touched.head = NULL;
    while ((sock = next)) {
        next = sock->next_touched;
        sock->touched = false;
        if (sock->state == CG_SIM_CLOSED)
            cg__sim_sock_free(host->sim, sock);
        else if (sock->host != host) /* it was handed over meanwhile */
            cg__sim_touch(sock);
        else
            completed += serve(host->sim, sock);
    }
    return completed;
}

/* Takes the wake flag, and the posts of the semaphore that came with it. */
static bool was_woken(struct cg_sim_host *host)
{
    if (!atomic_exchange(&host->woken, false))
        return false;
    while (host->sim->opt.threads && sem_trywait(&host->sim->wakes) == 0)
        ;
    return true;
}

/* Nothing is in flight, so only another thread can wake us. */
static int wait_for_wake(struct cg_sim_host *host)
{
    if (!host->sim->opt.threads)
        return -EDEADLK;
    while (!was_woken(host))
        if (sem_wait(&host->sim->wakes) < 0)
            assert(errno == EINTR);
    return 0;
}

static bool serve_due(struct cg_sim_host *host)
{
    bool woken = was_woken(host);

    cg__sim_deliver(host->sim);
    return cg__sim_serve_touched(host) > 0 || woken || host->sim->now >= host->until;
}

/* A wait of a host that runs while no other one does: it moves the clock itself. */
static int wait_alone(struct cg_sim_host *host)
{
    struct cg_sim *sim = host->sim;

    while (!serve_due(host)) {
        int64_t next = cg__sim_next(sim);

        if (host->touched.head)
            continue;
        if (next < CG_NEVER && next <= host->until)
            sim->now = next;
        else if (host->until < CG_NEVER)
            sim->now = host->until;
        else
            return wait_for_wake(host);
    }
    return 0;
}

static int sim_wait(struct cg_reactor *reactor, int64_t timeout)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);
    struct cg_sim *sim = host->sim;
    int rc;

    assert(timeout >= 0);
    host->until = timeout < CG_NEVER - sim->now ? sim->now + timeout : CG_NEVER;
    sim->now += sim->opt.cost;
    if (sim->watch && sim->watch->waits)
        sim->watch->waits(sim->watch, sim->now);
    if (!cg__sim_in_turn(host) && !sim->running)
        return wait_alone(host);
    if (!cg__sim_in_turn(host)) { /* a coroutine calls it: the other hosts stand still */
        serve_due(host);
        return 0;
    }
    do
        rc = cg__sim_let_others(host);
    while (rc == 0 && !serve_due(host));
    return rc;
}

void cg_sim_advance(struct cg_reactor *reactor, int64_t ns)
{
    struct cg_sim *sim = cg__sim_of(reactor);

    assert(ns >= 0 && ns < CG_NEVER - sim->now);
    sim->now += ns;
}

static int64_t sim_now(struct cg_reactor *reactor)
{
    return cg__sim_of(reactor)->now;
}

/* The flag is set before the semaphore is posted: a thread that was woken by the post
 * finds the flag, and one that does not find it has a post to come. */
static void sim_wake(struct cg_reactor *reactor)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);

    if (!atomic_exchange(&host->woken, true) && host->sim->opt.threads)
        sem_post(&host->sim->wakes);
}

static void sim_forget(struct cg_reactor *reactor, int fd)
{
    struct cg_sim_sock *sock = cg__sim_find(cg__sim_of(reactor), fd);

    assert(!sock || !sock->ios);
}

const struct cg_reactor_type cg__reactor_sim = {
    .name = "sim",
    .open = cg__sim_open,
    .close = cg__sim_close_host,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .wait = sim_wait,
    .forget = sim_forget,
    .wake = sim_wake,
    .now = sim_now,
};
