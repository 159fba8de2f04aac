/* SPDX-License-Identifier: MIT */
/* The io_uring reactor, for Linux 6.0 and later. submit queues an entry, or makes the system
 * call of what must not wait; wait enters the kernel once a turn, which submits and reaps.
 * Receives are multishot, into buffers of ours that the kernel chooses (uring_buffers.c). The
 * ring belongs to the thread that waits first; another thread may have opened it
 * (uring_open.c). */
#include "config.h"

#ifdef HAVE_LIBURING

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/io_uring/uring.h"

enum step {
    COMPLETE, /* complete the request with this result */
    AGAIN,  /* submit it again */
    READY,  /* submit it again when the descriptor is ready */
    EDGES,  /* submit the same poll again, as multishot */
    LATER,  /* submit it again after a pause */
    STARVE, /* submit it again when there are buffers */
};

/* Queues the entries that the request lacks: its own, and the one that cancels it. */
static void proceed(struct uring *u, struct cg_io *io)
{
    cg__uring_move(u, io, &u->flying);
    if (!(io->mark & URING_IN_KERNEL))
        cg__uring_arm(u, io);
    if ((io->state == CG_IO_CANCELLING || (io->mark & URING_SEEN)) &&
        (io->mark & URING_IN_KERNEL) && !(io->mark & URING_CANCELS))
        cg__uring_arm_cancel(u, io);
}

/* Once cancelled, what these requests move would be lost. */
static bool takes_nothing_late(const struct cg_io *io)
{
    return io->code >= CG_IO_RECV_DATAGRAMS && io->code <= CG_IO_SPLICE_OUT;
}

/* Makes the system call of a request that is better made by us than by the ring: at
 * submission, and again when a poll has reported readiness. */
static enum step attempt(struct uring *u, struct cg_io *io)
{
    bool plain = cg__uring_is_plain(u, io->fd);

    if (!cg__uring_is_called(u, io))
        return AGAIN;
    if (takes_nothing_late(io) && io->state == CG_IO_CANCELLING)
        return AGAIN;
    if (io->code == CG_IO_CONNECT) {
        io->result = connect(io->fd, io->addr, io->addrlen) < 0 ? -errno : 0;
        /* READY would spin: poll reports the socket as writable although the backlog is
         * full. */
        return io->result == -EAGAIN ? LATER : COMPLETE;
    }
    io->result = cg__calls_attempt(&u->base, io, plain);
    if (io->result == -ENOTSOCK && !plain) {
        if (io->code <= CG_IO_SENDV)
            cg__uring_remember_plain(u, io->fd); /* if it fails, asks again next time */
        io->result = cg__calls_attempt(&u->base, io, true);
    }
    if (cg__calls_send_pauses(io, io->result))
        return LATER;
    return io->result == -EAGAIN ? READY : COMPLETE;
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
        io->len = 0; /* only chunks are filled, never the caller's buffer */
    if (io->code != CG_IO_CONNECT && cg__uring_is_called(u, io) &&
        attempt(u, io) == COMPLETE) {
        io->state = CG_IO_IDLE;
        return CG_DONE;
    }
    cg__uring_move(u, io, &u->flying);
    cg__uring_arm(u, io);
    return CG_PENDING;
}

/* A request in the kernel is cancelled by an entry of its own. If the request's entry is
 * still in the queue, both entries reach the kernel together. So a request that can
 * complete at once still gets its one attempt. While such an entry is on its way, also of a
 * poll that has seen its change, the request's memory must stay. */
static enum cg_verdict uring_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct uring *u = (struct uring *)reactor;

    if (io->state == CG_IO_PENDING && (io->mark & (URING_IN_KERNEL | URING_CANCELS))) {
        io->state = CG_IO_CANCELLING;
        if (io->mark & URING_IN_KERNEL)
            proceed(u, io);
    }
    if (io->state == CG_IO_CANCELLING)
        return CG_PENDING;
    cg__uring_move(u, io, NULL);
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

/* Queues the entries that were put off. Submits no more starved receives than there are
 * buffers: to submit thousands that starve again would take quadratic time. */
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

/* If an accept must pause after its failure, the mark makes the next accept wait. */
void cg__io_uring_complete(struct uring *u, struct cg_io *io)
{
    bool pauses = io->code == CG_IO_ACCEPT && cg__calls_accept_pauses(io->result);

    cg__uring_move(u, io, NULL);
    io->state = CG_IO_IDLE;
    io->mark = pauses ? URING_PAUSED : 0;
    if (io->code == CG_IO_FILE)
        cg__uring_file_ended(io);
    io->complete(io, io->result);
}

