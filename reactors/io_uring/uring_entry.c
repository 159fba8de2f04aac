/* SPDX-License-Identifier: MIT */
/* What the io_uring reactor puts into the submission queue: entries for requests, for
 * their cancels, and for what they must wait for first. */
#include "config.h"

#ifdef HAVE_LIBURING

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "reactors/calls.h"
#include "reactors/io_uring/uring.h"

/* A single-issuer ring belongs to the first thread that enters it. If the ring is created
 * disabled, only this call decides its owner, so it can be opened in one thread and used
 * in another. (liburing 2.3 declares io_uring_enable_rings, but its shared library does
 * not export it.) */
int cg__uring_start(struct uring *u)
{
    int err = 0;

    if (!u->started && (u->ring.flags & IORING_SETUP_R_DISABLED))
        err = io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS,
                                NULL, 0);
    u->started = u->started || err == 0;
    return err;
}

static struct io_uring_sqe *entry(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (cg__uring_is_parents(u))
        return NULL;
    sqe = io_uring_get_sqe(&u->ring);
    if (!sqe && cg__uring_start(u) == 0 && io_uring_submit(&u->ring) > 0)
        sqe = io_uring_get_sqe(&u->ring);
    return sqe;
}

/* An entry has only 32 bits for a length. */
static unsigned length(size_t wanted)
{
    return wanted < INT_MAX ? (unsigned)wanted : INT_MAX;
}

/* The kernel also ends a poll when the peer has shut down its side, whatever the poll
 * asked for. A poll for room in the socket would end again and again. After its first
 * false end it becomes multishot, which reports each change only once. */
static void prepare_poll(struct cg_io *io, struct io_uring_sqe *sqe)
{
    if (io->mark & URING_EDGES)
        io_uring_prep_poll_multishot(sqe, io->fd, (unsigned)cg__uring_events(io));
    else
        io_uring_prep_poll_add(sqe, io->fd, (unsigned)cg__uring_events(io));
}

/* Sends do not wait in the kernel (MSG_DONTWAIT). If the peer has shut down its side, the
 * kernel's own wait for room also ends again and again, and finally the kernel blocks one
 * of its threads in the call. */
