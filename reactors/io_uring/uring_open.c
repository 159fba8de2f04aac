/* SPDX-License-Identifier: MIT */
/* Opening and closing the io_uring reactor, and its life in a child made by fork(). The
 * child shares the ring and its memory with its parent. So in its first wait it makes a
 * ring of its own and submits all pending requests to it; until then it queues nothing. */
#include "config.h"

#ifdef HAVE_LIBURING

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/io_uring/uring.h"

/* Frees the ring, if there is one, and its buffers. A parent's ring is only closed: what
 * is registered with it stays registered. */
static void drop_ring(struct uring *u)
{
    if (u->ring.ring_fd < 0)
        return;
    cg__uring_buffers_close(&u->buffers, cg__uring_is_parents(u) ? NULL : &u->ring);
    io_uring_queue_exit(&u->ring);
    u->ring.ring_fd = -1;
}

/* The best set of flags first, the one that every kernel accepts last. With DEFER_TASKRUN
 * completions are made in one batch, only while we are in the kernel; the ring's
 * descriptor is also readable when such completions can be made. No SQPOLL: it costs a
 * kernel thread that spins. */
static int set_up(struct io_uring *ring)
{
    static const unsigned flags[] = {
        IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
            IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
            IORING_SETUP_R_DISABLED,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
            IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
            IORING_SETUP_R_DISABLED,
        IORING_SETUP_SUBMIT_ALL,
        0,
    };
    int err = -EINVAL;

    for (size_t i = 0; err == -EINVAL && i < sizeof flags / sizeof flags[0]; i++) {
        struct io_uring_params params = {
            .flags = flags[i] | IORING_SETUP_CQSIZE,
            .cq_entries = URING_COMPLETIONS,
        };
        err = io_uring_queue_init_params(URING_ENTRIES, ring, &params);
    }
    return err;
}

/* Returns -ENOSYS if the kernel is too old. The probe does not tell whether the kernel has
 * multishot receive, but it tells about zero-copy send, which came in the same version. */
static int probe(struct io_uring *ring, unsigned *files)
{
    static const int wanted[] = {
        IORING_OP_RECV,    IORING_OP_SEND,    IORING_OP_SENDMSG,
        IORING_OP_ACCEPT,  IORING_OP_CONNECT, IORING_OP_POLL_ADD,
        IORING_OP_READ,    IORING_OP_TIMEOUT, IORING_OP_ASYNC_CANCEL,
        IORING_OP_SEND_ZC,
    };
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    int err = probe && (ring->features & IORING_FEAT_EXT_ARG) ? 0 : -ENOSYS;

    for (size_t i = 0; err == 0 && i < sizeof wanted / sizeof wanted[0]; i++)
        if (!io_uring_opcode_supported(probe, wanted[i]))
            err = -ENOSYS;
    if (err == 0)
        *files = cg__uring_file_calls(probe);
    io_uring_free_probe(probe);
    return err;
}

/* Whether the ring can be entered: a filter of system calls may allow only its setup. */
static int enterable(struct io_uring *ring)
{
    int err = io_uring_enter((unsigned)ring->ring_fd, 0, 0, 0, NULL);

    return cg__calls_is_missing(err) ? err : 0; /* -EBADFD: the ring is still disabled */
}

static int make_ring(struct uring *u)
{
    int err;

    if ((err = set_up(&u->ring)) < 0) {
        u->ring.ring_fd = -1;
        return err;
    }
    if ((err = probe(&u->ring, &u->base.files)) == 0 && (err = enterable(&u->ring)) == 0)
        err = cg__uring_buffers_open(&u->buffers, &u->ring, &u->base);
    if (err < 0)
        drop_ring(u);
    u->started = u->wakeable = u->telling = false;
    return err;
}

int cg__uring_open(struct cg_reactor **reactor)
{
    struct uring *u = calloc(1, sizeof *u);
    int err;

    if (!u)
        return -ENOMEM;
    u->base.type = &cg__reactor_io_uring;
    u->base.recall = cg__io_uring_recall;
    u->forks = cg__fork_watch();
    u->flying.mark = URING_FLYING;
    u->backlog.mark = URING_BACKLOG;
    u->starved.mark = URING_STARVED;
    u->pause_accept.tv_nsec = URING_PAUSE_ACCEPT * CG_MILLISECOND;
    u->pause_connect.tv_nsec = URING_PAUSE_CONNECT * CG_MILLISECOND;
    u->pause_send.tv_nsec = URING_PAUSE_SEND * CG_MILLISECOND;
    if ((err = make_ring(u)) < 0)
        goto free_memory;
    if ((u->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        err = -errno;
        goto free_ring;
    }
    if ((u->told_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        err = -errno;
        goto close_wake;
    }
    u->base.fd = u->told_fd;
    *reactor = &u->base;
    return 0;

close_wake:
    close(u->wake_fd);
free_ring:
    drop_ring(u);
free_memory:
    free(u);
    return err;
}

void cg__uring_close(struct cg_reactor *reactor)
{
    struct uring *u = (struct uring *)reactor;

    drop_ring(u);
    close(u->wake_fd);
    close(u->told_fd);
    free(u->plain);
    cg__chunk_free_all(reactor);
    free(u);
}

/* The child's ring has no entry of the parent's. So moves all requests to the backlog,
 * which submits them again. */
static void put_off(struct uring *u, struct uring_list *list)
{
    struct cg_io *io;

    for (io = u->backlog.first; io; io = io->next)
        io->mark = URING_BACKLOG;
    while ((io = list->first)) {
        cg__uring_move(u, io, NULL);
        io->mark = 0;
        cg__uring_move(u, io, &u->backlog);
    }
}

/* Completes receives instead of submitting them again: a receive may be armed although
 * nobody reads, and would take the parent's bytes. The socket asks again if somebody
 * reads. A call on a file is the parent's: made again it could change the file twice. */
static void complete_or_requeue(struct uring *u)
{
    for (unsigned n = u->backlog.length; n > 0 && u->backlog.first; n--) {
        struct cg_io *io = u->backlog.first;

        if (io->state == CG_IO_CANCELLING || io->code == CG_IO_RECV ||
            io->code == CG_IO_FILE) {
            io->result = io->code == CG_IO_FILE ? -ESRCH : -ECANCELED;
            io->chunk = NULL;
            cg__io_uring_complete(u, io);
        } else { /* to the end, behind those not handled yet */
            cg__uring_move(u, io, &u->flying);
            cg__uring_move(u, io, &u->backlog);
        }
    }
}

int cg__uring_renew(struct uring *u)
{
    int err;

    drop_ring(u);
    if ((err = cg__calls_replace_fd(u->wake_fd,
                                    eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK))) < 0 ||
        (err = cg__calls_replace_fd(u->told_fd,
                                    eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK))) < 0 ||
        (err = make_ring(u)) < 0)
        return err;
    u->forks = cg__fork_count();
    put_off(u, &u->flying);
    put_off(u, &u->starved);
    complete_or_requeue(u);
    return 0;
}

#else
/* ISO C requires a declaration in every file. */
typedef int cg__no_liburing;
#endif
