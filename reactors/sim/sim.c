/* SPDX-License-Identifier: MIT */
/* The simulated reactor: requests, and the clock of a host that is alone. A request that
 * cannot complete waits at its handle. Whatever may change that touches the handle. wait
 * delivers what is due on the network, tries the requests of all touched handles in the order
 * in which they were touched, and moves the clock only if no request has completed. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/moment.h"
#include "reactors/sim/sim.h"

static void hang(struct cg_sim_handle *handle, struct cg_io *io)
{
    io->next = NULL;
    io->prev = handle->last_io;
    if (handle->last_io)
        handle->last_io->next = io;
    else
        handle->ios = io;
    handle->last_io = io;
}

static void unhang(struct cg_sim_handle *handle, struct cg_io *io)
{
    if (io->prev)
        io->prev->next = io->next;
    else
        handle->ios = io->next;
    if (io->next)
        io->next->prev = io->prev;
    else
        handle->last_io = io->prev;
    if (handle->sock->connector == io)
        handle->sock->connector = NULL; /* the connect itself continues */
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
    case CG_IO_RECV_FDS:
        return cg__sim_recv_passed(sim, sock, io, result);
    case CG_IO_SEND_FDS:
        return cg__sim_send_passed(sim, sock, io, result);
    case CG_IO_ACCEPT:
        return cg__sim_accept(sim, sock, io, result);
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
    struct cg_sim_handle *handle;
    ssize_t result;

    assert(io->state == CG_IO_IDLE);
    sim->now += sim->opt.cost;
    io->chunk = NULL;
    if (cg__sim_host_of(reactor)->dead && io->code <= CG_IO_LISTEN)
        return done(sim, io, -ENETDOWN);
    if (io->code > CG_IO_POLL)
        return done(sim, io, cg__sim_call(cg__sim_host_of(reactor), io));
    if (!(handle = cg__sim_handle(sim, io->fd)))
        return done(sim, io, -EBADF);
    if (io->code == CG_IO_SPLICE_IN || io->code == CG_IO_SPLICE_OUT)
        return done(sim, io, -EOPNOTSUPP); /* its handles are no descriptors */
    if (!sim->opt.completion && try(sim, handle->sock, io, &result))
        return done(sim, io, result);
    io->state = CG_IO_PENDING;
    io->mark = sim->pass; /* not in the pass that may be in progress */
    hang(handle, io);
    if (sim->opt.completion)
        cg__sim_touch_handle(handle);
    return CG_PENDING;
}

static enum cg_verdict sim_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg_sim *sim = cg__sim_of(reactor);
    struct cg_sim_handle *handle = cg__sim_handle(sim, io->fd);

    assert(handle && io->state != CG_IO_IDLE);
    if (sim->opt.late_cancel) {
        io->state = CG_IO_CANCELLING;
        cg__sim_touch_handle(handle);
        return CG_PENDING;
    }
    unhang(handle, io);
    cg__sim_note_result(sim, io, -ECANCELED);
    return CG_DONE;
}

/* Whether a cancelled request must not have moved anything. */
static bool moves_nothing_late(const struct cg_io *io)
{
    return io->code >= CG_IO_RECV_DATAGRAMS && io->code <= CG_IO_SPLICE_OUT;
}

/* A cancelled request completes in any case; chance decides whether with its true
 * result, unless it must not. */
static bool settle(struct cg_sim *sim, struct cg_sim_handle *handle, struct cg_io *io,
                   ssize_t *result)
{
    if (io->state == CG_IO_PENDING && !handle->host->dead)
        return try(sim, handle->sock, io, result);
    if (io->state == CG_IO_PENDING) {
        *result = -ENETDOWN;
        return true;
    }
    if (moves_nothing_late(io) || cg__sim_below(sim, 2) == 0 ||
        !try(sim, handle->sock, io, result))
        *result = -ECANCELED;
    return true;
}

static void complete(struct cg_sim *sim, struct cg_sim_handle *handle, struct cg_io *io,
                     ssize_t result)
{
    bool stays = sim->opt.multishot && io->code == CG_IO_RECV &&
                 io->state == CG_IO_PENDING && result > 0;

    if (stays)
        cg__sim_touch_handle(handle); /* there may be more input */
    else
        unhang(handle, io);
    cg__sim_note_result(sim, io, result);
    io->complete(io, result);
}

/* Tries each request of a handle once. A completion may do anything: so the search starts
 * again at the head, and the memory of a closed handle stays until it is served again. */
static size_t serve(struct cg_sim *sim, struct cg_sim_handle *handle)
{
    struct cg_io *io = handle->ios;
    size_t completed = 0;
    ssize_t result;

    sim->pass++;
    while (io) {
        if (io->mark == sim->pass) {
            io = io->next;
            continue;
        }
        io->mark = sim->pass;
        if (!settle(sim, handle, io, &result))
            continue;
        complete(sim, handle, io, result);
        completed++;
        io = handle->ios;
    }
    return completed;
}

size_t cg__sim_serve_touched(struct cg_sim_host *host)
{
    struct cg_sim_handle *handle, *next = host->touched.head;
    size_t completed = 0;

    host->touched.head = NULL;
    while ((handle = next)) {
        next = handle->next_touched;
        handle->touched = false;
        if (handle->closed)
            free(handle);
        else if (handle->host != host) /* it was handed over meanwhile */
            cg__sim_touch_handle(handle);
        else
            completed += serve(host->sim, handle);
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
    host->until = cg__moment_after(sim->now, timeout);
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
    const struct cg_sim_handle *handle = cg__sim_handle(cg__sim_of(reactor), fd);

    assert(!handle || !handle->ios);
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