static void prepare_sendv(struct uring *u, struct cg_io *io, struct io_uring_sqe *sqe)
{
    struct msghdr *message = &u->messages[sqe - u->ring.sq.sqes];

    *message = (struct msghdr){
        .msg_iov = (struct iovec *)io->iov,
        .msg_iovlen = (size_t)(io->iovcnt < CG__PARTS ? io->iovcnt : CG__PARTS),
    };
    io_uring_prep_sendmsg(sqe, io->fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* On most kernels, reads from what is not a socket cannot be multishot. */
static void prepare_recv(struct uring *u, struct cg_io *io, struct io_uring_sqe *sqe)
{
    if (cg__uring_is_plain(u, io->fd))
        io_uring_prep_read(sqe, io->fd, NULL, CG_CHUNK_SIZE, (uint64_t)-1);
    else
        io_uring_prep_recv_multishot(sqe, io->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_GROUP;
}

static void prepare(struct uring *u, struct cg_io *io, struct io_uring_sqe *sqe)
{
    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        prepare_recv(u, io, sqe);
        break;
    case CG_IO_SEND:
        io_uring_prep_send(sqe, io->fd, io->buf, length(io->len),
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        break;
    case CG_IO_SENDV:
        prepare_sendv(u, io, sqe);
        break;
    case CG_IO_ACCEPT:
        io_uring_prep_accept(sqe, io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case CG_IO_CONNECT:
        io_uring_prep_connect(sqe, io->fd, io->addr, io->addrlen);
        break;
    case CG_IO_POLL:
        prepare_poll(io, sqe);
        break;
    case CG_IO_FILE:
        cg__uring_file_prepare(io->call, sqe);
        break;
    default:
        abort(); /* all others poll first, or never wait */
    }
}

static struct __kernel_timespec *pause_of(struct uring *u, const struct cg_io *io)
{
    if (io->code == CG_IO_ACCEPT)
        return &u->pause_accept;
    return io->code == CG_IO_CONNECT ? &u->pause_connect : &u->pause_send;
}

void cg__uring_arm(struct uring *u, struct cg_io *io)
{
    struct io_uring_sqe *sqe = entry(u);

    if (!sqe) {
        cg__uring_move(u, io, &u->backlog);
        return;
    }
    if (cg__uring_is_called(u, io))
        io->mark |= URING_UNREADY;
    if (io->mark & URING_PAUSED)
        io_uring_prep_timeout(sqe, pause_of(u, io), 0, 0);
    else if (io->mark & URING_UNREADY)
        prepare_poll(io, sqe);
    else
        prepare(u, io, sqe);
    io->mark |= URING_IN_KERNEL;
    io_uring_sqe_set_data(sqe, io);
}

void cg__uring_arm_cancel(struct uring *u, struct cg_io *io)
{
    struct io_uring_sqe *sqe = entry(u);

    if (!sqe) {
        cg__uring_move(u, io, &u->backlog);
        return;
    }
    io_uring_prep_cancel64(sqe, (uintptr_t)io, 0);
    io_uring_sqe_set_data64(sqe, (uintptr_t)io + 1);
    io->mark |= URING_CANCELS;
}

/* When something is written to wake_fd, an enter that waits returns. */
void cg__uring_arm_wake(struct uring *u)
{
    struct io_uring_sqe *sqe = u->wakeable ? NULL : entry(u);

    if (!sqe)
        return;
    io_uring_prep_read(sqe, u->wake_fd, &u->wakes, sizeof u->wakes, 0);
    io_uring_sqe_set_data(sqe, u);
    u->wakeable = true;
}

/* Whether a peer should get these bytes now. Many bytes are the output of long work: a peer
 * that gets them at once works on them while we serve others, and we need not sleep until it
 * is done. Beside that work a system call of its own costs little. Few bytes can wait for the
 * end of the turn, where the ring sends them without such a call. */
static bool is_urgent(const struct cg_io *io)
{
    size_t n = 0;

    for (int i = 0; i < io->iovcnt && n < URING_SEND_NOW; i++)
        n += io->iov[i].iov_len;
    return io->more || n >= URING_SEND_NOW;
}

/* The requests for which we make the system call ourselves, now or once a poll reports the
 * descriptor as ready: sends of many bytes, and parts that are followed by more, which must
 * not wait for the end of the turn; sendfile, which io_uring lacks; datagrams, which it moves
 * one at a time, and would have consumed when their receive is cancelled too late; descriptors
 * and splices, for the same reason; writes to what is not a socket, where only a call of ours
 * can prevent SIGPIPE; and connects of UNIX sockets, which never take time: while the backlog
 * is full the kernel would retry again and again, and a cancel could not reach it. */
bool cg__uring_is_called(const struct uring *u, const struct cg_io *io)
{
    switch ((enum cg_io_code)io->code) {
    case CG_IO_SENDFILE:
    case CG_IO_RECV_DATAGRAMS:
    case CG_IO_SEND_DATAGRAMS:
    case CG_IO_RECV_FDS:
    case CG_IO_SEND_FDS:
    case CG_IO_SPLICE_IN:
    case CG_IO_SPLICE_OUT:
        return true;
    case CG_IO_SEND:
        return io->len >= URING_SEND_NOW || cg__uring_is_plain(u, io->fd);
    case CG_IO_SENDV:
        return is_urgent(io) || cg__uring_is_plain(u, io->fd);
    case CG_IO_CONNECT:
        return io->addrlen >= sizeof io->addr->sa_family &&
               io->addr->sa_family == AF_UNIX;
    default:
        return false;
    }
}

int cg__uring_events(const struct cg_io *io)
{
    int wanted = POLLOUT;

    switch (io->code) {
    case CG_IO_POLL:
        wanted = (int)io->events | (io->events & (POLLIN | POLLHUP) ? CG__PEER_ENDED : 0);
        break;
    case CG_IO_RECV:
    case CG_IO_RECV_DATAGRAMS:
    case CG_IO_RECV_FDS:
    case CG_IO_SPLICE_IN:
    case CG_IO_ACCEPT:
        wanted = POLLIN;
        break;
    }
    return wanted | POLLERR | POLLHUP;
}

bool cg__uring_is_plain(const struct uring *u, int fd)
{
    size_t at = (size_t)fd / 8;

    return at < u->plain_size && (u->plain[at] >> fd % 8 & 1);
}

bool cg__uring_has_plain(const struct uring *u)
{
    for (size_t at = 0; at < u->plain_size; at++)
        if (u->plain[at] != 0)
            return true;
    return false;
}

bool cg__uring_remember_plain(struct uring *u, int fd)
{
    size_t at = (size_t)fd / 8;

    if (at >= u->plain_size) {
        size_t size = (at + 64) & ~(size_t)63;
        uint8_t *plain = realloc(u->plain, size);
        if (!plain)
            return false;
        memset(plain + u->plain_size, 0, size - u->plain_size);
        u->plain = plain;
        u->plain_size = size;
    }
    u->plain[at] |= (uint8_t)(1 << fd % 8);
    return true;
}

void cg__uring_forget_plain(struct uring *u, int fd)
{
    if (cg__uring_is_plain(u, fd))
        u->plain[fd / 8] &= (uint8_t) ~(1 << fd % 8);
}

static void append(struct uring_list *list, struct cg_io *io)
{
    io->next = NULL;
    io->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = io;
    list->last = io;
    list->length++;
    io->mark |= list->mark;
}

static void take_out(struct uring_list *list, struct cg_io *io)
{
    *(io->prev ? &io->prev->next : &list->first) = io->next;
    *(io->next ? &io->next->prev : &list->last) = io->prev;
    io->next = io->prev = NULL;
    list->length--;
    io->mark &= ~(uintptr_t)list->mark;
}

static struct uring_list *list_of(struct uring *u, const struct cg_io *io)
{
    if (io->mark & URING_FLYING)
        return &u->flying;
    if (io->mark & URING_BACKLOG)
        return &u->backlog;
    return io->mark & URING_STARVED ? &u->starved : NULL;
}

void cg__uring_move(struct uring *u, struct cg_io *io, struct uring_list *to)
{
    struct uring_list *from = list_of(u, io);

    if (from == to)
        return;
    if (from)
        take_out(from, io);
    if (to)
        append(to, io);
}

#else
/* ISO C requires a declaration in every file. */
typedef int cg__no_liburing;
#endif
