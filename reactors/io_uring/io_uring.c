/* SPDX-License-Identifier: MIT */
/* The io_uring reactor, Linux 6.0 and later. submit only queues an entry and wait
 * enters the kernel once a turn, which submits and reaps. Receiving is multishot into
 * the kernel's pick of our buffers (uring_buffers.c). The ring belongs to the thread
 * that first waits; it may be opened in another (uring_open.c). */
#include "config.h"

#ifdef HAVE_LIBURING

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/io_uring/uring.h"

enum step {
    ANSWER, /* the request has ended with this result */
    AGAIN,  /* once more */
    READY,  /* once more when the descriptor is ready */
    EDGES,  /* the same poll once more, as multishot */
    LATER,  /* once more after a pause */
    STARVE, /* once more when there are buffers */
};

/* Queues what the request lacks: its own entry, and the one that cancels it. */
static void proceed(struct uring *u, struct cg_io *io)
{
    cg__uring_move(u, io, &u->flying);
    if (!(io->mark & URING_IN_KERNEL))
        cg__uring_arm(u, io);
    if ((io->state == CG_IO_CANCELLING || (io->mark & URING_SEEN)) &&
        (io->mark & URING_IN_KERNEL) && !(io->mark & URING_CANCELS))
        cg__uring_arm_cancel(u, io);
}

/* Makes the call that is ours to make, if the descriptor is ready: at once, and later when
 * a poll has said so. */
static enum step attempt(struct uring *u, struct cg_io *io)
{
    bool plain = cg__uring_is_plain(u, io->fd);

    if (!cg__uring_is_called(u, io))
        return AGAIN;
    if (io->code == CG_IO_CONNECT) {
        io->result = connect(io->fd, io->addr, io->addrlen) < 0 ? -errno : 0;
        /* READY would spin: poll calls it writable with a full backlog too. */
        return io->result == -EAGAIN ? LATER : ANSWER;
    }
    io->result = cg__calls_attempt(&u->base, io, plain);
    if (io->result == -ENOTSOCK && !plain)
        io->result = cg__calls_attempt(&u->base, io, true);
    return io->result == -EAGAIN ? READY : ANSWER;
}

static enum cg_verdict uring_submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct uring *u = (struct uring *)reactor;

    if (io->code >= CG_IO_SOCKET)
        return cg__calls_do(io);
    assert(io->state == CG_IO_IDLE);
    io->state = CG_IO_PENDING;
    io->mark = io->code == CG_IO_ACCEPT ? io->mark & URING_PAUSED : 0;
    io->chunk = NULL;
    if (io->code == CG_IO_RECV)
        io->len = 0; /* only chunks: the caller's buffer is not needed */
    if (io->code != CG_IO_CONNECT && cg__uring_is_called(u, io) && attempt(u, io) == ANSWER) {
        io->state = CG_IO_IDLE;
        return CG_DONE;
    }
    cg__uring_move(u, io, &u->flying);
    cg__uring_arm(u, io);
    return CG_PENDING;
}

/* What the kernel has is cancelled by an entry of its own. A request that is itself
 * still in the queue goes to the kernel together with its cancel: so one that must not
 * wait gets the one attempt it is due. */
static enum cg_verdict uring_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct uring *u = (struct uring *)reactor;

    if (io->state == CG_IO_PENDING && (io->mark & URING_IN_KERNEL)) {
        io->state = CG_IO_CANCELLING;
        proceed(u, io);
    }
    if (io->state == CG_IO_CANCELLING)
        return CG_PENDING;
    cg__uring_move(u, io, NULL);
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

/* Queues what had to be put off. Of the starved no more than there are buffers:
 * thousands that are armed again only to starve again would take quadratic time. */
static void catch_up(struct uring *u)
{
    for (unsigned n = u->backlog.length; n > 0 && u->backlog.first; n--)
        proceed(u, u->backlog.first);
    if (u->starved.first)
        cg__uring_buffers_grow(&u->buffers);
    cg__uring_buffers_fill(&u->buffers);
    for (unsigned n = u->buffers.inside; n > 0 && u->starved.first; n--)
        proceed(u, u->starved.first);
    cg__uring_arm_wake(u);
}

/* ---- Completions ---- */

