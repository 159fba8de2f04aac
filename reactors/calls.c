/* SPDX-License-Identifier: MIT */
/* The system calls of the real backends. No other file of the library makes a system call
 * on a socket. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cogen/os_signal.h>

#include "lib/base/monotonic.h"
#include "reactors/calls.h"
#include "reactors/datagrams.h"
#include "reactors/passing.h"

enum { MORE = CG__MSG_MORE < 0 ? 0 : CG__MSG_MORE };

/* The calls that may wait: each function makes one attempt. */

static ssize_t receive(int fd, void *buf, size_t len, bool plain)
{
    ssize_t n;

    if (plain)
        CG__CALLS_RETRY(n, read(fd, buf, len));
    else
        CG__CALLS_RETRY(n, recv(fd, buf, len, MSG_DONTWAIT));
    return cg__calls_result(n);
}

static ssize_t receive_chunk(struct cg_reactor *reactor, struct cg_io *io, bool plain)
{
    struct cg_chunk *chunk = cg_chunk_get(reactor);
    ssize_t n;

    if (!chunk)
        return -ENOMEM;
    n = receive(io->fd, chunk->data, chunk->size, plain);
    if (n <= 0) {
        cg_chunk_put(reactor, chunk);
        return n;
    }
    chunk->end = n;
    io->chunk = chunk;
    return n;
}

static ssize_t send_parts(int fd, const struct iovec *iov, int iovcnt, bool more, bool plain)
{
    struct msghdr message = {
        .msg_iov = (struct iovec *)iov,
        .msg_iovlen = iovcnt < CG__PARTS ? iovcnt : CG__PARTS,
    };
    ssize_t n;
    int before;

    if (!plain) {
        int flags = MSG_DONTWAIT | CG__NOSIGNAL | (more ? MORE : 0);

        CG__CALLS_RETRY(n, sendmsg(fd, &message, flags));
        return cg__calls_result(n);
    }
    before = cg_sigpipe_block();
    CG__CALLS_RETRY(n, writev(fd, iov, message.msg_iovlen));
    n = cg__calls_result(n);
    cg_sigpipe_unblock(before, true); /* also takes a SIGPIPE that was sent to the
                                       * process meanwhile */
    return n;
}

static ssize_t send_bytes(int fd, const void *buf, size_t len, bool more, bool plain)
{
    struct iovec part = {.iov_base = (void *)buf, .iov_len = len};
    ssize_t n;

    if (plain)
        return send_parts(fd, &part, 1, more, true);
    CG__CALLS_RETRY(n, send(fd, buf, len, MSG_DONTWAIT | CG__NOSIGNAL | (more ? MORE : 0)));
    return cg__calls_result(n);
}

/* Sends a piece of the file through a buffer. What is not sent is read again next time. */
static ssize_t copy_file(struct cg_reactor *reactor, const struct cg_io *io, bool plain)
{
    struct cg_chunk *chunk = cg_chunk_get(reactor);
    size_t most;
    ssize_t n;

    if (!chunk)
        return -ENOMEM;
    most = io->count < chunk->size ? io->count : chunk->size;
    CG__CALLS_RETRY(n, pread(io->file, chunk->data, most, io->offset));
    n = n > 0 ? send_bytes(io->fd, chunk->data, n, false, plain) : cg__calls_result(n);
    cg_chunk_put(reactor, chunk);
    return n;
}

static ssize_t send_file(struct cg_reactor *reactor, const struct cg_io *io, bool plain)
{
    int before = cg_sigpipe_block();
    size_t most = io->count < CG__CALL_MOST ? io->count : CG__CALL_MOST;
    ssize_t n = cg__calls_sendfile(io->fd, io->file, io->offset, most);

    /* If the peer was gone after a part was sent, sendfile returns the part and raises
     * SIGPIPE too. If everything was sent, no check is needed. */
    cg_sigpipe_unblock(before, n != (ssize_t)most);
    /* Files that cannot be mapped, and descriptors that sendfile does not take. */
    if (n == -EINVAL || n == -EOPNOTSUPP || cg__calls_is_missing(n))
        return copy_file(reactor, io, plain);
    return n;
}

/* Descriptors that splice does not take, or a filter that refuses it. */
static ssize_t splice_result(ssize_t n)
{
    return n == -EINVAL || cg__calls_is_missing(n) ? -EOPNOTSUPP : n;
}

static ssize_t splice_out(const struct cg_io *io)
{
    int before = cg_sigpipe_block();
    ssize_t n = cg__calls_splice(io->file, io->fd, io->count);

    cg_sigpipe_unblock(before, n != (ssize_t)io->count);
    return splice_result(n);
}

int cg__calls_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int cg__calls_replace_fd(int fd, int by)
{
    int error = by < 0 || dup2(by, fd) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;

    if (by >= 0)
        close(by);
    return error;
}

bool cg__calls_accept_pauses(ssize_t error)
{
    switch (-error) {
    case EAGAIN:
    case ECANCELED:
    /* the listener is broken: trying again is useless */
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    /* network errors of one connection, which is gone (accept(2)) */
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ETIMEDOUT:
        return false;
    }
    return error < 0;
}

bool cg__calls_send_pauses(const struct cg_io *io, ssize_t result)
{
    const struct cg_addr *to;

    if (result != -EAGAIN || io->code != CG_IO_SEND_DATAGRAMS)
        return false;
    to = io->datagrams->addr;
    return to && to->len > 0 && to->base.sa_family == AF_UNIX;
}

