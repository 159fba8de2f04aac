/* SPDX-License-Identifier: MIT */
/* The system calls of the real backends: those that never wait, one attempt at each that
 * may wait, and the clock. They never return EINTR and never raise SIGPIPE. */
#ifndef COGEN_REACTORS_CALLS_H
#define COGEN_REACTORS_CALLS_H

#include <errno.h>

#include <cogen/reactor.h>

#include <poll.h>

#ifdef POLLRDHUP
enum { CG__PEER_ENDED = POLLRDHUP }; /* poll: the peer has ended its stream */
#else
enum { CG__PEER_ENDED = 0 };
#endif

enum {
    CG__PARTS = 1024,           /* the most parts of one SENDV: IOV_MAX on the systems
                                 * that we know */
    CG__CALL_MOST = 0x7ffff000, /* bytes: the most that Linux moves in one call */
};

/* Makes the call of CG_IO_SOCKET to CG_IO_CREDENTIALS and sets io->result. Returns
 * CG_DONE. */
enum cg_verdict cg__calls_do(struct cg_io *io);

/* Makes one attempt, without waiting, at a request that may wait, except CONNECT and POLL.
 * Returns its result; -EAGAIN: not ready; -ENOTSOCK: the descriptor is not a socket, call
 * again with plain set. A RECV fills io->buf if io->len > 0, else io->chunk from the pool
 * (NULL if nothing came). plain: the descriptor is known not to be a socket. */
ssize_t cg__calls_attempt(struct cg_reactor *reactor, struct cg_io *io, bool plain);

/* Returns the events, out of `events`, CG_ERR and CG_HUP, for which a descriptor is ready
 * now; 0: none; -errno. With CG_IN or CG_HUP, CG_HUP also means that the peer has ended its
 * stream, although input may be unread. */
int cg__calls_ready_events(int fd, unsigned events);

struct cg_credentials;

/* Who is at the other end of a connected UNIX socket. Returns 0 or -errno. */
int cg__calls_credentials(int fd, struct cg_credentials *who);

/* Whether the error means that a system call is not available: the kernel is too old, or a
 * filter (seccomp) or a security module refuses it. That includes EPERM and EACCES, which
 * filters return that were written before the call existed. If they are the call's true
 * result, the older call, which is tried next, returns them too. */
static inline bool cg__calls_is_missing(ssize_t error)
{
    return error == -ENOSYS || error == -EPERM || error == -EACCES;
}

/* Whether an ACCEPT that failed with this error pauses before the next attempt. It does
 * unless the listener is broken or the error concerns one connection: the next attempt
 * will probably fail too (no descriptors, no memory, a firewall ...). */
bool cg__calls_accept_pauses(ssize_t error);

/* Whether a send that has this result waits for the receiver that its address names. While
 * that has no room, the kernel reports the UNIX socket that sends as writable: it looks at
 * the room of its peer only. So no event tells when to try again. */
bool cg__calls_send_pauses(const struct cg_io *io, ssize_t result);

/* The monotonic clock, ns: the `now` slot of every real backend. */
int64_t cg__calls_clock(struct cg_reactor *reactor);

/* Converts a timeout (ns, or CG_NEVER) to milliseconds, rounded up; -1: forever. */
int cg__calls_milliseconds(int64_t timeout);
/* Converts a timeout to a timespec; NULL: forever. */
struct timespec *cg__calls_timespec(int64_t timeout, struct timespec *ts);

/* The rest is for the files of single systems, calls_*.c. */

/* Repeats a call that was interrupted (EINTR). */
#define CG__CALLS_RETRY(n, call)                                                           \
    do                                                                                     \
        (n) = (call);                                                                      \
    while ((n) < 0 && errno == EINTR)

/* The result of a call that returned n: n or -errno. */
static inline ssize_t cg__calls_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* Makes a socket, or takes a connection from a listener: non-blocking, close-on-exec, and
 * without SIGPIPE. Returns the descriptor or -errno. */
int cg__calls_socket(int domain, int type, int protocol);
int cg__calls_accept(int fd);

/* The same, by calls that every system has: they set the flags after the descriptor was
 * made. */
int cg__calls_plain_socket(int domain, int type, int protocol);
int cg__calls_plain_accept(int fd);

/* Sends bytes of a file. Returns their number, which may be smaller, or -errno; -ENOSYS:
 * not on this system. May raise SIGPIPE. */
ssize_t cg__calls_sendfile(int fd, int file, int64_t offset, size_t count);

/* Moves bytes between a pipe and another descriptor. Returns their number, or -errno;
 * -ENOSYS: not on this system. May raise SIGPIPE. */
ssize_t cg__calls_splice(int from, int to, size_t count);

/* Makes a descriptor non-blocking. Returns 0 or -errno. */
int cg__calls_set_nonblocking(int fd);

/* Replaces a descriptor by a new one: fd keeps its number, `by` is closed. by is -1 if it
 * could not be made; errno then says why. Returns 0 or -errno. */
int cg__calls_replace_fd(int fd, int by);

#endif
