/* SPDX-License-Identifier: MIT */
/* The system calls of the real backends: those that never wait, one attempt at each of
 * those that may, and the clock. EINTR ends here, and nothing in here raises SIGPIPE. */
#ifndef COGEN_REACTORS_CALLS_H
#define COGEN_REACTORS_CALLS_H

#include <errno.h>

#include <cogen/reactor.h>

#include <poll.h>

#ifndef MSG_NOSIGNAL /* such systems have SO_NOSIGPIPE instead, set when one is made */
#define MSG_NOSIGNAL 0
#endif

#ifdef POLLRDHUP
enum { CG__PEER_ENDED = POLLRDHUP }; /* poll: the peer has ended its stream */
#else
enum { CG__PEER_ENDED = 0 };
#endif

enum {
    CG__PARTS = 1024,           /* of a SENDV, sent at once: IOV_MAX wherever we know it */
    CG__CALL_MOST = 0x7ffff000, /* bytes: the most that Linux moves in one call */
};

/* CG_IO_SOCKET to CG_IO_OFFER: makes the call and sets io->result; always CG_DONE. */
enum cg_verdict cg__calls_do(struct cg_io *io);

/* One attempt, without waiting, at a RECV, SEND, SENDV, SENDFILE or ACCEPT: its result, or
 * -EAGAIN: not now. A RECV fills io->buf if it has room, else io->chunk from the pool (NULL
 * again if nothing came). plain: this descriptor is known not to be a socket; -ENOTSOCK
 * says so of one that was taken for a socket. */
ssize_t cg__calls_attempt(struct cg_reactor *reactor, struct cg_io *io, bool plain);

/* Which of these events a descriptor is ready for now, with CG_ERR and CG_HUP; 0: none;
 * -errno. With CG_IN, CG_HUP also says that the peer has ended its stream, although input
 * may be unread. */
int cg__calls_ready_events(int fd, unsigned events);

/* Whether the kernel (too old), a filter of system calls (seccomp) or a security module
 * refuses a system call as such. EPERM and EACCES are refusals because filters written
 * before a call existed answer so; where they are the call's true result the older call
 * says the same. */
static inline bool cg__calls_is_missing(ssize_t error)
{
    return error == -ENOSYS || error == -EPERM || error == -EACCES;
}

/* Whether an ACCEPT that failed with this is tried again only after a pause: neither is the
 * listener broken, nor was it the error of one connection, so the next attempt is likely to
 * fail too (no descriptors, no memory, a firewall ...). */
bool cg__calls_accept_pauses(ssize_t error);

/* The monotonic clock, ns: the now slot of every real backend. */
int64_t cg__calls_clock(struct cg_reactor *reactor);

/* A timeout (ns, or CG_NEVER) for those who take milliseconds: rounded up, -1 for ever. */
int cg__calls_milliseconds(int64_t timeout);
/* The same for those who take a timespec: NULL for ever. */
struct timespec *cg__calls_timespec(int64_t timeout, struct timespec *ts);

/* Makes a descriptor non-blocking: 0 or -errno. */
int cg__calls_set_nonblocking(int fd);

/* Puts a new descriptor (-1: errno says why there is none) in the place of another one,
 * which is closed: 0 or -errno. */
int cg__calls_replace_fd(int fd, int by);

#endif