ssize_t cg__calls_attempt(struct cg_reactor *reactor, struct cg_io *io, bool plain)
{
    switch (io->code) {
    case CG_IO_RECV:
        io->chunk = NULL;
        if (io->len)
            return receive(io->fd, io->buf, io->len, plain);
        return receive_chunk(reactor, io, plain);
    case CG_IO_SEND:
        return send_bytes(io->fd, io->buf, io->len, false, plain);
    case CG_IO_SENDV:
        return send_parts(io->fd, io->iov, io->iovcnt, io->more, plain);
    case CG_IO_SENDFILE:
        return send_file(reactor, io, plain);
    case CG_IO_RECV_DATAGRAMS:
        return cg__datagrams_receive(io);
    case CG_IO_SEND_DATAGRAMS:
        return cg__datagrams_send(io);
    case CG_IO_RECV_FDS:
        return cg__passing_receive(io->fd, io->passed);
    case CG_IO_SEND_FDS:
        return cg__passing_send(io->fd, io->passed);
    case CG_IO_SPLICE_IN:
        return splice_result(cg__calls_splice(io->fd, io->file, io->count));
    case CG_IO_SPLICE_OUT:
        return splice_out(io);
    case CG_IO_ACCEPT:
        return cg__calls_accept(io->fd);
    }
    return -EOPNOTSUPP;
}

int cg__calls_ready_events(int fd, unsigned events)
{
    struct pollfd p = {
        .fd = fd,
        .events = (events & CG_IN ? POLLIN : 0) | (events & CG_OUT ? POLLOUT : 0) |
                  (events & (CG_IN | CG_HUP) ? CG__PEER_ENDED : 0),
    };
    int n;

    CG__CALLS_RETRY(n, poll(&p, 1, 0));
    if (n < 0)
        return -errno;
    if (p.revents & POLLNVAL)
        return -EBADF;
    return (p.revents & POLLIN ? CG_IN : 0) | (p.revents & POLLOUT ? CG_OUT : 0) |
           (p.revents & POLLERR ? CG_ERR : 0) |
           (p.revents & (POLLHUP | CG__PEER_ENDED) ? CG_HUP : 0);
}

/* Not repeated on EINTR: the descriptor is closed already, and its number may be reused. */
static ssize_t close_fd(int fd)
{
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t offer(const struct cg_io *io)
{
    ssize_t n = send_bytes(io->fd, io->buf, io->len, io->closing, false);

    if (n == -ENOTSOCK)
        n = send_bytes(io->fd, io->buf, io->len, false, true);
    return n == -EAGAIN ? 0 : n;
}

static ssize_t call(struct cg_io *io)
{
    socklen_t size = io->size;
    int n;

    switch (io->code) {
    case CG_IO_SOCKET:
        return cg__calls_socket(io->domain, io->type, io->protocol);
    case CG_IO_BIND:
        return cg__calls_result(bind(io->fd, io->addr, io->addrlen));
    case CG_IO_SET_PEER:
        return cg__calls_result(connect(io->fd, io->addr, io->addrlen));
    case CG_IO_LISTEN:
        return cg__calls_result(listen(io->fd, io->backlog));
    case CG_IO_SETOPT:
        return cg__calls_result(setsockopt(io->fd, io->level, io->name, io->value, size));
    case CG_IO_GETOPT:
        n = getsockopt(io->fd, io->level, io->name, io->value, &size);
        return n < 0 ? -errno : (int)size;
    case CG_IO_SOCKNAME:
        return getsockname(io->fd, io->value, &size) < 0 ? -errno : (int)size;
    case CG_IO_PEERNAME:
        return getpeername(io->fd, io->value, &size) < 0 ? -errno : (int)size;
    case CG_IO_SHUTDOWN:
        return cg__calls_result(shutdown(io->fd, io->how));
    case CG_IO_ATTACH:
        return cg__calls_set_nonblocking(io->fd);
    case CG_IO_CLOSE:
        return close_fd(io->fd);
    case CG_IO_LOOK:
        return cg__calls_ready_events(io->fd, io->events);
    case CG_IO_OFFER:
        return offer(io);
    case CG_IO_DUPLICATE: /* never 0 to 2: a program may take these for its own */
        return cg__calls_result(fcntl(io->fd, F_DUPFD_CLOEXEC, 3));
    case CG_IO_CREDENTIALS:
        return cg__calls_credentials(io->fd, io->value);
    }
    return -EOPNOTSUPP;
}

enum cg_verdict cg__calls_do(struct cg_io *io)
{
    io->result = call(io);
    return CG_DONE;
}

int64_t cg__calls_clock(struct cg_reactor *reactor)
{
    (void)reactor;
    return cg__monotonic_now();
}

int cg__calls_milliseconds(int64_t timeout)
{
    if (timeout == CG_NEVER)
        return -1;
    if (timeout > (INT_MAX - 1) * CG_MILLISECOND)
        return INT_MAX;
    return timeout <= 0 ? 0 : (timeout + CG_MILLISECOND - 1) / CG_MILLISECOND;
}

struct timespec *cg__calls_timespec(int64_t timeout, struct timespec *ts)
{
    if (timeout == CG_NEVER)
        return NULL;
    if (timeout < 0)
        timeout = 0;
    *ts = (struct timespec){.tv_sec = timeout / CG_SECOND, .tv_nsec = timeout % CG_SECOND};
    return ts;
}