/* The pause after a failed accept is kept for the next one. */
void cg__io_uring_answer(struct uring *u, struct cg_io *io)
{
    bool pauses = io->code == CG_IO_ACCEPT && cg__calls_accept_pauses(io->result);

    cg__uring_move(u, io, NULL);
    io->state = CG_IO_IDLE;
    io->mark = pauses ? URING_PAUSED : 0;
    io->complete(io, io->result);
}

static bool is_poll(const struct cg_io *io)
{
    return io->code == CG_IO_POLL || (io->mark & URING_UNREADY);
}

/* What becomes of a request whose entry has ended with io->result. */
static enum step judge(struct uring *u, struct cg_io *io)
{
    if (io->mark & URING_PAUSED)
        return AGAIN;
    if (is_poll(io) && io->result >= 0) {
        if (!(io->result & cg__uring_events(io)))
            return EDGES;
        io->result &= cg__uring_events(io);
        if (io->mark & URING_UNREADY)
            return attempt(u, io);
        if (io->result & CG__PEER_ENDED)
            io->result = (io->result & ~(ssize_t)CG__PEER_ENDED) | CG_HUP;
        return ANSWER;
    }
    switch (io->result) {
    case -EINTR:
        return AGAIN;
    case -EAGAIN:
        return READY;
    case -EALREADY: /* of connect: it was interrupted and goes on */
        return io->code == CG_IO_CONNECT ? READY : ANSWER;
    case -ENOBUFS:
        return io->code == CG_IO_RECV ? STARVE : ANSWER;
    case -ENOTSOCK:
        if (io->code > CG_IO_SENDV || cg__uring_is_plain(u, io->fd))
            return ANSWER;
        if (!cg__uring_remember_plain(u, io->fd)) {
            io->result = -ENOMEM;
            return ANSWER;
        }
        /* Not polled first: the wrong end of a pipe is never ready, but says EBADF. */
        return cg__uring_is_called(u, io) ? attempt(u, io) : AGAIN;
    default:
        return ANSWER;
    }
}

/* The request's own entry has ended: it is answered, or goes on. One that is being
 * cancelled goes on only if it was not tried properly. Neither happens before the
 * cancel has ended too: that names the entry by the address of its io, which the owner
 * may reuse. After a pause it goes on with the next turn: until then it can be taken
 * back without a trace. */
static void ended(struct uring *u, struct cg_io *io)
{
    bool paused = io->mark & URING_PAUSED;
    enum step step = judge(u, io);

    if (io->state == CG_IO_CANCELLING && step != ANSWER && io->result != -ENOTSOCK) {
        io->result = -ECANCELED;
        step = ANSWER;
    }
    io->mark &= ~(uintptr_t)(URING_IN_KERNEL | URING_PAUSED | URING_SEEN);
    if (step != EDGES)
        io->mark &= ~(uintptr_t)URING_UNREADY;
    switch (step) {
    case ANSWER:
        cg__uring_move(u, io, &u->flying);
        io->mark |= URING_SETTLED;
        if (!(io->mark & URING_CANCELS))
            cg__io_uring_answer(u, io);
        return;
    case STARVE:
        cg__uring_move(u, io, &u->starved);
        return;
    case READY:
        io->mark |= URING_UNREADY;
        break;
    case EDGES:
        io->mark |= URING_EDGES;
        break;
    case LATER:
        io->mark |= URING_PAUSED;
        break;
    case AGAIN:
        break;
    }
    if (paused)
        cg__uring_move(u, io, &u->backlog);
    else if (!(io->mark & URING_CANCELS))
        proceed(u, io);
}

/* A multishot poll tells a change: if it is the one awaited the poll is ended. */
static void changed(struct uring *u, struct cg_io *io)
{
    if (io->result & cg__uring_events(io)) {
        io->mark |= URING_SEEN;
        proceed(u, io);
    }
}

/* The entry that cancels a request has ended. -ENOENT while the request is still with
 * the kernel: it was just being looked at there, out of reach of a cancel, and may
 * since have gone back to waiting. */
static void cancel_ended(struct uring *u, struct cg_io *io, int result)
{
    io->mark &= ~(uintptr_t)URING_CANCELS;
    if (io->mark & URING_SETTLED)
        cg__io_uring_answer(u, io);
    else if (!(io->mark & URING_IN_KERNEL) || result == -ENOENT)
        proceed(u, io);
}