static bool is_poll(const struct cg_io *io)
{
    return io->code == CG_IO_POLL || (io->mark & URING_UNREADY);
}

/* An interrupted fsync is not called again: it reports an error of the disk only once. */
static enum step judge_file(const struct cg_io *io)
{
    return io->result == -EINTR && io->call->call != CG_FILE_SYNC ? AGAIN : COMPLETE;
}

/* Decides what to do with a request whose entry has completed with io->result. */
static enum step judge(struct uring *u, struct cg_io *io)
{
    if (io->mark & URING_PAUSED)
        return AGAIN;
    if (io->code == CG_IO_FILE)
        return judge_file(io);
    if (is_poll(io) && io->result >= 0) {
        if (!(io->result & cg__uring_events(io)))
            return EDGES;
        io->result &= cg__uring_events(io);
        if (io->mark & URING_UNREADY)
            return attempt(u, io);
        if (io->result & CG__PEER_ENDED)
            io->result = (io->result & ~(ssize_t)CG__PEER_ENDED) | CG_HUP;
        return COMPLETE;
    }
    switch (io->result) {
    case -EINTR:
        return AGAIN;
    case -EAGAIN:
        return READY;
    case -EALREADY: /* connect was interrupted and continues */
        return io->code == CG_IO_CONNECT ? READY : COMPLETE;
    case -ENOBUFS:
        return io->code == CG_IO_RECV ? STARVE : COMPLETE;
    case -ENOTSOCK:
        if (io->code > CG_IO_SENDV || cg__uring_is_plain(u, io->fd))
            return COMPLETE;
        if (!cg__uring_remember_plain(u, io->fd)) {
            io->result = -ENOMEM;
            return COMPLETE;
        }
        /* Try before polling: a write to the read end of a pipe fails with EBADF, but poll
         * never reports that end as writable. */
        return cg__uring_is_called(u, io) ? attempt(u, io) : AGAIN;
    default:
        return COMPLETE;
    }
}

/* The request's own entry has completed: completes the request or submits it again. A
 * request that is being cancelled is submitted again only if its entry was of the wrong
 * kind (-ENOTSOCK). Both wait until the cancel's entry has completed too: it names the
 * request's entry by the address of io, which its owner may reuse. After a pause the
 * request continues in the next turn; until then a cancel leaves no trace. */
static void ended(struct uring *u, struct cg_io *io)
{
    bool paused = io->mark & URING_PAUSED;
    enum step step = judge(u, io);

    if (io->state == CG_IO_CANCELLING && step != COMPLETE && io->result != -ENOTSOCK) {
        io->result = -ECANCELED;
        step = COMPLETE;
    }
    io->mark &= ~(uintptr_t)(URING_IN_KERNEL | URING_PAUSED | URING_SEEN);
    if (step != EDGES)
        io->mark &= ~(uintptr_t)URING_UNREADY;
    switch (step) {
    case COMPLETE:
        cg__uring_move(u, io, &u->flying);
        io->mark |= URING_SETTLED;
        if (!(io->mark & URING_CANCELS))
            cg__io_uring_complete(u, io);
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

/* A multishot poll has reported a change. If it is the awaited one, cancels the poll. */
static void changed(struct uring *u, struct cg_io *io)
{
    if (io->result & cg__uring_events(io)) {
        io->mark |= URING_SEEN;
        proceed(u, io);
    }
}

/* The entry that cancels a request has completed. -ENOENT although the request is in the
 * kernel means that the kernel was just processing it, where a cancel cannot find it. It
 * may wait again by now, so cancels it once more. */
static void cancel_ended(struct uring *u, struct cg_io *io, int result)
{
    io->mark &= ~(uintptr_t)URING_CANCELS;
    if (io->mark & URING_SETTLED)
        cg__io_uring_complete(u, io);
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

/* The kernel lacks room or memory until completions have been reaped. EBADR: it lost
 * completions for lack of memory. */
static bool is_short(int error)
{
    return error == -EAGAIN || error == -EBUSY || error == -ENOMEM || error == -EBADR;
}

/* Called when entries cannot be submitted and no completion can be reaped: waits a little
 * instead of spinning. */
static void nap(const struct uring *u, int64_t timeout)
{
    struct pollfd ring = {.fd = u->ring.ring_fd, .events = POLLIN};

    if (timeout > URING_PAUSE_MEMORY * CG_MILLISECOND)
        timeout = URING_PAUSE_MEMORY * CG_MILLISECOND;
    poll(&ring, 1, cg__calls_milliseconds(timeout));
}

/* Whether the kernel has completions to deliver even if nothing is submitted. */
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

/* Copies at most n completions and frees their places in the ring. Returns how many. All
 * are copied before any is dispatched, because callbacks may queue and even submit
 * entries. */
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

/* Dispatches n completions, all of which are in the ring. */
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

/* Reaps the completions in the ring and those that overflowed it, but not those that
 * callbacks cause. */
static void reap_all(struct uring *u)
{
    do
        reap(u, io_uring_cq_ready(&u->ring));
    while ((IO_URING_READ_ONCE(*u->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) &&
           io_uring_get_events(&u->ring) >= 0);
}

/* Reaps at most URING_AT_ONCE completions. Their coroutines then run while the processor's
 * caches hold what they need, before the kernel is entered again. */
static void reap_some(struct uring *u)
{
    unsigned n = io_uring_cq_ready(&u->ring);

    reap(u, n < URING_AT_ONCE ? n : (unsigned)URING_AT_ONCE);
}

/* The moment when wait has work that the ring's descriptor does not report. */
static int64_t due(struct uring *u, bool no_memory)
{
    if (u->backlog.first || (u->base.stepped && io_uring_sq_ready(&u->ring) > 0))
        return 1;
    if (!u->starved.first)
        return 0;
    return no_memory ? cg__calls_clock(&u->base) + URING_PAUSE_MEMORY * CG_MILLISECOND
                     : 1;
}

/* Completions that wait for our task to run do not wake an epoll set that holds the ring's
 * descriptor. So a foreign loop polls an eventfd, which the kernel signals once it is
 * registered. That costs something, so it is registered only if somebody asked for the
 * descriptor. The eventfd is readable from the start, which brings the loop here for the
 * first time. */
static int start_telling(struct uring *u)
{
    int err = 0;

    if (u->base.embedded && !u->telling)
        err = io_uring_register_eventfd(&u->ring, u->told_fd);
    u->telling = u->base.embedded && err == 0;
    return err;
}

/* Called after all completions were reaped: clears the eventfd, unless there is more to
 * do. */
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

/* With timeout 0, or for a foreign loop, wait reaps everything and submits everything, so
 * that the loop may then sleep on the descriptor. */
static bool in_parts(const struct uring *u, int64_t timeout)
{
    return timeout > 0 && !u->base.stepped;
}

/* Submits what the reaped completions have queued, and reaps what is complete at once: a
 * request that had to wait for the cancel of an earlier one has its one look before an
 * operation that does not wait (CG_NOWAIT) times out. */
static void look(struct uring *u)
{
    catch_up(u);
    if (io_uring_sq_ready(&u->ring) == 0 || io_uring_submit_and_get_events(&u->ring) < 0)
        return;
    reap(u, io_uring_cq_ready(&u->ring));
    catch_up(u);
    if (io_uring_sq_ready(&u->ring) > 0)
        io_uring_submit(&u->ring);
}

/* Reaps in parts. Enters the kernel, and replaces buffers, only when all earlier
 * completions have been reaped. One enter then submits everything that they have
 * queued. */
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
        look(u);
        if (u->telling)
            hush(u);
    }
    u->base.due = due(u, no_memory);
    return 0;
}

/* With DEFER_TASKRUN the kernel takes a buffer for a socket only while we are in it, and each
 * buffer that it took has its completion in the queue. A thread of the kernel that reads
 * what is no socket may have one at any time. */
void cg__io_uring_recall(struct cg_reactor *reactor)
{
    struct uring *u = (struct uring *)reactor;

    if (!cg__uring_is_parents(u) && (u->ring.flags & IORING_SETUP_DEFER_TASKRUN) &&
        io_uring_cq_ready(&u->ring) == 0 &&
        !(IO_URING_READ_ONCE(*u->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) &&
        !cg__uring_has_plain(u))
        cg__uring_buffers_recall(&u->buffers);
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
        return; /* the first wait on the child's own ring returns at once */
    /* Fails only if 2^64 - 2 wakes are unread, and then wait returns anyway. */
    while (write(u->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    while (write(u->told_fd, &one, sizeof one) < 0 && errno == EINTR)
        ; /* tells a foreign loop at once, not when the ring's read completes */
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
/* ISO C requires a declaration in every file. */
typedef int cg__no_liburing;
#endif