/* Copied from the ring. */
struct completion {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

static void dispatch(struct uring *u, const struct completion *c)
{
    struct cg_io *io = (struct cg_io *)(uintptr_t)(c->user_data & ~UINT64_C(1));

    if (c->user_data == (uintptr_t)u) {
        u->wakeable = false;
        cg__uring_arm_wake(u);
        return;
    }
    if (c->user_data & 1) {
        cancel_ended(u, io, c->result);
        return;
    }
    if (c->flags & IORING_CQE_F_BUFFER)
        io->chunk = cg__uring_buffers_take(
            &u->buffers, c->flags >> IORING_CQE_BUFFER_SHIFT, c->result);
    else
        io->chunk = NULL;
    if (!(io->mark & URING_SEEN))
        io->result = c->result;
    if (!(c->flags & IORING_CQE_F_MORE))
        ended(u, io);
    else if (is_poll(io))
        changed(u, io);
    else
        io->complete(io, io->result);
}

/* ---- Waiting ---- */

/* No room, or no memory, until completions have been reaped; EBADR: some were lost for want
 * of memory. */
static bool is_short(int error)
{
    return error == -EAGAIN || error == -EBUSY || error == -ENOMEM || error == -EBADR;
}

/* Where there is nothing to reap either: not to spin until there is. */
static void nap(const struct uring *u, int64_t timeout)
{
    struct pollfd ring = {.fd = u->ring.ring_fd, .events = POLLIN};

    if (timeout > URING_PAUSE_MEMORY * CG_MILLISECOND)
        timeout = URING_PAUSE_MEMORY * CG_MILLISECOND;
    poll(&ring, 1, cg__calls_milliseconds(timeout));
}

/* What the kernel would do if it were entered without anything to submit. */
static bool kernel_has_work(const struct uring *u)
{
    unsigned flags = IO_URING_READ_ONCE(*u->ring.sq.kflags);

    return flags & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
}

static int enter(struct uring *u, int64_t timeout)
{
    struct io_uring_cqe *first;
    int n;

    if (timeout <= 0 || io_uring_cq_ready(&u->ring) > 0) {
        if (io_uring_sq_ready(&u->ring) == 0 && !kernel_has_work(u))
            return 0;
        n = io_uring_submit_and_get_events(&u->ring);
    } else if (timeout == CG_NEVER) {
        n = io_uring_submit_and_wait(&u->ring, 1);
    } else {
        struct __kernel_timespec span = {
            .tv_sec = timeout / CG_SECOND,
            .tv_nsec = timeout % CG_SECOND,
        };
        n = io_uring_submit_and_wait_timeout(&u->ring, &first, 1, &span, NULL);
    }
    if (n >= 0 || n == -ETIME || n == -EINTR)
        return 0;
    if (!is_short(n))
        return n;
    if (io_uring_cq_ready(&u->ring) == 0)
        nap(u, timeout);
    return 0;
}

/* Copies completions, n at most, and hands their places back; answers how many. Before any
 * is dispatched, since callbacks may queue entries, even submit them. */
static unsigned take(struct uring *u, struct completion *completions, unsigned n)
{
    struct io_uring_cqe *cqe;
    unsigned head, taken = 0;

    io_uring_for_each_cqe (&u->ring, head, cqe) {
        if (taken == n)
            break;
        completions[taken++] = (struct completion){cqe->user_data, cqe->res, cqe->flags};
    }
    io_uring_cq_advance(&u->ring, taken);
    return taken;
}

/* Dispatches n of the completions that are there. */
static void reap(struct uring *u, unsigned n)
{
    struct completion completions[URING_AT_ONCE];

    while (n > 0) {
        unsigned taken =
            take(u, completions, n < URING_AT_ONCE ? n : (unsigned)URING_AT_ONCE);

        for (unsigned i = 0; i < taken; i++)
            dispatch(u, &completions[i]);
        n -= taken;
    }
}

/* Those that were there, and those that found no room; not what the callbacks cause. */
static void reap_all(struct uring *u)
{
    do
        reap(u, io_uring_cq_ready(&u->ring));
    while ((IO_URING_READ_ONCE(*u->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) &&
           io_uring_get_events(&u->ring) >= 0);
}

/* The first of those that are there: that many coroutines then run at once, while what they
 * need is warm, and before the kernel is entered again. */
static void reap_some(struct uring *u)
{
    unsigned n = io_uring_cq_ready(&u->ring);

    reap(u, n < URING_AT_ONCE ? n : (unsigned)URING_AT_ONCE);
}

/* What a foreign loop cannot learn from the ring's descriptor. */
static int64_t due(struct uring *u, bool no_memory)
{
    if (u->backlog.first || (u->base.stepped && io_uring_sq_ready(&u->ring) > 0))
        return 1;
    if (!u->starved.first)
        return 0;
    return no_memory ? cg__calls_clock(&u->base) + URING_PAUSE_MEMORY * CG_MILLISECOND
                     : 1;
}

/* The ring's own descriptor does not wake an epoll that holds it for completions that wait
 * for our task to run. So a foreign loop polls an eventfd, which the kernel signals once it
 * is registered; that has its price, so only if somebody has asked for it. It is readable
 * from the start, which brings the loop here for the first time. */
static int start_telling(struct uring *u)
{
    int err = 0;

    if (u->base.embedded && !u->telling)
        err = io_uring_register_eventfd(&u->ring, u->told_fd);
    u->telling = u->base.embedded && err == 0;
    return err;
}

/* After a look: what is told from now on is news. */
static void hush(struct uring *u)
{
    uint64_t count = 1;

    while (read(u->told_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    count = 1;
    if (io_uring_cq_ready(&u->ring) > 0 || kernel_has_work(u))
        while (write(u->told_fd, &count, sizeof count) < 0 && errno == EINTR)
            continue;
}

/* With timeout 0, or for a foreign loop, everything is reaped and nothing stays
 * unsubmitted, so that such a loop may then sleep on the ring's descriptor. */
static bool in_parts(const struct uring *u, int64_t timeout)
{
    return timeout > 0 && !u->base.stepped;
}

/* In parts, the kernel is entered once all completions that it had left have been reaped,
 * with all that was queued meanwhile; and only then are the buffers replaced. */
static int uring_wait(struct cg_reactor *reactor, int64_t timeout)
{
    struct uring *u = (struct uring *)reactor;
    bool no_memory;
    int err;

    if (cg__uring_is_parents(u) && (err = cg__uring_renew(u)) < 0)
        return err;
    if (in_parts(u, timeout) && io_uring_cq_ready(&u->ring) > 0) {
        reap_some(u);
        return 0;
    }
    if ((err = cg__uring_start(u)) < 0)
        return err;
    if ((err = start_telling(u)) < 0)
        return err;
    catch_up(u);
    no_memory = u->buffers.inside == 0;
    if (u->backlog.first)
        timeout = 0;
    else if (u->starved.first && timeout > URING_PAUSE_MEMORY * CG_MILLISECOND)
        timeout = URING_PAUSE_MEMORY * CG_MILLISECOND;
    if ((err = enter(u, timeout)) < 0)
        return err;
    if (in_parts(u, timeout))
        reap_some(u);
    else
        reap_all(u);
    if (timeout == 0 || u->base.stepped) {
        catch_up(u);
        if (io_uring_sq_ready(&u->ring) > 0)
            io_uring_submit(&u->ring);
        if (u->telling)
            hush(u);
    }
    u->base.due = due(u, no_memory);
    return 0;
}

static void uring_forget(struct cg_reactor *reactor, int fd)
{
    cg__uring_forget_plain((struct uring *)reactor, fd);
}

static void uring_wake(struct cg_reactor *reactor)
{
    struct uring *u = (struct uring *)reactor;
    uint64_t one = 1;
    int saved = errno;

    if (cg__uring_is_parents(u))
        return; /* the first wait on a ring of our own returns at once */
    /* It fails only where 2^64 - 2 wakes are unread, and then wait returns anyway. */
    while (write(u->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    while (write(u->told_fd, &one, sizeof one) < 0 && errno == EINTR)
        ; /* a foreign loop is told at once, not when the ring's read has come back */
    errno = saved;
}

const struct cg_reactor_type cg__reactor_io_uring = {
    .name = "io_uring",
    .open = cg__uring_open,
    .close = cg__uring_close,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .wait = uring_wait,
    .forget = uring_forget,
    .wake = uring_wake,
    .now = cg__calls_clock,
};

#else
/* ISO C wants a declaration in every file. */
typedef int cg__no_liburing;
#endif
